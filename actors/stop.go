package actors

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dormouse-run/dormouse/persistence"
)

// stopping is how far a runtime has come in stopping.
type stopping struct {
	// ended wakes Drain when an attempt is over, emptied wakes Close when an
	// actor has nothing left.
	ended, emptied Signal
	// turn lets one goroutine at a time drain or close. since is when the first
	// of them began: all share one grace.
	turn  sync.Mutex
	since time.Time

	mu     sync.Mutex
	done   chan struct{}
	closed bool
	err    error // what made the runtime fail
	result error // what Close returned
}

func (s *stopping) init(sched Scheduler) {
	s.ended, s.emptied = sched.Signal(), sched.Signal()
	s.done = make(chan struct{})
}

// finish closes done, and notes why when there is a reason. It reports whether
// it was the first.
func (s *stopping) finish(err error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.done:
		return false
	default:
	}
	s.err = err
	close(s.done)
	return true
}

// Done is closed when the runtime has stopped: by Close, or because something
// failed that Err names.
func (rt *Runtime) Done() <-chan struct{} { return rt.stopping.done }

// Err returns what made the runtime stop by itself: nothing that was not
// answered before is known to be stored. It is nil before, and after Close.
func (rt *Runtime) Err() error {
	rt.stopping.mu.Lock()
	defer rt.stopping.mu.Unlock()
	return rt.stopping.err
}

// crash stops the runtime because it cannot go on; nothing that is still in
// memory becomes durable.
func (rt *Runtime) crash(err error) {
	rt.committer.abort(err)
	rt.fail(err)
}

// fail stops the runtime after the committer has failed: every outcome that was
// not told is unknown. It does not block.
func (rt *Runtime) fail(err error) {
	rt.failed.Store(true)
	if !rt.stopping.finish(err) {
		return
	}
	rt.logger.Error("the runtime has stopped: what it was asked for and has not answered may or may not be stored", "error", err)
	rt.beginDrain()
	rt.events.end()
	rt.waiters.failAll(errHalted)
	for _, a := range rt.attempts.all() {
		a.stop(stopShutdown)
	}
}

// health returns what the store says of itself. When its data is gone the runtime
// ends: nobody has to wait for a commit to learn that.
func (rt *Runtime) health() persistence.Health {
	h := rt.options.Store.Health()
	if h.Lost != nil {
		rt.fail(h.Lost)
	}
	return h
}

// beginDrain lets nothing new begin.
func (rt *Runtime) beginDrain() {
	rt.admission.close()
	rt.draining.Store(true)
	for _, a := range rt.slots.close() {
		a.stop(stopShutdown)
	}
	for _, a := range append(rt.starts.press(false), rt.starts.takeAlone()...) {
		a.stop(stopShutdown)
	}
	rt.pressed.Store(false)
	rt.recovery.halt()
}

// Drain refuses requests and lets every handler come to its next wait, where it
// is suspended; closures of Run are interrupted after half of Options.CloseGrace.
// It returns when no handler is in memory, or when CloseGrace has passed or ctx
// has ended: then with an error that names who is left. Invocations that were
// interrupted go on at the next start. A Close that follows shares the grace.
func (rt *Runtime) Drain(ctx context.Context) error {
	rt.stopping.turn.Lock()
	defer rt.stopping.turn.Unlock()
	return rt.drain(ctx)
}

func (rt *Runtime) drain(ctx context.Context) error {
	rt.beginDrain()
	rt.timers.stop()
	for _, a := range rt.attempts.all() {
		a.rouse()
		a.entry.barriers.wakeAll()
	}
	if rt.stopping.since.IsZero() {
		rt.stopping.since = rt.clock.base.Now()
	}
	wake, grace := rt.stopping.ended, rt.options.CloseGrace
	passed := rt.clock.base.Now().Sub(rt.stopping.since)
	defer context.AfterFunc(ctx, wake.Notify)()
	defer rt.clock.base.AfterFunc(grace/2-passed, wake.Notify)()
	defer rt.clock.base.AfterFunc(grace-passed, wake.Notify)()
	for {
		left := rt.attempts.all()
		passed = rt.clock.base.Now().Sub(rt.stopping.since)
		switch {
		case len(left) == 0:
			return nil
		case passed >= grace || ctx.Err() != nil:
			return fmt.Errorf("drain: %d attempts have not ended: %s", len(left), names(left))
		}
		for _, a := range left {
			a.drain(passed >= grace/2)
		}
		wake.Wait()
	}
}

// drain ends an attempt that does not run, and interrupts the closures of one
// that has had its time.
func (a *attempt) drain(interrupt bool) {
	a.mu.Lock()
	idle := a.phase < phaseRunning
	a.mu.Unlock()
	switch {
	case idle:
		a.stop(stopShutdown)
	case interrupt:
		a.interruptRuns()
	}
}

func names(attempts []*attempt) string {
	const most = 10
	var b strings.Builder
	for i, a := range attempts {
		if i == most {
			fmt.Fprintf(&b, " and %d more", len(attempts)-most)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s of %s", a.id, a.target)
	}
	return b.String()
}

// Close drains, makes everything durable and closes the store. Code that does
// not end within Options.CloseGrace is abandoned: the error names it with the
// stacks of its goroutines. Requests that wait get an *OutcomeUnknownError.
// Close may be called again, and returns the same; it waits for a Close that
// is under way.
func (rt *Runtime) Close() error {
	s := &rt.stopping
	s.turn.Lock()
	defer s.turn.Unlock()
	if s.closed {
		return s.result
	}
	rt.trace.pass(PointClosing)
	err := rt.end()
	s.closed, s.result = true, err
	s.finish(nil)
	return err
}

func (rt *Runtime) end() error {
	var errs []error
	if err := rt.drain(context.Background()); err != nil {
		errs = append(errs, rt.abandonRest())
	}
	rt.recovery.stop()
	rt.janitor.stop()
	rt.deadlocks.stop()
	if !rt.flush() {
		if busy := rt.registry.abandon(); len(busy) > 0 && !rt.failed.Load() {
			errs = append(errs, fmt.Errorf("close: %d keys had not come to rest, the first is %s; they go on at the next start", len(busy), busy[0]))
		}
	}
	rt.deliverer.stop()
	rt.committer.stop()
	rt.events.end()
	rt.sweeper.stop()
	rt.waiters.failAll(errHalted)
	rt.workers.close()
	if err := rt.options.Store.Close(); err != nil {
		errs = append(errs, fmt.Errorf("close the store: %w", err))
	}
	return errors.Join(errs...)
}

// flush waits until the actors have nothing left, which is then durable.
func (rt *Runtime) flush() bool {
	wake, start := rt.stopping.emptied, rt.clock.base.Now()
	grace := rt.options.CloseGrace
	defer rt.clock.base.AfterFunc(grace, wake.Notify)()
	return rt.registry.drain(wake, func() bool {
		return rt.failed.Load() || rt.clock.base.Now().Sub(start) >= grace
	})
}

// abandonRest gives up the attempts that have not ended.
func (rt *Runtime) abandonRest() error {
	left := rt.attempts.all()
	if len(left) == 0 {
		return nil
	}
	for _, a := range left {
		a.stop(stopShutdown)
		if a.abandon() {
			rt.abandoned.Add(1)
		}
	}
	return fmt.Errorf("close: %d attempts are abandoned, because their code did not end within %v: %s; goroutines:\n%s",
		len(left), rt.options.CloseGrace, names(left), stacksOf(left))
}

// stacksOf returns the stacks of the goroutines that run the handlers of
// attempts, and those of all closures.
func stacksOf(attempts []*attempt) string {
	marks := []string{"(*attempt).Go.func"}
	for _, a := range attempts {
		marks = append(marks, fmt.Sprintf("(*attempt).run(%p", a))
	}
	buf := make([]byte, 1<<20)
	buf = buf[:runtime.Stack(buf, true)]
	var b strings.Builder
	for stack := range strings.SplitSeq(string(buf), "\n\n") {
		if slices.ContainsFunc(marks, func(mark string) bool { return strings.Contains(stack, mark) }) {
			b.WriteString(stack)
			b.WriteString("\n\n")
		}
	}
	return b.String()
}

// nap blocks for d, or until l is woken or halted. That it is halted wakes one nap
// only, so the next one asks.
func (rt *Runtime) nap(l *loop, d time.Duration) {
	if l.stopping.Load() {
		return
	}
	defer rt.clock.base.AfterFunc(d, l.wake.Notify)()
	l.wake.Wait()
}
