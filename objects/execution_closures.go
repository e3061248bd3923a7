package objects

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dormouse-run/dormouse/internal/journal"
)

// closures are the closures of Run that are under way.
type closures struct {
	mu sync.Mutex
	// group holds those that started since the last cancellation, earlier the
	// groups of before that have not ended.
	group   *group
	earlier []*group
	// endings are those that ended without a result, to be looked at by the
	// handler. They count as under way until then: the handler must not be
	// suspended on a result that will not come.
	endings []ending
	// proposed says that a result of this attempt was handed to the host.
	proposed bool
}

// group counts closures that have started and not ended.
type group struct {
	running int
	// waiting are notified when running has come down to 0.
	waiting []HostSignal
}

// ending is how a closure ended without a result.
type ending struct {
	run *run
	err error
	// stack is set for panics.
	stack string
	// context is the closure's, whose end explains err.
	context context.Context
}

// start starts the closures among fs that have not started, all together, and
// reports whether the handler may be suspended: while one is under way, its
// result would be lost.
func (ex *execution) start(fs []*future) (parkable bool) {
	for _, f := range fs {
		if r := f.run; r != nil && !f.done && r.group == nil && !(r.interrupted && r.cancels == ex.cancels) {
			r.start()
		}
	}
	return ex.closures.quiet()
}

// quiet reports whether no closure is under way.
func (c *closures) quiet() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, g := range c.earlier {
		if g.running > 0 {
			return false
		}
	}
	return c.group == nil || c.group.running == 0
}

// divide begins a new group: closures that start from now on compensate, and
// wait for those of before.
func (c *closures) divide() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.group != nil && c.group.running > 0 {
		c.earlier = append(c.earlier, c.group)
	}
	c.group = nil
}

// join counts a closure that starts, and returns what it must wait for first.
func (c *closures) join() (g *group, before []*group) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.group == nil {
		c.group = &group{}
	}
	c.group.running++
	for _, e := range c.earlier {
		if e.running > 0 {
			before = append(before, e)
		}
	}
	return c.group, before
}

// leave counts a closure that has ended. The caller holds the lock of closures.
func (g *group) leave() {
	g.running--
	if g.running == 0 {
		for _, s := range g.waiting {
			s.Notify()
		}
		g.waiting = nil
	}
}

// await makes s be notified when the closures of g have ended. It reports false
// when they have.
func (c *closures) await(g *group, s HostSignal) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if g.running == 0 {
		return false
	}
	g.waiting = append(g.waiting, s)
	return true
}

// start starts the closure on a goroutine of its own.
func (r *run) start() {
	ctx := r.ex.host.Context()
	if ctx.Err() != nil {
		r.ex.unwind(r.stopped(ctx))
	}
	var before []*group
	r.group, before = r.ex.closures.join()
	r.interrupted, r.cancels = false, r.ex.cancels
	r.ex.host.Go("run", func() { r.execute(ctx, before) })
}

// execute is the body of the closure's goroutine.
func (r *run) execute(ctx context.Context, before []*group) {
	settled := r.ex.settleBefore(ctx, before)
	if r.ex.host.Barrier() == Unwind {
		return // the attempt is over, and the handler is told by its own wait
	}
	e := ending{run: r, context: ctx}
	if !settled {
		e.err = ctx.Err()
		r.ended(e)
		return
	}
	returned := false
	defer func() {
		if returned {
			return
		}
		if p := recover(); p != nil {
			e.err, e.stack = fmt.Errorf("panic: %v", p), userFrames(string(debug.Stack()))
		} else {
			e.err = endedEarly("the closure")
		}
		r.ended(e)
	}()
	result, err, ended := r.perform(&runContext{Context: ctx, run: r})
	returned = true
	if ended {
		r.conclude(result, err, e)
	}
}

// perform calls the closure, or what a test puts in its place, which may stay
// under way.
func (r *run) perform(rc RunContext) (result journal.Result, err error, ended bool) {
	if m := r.ex.mock; m != nil {
		return m.run(r, rc)
	}
	result, err = r.call(rc)
	return result, err, true
}

// conclude hands a result to the host, and what is none to the handler. When the
// runtime had asked the closure to stop, its error is not a result.
func (r *run) conclude(result journal.Result, err error, e ending) {
	if t := AsTerminalError(err); t != nil && e.context.Err() == nil {
		result, err = failedWith(t), nil
	}
	if err != nil {
		e.err = err
		r.ended(e)
		return
	}
	r.propose(result)
}

// propose stores a result and leaves the group, in one step for the handler. Were
// it to leave first, the handler could be suspended on a result that the host
// does not know of; were it to leave later, the handler could take the result,
// find a closure under way in its next wait, and never hear of its end.
func (r *run) propose(result journal.Result) {
	c := &r.ex.closures
	c.mu.Lock()
	defer c.mu.Unlock()
	r.ex.host.Propose(r.completion, result)
	c.proposed = true
	r.group.leave()
}

func (r *run) ended(e ending) {
	c := &r.ex.closures
	c.mu.Lock()
	c.endings = append(c.endings, e)
	c.mu.Unlock()
	r.ex.host.Wake()
}

// settleBefore waits until the closures of before a cancellation have ended, at
// most for the abort timeout. It reports false when ctx is done first: what waits was
// asked to stop before it has begun, and must not run beside what it waits for.
func (ex *execution) settleBefore(ctx context.Context, before []*group) (settled bool) {
	limit := ex.attempt.AbortTimeout
	if len(before) == 0 || limit <= 0 {
		return true
	}
	var late atomic.Bool
	wake := ex.host.Signal()
	defer ex.host.AfterFunc(limit, func() {
		late.Store(true)
		wake.Notify()
	})()
	for _, g := range before {
		for ex.closures.await(g, wake) {
			wake.WaitOr(ctx.Done())
			switch {
			case ctx.Err() != nil:
				return false
			case late.Load():
				ex.attempt.logger().Warn("a closure of before the cancellation still runs", "waited", limit)
				return true
			}
		}
	}
	return true
}

// reap looks at the closures that have ended without a result.
func (ex *execution) reap() {
	c := &ex.closures
	c.mu.Lock()
	endings := c.endings
	c.endings = nil
	c.mu.Unlock()
	for _, e := range endings {
		ex.judge(e)
		c.mu.Lock()
		e.run.group.leave()
		c.mu.Unlock()
		if e.run.interrupted {
			e.run.group = nil
		}
	}
}

// judge says what follows from a closure without a result: it runs again after a
// cancellation, its failure is stored when its policy is exhausted, or the
// attempt fails.
func (ex *execution) judge(e ending) {
	r := e.run
	if e.context.Err() != nil {
		if !errors.Is(context.Cause(e.context), ErrCancelled) {
			ex.unwind(r.stopped(e.context))
		}
		r.interrupted = true
		return
	}
	o := r.failure(e)
	o.Failure.RetryAfter = retryAfterOf(e.err)
	if !r.options.hasPolicy {
		ex.unwind(o)
	}
	failed, failing := uint32(1), time.Duration(0)
	if !ex.fresh && !ex.closures.proposal(false) {
		// nothing is new in this attempt: the failures of before were its own
		failed, failing = failed+ex.attempt.Attempts, ex.attempt.Failing
	}
	if r.options.exhausted(failed, failing) {
		ex.host.Propose(r.completion, journal.FailureOf(o.Failure.Code, o.Failure.Message))
		ex.closures.proposal(true)
		return
	}
	o.Failure.Unlimited = true
	if o.Failure.RetryAfter == nil {
		delay := backoff(r.options.initial, r.options.max, float64(r.options.factor), failed)
		o.Failure.RetryAfter = &delay
	}
	ex.unwind(o)
}

// proposal notes a result, and reports whether there is one.
func (c *closures) proposal(made bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.proposed = c.proposed || made
	return c.proposed
}

// stopped is the outcome of an attempt whose closure the runtime has stopped. It
// counts for no retry policy.
func (r *run) stopped(ctx context.Context) Outcome {
	o := r.failure(ending{err: fmt.Errorf("run %q was stopped: %w", r.options.name, context.Cause(ctx))})
	o.Failure.Unlimited = true
	return o
}

// exhausted reports whether a run that has failed so many times, the first time
// that long ago, is not tried again.
func (o *runOptions) exhausted(failed uint32, failing time.Duration) bool {
	return o.maxAttempts > 0 && uint64(failed) >= uint64(o.maxAttempts) ||
		o.maxDuration > 0 && failing >= o.maxDuration
}
