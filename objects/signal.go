package objects

import (
	"strconv"

	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/objects/encoding"
)

// SignalFuture is the next signal of a name.
type SignalFuture[T any] interface {
	// Result waits for the signal. A rejection is its error, and so is a value
	// that does not decode as T (code 400).
	Result() (T, TerminalError)
	Future
}

// Signal waits for signals that others send to this invocation under a name.
// They queue: each future takes the next one, and one may come before anybody
// waits.
func Signal[T any](ctx Context, name string, options ...SignalOption) SignalFuture[T] {
	ex := ctx.inner()
	ex.enter(opSignal)
	defer ex.leave()
	s := &signal[T]{name: name, codec: signalOptionsOf(options).codec}
	if t := checkSignalName(name); t != nil {
		s.future = refused(ex, t)
		return s
	}
	s.future = future{ex: ex, id: journal.NamedSignalID(name)}
	return s
}

type signal[T any] struct {
	future
	name  string
	codec encoding.Codec
}

func (s *signal[T]) Result() (T, TerminalError) {
	return resultOf[T](&s.future, s.codec, func() string { return "signal " + strconv.Quote(s.name) })
}

// ResolveSignal sends a signal to an invocation, which may be this one. An id
// that is none ends the invocation with a terminal error, code 400; one that is
// unknown or complete is ignored.
func ResolveSignal[T any](ctx Context, invocationID string, name string, value T, options ...ResolveSignalOption) {
	ex := ctx.inner()
	ex.enter(opResolve)
	defer ex.leave()
	codec := resolveSignalOptionsOf(options).codec
	b := ex.encode(codec, value, "signal "+strconv.Quote(name))
	ex.sendSignal(invocationID, name, journal.ValueOf(b), encoding.IsNonDeterministicSerialization(codec))
}

// RejectSignal makes the wait for a signal fail with reason, as RejectAwakeable
// does.
func RejectSignal(ctx Context, invocationID string, name string, reason error) {
	ex := ctx.inner()
	ex.enter(opReject)
	defer ex.leave()
	ex.sendSignal(invocationID, name, rejection(reason), false)
}

func (ex *execution) sendSignal(invocationID, name string, r journal.Result, opaque bool) {
	ex.checkInvocationID("send signal "+strconv.Quote(name)+" to", invocationID)
	ex.demand(checkSignalName(name))
	ex.issue(&journal.SendSignal{Target: invocationID, Named: true, Signal: name, Result: r}, opaque)
}

func checkSignalName(name string) TerminalError {
	if name == "" {
		return terminalf(codeBadRequest, "the name of a signal is empty")
	}
	return checkName("the name of a signal", name)
}
