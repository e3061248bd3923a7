package actors

import (
	"testing"
	"time"
)

// TestEveryArrivalPastTheBoundAsksAnotherWaiter: who is asked leaves when its
// suspension is durable, and many may arrive until then.
func TestEveryArrivalPastTheBoundAsksAnotherWaiter(t *testing.T) {
	t.Parallel()
	const limit, surplus = 4, 10
	h := newHot(limit)
	var all, asked []*attempt
	for range limit + surplus {
		a := new(attempt)
		all = append(all, a)
		if over := h.add(a, time.Time{}, time.Minute); over != nil {
			asked = append(asked, over)
		}
	}
	if len(asked) != surplus {
		t.Fatalf("%d waiters past the bound asked %d others to leave", surplus, len(asked))
	}
	for i, a := range asked {
		if a != all[i] {
			t.Errorf("number %d that was asked is not the one that has waited longest", i)
		}
		h.remove(a)
	}
	if h.len() != limit || h.asked != 0 {
		t.Errorf("%d are left, of which %d are asked", h.len(), h.asked)
	}
}

// TestWaitersThatGoOnMakeRoom: nobody is asked to leave for the place of one
// that is not there any more.
func TestWaitersThatGoOnMakeRoom(t *testing.T) {
	t.Parallel()
	h := newHot(2)
	a, b, c, d := new(attempt), new(attempt), new(attempt), new(attempt)
	for _, step := range []struct{ add, remove, over *attempt }{
		{add: a}, {add: b},
		{add: c, over: a},
		{remove: b}, // the next that would have been asked
		{add: d},    // a leaves already, c and d may stay
		{remove: a},
		{add: b, over: c},
	} {
		if step.remove != nil {
			h.remove(step.remove)
			continue
		}
		if over := h.add(step.add, time.Time{}, time.Minute); over != step.over {
			t.Errorf("adding one to %d waiters asked the wrong one, or none", h.len()-1)
		}
	}
	if h.len() != 3 || h.asked != 1 {
		t.Errorf("%d wait, of which %d are asked", h.len(), h.asked)
	}
}
