package actors

import (
	"cmp"
	"slices"
	"sync"

	"github.com/dormouse-run/dormouse/internal/ident"
)

// attempts finds an attempt by its invocation and its epoch. The epoch alone is not
// enough: one output may start attempts of several invocations, all of those that
// wait for one promise, and they have its number. All methods may be called
// concurrently.
type attempts struct{ shards [attemptShards]attemptShard }

// attemptID names an attempt. No other one ever has the same.
type attemptID struct{ birth, epoch ident.Seq }

const attemptShards = 64

type attemptShard struct {
	mu   sync.Mutex
	byID map[attemptID]*attempt
}

func newAttempts() *attempts {
	t := new(attempts)
	for i := range t.shards {
		t.shards[i].byID = make(map[attemptID]*attempt)
	}
	return t
}

func (t *attempts) shard(id attemptID) *attemptShard { return &t.shards[id.birth%attemptShards] }

func (a *attempt) attemptID() attemptID { return attemptID{a.birth, a.epoch} }

func (t *attempts) add(a *attempt) {
	s := t.shard(a.attemptID())
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byID[a.attemptID()] = a
}

func (t *attempts) remove(a *attempt) {
	s := t.shard(a.attemptID())
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byID, a.attemptID())
}

// get returns nil for an attempt that is over.
func (t *attempts) get(birth, epoch ident.Seq) *attempt {
	id := attemptID{birth, epoch}
	s := t.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byID[id]
}

// all returns every attempt, in the order in which their invocations were accepted, so
// that what is done to all of them is done in the same order in each run of a simulation.
func (t *attempts) all() []*attempt {
	var all []*attempt
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		for _, a := range s.byID {
			all = append(all, a)
		}
		s.mu.Unlock()
	}
	slices.SortFunc(all, func(a, b *attempt) int {
		return cmp.Or(cmp.Compare(a.birth, b.birth), cmp.Compare(a.epoch, b.epoch))
	})
	return all
}

// len returns how many attempts there are.
func (t *attempts) len() int {
	n := 0
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		n += len(s.byID)
		s.mu.Unlock()
	}
	return n
}
