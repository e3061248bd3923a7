package actors

import (
	"sync"

	"github.com/dormouse-run/dormouse/internal/ident"
)

// attempts finds an attempt by its epoch, which no other attempt ever has. All
// methods may be called concurrently.
type attempts struct{ shards [attemptShards]attemptShard }

const attemptShards = 64

type attemptShard struct {
	mu      sync.Mutex
	byEpoch map[ident.Seq]*attempt
}

func newAttempts() *attempts {
	t := new(attempts)
	for i := range t.shards {
		t.shards[i].byEpoch = make(map[ident.Seq]*attempt)
	}
	return t
}

func (t *attempts) shard(epoch ident.Seq) *attemptShard { return &t.shards[epoch%attemptShards] }

func (t *attempts) add(a *attempt) {
	s := t.shard(a.epoch)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byEpoch[a.epoch] = a
}

func (t *attempts) remove(a *attempt) {
	s := t.shard(a.epoch)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byEpoch, a.epoch)
}

// get returns nil for an attempt that is over.
func (t *attempts) get(epoch ident.Seq) *attempt {
	s := t.shard(epoch)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byEpoch[epoch]
}

// all returns every attempt.
func (t *attempts) all() []*attempt {
	var all []*attempt
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		for _, a := range s.byEpoch {
			all = append(all, a)
		}
		s.mu.Unlock()
	}
	return all
}

// len returns how many attempts there are.
func (t *attempts) len() int {
	n := 0
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		n += len(s.byEpoch)
		s.mu.Unlock()
	}
	return n
}
