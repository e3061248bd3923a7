package objects

import (
	"fmt"
	"slices"
	"testing"
)

// TestAViewOfTheStateIsAMap, however many names it has: it is compared with one
// while names are written, removed, read and listed.
func TestAViewOfTheStateIsAMap(t *testing.T) {
	t.Parallel()
	for _, names := range []int{1, 2, fewNames, fewNames + 1, 100} {
		want := map[string]string{}
		s := stateView{complete: true}
		for i := range names / 2 {
			name := fmt.Sprintf("%03d", i)
			s.start = append(s.start, StateValue{Name: name, Value: []byte("start")})
			want[name] = "start"
		}
		for step := range 5 * names {
			name := fmt.Sprintf("%03d", step*7%names)
			if step%3 == 2 {
				s.write(name, nil, false)
				delete(want, name)
			} else {
				want[name] = fmt.Sprint(step)
				s.write(name, []byte(want[name]), true)
			}
			for i := range names + 1 {
				name := fmt.Sprintf("%03d", i)
				value, found, known := s.read(name)
				if text, there := want[name]; !known || found != there || string(value) != text {
					t.Fatalf("of %d names, step %d: %s is %q %v %v, want %q %v", names, step, name, value, found, known, text, there)
				}
			}
		}
		listed := (&execution{state: s}).list()
		if len(listed) != len(want) || !slices.IsSorted(listed) {
			t.Errorf("%d names: listed %q, want %v", names, listed, want)
		}
		s.clear()
		if _, found, known := s.read("000"); found || !known {
			t.Errorf("%d names: something is there after clear", names)
		}
	}
}
