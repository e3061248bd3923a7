package actors

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/dormouse-run/dormouse/internal/ident"
)

// countingActor counts the messages of its key. Its memory is the count; what
// it has counted reaches the store late, through the committer of the test.
type countingActor struct {
	world *countingWorld
	entry *entry
	key   *countedKey
	count int
}

// countedKey is what the world knows of one key. busy and applied are owned by
// the one live actor of the key, so the race detector watches them too.
type countedKey struct {
	busy    atomic.Int32
	applied int
	stored  atomic.Int64
	order   map[int]int
}

type countingWorld struct {
	t        testing.TB
	registry *registry
	keys     map[ident.ObjectKey]*countedKey
	commits  chan counted
	tokens   chan struct{} // one for each message under way
	handled  atomic.Int64
	overlaps atomic.Int64
	stale    atomic.Int64
	swapped  atomic.Int64
}

// counted is an output on its way to the store.
type counted struct {
	entry *entry
	key   *countedKey
	count int
}

type numbered struct{ sender, n int }

func (a *countingActor) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *entry:
		a.entry, a.key = m, a.world.keys[m.key]
		a.count = int(a.key.stored.Load())
		if a.count != a.key.applied {
			a.world.stale.Add(1)
		}
	case numbered:
		defer a.world.registry.settle(a.entry)
		if !a.key.busy.CompareAndSwap(0, 1) {
			a.world.overlaps.Add(1)
		}
		if a.key.order[m.sender] != m.n {
			a.world.swapped.Add(1)
		}
		a.key.order[m.sender] = m.n + 1
		a.count++
		a.key.applied++
		a.world.registry.retain(a.entry)
		a.world.commits <- counted{a.entry, a.key, a.count}
		a.entry.idle.Store(true)
		a.key.busy.Store(0)
		a.world.handled.Add(1)
	}
}

func (w *countingWorld) commit() {
	for c := range w.commits {
		c.key.stored.Store(int64(c.count))
		w.registry.settle(c.entry)
		<-w.tokens
	}
}

// TestActorsThatLeaveAtOnceLoseNothingAndNeverOverlap races deliveries with
// immediate passivation. An activation must find in the store everything that
// earlier actors of the key have counted (rule R1).
func TestActorsThatLeaveAtOnceLoseNothingAndNeverOverlap(t *testing.T) {
	t.Parallel()
	const senders, each, keys = 4, 25_000, 5
	w := &countingWorld{t: t, keys: make(map[ident.ObjectKey]*countedKey), commits: make(chan counted, 8), tokens: make(chan struct{}, 8)}
	sys := newSystem(testLog(t), new(Goroutines), func() actor.Actor { return &countingActor{world: w} },
		func(err error) { t.Error(err) })
	w.registry = newRegistry(sys.spawn, sys.send, sys.stop)
	var names []ident.ObjectKey
	for i := range keys {
		k := ident.ObjectKey{Service: "Counter", Key: fmt.Sprint(i)}
		names = append(names, k)
		w.keys[k] = &countedKey{order: make(map[int]int)}
	}
	var sending, helpers sync.WaitGroup
	var over atomic.Bool
	helpers.Go(w.commit)
	helpers.Go(func() {
		for !over.Load() {
			w.registry.sweep(1, 0, 0)
		}
	})
	for s := range senders {
		sending.Go(func() {
			for n := range each {
				w.tokens <- struct{}{}
				w.registry.deliver(names[n%keys], 0, numbered{sender: s, n: n / keys})
				if n%10 == 0 {
					w.registry.sweep(1, 0, 0) // the sweeping goroutine may not get a core
				}
			}
		})
	}
	sending.Wait()
	wake := new(Goroutines).Signal()
	if !w.registry.drain(wake, func() bool { return false }) {
		t.Error("drain gave up")
	}
	over.Store(true)
	close(w.commits)
	helpers.Wait()
	if n := w.handled.Load(); n != senders*each {
		t.Errorf("%d of %d messages were handled", n, senders*each)
	}
	if w.overlaps.Load()+w.stale.Load()+w.swapped.Load()+sys.deadLetters.Load() != 0 {
		t.Errorf("%d overlaps, %d activations from an old store, %d out of order, %d dead letters",
			w.overlaps.Load(), w.stale.Load(), w.swapped.Load(), sys.deadLetters.Load())
	}
	if a := w.registry.activations.Load(); a < 100*keys {
		t.Errorf("%d activations: too few for a race", a)
	} else {
		t.Logf("%d activations", a)
	}
}

// stubRegistry is a registry over actors that only exist by name.
type stubRegistry struct {
	*registry
	stopped []string
	sent    []any
}

func newStubRegistry() *stubRegistry {
	s := new(stubRegistry)
	s.registry = newRegistry(
		func(e *entry) *actor.PID { return actor.NewPID("nonhost", e.key.Key) },
		func(_ *actor.PID, msg any) { s.sent = append(s.sent, msg) },
		func(pid *actor.PID) { s.stopped = append(s.stopped, pid.Id) })
	return s
}

func (s *stubRegistry) use(key string, idle bool) *entry {
	k := ident.ObjectKey{Service: "S", Key: key}
	s.deliver(k, 0, key)
	e := s.lookup(k)
	e.idle.Store(idle)
	return e
}

// lookup returns the entry of key, or nil. It may be gone when lookup returns.
func (r *registry) lookup(key ident.ObjectKey) *entry {
	s := r.shardOf(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.entries[key]
}

func TestSweepTakesOnlyWhatIsIdleSettledAndUnusedForTheLinger(t *testing.T) {
	t.Parallel()
	r := newStubRegistry()
	idle, busy, pending := r.use("idle", true), r.use("busy", false), r.use("pending", true)
	r.settle(idle)
	r.settle(busy)
	for _, step := range []struct {
		now  int64
		want int
	}{{1000, 0}, {1999, 0}, {2000, 1}, {9000, 0}} {
		if got := r.sweep(step.now, time.Second, 0); got != step.want {
			t.Fatalf("sweep at %d stopped %d, want %d", step.now, got, step.want)
		}
	}
	if r.stopped[0] != "idle" || r.lookup(idle.key) != nil || r.live.Load() != 2 {
		t.Fatalf("stopped %v, %d live", r.stopped, r.live.Load())
	}
	r.settle(pending)
	if got := r.sweep(9500, time.Second, 0); got != 0 {
		t.Fatalf("an actor that was used since the last sweep left")
	}
	if got := r.sweep(9500, 0, 0); got != 1 || r.stopped[1] != "pending" {
		t.Fatalf("stopped %v with a linger of 0", r.stopped)
	}
}

func TestRetainedOutputKeepsItsActor(t *testing.T) {
	t.Parallel()
	r := newStubRegistry()
	e := r.use("k", true)
	r.retain(e)
	r.settle(e)
	if r.sweep(1, 0, 0) != 0 {
		t.Fatal("an actor left before its output was durable")
	}
	r.settle(e)
	if r.sweep(1, 0, 0) != 1 {
		t.Fatal("an actor stayed after its output was durable")
	}
}

func TestBoundedSweepsTakeTheOldestOfAShardAndGetAround(t *testing.T) {
	t.Parallel()
	r := newStubRegistry()
	for i := range 1000 {
		r.settle(r.use(fmt.Sprint(i), true))
	}
	for range 100 {
		if got := r.sweep(1, 0, 10); got != 10 {
			t.Fatalf("a sweep of at most 10 stopped %d", got)
		}
	}
	if r.live.Load() != 0 {
		t.Fatalf("%d actors were never swept", r.live.Load())
	}
	last := make(map[*shard]int)
	for _, id := range r.stopped {
		var n int
		if _, err := fmt.Sscan(id, &n); err != nil {
			t.Fatal(err)
		}
		s := r.shardOf(ident.ObjectKey{Service: "S", Key: id})
		if n < last[s] {
			t.Fatalf("%d left after %d, which was used later", n, last[s])
		}
		last[s] = n
	}
}

func TestDrainWaitsForWhatIsPendingAndRefusesTheRest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newStubRegistry()
		e := r.use("k", true)
		wake := new(Goroutines).Signal()
		drained := make(chan bool, 1)
		go func() { drained <- r.drain(wake, func() bool { return false }) }()
		synctest.Wait()
		if len(drained) != 0 || r.deliver(e.key, 0, "late") {
			t.Fatal("drain did not wait, or a late message was taken")
		}
		r.settle(e)
		if !<-drained || r.live.Load() != 0 {
			t.Fatal("drain ended before the registry was empty")
		}
	})
}

func TestDrainGivesUpWhenItsTimeIsOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newStubRegistry()
		e := r.use("stuck", true)
		wake := new(Goroutines).Signal()
		var expired atomic.Bool
		time.AfterFunc(time.Second, func() { expired.Store(true); wake.Notify() })
		if r.drain(wake, expired.Load) {
			t.Fatal("drain said that a pending actor has left")
		}
		if busy := r.abandon(); len(busy) != 1 || busy[0] != e.key || r.live.Load() != 0 {
			t.Fatalf("abandoned %v, %d live", busy, r.live.Load())
		}
	})
}

func BenchmarkDeliver(b *testing.B) {
	sys := newSystem(testLog(b), new(Goroutines), func() actor.Actor { return new(settlingActor) }, func(err error) { b.Error(err) })
	r := newRegistry(sys.spawn, sys.send, sys.stop)
	msg := &settleMe{registry: r}
	keys := make([]ident.ObjectKey, 1024)
	for i := range keys {
		keys[i] = ident.ObjectKey{Service: "Counter", Key: fmt.Sprint(i)}
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		r.deliver(keys[i%len(keys)], 0, msg)
		i++
	}
	if !r.drain(new(Goroutines).Signal(), func() bool { return false }) {
		b.Fatal("drain gave up")
	}
}

type settleMe struct{ registry *registry }

type settlingActor struct{ entry *entry }

func (a *settlingActor) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *entry:
		a.entry = m
	case *settleMe:
		a.entry.idle.Store(true)
		m.registry.settle(a.entry)
	}
}
