package objects

import (
	"fmt"
	"runtime/debug"

	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/replay"
	"github.com/dormouse-run/dormouse/objects/encoding"
)

// Execute runs one attempt of handler against h. It is the body of the
// handler's goroutine, which the host has started for it, and which may end by
// runtime.Goexit in it.
//
// done is called exactly once, whether the handler returns, panics or is
// unwound: as the last thing on this goroutine, with one exception. When an
// operation of the context is found on another goroutine, done is called from
// there, with an OutcomeFailed that says so, while code of the handler may still
// run or wait. Then the host unwinds it; the end of this goroutine tells when it
// does no more.
func Execute(h Host, a *Attempt, handler Handler, done func(Outcome)) {
	ex, err := newExecution(h, a, done)
	ex.runner = current()
	defer ex.end()
	if err != nil {
		ex.outcome, ex.decided = ex.failed(err), true
		ex.outcome.Failure.Code = replay.CodeViolation
		return
	}
	output, err := handler.invoke(ex, ex.input.Value)
	ex.conclude(output, err, encoding.IsNonDeterministicSerialization(handler.outputCodec()))
}

// conclude turns what the handler returned into the outcome.
func (ex *execution) conclude(output []byte, err error, opaque bool) {
	if ex.ended.Load() {
		return
	}
	result := journal.ValueOf(output)
	if err != nil {
		t := AsTerminalError(err)
		if t == nil {
			ex.outcome, ex.decided = ex.failed(err), true
			return
		}
		result = failedWith(t)
	} else if t := ex.checkSize("the output", output); t != nil {
		result = failedWith(t)
	}
	ex.enter(opReturn)
	defer ex.leave()
	if ex.ended.Swap(true) {
		ex.unwind(Outcome{Kind: OutcomeUnwound}) // another goroutine has failed the attempt just now
	}
	ex.issue(&journal.Output{Result: result}, opaque)
	ex.outcome, ex.decided = Outcome{Kind: OutcomeEnded}, true
}

// end is deferred by Execute. It tells a return from a panic and from an
// unwinding, and reports the outcome.
func (ex *execution) end() {
	if p := recover(); p != nil {
		ex.panicked(p)
	}
	if !ex.decided {
		ex.outcome = ex.failed(endedEarly("the handler"))
	}
	ex.ended.Store(true)
	ex.over.set()
	ex.settle(ex.outcome)
}

// panicked makes a panic of the handler a failure. A panic of a deferred
// function during an unwinding changes nothing: the outcome was decided before.
func (ex *execution) panicked(p any) {
	stack := string(debug.Stack())
	if ex.decided {
		ex.attempt.logger().Error("a deferred function of the handler panicked while the attempt was unwound",
			"panic", fmt.Sprint(p), "stack", stack)
		return
	}
	ex.outcome, ex.decided = ex.failed(fmt.Errorf("panic: %v", p)), true
	ex.outcome.Failure.Stack = userFrames(stack)
}

// settle reports the outcome once.
func (ex *execution) settle(o Outcome) {
	if ex.settled.CompareAndSwap(false, true) {
		ex.finish(o)
	}
}
