package restate

import "github.com/dormouse-run/dormouse/objects"

// AwakeableFuture waits for the answer to an awakeable.
type AwakeableFuture[T any] = objects.AwakeableFuture[T]

// Awakeable makes an awakeable: an id to hand out, and a future that waits for
// its answer.
func Awakeable[T any](ctx Context, options ...AwakeableOption) AwakeableFuture[T] {
	return objects.Awakeable[T](ctx, options...)
}

// ResolveAwakeable answers an awakeable. The first answer counts.
func ResolveAwakeable[T any](ctx Context, id string, value T, options ...ResolveAwakeableOption) {
	objects.ResolveAwakeable(ctx, id, value, options...)
}

// RejectAwakeable answers an awakeable with an error. The first answer counts.
func RejectAwakeable(ctx Context, id string, reason error) {
	objects.RejectAwakeable(ctx, id, reason)
}

// SignalFuture waits for a signal.
type SignalFuture[T any] = objects.SignalFuture[T]

// Signal takes the next signal of a name that is sent to this invocation.
func Signal[T any](ctx Context, name string, options ...SignalOption) SignalFuture[T] {
	return objects.Signal[T](ctx, name, options...)
}

// ResolveSignal sends a signal to an invocation.
func ResolveSignal[T any](ctx Context, invocationID string, name string, value T, options ...ResolveSignalOption) {
	objects.ResolveSignal(ctx, invocationID, name, value, options...)
}

// RejectSignal sends a signal that is an error to an invocation.
func RejectSignal(ctx Context, invocationID string, name string, reason error) {
	objects.RejectSignal(ctx, invocationID, name, reason)
}

// DurablePromise is a promise of a workflow.
type DurablePromise[T any] = objects.DurablePromise[T]

// Promise returns the promise of a name of this workflow.
func Promise[T any](ctx WorkflowSharedContext, name string, options ...PromiseOption) DurablePromise[T] {
	return objects.Promise[T](ctx, name, options...)
}
