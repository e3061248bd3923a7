package services

import "sync"

// tally counts by name in the memory of the process: it is what code sees that
// is not durable. It may be used concurrently.
type tally struct {
	mu sync.Mutex
	n  map[string]int
}

func newTally() *tally { return &tally{n: map[string]int{}} }

// next counts one more and returns the count.
func (t *tally) next(name string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n[name]++
	return t.n[name]
}

// take returns the count and starts again.
func (t *tally) take(name string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.n[name]
	delete(t.n, name)
	return n
}
