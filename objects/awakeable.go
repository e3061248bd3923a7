package objects

import (
	"fmt"
	"reflect"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/objects/encoding"
)

// AwakeableFuture is an answer that comes from outside.
type AwakeableFuture[T any] interface {
	// Id is the text to hand to whoever is to answer. Closures may call it.
	Id() string
	// Result waits for the answer. A rejection is its error, and so is an
	// answer that does not decode as T (code 400).
	Result() (T, TerminalError)
	Future
}

// Awakeable creates an awakeable: an id that anybody can resolve or reject once,
// now or in a year, over HTTP, in process or from another handler. Creating one
// writes nothing; the first answer wins and is durable.
func Awakeable[T any](ctx Context, options ...AwakeableOption) AwakeableFuture[T] {
	ex := ctx.inner()
	ex.enter(opAwakeable)
	defer ex.leave()
	index := ex.story.NextSignal("awakeable", reflect.TypeFor[T]().String())
	return &awakeable[T]{
		future: future{ex: ex, id: journal.SignalID(index)},
		codec:  awakeableOptionsOf(options).codec,
	}
}

type awakeable[T any] struct {
	future
	codec encoding.Codec
}

func (a *awakeable[T]) Id() string {
	return a.ex.attempt.awakeable(a.id.Signal)
}

func (a *awakeable[T]) Result() (T, TerminalError) {
	return resultOf[T](&a.future, a.codec, func() string { return "awakeable " + a.Id() })
}

// ResolveAwakeable answers an awakeable of any invocation. An id that is none
// ends the invocation with a terminal error, code 400; one that is answered
// already, or unknown, is ignored.
func ResolveAwakeable[T any](ctx Context, id string, value T, options ...ResolveAwakeableOption) {
	ex := ctx.inner()
	ex.enter(opResolve)
	defer ex.leave()
	codec := resolveAwakeableOptionsOf(options).codec
	b := ex.encode(codec, value, "the answer to awakeable "+id)
	ex.completeAwakeable(id, journal.ValueOf(b), encoding.IsNonDeterministicSerialization(codec))
}

// RejectAwakeable makes the wait for an awakeable fail with reason. A terminal
// error keeps its code and metadata, any other becomes code 500. A nil reason
// rejects with an empty message.
func RejectAwakeable(ctx Context, id string, reason error) {
	ex := ctx.inner()
	ex.enter(opReject)
	defer ex.leave()
	ex.completeAwakeable(id, rejection(reason), false)
}

func (ex *execution) completeAwakeable(id string, r journal.Result, opaque bool) {
	if _, err := ident.ParseAwakeableID(id); err != nil {
		ex.endWith(terminalf(codeBadRequest, "complete awakeable %q: %w", id, err))
	}
	ex.issue(&journal.CompleteAwakeable{AwakeableID: id, Result: r}, opaque)
}

// checkInvocationID ends the invocation when id is not the text of one.
func (ex *execution) checkInvocationID(what, id string) {
	if _, err := ident.ParseInvocationID(id); err != nil {
		ex.endWith(terminalf(codeBadRequest, "%s invocation %q: %w", what, id, err))
	}
}

// encode makes a value a payload, for operations without an error result: a
// value that does not encode fails the attempt, because a new build can fix it;
// one that is too large ends the invocation.
func (ex *execution) encode(codec encoding.Codec, value any, what string) []byte {
	b, err := encoding.Marshal(codec, value)
	if err != nil {
		ex.fail(fmt.Errorf("encode %s from %T: %w", what, value, err))
	}
	ex.demand(ex.checkSize(what, b))
	return b
}

// rejection is what a reason becomes.
func rejection(reason error) journal.Result {
	switch t := AsTerminalError(reason); {
	case t != nil:
		return failedWith(t)
	case reason != nil:
		return journal.FailureOf(uint32(codeInternal), reason.Error())
	default:
		return journal.FailureOf(uint32(codeInternal), "")
	}
}
