package ingress

import (
	"context"

	"github.com/dormouse-run/dormouse/internal/ident"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/encoding"
)

// InvocationHandle gives access to the result of one invocation. It may be used
// concurrently.
//
// Both methods return an Error that unwraps to a restate.TerminalError when the
// invocation failed, and an *InvocationNotFoundError when it is unknown.
type InvocationHandle[O any] interface {
	// Attach waits for the result.
	Attach(ctx context.Context) (O, error)
	// Output returns the result, or an *InvocationNotReadyError while the
	// invocation has not completed.
	Output(ctx context.Context) (O, error)
}

// InvocationById returns a handle of the invocation with this id.
func InvocationById[O any](c *Client, invocationID string, opts ...InvocationHandleOption) InvocationHandle[O] {
	return newHandle[O](c, invocationID, opts)
}

// ServiceInvocationByIdempotencyKey returns a handle of the invocation of a
// service handler under this idempotency key.
func ServiceInvocationByIdempotencyKey[O any](c *Client, serviceName, handlerName, idempotencyKey string, opts ...InvocationHandleOption) InvocationHandle[O] {
	target := ident.Target{Service: serviceName, Handler: handlerName, Kind: ident.KindService}
	return newHandle[O](c, ident.IdempotentID(target, idempotencyKey).String(), opts)
}

// ObjectInvocationByIdempotencyKey returns a handle of the invocation of a
// handler of an object, or of a shared handler of a workflow, under this
// idempotency key.
func ObjectInvocationByIdempotencyKey[O any](c *Client, serviceName, objectKey, handlerName, idempotencyKey string, opts ...InvocationHandleOption) InvocationHandle[O] {
	target := ident.Target{Service: serviceName, Key: objectKey, Handler: handlerName, Kind: ident.KindExclusive}
	return newHandle[O](c, ident.IdempotentID(target, idempotencyKey).String(), opts)
}

// WorkflowHandle returns a handle of the run of a workflow.
func WorkflowHandle[O any](c *Client, serviceName, workflowID string, opts ...InvocationHandleOption) InvocationHandle[O] {
	return newHandle[O](c, ident.WorkflowID(serviceName, workflowID).String(), opts)
}

// Attach waits for the result of the invocation with this id; it is
// InvocationById and Attach in one.
func Attach[O any](ctx context.Context, c *Client, invocationID string, opts ...InvocationHandleOption) (O, error) {
	return newHandle[O](c, invocationID, opts).Attach(ctx)
}

// handle is the InvocationHandle. Ids under keys are computed here, so a key
// may hold any character.
type handle[O any] struct {
	client *Client
	id     string
	codec  encoding.Codec
}

func newHandle[O any](c *Client, id string, opts []InvocationHandleOption) handle[O] {
	var o restate.IngressOptions
	for _, opt := range opts {
		opt.ApplyInvocationHandle(&o)
	}
	return handle[O]{client: c, id: id, codec: firstOf(o.Codec, c.codec)}
}

func (h handle[O]) Attach(ctx context.Context) (O, error) {
	r, err := h.client.transport.Attach(ctx, h.id)
	return h.result("attach to", r, err)
}

func (h handle[O]) Output(ctx context.Context) (O, error) {
	r, err := h.client.transport.Output(ctx, h.id)
	return h.result("read the output of", r, err)
}

func (h handle[O]) result(verb string, r Response, err error) (O, error) {
	if err != nil {
		var none O
		return none, within(err, "%s invocation %s", verb, h.id)
	}
	r.InvocationID = h.id
	return decode[O](h.codec, r)
}
