// Package objects is what users write durable handlers with.
//
// A handler is a Go function that gets a context and an input. What it does
// through the context is written to a journal, so that it can be stopped
// anywhere, by a crash, a deploy or to save memory, and be run again from its
// beginning to the same point: operations that the journal knows are answered
// from it, and only what is new happens.
//
//	func approve(ctx objects.ObjectContext, request Request) (Decision, error) {
//		answer := objects.Awakeable[Decision](ctx)
//		err := objects.RunVoid(ctx, func(objects.RunContext) error {
//			return mail(request.Manager, answer.Id())
//		})
//		if err != nil {
//			return Decision{}, err
//		}
//		return answer.Result() // a week may pass here, and three deploys
//	}
//
// So a handler must be deterministic: time, random numbers and everything from
// outside come from the context or from inside a Run. Code that does not fit a
// journal any more is detected, and the attempt fails with code 570 and both
// sides named.
//
// The package is written to be imported under the name restate, which is what
// its words are taken from:
//
//	import restate "github.com/dormouse-run/dormouse/objects"
//
// # Typed calls
//
// Object, Service and Workflow call a handler by its name. Where its type is at
// hand, a method expression names it, and the compiler checks handler, input and
// output. Codecs are those of the handler:
//
//	total, err := restate.Call(ctx, restate.On[*Counter]("visits"), (*Counter).Add, 5)
//
// All, Race and Any wait for several futures with values of one type; ResultOf
// makes one of a call, DoneAs of a timer. A StateCell is a state value whose type
// and codec are written down once.
//
// # One goroutine
//
// A handler has one goroutine, which the runtime starts with Execute, and all
// operations of its context belong to it. A closure of Run runs on another one
// and has a context of its own. When a handler is stopped while it waits, its
// goroutine ends in that very call: deferred functions run, and nothing they do
// through the context has an effect.
//
// # Mistakes
//
// The first three of these fail the attempt with a message that says so; the
// invocation is retried, and goes on with a build that is corrected. The fourth
// is logged and has no effect. Of the fifth, what is noticed is noticed by a later
// replay, with code 570.
//
//   - The handler's ctx inside a closure of Run, for example to Sleep, to call or
//     to Run again. The closure has its own context and no durable operations:
//     do those in the handler, before the Run or behind it. Key, Log, Request,
//     Value, Err and Done of ctx, and the Id of an awakeable, work anywhere.
//   - The handler's ctx on another goroutine (go, errgroup). Start the work with
//     RunAsync, RequestFuture, After or Awakeable, and wait with Wait or
//     WaitFirst.
//   - A future, or a context, that was kept and is used by another invocation.
//     Pass values from one to another by calls, state, awakeables and signals.
//   - An operation after the handler has returned, or in a deferred function
//     while a handler that waits is stopped. A deferred function of a handler that
//     returns may do operations.
//   - time.Now, math/rand, the environment, a global variable or the order of a
//     map outside of Run: the next attempt sees something else, and takes another
//     path. Read the clock in a Run; use Rand and UUID; sort what comes from a
//     map.
//
// # Tests
//
// A handler is a function, so a test can call it: WithMockContext makes its
// context, which answers from a MockContext instead of a runtime.
//
// # What must not be here
//
// No actor, store or HTTP code. A handler runs against a Host, the interface
// that this package defines and that package actors implements. What a handler
// sees of its journal is decided in internal/replay; a handler blocks in one
// file, wait.go.
package objects
