package objects

import (
	"context"
	"log/slog"
	"time"
)

// RunContext is what the closure of a Run gets. It is cancelled, with the reason
// as context.Cause, when the invocation is cancelled or killed and when the
// attempt or the runtime ends. It may be used concurrently.
type RunContext interface {
	context.Context
	// Log returns a logger that carries invocation id and handler. It is silent
	// while a journal is replayed.
	Log() *slog.Logger
	// Request returns what the handler was asked for.
	Request() *Request
}

// Context is what every handler gets: the door to all durable operations. It is
// sealed. It belongs to the goroutine on which the handler was called; only the
// methods of RunContext may be called from others. It is never done and its Err
// stays nil, also when the invocation is cancelled or killed: a cancellation shows
// as the error of the next wait, and a kill ends the handler there. Do not select
// on its Done; block in a Run, whose context ends.
type Context interface {
	RunContext
	inner() *execution
}

// ObjectSharedContext is the context of a shared handler of an object: it reads
// the state of the key.
type ObjectSharedContext interface {
	Context
	object()
}

// ObjectContext is the context of an exclusive handler of an object: it reads
// and writes the state of the key.
type ObjectContext interface {
	ObjectSharedContext
	exclusive()
}

// WorkflowSharedContext is the context of a shared handler of a workflow.
type WorkflowSharedContext interface {
	ObjectSharedContext
	workflow()
}

// WorkflowContext is the context of the run handler of a workflow.
type WorkflowContext interface {
	WorkflowSharedContext
	ObjectContext
}

// Key returns the object key or the workflow id.
func Key(ctx ObjectSharedContext) string { return ctx.inner().attempt.Target.Key }

// WrapContext returns restateCtx with the values of wrappedCtx: Value looks
// there first, also inside the closures of Run. Deadline and cancellation of
// wrappedCtx have no effect, because a replay could not repeat them.
func WrapContext[T Context](restateCtx T, wrappedCtx context.Context) T {
	w := &wrapped{execution: restateCtx.inner(), values: wrappedCtx, next: restateCtx}
	t, _ := any(w).(T) // w implements the five contexts, and T is one of them
	return t
}

// WithValue returns restateCtx with one more value, as context.WithValue does.
func WithValue[T Context](restateCtx T, key, val any) T {
	return WrapContext(restateCtx, context.WithValue(restateCtx, key, val))
}

// wrapped is a context with other values.
type wrapped struct {
	*execution
	values context.Context
	next   context.Context
}

// Value looks into the wrapped context first.
func (w *wrapped) Value(key any) any {
	if v := w.values.Value(key); v != nil {
		return v
	}
	return w.next.Value(key)
}

func (ex *execution) inner() *execution { return ex }
func (ex *execution) object()           {}
func (ex *execution) exclusive()        {}
func (ex *execution) workflow()         {}

// Deadline reports that there is none.
func (ex *execution) Deadline() (deadline time.Time, ok bool) { return time.Time{}, false }

// Done returns nil: a handler learns of a cancellation at a wait.
func (ex *execution) Done() <-chan struct{} { return nil }

// Err returns nil.
func (ex *execution) Err() error { return nil }

// Value returns what the host attached.
func (ex *execution) Value(key any) any { return ex.host.Context().Value(key) }

// Request returns what the handler was asked for.
func (ex *execution) Request() *Request {
	ex.requestOnce.Do(func() {
		ex.request = &Request{
			ID:             ex.attempt.ID.String(),
			IdempotencyKey: ex.attempt.IdempotencyKey,
			Headers:        newStringMap(ex.input.Headers),
			Body:           ex.input.Value,
		}
	})
	return ex.request
}
