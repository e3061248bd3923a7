package objects

import (
	"fmt"
	"iter"
	"reflect"

	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/objects/encoding"
)

// Future is something that will be done: an awakeable, a signal, a timer, a
// call, an attach or a RunAsync. It is sealed and comparable, and belongs to
// the handler's goroutine.
type Future interface{ core() *future }

// future is what all futures have in common.
type future struct {
	ex *execution
	id journal.NotificationID
	// run is set for a closure, which starts at the first wait for it.
	run *run
	// done says that result is there; cancelled, that a wait for this very
	// future ended with a cancellation, which it keeps to.
	done, cancelled bool
	result          journal.Result
}

func (f *future) core() *future { return f }

// pendingID is the id to wait for, zero once the future is done.
func (f *future) pendingID() journal.NotificationID {
	if f.done {
		return journal.NotificationID{}
	}
	return f.id
}

func (f *future) complete(r journal.Result) {
	if !f.done {
		f.done, f.result = true, r
	}
}

// refused makes a future that is done with a terminal error and has no entry.
func refused(ex *execution, t TerminalError) future {
	return future{ex: ex, done: true, result: failedWith(t)}
}

// wait is the operation of every future that returns its result. It may be
// called again.
func (f *future) wait() (journal.Result, TerminalError) {
	f.ex.enter(opResult)
	defer f.ex.leave()
	return f.outcome()
}

// outcome returns the result, within an operation.
func (f *future) outcome() (journal.Result, TerminalError) {
	if f.cancelled {
		return journal.Result{}, cancelledError()
	}
	if !f.done {
		if _, cancelled := f.ex.await([]*future{f}); cancelled {
			f.cancelled = true
			return journal.Result{}, cancelledError()
		}
	}
	if f.result.Kind == journal.ResultFailure {
		return journal.Result{}, terminalFromFailure(f.result.Failure)
	}
	return f.result, nil
}

// cancelledError ends a wait; IsCancelled knows it.
func cancelledError() TerminalError {
	return &terminalError{code: codeConflict, message: "cancelled", cancelled: true}
}

// resultOf waits for f and decodes its value. What cannot be decoded is a
// terminal error that names its source and the Go type.
func resultOf[T any](f *future, codec encoding.Codec, source func() string) (T, TerminalError) {
	var output T
	r, err := f.wait()
	if err != nil || r.Kind != journal.ResultValue {
		return output, err
	}
	if err := encoding.Unmarshal(codec, r.Value, &output); err != nil {
		var none T
		return none, terminalf(codeBadRequest, "decode the value of %s as %v: %w", source(), reflect.TypeFor[T](), err)
	}
	return output, nil
}

// WaitFirst waits for the first of futs that is done and returns it; among
// several, the first in the order of the arguments. When the invocation is
// cancelled meanwhile it returns nil and the error, and the futures can still be
// waited for. It panics without futures, and with those of another invocation.
func WaitFirst(ctx Context, futs ...Future) (resultFut Future, cancellationError TerminalError) {
	if len(futs) == 0 {
		panic("objects: WaitFirst needs at least one future: nothing would ever wake it")
	}
	index, err := waitFirst(ctx, futs)
	if err != nil {
		return nil, err
	}
	return futs[index], nil
}

// waitFirst returns the position of the first one that is done.
func waitFirst(ctx Context, futs []Future) (index int, cancellationError TerminalError) {
	ex := ctx.inner()
	cores := make([]*future, len(futs))
	for i, f := range futs {
		cores[i] = ex.own("WaitFirst", i, f)
	}
	ex.enter(opWait)
	defer ex.leave()
	index, cancelled := ex.await(cores)
	if cancelled {
		return -1, cancelledError()
	}
	return index, nil
}

// own returns the core of the i-th future that function was given. It panics when
// the future is not of this attempt.
func (ex *execution) own(function string, i int, f Future) *future {
	core := f.core()
	if core.ex != ex {
		panic(fmt.Sprintf("objects: %s, future %d: this future belongs to another invocation, or to an earlier attempt of this one: use futures only in the handler that made them", function, i))
	}
	return core
}

// Wait yields futs in the order in which they are done. When the invocation is
// cancelled it yields nil and the error, and stops. It is for range loops:
// iter.Pull2 would call it on another goroutine, where the attempt fails; where
// the futures are to be asked for one by one, there is WaitIter.
func Wait(ctx Context, futs ...Future) iter.Seq2[Future, TerminalError] {
	return func(yield func(Future, TerminalError) bool) {
		it := WaitIter(ctx, futs...)
		for it.Next() {
			if !yield(it.Value(), nil) {
				return
			}
		}
		if err := it.Err(); err != nil {
			yield(nil, err)
		}
	}
}

// WaitIterator goes through futures in the order in which they are done.
type WaitIterator interface {
	// Next waits for the next one. It is false at the end, and when the
	// invocation was cancelled; Err tells which.
	Next() bool
	// Err is nil until the invocation was cancelled.
	Err() TerminalError
	// Value is the future that Next has found, and nil after a cancellation. It
	// panics before the first Next and after a normal end.
	Value() Future
}

// WaitIter goes through futs in the order in which they are done.
func WaitIter(ctx Context, futs ...Future) WaitIterator {
	left := make([]Future, len(futs))
	copy(left, futs)
	return &waitIterator{ctx: ctx, left: left}
}

type waitIterator struct {
	ctx   Context
	left  []Future
	value Future
	err   TerminalError
}

func (w *waitIterator) Next() bool {
	w.value = nil
	if w.err != nil || len(w.left) == 0 {
		return false
	}
	if w.value, w.err = WaitFirst(w.ctx, w.left...); w.err != nil {
		return false
	}
	for i, f := range w.left {
		if f == w.value {
			w.left = append(w.left[:i], w.left[i+1:]...)
			break
		}
	}
	return true
}

func (w *waitIterator) Err() TerminalError { return w.err }

func (w *waitIterator) Value() Future {
	if w.value == nil && w.err == nil {
		panic("objects: Value of a WaitIterator without a value: call it after a Next that returned true")
	}
	return w.value
}
