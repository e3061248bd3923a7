package objects

import (
	"runtime"
	"sync"

	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/replay"
)

// unwind ends the handler with o: its deferred functions run, and their
// operations come here again. It does not return.
//
// It ends the goroutine instead of panicking, because a handler could recover
// from a panic, go on with zero values and return a wrong result. For the same
// reason it must not end any goroutine but the handler's: there the attempt
// fails by name, and the goroutine waits until the handler is over.
func (ex *execution) unwind(o Outcome) {
	if ex.mock != nil {
		ex.mock.ended(o)
	}
	if ex.onRunner() {
		ex.ended.Store(true)
		if f := ex.stranded.Load(); f != nil && o.Kind == OutcomeUnwound {
			o = *f
		}
		if !ex.decided {
			ex.outcome, ex.decided = o, true
		}
		runtime.Goexit()
	}
	ex.strand(operation(ex.entered.Load()), opNone)
	runtime.Goexit()
}

// strand fails the attempt from another goroutine than the handler's, which was
// in own, and blocks until the handler has ended. It does not block a coroutine:
// whoever resumed it waits for it, and ends with it.
func (ex *execution) strand(foreign, own operation) {
	if !ex.ended.Load() {
		o := Outcome{Kind: OutcomeFailed, Failure: foreignUse(foreign, own)}
		ex.stranded.Store(&o) // first: the handler may see the end at once, and report it
		if !ex.ended.Swap(true) {
			ex.settle(o)
		}
	}
	if !onCoroutine() {
		<-ex.over.done()
	}
}

// onRunner reports whether it is called on the handler's goroutine. A test may
// call handlers on any.
func (ex *execution) onRunner() bool { return ex.mock != nil || current() == ex.runner }

// over says that the handler's goroutine has ended. The channel exists only when
// somebody waits for it.
type over struct {
	mu  sync.Mutex
	yes bool
	c   chan struct{}
}

func (o *over) set() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.yes = true
	if o.c != nil {
		close(o.c)
	}
}

// is reports whether set was called.
func (o *over) is() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.yes
}

func (o *over) done() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.c == nil {
		o.c = make(chan struct{})
		if o.yes {
			close(o.c)
		}
	}
	return o.c
}

// await blocks until one of fs is done, and returns its position, or until the
// invocation is cancelled; then it has passed the cancellation on to the
// invocations that were called. It is the only place where a handler waits in
// competition with a cancellation.
func (ex *execution) await(fs []*future) (index int, cancelled bool) {
	ex.awaiting = ex.awaiting[:0]
	for _, f := range fs {
		ex.awaiting = append(ex.awaiting, f.pendingID())
	}
	for {
		step, err := ex.story.Await(ex.awaiting)
		switch {
		case err != nil:
			ex.fail(err)
		case step.Kind == replay.StepDone:
			fs[step.Index].complete(step.Result)
			ex.count()
			return step.Index, false
		case step.Kind == replay.StepCancelled:
			ex.cancelled()
			return -1, true
		}
		if ex.take() {
			continue
		}
		ex.reap()
		parkable := ex.start(fs)
		ex.block(parkable)
	}
}

// callee blocks until the id of a called invocation has arrived. That happens
// as soon as its command is applied, so it is neither a place to suspend nor to
// be cancelled.
func (ex *execution) callee(completion uint32) string {
	for {
		if id, ok := ex.story.Callee(completion); ok {
			return id
		}
		if !ex.take() {
			ex.block(false)
		}
	}
}

// take moves what has arrived into the story.
func (ex *execution) take() bool {
	arrived := ex.host.Take()
	ex.story.Feed(arrived)
	ex.count()
	return len(arrived) > 0
}

// count tells the host what waits for the handler, when that has changed.
func (ex *execution) count() {
	if n := ex.story.Unread(); n != ex.counted {
		ex.counted = n
		ex.host.Unread(n)
	}
}

// block waits for the host.
func (ex *execution) block(parkable bool) {
	if ex.describe == nil {
		ex.describe = func() (*journal.Future, journal.Allocated) {
			return ex.story.Suspension(ex.awaiting), ex.story.Allocated()
		}
	}
	if ex.host.Wait(parkable, ex.describe) == Unwind {
		ex.unwind(Outcome{Kind: OutcomeUnwound})
	}
}

// cancelled passes a cancellation on to the invocations that the handler has
// called since the last one.
func (ex *execution) cancelled() {
	ex.cancels++
	ex.closures.divide()
	callees := ex.callees
	ex.callees = nil
	for _, completion := range callees {
		ex.issue(cancelOf(ex.callee(completion)), false)
	}
}
