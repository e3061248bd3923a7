package actors

import (
	"context"

	"github.com/dormouse-run/dormouse/objects"
)

// code accounts for the goroutines of an attempt: the handler's, and those of
// the closures of Run. Go cannot stop a goroutine, so the key and the next
// attempt wait for them. It is guarded by the attempt.
type code struct {
	// live counts all goroutines, closures those of Run.
	live, closures int
	// ctx is the context of closures that start now, nil when there is none
	// yet.
	ctx    context.Context
	cancel context.CancelCauseFunc
	// leaving says that the handler has ended; what is left has until stopBy.
	leaving   bool
	abandoned bool
}

// Context implements objects.Host.
func (a *attempt) Context() context.Context {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.code.ctx == nil {
		a.code.ctx, a.code.cancel = context.WithCancelCause(context.Background())
		switch {
		case a.stopped != 0:
			a.code.cancel(a.stopped.cause())
		case a.code.leaving:
			a.code.cancel(ErrAborted)
		}
	}
	return a.code.ctx
}

// cancelContext cancels what runs. The caller holds mu.
func (a *attempt) cancelContext(cause error) {
	if a.code.cancel != nil {
		a.code.cancel(cause)
	}
}

// cancelRuns cancels the closures in flight because the invocation was
// cancelled. Closures that start later have a context of their own.
func (a *attempt) cancelRuns() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stopped != 0 || a.code.leaving {
		return
	}
	a.cancelContext(objects.ErrCancelled)
	a.code.ctx, a.code.cancel = nil, nil
}

// interruptRuns cancels the closures in flight because the runtime stops.
func (a *attempt) interruptRuns() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.cancelContext(ErrShutdown)
}

// Go implements objects.Host.
func (a *attempt) Go(name string, fn func()) {
	a.mu.Lock()
	a.code.live++
	a.code.closures++
	a.mu.Unlock()
	a.rt.sched.Go(name, func() {
		defer a.closureEnded()
		fn()
	})
}

func (a *attempt) closureEnded() {
	a.mu.Lock()
	a.code.closures--
	a.mu.Unlock()
	a.codeEnded()
	a.rouse()
}

// run is the handler's goroutine.
func (a *attempt) run() {
	defer a.handlerEnded()
	if a.muted.Load() {
		return
	}
	if err := a.history(); err != nil {
		a.unreadable(err)
		return
	}
	objects.Execute(a, &a.in, a.bound.handler, a.done)
}

// done is how a handler reports its outcome. It is the last thing on the
// handler's goroutine, except for a failure, after which code of the handler
// may still run.
func (a *attempt) done(o objects.Outcome) {
	failed := o.Kind == objects.OutcomeFailed
	if o.Failure.Stack != "" {
		a.meter.panicked.Add(1)
		a.rt.logger.Warn("a handler has panicked", "invocation", a.id.String(), "target", a.target.String(), "panic", o.Failure.Message, "stack", o.Failure.Stack)
	}
	a.mu.Lock()
	a.out.outcome = o
	if failed {
		a.out.final = a.stopped == 0
		a.code.leaving = true
		a.stopBy = a.rt.clock.lapse().Add(a.bound.settings.AbortTimeout)
		a.muted.Store(true)
		a.cancelContext(ErrAborted)
	}
	a.mu.Unlock()
	if failed {
		a.entry.barriers.wakeAll()
		a.rouse() // the handler may wait, when another goroutine has failed its attempt
		a.post()
	}
}

// handlerEnded runs when the handler's goroutine ends, however that happens.
func (a *attempt) handlerEnded() {
	a.giveUpSlot()
	now := a.rt.clock.lapse()
	a.meter.attempt.observe(int64(now.Sub(a.began)))
	a.mu.Lock()
	tell := false
	if a.stopped == 0 && !a.code.leaving {
		a.code.leaving = true
		a.stopBy = now.Add(a.bound.settings.AbortTimeout)
		a.muted.Store(true)
		a.cancelContext(ErrAborted)
		a.out.final = a.out.outcome.Kind != 0
		tell = a.code.live > 1
	}
	a.mu.Unlock()
	a.entry.barriers.wakeAll()
	if tell {
		a.post()
	}
	a.codeEnded()
}

// codeEnded counts one goroutine less. After the last one the attempt is over.
func (a *attempt) codeEnded() {
	a.mu.Lock()
	a.code.live--
	over := a.code.live == 0 && a.phase == phaseRunning
	if over {
		a.phase = phaseOver
	}
	a.mu.Unlock()
	if over {
		a.post()
	}
}

// abandon gives up code that did not end in time. It reports whether there was
// any.
func (a *attempt) abandon() bool {
	a.mu.Lock()
	if a.phase != phaseRunning {
		a.mu.Unlock()
		return false
	}
	a.phase = phaseOver
	a.code.abandoned = true
	a.muted.Store(true)
	a.mu.Unlock()
	a.giveUpSlot()
	a.post()
	return true
}
