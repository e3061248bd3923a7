package actors

import (
	"sync"
	"time"
)

// hot lists the attempts that wait in memory and could be suspended, the one
// that has waited longest first. Past its bound every arrival asks one of them to
// leave. It takes a sync to leave, so the one that is asked is not the first of
// the list but the first that was not asked before: else all who arrive during
// that sync ask the same one, and only a sweep brings the list back to its bound.
type hot struct {
	mu          sync.Mutex
	first, last *attempt
	// next is the first that has not been asked to leave; all behind it have not
	// been either. nil when all have.
	next *attempt
	// n is the length of the list, asked how many before next are on their way
	// out. Invariant: asked <= n.
	n, asked int
	max      int
}

// hotLinks is the place of an attempt in the list, guarded by the list.
type hotLinks struct {
	prev, next *attempt
	listed     bool
	asked      bool
	since      time.Time
	timeout    time.Duration
}

func newHot(limit int) *hot { return &hot{max: limit} }

// add puts a at the end. It returns the attempt to suspend when more than the
// bound would be left without those that leave already, nil otherwise.
func (h *hot) add(a *attempt, now time.Time, timeout time.Duration) (over *attempt) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if a.hot.listed {
		return nil
	}
	a.hot = hotLinks{prev: h.last, listed: true, since: now, timeout: timeout}
	if h.last != nil {
		h.last.hot.next = a
	} else {
		h.first = a
	}
	h.last = a
	if h.next == nil {
		h.next = a
	}
	h.n++
	if h.n-h.asked <= h.max {
		return nil
	}
	over, h.next = h.next, h.next.hot.next
	over.hot.asked = true
	h.asked++
	return over
}

// remove takes a out, if it is in the list.
func (h *hot) remove(a *attempt) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !a.hot.listed {
		return
	}
	if a.hot.asked {
		h.asked--
	} else if h.next == a {
		h.next = a.hot.next
	}
	if a.hot.prev != nil {
		a.hot.prev.hot.next = a.hot.next
	} else {
		h.first = a.hot.next
	}
	if a.hot.next != nil {
		a.hot.next.hot.prev = a.hot.prev
	} else {
		h.last = a.hot.prev
	}
	a.hot = hotLinks{}
	h.n--
}

// due returns the attempts that have waited for their timeout.
func (h *hot) due(now time.Time) []*attempt {
	h.mu.Lock()
	defer h.mu.Unlock()
	var due []*attempt
	for a := h.first; a != nil; a = a.hot.next {
		if now.Sub(a.hot.since) >= a.hot.timeout {
			due = append(due, a)
		}
	}
	return due
}

// oldest returns at most n attempts, those that have waited longest.
func (h *hot) oldest(n int) []*attempt {
	h.mu.Lock()
	defer h.mu.Unlock()
	var oldest []*attempt
	for a := h.first; a != nil && len(oldest) < n; a = a.hot.next {
		oldest = append(oldest, a)
	}
	return oldest
}

// len returns how many attempts wait in memory.
func (h *hot) len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.n
}

// has reports whether a is in the list.
func (h *hot) has(a *attempt) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return a.hot.listed
}
