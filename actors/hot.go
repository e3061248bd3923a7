package actors

import (
	"sync"
	"time"
)

// hot lists the attempts that wait in memory and could be suspended, the one
// that has waited longest first.
type hot struct {
	mu          sync.Mutex
	first, last *attempt
	n           int
	max         int
}

// hotLinks is the place of an attempt in the list, guarded by the list.
type hotLinks struct {
	prev, next *attempt
	listed     bool
	since      time.Time
	timeout    time.Duration
}

func newHot(limit int) *hot { return &hot{max: limit} }

// add puts a at the end. It returns the attempt to suspend when the list has
// grown too long, nil otherwise.
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
	h.n++
	if h.n > h.max {
		return h.first
	}
	return nil
}

// remove takes a out, if it is in the list.
func (h *hot) remove(a *attempt) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !a.hot.listed {
		return
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
