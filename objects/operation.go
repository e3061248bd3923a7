package objects

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
)

// operation is what a handler does through its context, for messages.
type operation uint32

const (
	opNone operation = iota
	opAttach
	opAwakeable
	opCall
	opCancel
	opClear
	opClearAll
	opGet
	opInvocationID
	opKeys
	opPeek
	opPromise
	opRand
	opReject
	opResolve
	opResult
	opReturn
	opRun
	opSend
	opSet
	opSignal
	opSleep
	opUUID
	opWait
)

// String returns what the user has written.
func (o operation) String() string {
	names := [...]string{
		opNone: "an operation", opAttach: "AttachInvocation", opAwakeable: "Awakeable", opCall: "a call",
		opCancel: "CancelInvocation", opClear: "Clear", opClearAll: "ClearAll", opGet: "Get",
		opInvocationID: "GetInvocationId", opKeys: "Keys", opPeek: "Peek", opPromise: "Promise", opRand: "Rand", opReject: "a rejection",
		opResolve: "a resolution", opResult: "Result of a future", opReturn: "return", opRun: "Run",
		opSend: "Send", opSet: "Set", opSignal: "Signal", opSleep: "Sleep", opUUID: "UUID", opWait: "WaitFirst",
	}
	if int(o) < len(names) {
		return names[o]
	}
	return "an unknown operation"
}

// enter begins an operation, and leave, which must be deferred right behind it,
// ends it. Nothing is done any more once the attempt is over.
//
// Operations belong on the handler's goroutine. One that comes from elsewhere, a
// closure of Run that uses the context around it or a goroutine of the user,
// would consume what the handler waits for, which would be handed zero values;
// or it would write a command at a place that the next attempt does not repeat.
func (ex *execution) enter(o operation) {
	if ex.ended.Load() {
		ex.late(o)
		ex.unwind(Outcome{Kind: OutcomeUnwound})
	}
	if ex.runner != 0 && !ex.onRunner() {
		ex.strand(o, operation(ex.entered.Load()))
		runtime.Goexit()
	}
	if ex.entered.CompareAndSwap(uint32(opNone), uint32(o)) {
		return
	}
	other := operation(ex.entered.Load())
	if ex.mock != nil { // a closure is executed by the handler that waits for it
		ex.unwind(Outcome{Kind: OutcomeFailed, Failure: foreignUse(o, other)})
	}
	ex.fail(fmt.Errorf("%v inside of %v, for example in a method that encodes a value: do one after the other", o, other))
}

// late reports, once, an operation that comes when the attempt is over and
// therefore has no effect. A stranger that has ended the attempt was reported by
// that.
func (ex *execution) late(o operation) {
	if ex.stranded.Load() != nil || ex.reported.Swap(true) {
		return
	}
	level, text := slog.LevelWarn, "the handler's context was used on another goroutine after the handler had ended; the operation has no effect: end the goroutine before the handler returns"
	if ex.onRunner() && !ex.over.is() {
		// what a suspension does to every deferred Clear is no mistake
		level, text = slog.LevelDebug, "the handler's context was used by a deferred function while the attempt was unwound; the operation has no effect: it takes place in the attempt whose handler returns"
	}
	ex.attempt.logger().Log(context.Background(), level, text, "operation", o.String())
}

func (ex *execution) leave() { ex.entered.Store(uint32(opNone)) }

// foreignUse is the failure of an attempt whose context was used for foreign
// from elsewhere than the handler, which was in own, opNone when it was in none.
func foreignUse(foreign, own operation) AttemptFailure {
	during := ""
	if own != opNone {
		during = fmt.Sprintf(" while the handler waits (%v)", own)
	}
	return AttemptFailure{
		Code: uint32(codeInternal), CommandIndex: -1,
		Message: fmt.Sprintf("%v: the handler's context was used inside a Run closure or on another goroutine%s: use the context of the handler in the handler only, before the Run or behind it, and RunAsync, RequestFuture or After for what goes on beside it", foreign, during),
	}
}

// endedEarly is the error of code that has ended its goroutine without
// returning. It is called by a deferred function, which runs on top of what has
// ended the goroutine: unwind does it to a handler that uses what belongs to
// another execution.
func endedEarly(code string) error {
	var callers [64]uintptr
	frames := runtime.CallersFrames(callers[:runtime.Callers(2, callers[:])])
	foreign, future := false, false
	for {
		f, more := frames.Next()
		foreign = foreign || strings.HasSuffix(f.Function, "/objects.(*execution).unwind") || strings.HasSuffix(f.Function, "/objects.(*execution).enter")
		future = future || strings.HasSuffix(f.Function, "/objects.(*future).wait")
		if !more {
			break
		}
	}
	const rule = "belongs to another invocation, or to an earlier attempt of this one: use contexts and futures only in the handler that made them"
	switch {
	case future && foreign:
		return errors.New("this future " + rule)
	case foreign:
		return errors.New("this context " + rule)
	default:
		return fmt.Errorf("%s has ended its goroutine without returning (runtime.Goexit)", code)
	}
}
