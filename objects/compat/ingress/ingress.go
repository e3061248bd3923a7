package ingress

import (
	"net/http"

	"github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/encoding"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

// Client sends requests from outside a handler. It may be used concurrently.
type Client = ingress.Client

// ClientOption changes a client.
type ClientOption = ingress.ClientOption

// RequestOption changes one request.
type RequestOption = ingress.RequestOption

// SendOption changes one send.
type SendOption = ingress.SendOption

// InvocationHandleOption changes how the result of an invocation is read.
type InvocationHandleOption = ingress.InvocationHandleOption

// Error is an answer that is an error.
type Error = ingress.Error

// InvocationNotFoundError says that nobody knows the invocation.
type InvocationNotFoundError = ingress.InvocationNotFoundError

// InvocationNotReadyError says that the invocation has no result yet.
type InvocationNotReadyError = ingress.InvocationNotReadyError

// NewClient returns a client of the ingress at baseUri.
func NewClient(baseUri string, opts ...ClientOption) *Client {
	return ingress.NewClient(baseUri, opts...)
}

// WithHttpClient sets the HTTP client.
func WithHttpClient(c *http.Client) ClientOption { return ingress.WithHttpClient(c) }

// WithAuthKey sends a bearer token with every request.
func WithAuthKey(authKey string) ClientOption { return ingress.WithAuthKey(authKey) }

// Requester calls one handler.
type Requester[I any, O any] = ingress.Requester[I, O]

// SendRequester sends to one handler.
type SendRequester[I any] = ingress.SendRequester[I]

// SimpleSendResponse is the id and the status of what was sent.
type SimpleSendResponse = ingress.SimpleSendResponse

// SendResponse is what was sent, with a handle on its result.
type SendResponse[O any] = ingress.SendResponse[O]

// InvocationHandle waits for the result of an invocation or looks for it.
type InvocationHandle[O any] = ingress.InvocationHandle[O]

// Service returns a requester of a handler of a service.
func Service[I any, O any](c *Client, serviceName, handlerName string, opts ...objects.ClientOption) Requester[I, O] {
	return ingress.Service[I, O](c, serviceName, handlerName, opts...)
}

// Object returns a requester of a handler of an object.
func Object[I any, O any](c *Client, serviceName, objectKey, handlerName string, opts ...objects.ClientOption) Requester[I, O] {
	return ingress.Object[I, O](c, serviceName, objectKey, handlerName, opts...)
}

// Workflow returns a requester of a handler of a workflow.
func Workflow[I any, O any](c *Client, serviceName, workflowID, handlerName string, opts ...objects.ClientOption) Requester[I, O] {
	return ingress.Workflow[I, O](c, serviceName, workflowID, handlerName, opts...)
}

// ServiceSend returns a requester that sends to a handler of a service.
func ServiceSend[I any](c *Client, serviceName, handlerName string, opts ...objects.ClientOption) SendRequester[I] {
	return ingress.ServiceSend[I](c, serviceName, handlerName, opts...)
}

// ObjectSend returns a requester that sends to a handler of an object.
func ObjectSend[I any](c *Client, serviceName, objectKey, handlerName string, opts ...objects.ClientOption) SendRequester[I] {
	return ingress.ObjectSend[I](c, serviceName, objectKey, handlerName, opts...)
}

// WorkflowSend returns a requester that sends to a handler of a workflow.
func WorkflowSend[I any](c *Client, serviceName, workflowID, handlerName string, opts ...objects.ClientOption) SendRequester[I] {
	return ingress.WorkflowSend[I](c, serviceName, workflowID, handlerName, opts...)
}

// NewRequester returns a requester with a codec. Without a key it is one of a
// service; a nil codec is JSON. Generated code uses it.
func NewRequester[I any, O any](c *Client, serviceName, handlerName string, key *string, codec *encoding.Codec) Requester[I, O] {
	return ingress.NewRequester[I, O](c, serviceName, handlerName, key, codec)
}

// InvocationById returns a handle on an invocation by its id.
func InvocationById[O any](c *Client, invocationID string, opts ...InvocationHandleOption) InvocationHandle[O] {
	return ingress.InvocationById[O](c, invocationID, opts...)
}

// ServiceInvocationByIdempotencyKey returns a handle on an invocation of a
// service by its idempotency key.
func ServiceInvocationByIdempotencyKey[O any](c *Client, serviceName, handlerName, idempotencyKey string, opts ...InvocationHandleOption) InvocationHandle[O] {
	return ingress.ServiceInvocationByIdempotencyKey[O](c, serviceName, handlerName, idempotencyKey, opts...)
}

// ObjectInvocationByIdempotencyKey returns a handle on an invocation of an
// object by its idempotency key.
func ObjectInvocationByIdempotencyKey[O any](c *Client, serviceName, objectKey, handlerName, idempotencyKey string, opts ...InvocationHandleOption) InvocationHandle[O] {
	return ingress.ObjectInvocationByIdempotencyKey[O](c, serviceName, objectKey, handlerName, idempotencyKey, opts...)
}

// WorkflowHandle returns a handle on the run of a workflow.
func WorkflowHandle[O any](c *Client, serviceName, workflowID string, opts ...InvocationHandleOption) InvocationHandle[O] {
	return ingress.WorkflowHandle[O](c, serviceName, workflowID, opts...)
}
