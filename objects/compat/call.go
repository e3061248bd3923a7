package restate

import "github.com/dormouse-run/dormouse/objects"

// Client calls one handler.
type Client[I any, O any] = objects.Client[I, O]

// SendClient sends to one handler.
type SendClient[I any] = objects.SendClient[I]

// ResponseFuture waits for the result of a call.
type ResponseFuture[O any] = objects.ResponseFuture[O]

// AttachFuture waits for the result of another invocation.
type AttachFuture[O any] = objects.AttachFuture[O]

// Invocation is what was called or sent.
type Invocation = objects.Invocation

// Service returns a client of a handler of a service.
func Service[O any](ctx Context, service string, method string, options ...ClientOption) Client[any, O] {
	return objects.Service[O](ctx, service, method, options...)
}

// Object returns a client of a handler of an object.
func Object[O any](ctx Context, service string, key string, method string, options ...ClientOption) Client[any, O] {
	return objects.Object[O](ctx, service, key, method, options...)
}

// Workflow returns a client of a handler of a workflow.
func Workflow[O any](ctx Context, service string, workflowID string, method string, options ...ClientOption) Client[any, O] {
	return objects.Workflow[O](ctx, service, workflowID, method, options...)
}

// ServiceSend returns a client that sends to a handler of a service.
func ServiceSend(ctx Context, service string, method string, options ...ClientOption) SendClient[any] {
	return objects.ServiceSend(ctx, service, method, options...)
}

// ObjectSend returns a client that sends to a handler of an object.
func ObjectSend(ctx Context, service string, key string, method string, options ...ClientOption) SendClient[any] {
	return objects.ObjectSend(ctx, service, key, method, options...)
}

// WorkflowSend returns a client that sends to a handler of a workflow.
func WorkflowSend(ctx Context, service string, workflowID string, method string, options ...ClientOption) SendClient[any] {
	return objects.WorkflowSend(ctx, service, workflowID, method, options...)
}

// WithRequestType returns the client with a typed input. Generated code uses it.
func WithRequestType[I any, O any](inner Client[any, O]) Client[I, O] {
	return objects.WithRequestType[I](inner)
}

// CancelInvocation cancels an invocation. One that is not known is left alone.
func CancelInvocation(ctx Context, invocationId string) {
	objects.CancelInvocation(ctx, invocationId)
}

// AttachInvocation waits for the result of an invocation.
func AttachInvocation[T any](ctx Context, invocationId string, options ...AttachOption) AttachFuture[T] {
	return objects.AttachInvocation[T](ctx, invocationId, options...)
}
