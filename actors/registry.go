package actors

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/zeebo/xxh3"

	"github.com/dormouse-run/dormouse/internal/ident"
)

// The registry knows the actor of every live key.
//
// Two things could go wrong between a message and an actor that leaves: the
// message is posted to an actor that is being stopped, and lost; or a second
// actor of the key reads its rows while the first still has outputs that are
// not on disk. Both are closed by one count. pending counts the messages on
// their way to an actor and the outputs it has queued whose effects are not
// released; it rises from zero only under the lock of the shard, and an entry
// is removed, under the same lock, only while it is zero. So when an actor is
// stopped nothing is on its way to it, and the store holds everything it knew.
// While an entry is here, only its actor may read the rows of the key.

// entry is one live key.
type entry struct {
	key       ident.ObjectKey
	partition ident.Partition
	pid       *actor.PID
	shard     *shard

	// idle is set by the actor before it settles a message: its object holds
	// nothing that the store will not.
	idle atomic.Bool
	// durable is the highest seq of an output of the key that is on disk. It is
	// published before the effects of that output are performed.
	durable atomic.Uint64
	// barriers holds who waits for durable to grow.
	barriers barriers
	// single is set by the actor before its first event: the key is that of one
	// invocation of a plain service. spent says that its end is durable, after
	// which hardly anybody asks for it again.
	single bool
	spent  atomic.Bool

	// The rest is guarded by the lock of the shard.

	// pending counts messages and outputs on their way, see above.
	pending int
	// unused is when a sweep first saw the entry unused, in ms since the epoch;
	// 0 since its last use.
	unused int64
	// older and newer link the entries of a shard in the order of their last
	// use, so that a sweep looks only at what it takes.
	older, newer *entry
}

const shardCount = 256

type shard struct {
	mu             sync.Mutex
	entries        map[ident.ObjectKey]*entry
	oldest, newest *entry
}

type registry struct {
	spawn func(*entry) *actor.PID
	send  func(*actor.PID, any)
	stop  func(*actor.PID)

	shards      [shardCount]shard
	live        atomic.Int64
	activations atomic.Uint64
	next        atomic.Uint32 // where the next bounded sweep starts
	closed      atomic.Bool
	drained     atomic.Pointer[Signal] // set while drain waits
}

// newRegistry makes an empty registry. spawn starts an actor whose PID can be
// sent to at once. It is called, like stop, under a lock, and must not call
// back.
func newRegistry(spawn func(*entry) *actor.PID, send func(*actor.PID, any), stop func(*actor.PID)) *registry {
	r := &registry{spawn: spawn, send: send, stop: stop}
	for i := range r.shards {
		r.shards[i].entries = make(map[ident.ObjectKey]*entry)
	}
	return r
}

// deliver posts msg to the actor of key, which it activates when there is none.
// Messages that one goroutine delivers to one key arrive in order. After drain
// or abandon it drops msg and returns false.
func (r *registry) deliver(key ident.ObjectKey, p ident.Partition, msg any) bool {
	s := r.shardOf(key)
	s.mu.Lock()
	if r.closed.Load() {
		s.mu.Unlock()
		return false
	}
	e := s.entries[key]
	if e == nil {
		e = r.activate(s, key, p)
	}
	e.pending++
	s.use(e)
	s.mu.Unlock()
	// pending keeps the entry, so its actor is there without the lock.
	r.send(e.pid, msg)
	return true
}

// activate adds the entry of a key. The lock of s is held.
func (r *registry) activate(s *shard, key ident.ObjectKey, p ident.Partition) *entry {
	e := &entry{key: key, partition: p, shard: s}
	e.pid = r.spawn(e)
	s.entries[key] = e
	r.live.Add(1)
	r.activations.Add(1)
	return e
}

// retain counts an output that the actor of e queues. It is called by that
// actor, for which a message is pending.
func (r *registry) retain(e *entry) {
	e.shard.mu.Lock()
	e.pending++
	e.shard.mu.Unlock()
}

// settle counts a message that is handled, or an output whose effects have been
// released. A key that was used once leaves with the last of them instead of
// waiting for a sweep: those of a busy second would be tens of thousands.
func (r *registry) settle(e *entry) {
	s := e.shard
	s.mu.Lock()
	e.pending--
	if e.pending == 0 {
		if e.spent.Load() && e.idle.Load() {
			r.remove(s, e)
		} else {
			s.use(e)
		}
	}
	waiting := e.pending == 0 && r.closed.Load()
	s.mu.Unlock()
	if waiting {
		r.wakeDrain()
	}
}

// sweep stops at most max actors (0 is no bound) that are idle and have not
// been used for linger, those unused for longest first within a shard, and
// returns how many. Use is noticed by sweeps: an actor leaves at the first
// sweep that comes linger after the first one that saw it unused, or with a
// linger of 0 at once. now is in ms since the epoch.
func (r *registry) sweep(now int64, linger time.Duration, max int) int {
	start, stopped := r.next.Load(), 0
	for i := range uint32(shardCount) {
		left := max - stopped
		if max > 0 && left <= 0 {
			r.next.Store(start + i)
			break
		}
		stopped += r.sweepShard(&r.shards[(start+i)%shardCount], now, linger.Milliseconds(), left)
	}
	return stopped
}

// sweepShard sweeps one shard; max <= 0 is no bound.
func (r *registry) sweepShard(s *shard, now, linger int64, max int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	for e := s.newest; e != nil && e.unused == 0; e = e.older {
		e.unused = now
	}
	stopped := 0
	for e := s.oldest; e != nil && (linger == 0 || now-e.unused >= linger) && (max <= 0 || stopped < max); {
		newer := e.newer
		if e.pending == 0 && e.idle.Load() {
			r.remove(s, e)
			stopped++
		}
		e = newer
	}
	return stopped
}

// remove ends an entry and its actor. The lock of s is held.
func (r *registry) remove(s *shard, e *entry) {
	delete(s.entries, e.key)
	s.unlink(e)
	r.live.Add(-1)
	r.stop(e.pid)
}

// drain refuses further messages and stops actors until none is left; then it
// returns true. It needs the committer to run, because an actor whose outputs
// are not durable stays. It gives up and returns false once expired says so;
// whoever makes expired true notifies wake. Drain may be called again.
func (r *registry) drain(wake Signal, expired func() bool) bool {
	r.drained.Store(&wake)
	defer r.drained.Store(nil)
	r.closed.Store(true)
	for {
		r.sweep(0, 0, 0)
		if r.live.Load() == 0 {
			return true
		}
		if expired() {
			return false
		}
		wake.Wait()
	}
}

func (r *registry) wakeDrain() {
	if wake := r.drained.Load(); wake != nil {
		(*wake).Notify()
	}
}

// abandon refuses further messages and stops every actor, whatever it still
// has: the end after a failure, when nothing that is pending will settle. It
// returns the keys that were not idle.
func (r *registry) abandon() []ident.ObjectKey {
	r.closed.Store(true)
	var busy []ident.ObjectKey
	for i := range r.shards {
		s := &r.shards[i]
		s.mu.Lock()
		for e := s.oldest; e != nil; e = s.oldest {
			if e.pending > 0 || !e.idle.Load() {
				busy = append(busy, e.key)
			}
			r.remove(s, e)
		}
		s.mu.Unlock()
	}
	return busy
}

// shardOf needs no secret: a bad choice of keys costs time, not correctness,
// and a simulation wants to be repeatable.
func (r *registry) shardOf(key ident.ObjectKey) *shard {
	h := xxh3.HashString(key.Key) ^ xxh3.HashString(key.Service)<<1
	return &r.shards[(h^h>>32)%shardCount]
}

// use makes e the newest entry.
func (s *shard) use(e *entry) {
	e.unused = 0
	if s.newest == e {
		return
	}
	if e.newer != nil {
		s.unlink(e)
	}
	e.older = s.newest
	if s.newest != nil {
		s.newest.newer = e
	} else {
		s.oldest = e
	}
	s.newest = e
}

func (s *shard) unlink(e *entry) {
	if e.older != nil {
		e.older.newer = e.newer
	} else {
		s.oldest = e.newer
	}
	if e.newer != nil {
		e.newer.older = e.older
	} else {
		s.newest = e.older
	}
	e.older, e.newer = nil, nil
}
