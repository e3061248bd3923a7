package actors

import (
	"slices"
	"sync"
)

// barriers holds who waits for outputs of one key to become durable. The zero
// value is ready to use.
type barriers struct {
	mu      sync.Mutex
	waiting []Signal
}

// await blocks until done reports true. done is asked again after every wakeAll.
func (b *barriers) await(sched Scheduler, done func() bool) {
	if done() {
		return
	}
	s := sched.Signal()
	b.mu.Lock()
	b.waiting = append(b.waiting, s)
	b.mu.Unlock()
	for !done() {
		s.Wait()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := slices.Index(b.waiting, s); i >= 0 {
		b.waiting = slices.Delete(b.waiting, i, i+1)
	}
}

// wakeAll makes everyone look again. It never blocks.
func (b *barriers) wakeAll() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.waiting {
		s.Notify()
	}
}

// some reports whether anybody waits.
func (b *barriers) some() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.waiting) > 0
}
