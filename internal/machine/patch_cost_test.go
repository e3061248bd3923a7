package machine

import (
	"fmt"
	"testing"
)

// TestASliceOfAPatchCostsTheSameHoweverLargeThePatchIs counts what the slices in
// the middle of patches take, up to the second one of each.
func TestASliceOfAPatchCostsTheSameHoweverLargeThePatchIs(t *testing.T) {
	slice := func(values int) float64 {
		w := livesWorld(t)
		ev := &EditState{Token: 1, OfObject: true}
		for i := range values {
			ev.Values = append(ev.Values, StateValue{Name: fmt.Sprintf("n%07d", i), Value: []byte("v")})
		}
		w.apply(ev)
		w.commit()
		next := func() {
			for _, row := range w.disk {
				if c, ok := row.(*ChoreRow); ok {
					w.apply(&DoChore{Chore: *c})
				}
			}
			w.commit()
		}
		next()
		return testing.AllocsPerRun(3, next)
	}
	small, large := slice(4000), slice(40_000)
	if large > 2*small+100 {
		t.Errorf("a slice of a patch of 4,000 values allocates %v times, one of 40,000 values %v times", small, large)
	}
}
