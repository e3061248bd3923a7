package objects

import (
	"strconv"

	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/objects/encoding"
)

// DurablePromise is a value of a workflow that is set once and read by any of
// its handlers, before its run, during it and after it, until the workflow is
// removed.
type DurablePromise[T any] interface {
	// Result waits until the promise is completed. A rejection is its error, and
	// so is a value that does not decode as T (code 400). A promise that is open
	// when its workflow is removed ends with code 404.
	Result() (T, TerminalError)
	// Peek returns the value without waiting for it, the zero value while the
	// promise is open; use a pointer type to tell absence from zero.
	Peek() (T, TerminalError)
	// Resolve completes the promise. The error has code 409 when it had been
	// completed before.
	Resolve(value T) TerminalError
	// Reject completes the promise with reason, as RejectAwakeable does. The
	// error has code 409 when it had been completed before.
	Reject(reason error) TerminalError
	Future
}

// Promise returns the promise of this name of the workflow that ctx belongs to.
func Promise[T any](ctx WorkflowSharedContext, name string, options ...PromiseOption) DurablePromise[T] {
	ex := ctx.inner()
	ex.enter(opPromise)
	defer ex.leave()
	p := &promise[T]{name: name, codec: promiseOptionsOf(options).codec}
	if p.refusal = checkPromiseName(name); p.refusal != nil {
		p.future = refused(ex, p.refusal)
		return p
	}
	completion := ex.story.NextCompletion()
	ex.issue(&journal.GetPromise{Key: name, Completion: completion}, false)
	p.future = future{ex: ex, id: journal.CompletionID(completion)}
	return p
}

type promise[T any] struct {
	future
	name  string
	codec encoding.Codec
	// refusal is set for a name that no promise can have.
	refusal TerminalError
}

func (p *promise[T]) source() string { return "promise " + strconv.Quote(p.name) }

func (p *promise[T]) Result() (T, TerminalError) {
	return resultOf[T](&p.future, p.codec, p.source)
}

func (p *promise[T]) Peek() (T, TerminalError) {
	if p.refusal != nil {
		return *new(T), p.refusal
	}
	peeked := p.ex.peekPromise(p.name)
	return resultOf[T](&peeked, p.codec, p.source)
}

func (p *promise[T]) Resolve(value T) TerminalError {
	return p.ex.completePromise(opResolve, p.name, encoding.IsNonDeterministicSerialization(p.codec), func() journal.Result {
		return journal.ValueOf(p.ex.encode(p.codec, value, p.source()))
	})
}

func (p *promise[T]) Reject(reason error) TerminalError {
	return p.ex.completePromise(opReject, p.name, false, func() journal.Result { return rejection(reason) })
}

func (ex *execution) peekPromise(name string) future {
	ex.enter(opPeek)
	defer ex.leave()
	completion := ex.story.NextCompletion()
	ex.issue(&journal.PeekPromise{Key: name, Completion: completion}, false)
	return future{ex: ex, id: journal.CompletionID(completion)}
}

// completePromise waits until the engine has accepted the completion or says that
// it came too late.
func (ex *execution) completePromise(op operation, name string, opaque bool, result func() journal.Result) TerminalError {
	ex.enter(op)
	defer ex.leave()
	if t := checkPromiseName(name); t != nil {
		return t
	}
	r := result()
	completion := ex.story.NextCompletion()
	ex.issue(&journal.CompletePromise{Key: name, Completion: completion, Result: r}, opaque)
	_, err := ex.answer(completion)
	return err
}

func checkPromiseName(name string) TerminalError {
	if name == "" {
		return terminalf(codeBadRequest, "the name of a promise is empty")
	}
	return checkName("the name of a promise", name)
}
