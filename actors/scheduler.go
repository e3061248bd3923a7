package actors

import (
	"maps"
	"runtime"
	"sync"

	"github.com/asynkron/protoactor-go/actor"
)

// Scheduler starts every goroutine of a runtime and makes everything they
// block on, so that a simulator can run one of them at a time and choose the
// next. Its methods may be called concurrently, also while locks are held.
type Scheduler interface {
	// Go runs fn on another goroutine and returns before fn has run. The name
	// says what kind of goroutine it is; there are few kinds.
	Go(name string, fn func())
	// Signal returns a new signal.
	Signal() Signal
	// Yield lets other goroutines run first, if any are ready.
	Yield()
}

// Signal wakes one goroutine. A notification that comes before Wait is kept;
// several of them count as one.
type Signal interface {
	// Notify wakes the waiter, now or at its next Wait. It never blocks and may
	// be called concurrently.
	Notify()
	// Wait blocks until Notify has been called since the last Wait returned. At
	// most one goroutine may wait at a time.
	Wait()
	// WaitOr is Wait, and also returns when done is closed; nil never is. It
	// does not say which of the two has happened: the caller looks.
	WaitOr(done <-chan struct{})
}

// Goroutines is the Scheduler of production. The zero value is ready; it may
// be used concurrently and must not be copied.
type Goroutines struct {
	mu   sync.Mutex
	live map[string]int // no name counts zero
}

// Go implements Scheduler.
func (g *Goroutines) Go(name string, fn func()) {
	g.count(name, 1)
	go func() {
		// Deferred, because a handler that is unwound ends its goroutine with
		// runtime.Goexit.
		defer g.count(name, -1)
		fn()
	}()
}

// Signal implements Scheduler.
func (g *Goroutines) Signal() Signal { return make(channelSignal, 1) }

// Yield implements Scheduler.
func (g *Goroutines) Yield() { runtime.Gosched() }

// Live returns how many goroutines of each name have not ended; names without
// any are absent.
func (g *Goroutines) Live() map[string]int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return maps.Clone(g.live)
}

func (g *Goroutines) count(name string, by int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.live == nil {
		g.live = make(map[string]int)
	}
	if n := g.live[name] + by; n != 0 {
		g.live[name] = n
	} else {
		delete(g.live, name)
	}
}

// channelSignal has room for the one notification that Wait may have missed.
type channelSignal chan struct{}

func (s channelSignal) Notify() {
	select {
	case s <- struct{}{}:
	default:
	}
}

func (s channelSignal) Wait() { <-s }

// WaitOr takes either when both are ready. As the caller looks at both, that
// decides nothing.
func (s channelSignal) WaitOr(done <-chan struct{}) {
	select {
	case <-s:
	case <-done:
	}
}

// Goroutines of the runtime's infrastructure, by name.
const (
	goActor     = "actor"
	goCommitter = "committer"
	goTimers    = "timers"
)

// dispatcher lets Proto.Actor run its actors on a Scheduler.
type dispatcher struct{ sched Scheduler }

var _ actor.Dispatcher = dispatcher{}

// throughput is how many messages an actor handles before others get a turn.
const throughput = 300

// Schedule implements actor.Dispatcher.
func (d dispatcher) Schedule(fn func()) { d.sched.Go(goActor, fn) }

// Throughput implements actor.Dispatcher.
func (d dispatcher) Throughput() int { return throughput }
