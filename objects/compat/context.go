package restate

import (
	"context"

	"github.com/dormouse-run/dormouse/objects"
)

// Context is what the handler of a service gets. See objects.Context.
type Context = objects.Context

// ObjectSharedContext is what a shared handler of an object gets: it reads
// state. See objects.ObjectSharedContext.
type ObjectSharedContext = objects.ObjectSharedContext

// ObjectContext is what an exclusive handler of an object gets: it reads and
// writes state. See objects.ObjectContext.
type ObjectContext = objects.ObjectContext

// WorkflowSharedContext is what a shared handler of a workflow gets. See
// objects.WorkflowSharedContext.
type WorkflowSharedContext = objects.WorkflowSharedContext

// WorkflowContext is what the run handler of a workflow gets. See
// objects.WorkflowContext.
type WorkflowContext = objects.WorkflowContext

// RunContext is what the closure of a Run gets. See objects.RunContext.
type RunContext = objects.RunContext

// Request is what started an invocation. See objects.Request.
type Request = objects.Request

// StringMap is an immutable map with keys in order. See objects.StringMap.
type StringMap = objects.StringMap

// Key returns the key of the object, or the id of the workflow.
func Key(ctx ObjectSharedContext) string { return objects.Key(ctx) }

// WrapContext returns restateCtx with the values of wrappedCtx, which are looked
// up first. Nothing else of wrappedCtx counts.
func WrapContext[T Context](restateCtx T, wrappedCtx context.Context) T {
	return objects.WrapContext(restateCtx, wrappedCtx)
}

// WithValue returns restateCtx with one more value.
func WithValue[T Context](restateCtx T, key, val any) T {
	return objects.WithValue(restateCtx, key, val)
}
