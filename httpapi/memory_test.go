package httpapi_test

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/persistence"
)

// goroutines returns the stacks of all goroutines of the process, each one
// after an empty line.
func goroutines() string {
	buf := make([]byte, 1<<20)
	for {
		if n := runtime.Stack(buf, true); n < len(buf) {
			return string(buf[:n])
		}
		buf = make([]byte, 2*len(buf))
	}
}

// ours keeps the goroutines that have code of this module below them, without
// those of the tests.
func ours() (all []string) {
	for _, stack := range strings.Split(goroutines(), "\n\n") {
		inModule := strings.Contains(stack, "github.com/dormouse-run/dormouse/") || strings.Contains(stack, "badger") || strings.Contains(stack, "protoactor")
		if inModule && !strings.Contains(stack, "testing.tRunner") {
			all = append(all, stack)
		}
	}
	return all
}

// TestASuspendedHandlerCostsNoGoroutineAndNoActor counts goroutines of the
// process, so it must be alone in it: it is not parallel.
func TestASuspendedHandlerCostsNoGoroutineAndNoActor(t *testing.T) {
	const many = 2000
	dir := t.TempDir()
	l := ledger(filepath.Join(dir, "ledger"))
	h := openHouse(t, filepath.Join(dir, "data"), actors.Options{
		Services: deskServices(l), InactivityTimeout: time.Millisecond, Linger: -1,
	}, persistence.Options{})
	want(t, h.call("/Desk/warm/note", "1"), 200, "1")
	eventually(t, "rest before", func() bool { return h.rt.Stats().LiveActors == 0 })
	before := runtime.NumGoroutine()
	ids := make([]string, many)
	for n := range many {
		ids[n] = h.send(fmt.Sprintf("/Desk/k%d/ask", n), strconv.Quote(strconv.Itoa(n)))
	}
	eventually(t, "that all have been suspended", func() bool {
		s := h.rt.Stats()
		return len(l.lines("id")) == many && s.LiveActors == 0 && s.Attempts == 0
	})
	if s := h.rt.Stats(); s.HotWaiters+s.RunningHandlers+s.Requests+s.TimersInMemory != 0 {
		t.Errorf("something is kept for them: %+v", s)
	}
	// Connections and what the engine does meanwhile come and go; what is kept
	// for a suspended handler would stay.
	const slack = 20
	eventually(t, fmt.Sprintf("no more than %d goroutines for %d suspended handlers beside the %d of before", slack, many, before),
		func() bool { return runtime.NumGoroutine() <= before+slack })
	for n := 0; n < many; n += 400 {
		want(t, h.resolve(firstAwakeable(t, ids[n]), `"yes"`), 202, "")
		want(t, h.attach(ids[n]), 200, `"yes"`)
	}
	if n := len(l.lines("ran")); n != many {
		t.Errorf("%d closures for %d handlers", n, many)
	}
}

// TestNothingIsLeftAfterClose closes houses in which calls wait, two of them
// at a time. It counts goroutines, so it is not parallel.
func TestNothingIsLeftAfterClose(t *testing.T) {
	if left := ours(); len(left) > 0 {
		t.Fatalf("goroutines of other tests: %s", strings.Join(left, "\n\n"))
	}
	dir := t.TempDir()
	l := ledger(filepath.Join(dir, "ledger"))
	for round := range 2 {
		var houses [2]*house
		var waiting [2]<-chan reply
		for n := range houses {
			houses[n] = openHouse(t, filepath.Join(dir, strconv.Itoa(n)), actors.Options{Services: deskServices(l)}, persistence.Options{})
			name := fmt.Sprintf("%d-%d", round, n)
			waiting[n] = houses[n].later("/Desk/"+name+"/ask", strconv.Quote(name))
			l.await(t, "id", name)
			want(t, houses[n].call("/Desk/busy/note", strconv.Itoa(n)), 200, strconv.Itoa(n))
		}
		for n, h := range houses {
			rt := h.rt
			if err := h.leave(); err != nil {
				t.Errorf("leave: %v", err)
			}
			if r := receive(t, waiting[n]); r.status != 0 {
				t.Errorf("the call that waited was answered %v", r)
			}
			if err := rt.Close(); err != nil {
				t.Errorf("the second Close: %v", err)
			}
		}
	}
	var left []string
	deadline := time.Now().Add(5 * time.Second)
	for left = ours(); len(left) > 0 && time.Now().Before(deadline); left = ours() {
		<-time.After(10 * time.Millisecond)
	}
	if len(left) > 0 {
		t.Errorf("%d goroutines are left:\n%s", len(left), strings.Join(left, "\n\n"))
	}
}
