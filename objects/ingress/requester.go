package ingress

import (
	"context"
	"fmt"

	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/encoding"
)

// Requester calls one handler and sends to it. It may be used concurrently.
type Requester[I any, O any] interface {
	// Request waits for the result. When ctx ends first the invocation goes on.
	Request(ctx context.Context, input I, options ...RequestOption) (O, error)
	// Send returns when the invocation is durable.
	Send(ctx context.Context, input I, options ...SendOption) (SendResponse[O], error)
}

// SendRequester sends to one handler. It may be used concurrently.
type SendRequester[I any] interface {
	// Send returns when the invocation is durable.
	Send(ctx context.Context, input I, options ...SendOption) (SimpleSendResponse, error)
}

// SimpleSendResponse says that an invocation is durable.
type SimpleSendResponse interface {
	// Id is the invocation id.
	Id() string
	// Status is Accepted, or PreviouslyAccepted when the id existed before.
	Status() string
}

// SendResponse is a SimpleSendResponse from which the result can be had.
type SendResponse[O any] interface {
	InvocationHandle[O]
	SimpleSendResponse
}

// Service returns a requester for a handler of a service. Of the options only a
// scope matters, which is refused when it is not empty; codecs belong to the
// client or to the request.
func Service[I any, O any](c *Client, serviceName, handlerName string, opts ...restate.ClientOption) Requester[I, O] {
	return newRequester[I, O](c, serviceName, nil, handlerName, opts)
}

// Object returns a requester for a handler of an object; see Service for the
// options. The empty key is a key.
func Object[I any, O any](c *Client, serviceName, objectKey, handlerName string, opts ...restate.ClientOption) Requester[I, O] {
	return newRequester[I, O](c, serviceName, &objectKey, handlerName, opts)
}

// Workflow returns a requester for a handler of a workflow; see Service for the
// options.
func Workflow[I any, O any](c *Client, serviceName, workflowID, handlerName string, opts ...restate.ClientOption) Requester[I, O] {
	return newRequester[I, O](c, serviceName, &workflowID, handlerName, opts)
}

// ServiceSend returns a sender to a handler of a service; see Service for the
// options.
func ServiceSend[I any](c *Client, serviceName, handlerName string, opts ...restate.ClientOption) SendRequester[I] {
	return sender[I]{newRequester[I, any](c, serviceName, nil, handlerName, opts)}
}

// ObjectSend returns a sender to a handler of an object; see Service for the
// options. The empty key is a key.
func ObjectSend[I any](c *Client, serviceName, objectKey, handlerName string, opts ...restate.ClientOption) SendRequester[I] {
	return sender[I]{newRequester[I, any](c, serviceName, &objectKey, handlerName, opts)}
}

// WorkflowSend returns a sender to a handler of a workflow; see Service for the
// options.
func WorkflowSend[I any](c *Client, serviceName, workflowID, handlerName string, opts ...restate.ClientOption) SendRequester[I] {
	return sender[I]{newRequester[I, any](c, serviceName, &workflowID, handlerName, opts)}
}

// NewRequester returns a requester for a handler of a service (key nil) or of an
// object or workflow. A codec that is not nil is used in place of the client's.
func NewRequester[I any, O any](c *Client, serviceName, handlerName string, key *string, codec *encoding.Codec) Requester[I, O] {
	r := newRequester[I, O](c, serviceName, key, handlerName, nil)
	if codec != nil && *codec != nil {
		r.in, r.out = *codec, *codec
	}
	return r
}

// requester is the Requester. It is not changed once it was handed out.
type requester[I, O any] struct {
	client           *Client
	service, handler string
	key              *string
	scope            string
	in, out          encoding.Codec
}

func newRequester[I, O any](c *Client, service string, key *string, handler string, opts []restate.ClientOption) *requester[I, O] {
	return &requester[I, O]{client: c, service: service, handler: handler, key: key, scope: restate.ScopeOf(opts), in: c.codec, out: c.codec}
}

func (r *requester[I, O]) Request(ctx context.Context, input I, options ...RequestOption) (O, error) {
	var o restate.IngressOptions
	for _, opt := range options {
		opt.ApplyIngressRequest(&o)
	}
	var output O
	request, err := r.request(input, o)
	if err != nil {
		return output, err
	}
	response, err := r.client.transport.Call(ctx, request)
	if err != nil {
		return output, within(err, "call %s", r)
	}
	return decode[O](firstOf(o.OutputCodec, o.Codec, r.out), response)
}

func (r *requester[I, O]) Send(ctx context.Context, input I, options ...SendOption) (SendResponse[O], error) {
	var o restate.IngressOptions
	for _, opt := range options {
		opt.ApplyIngressSend(&o)
	}
	request, err := r.request(input, o)
	if err != nil {
		return nil, err
	}
	request.Delay = o.Delay
	sent, err := r.client.transport.Send(ctx, request)
	if err != nil {
		return nil, within(err, "send to %s", r)
	}
	h := handle[O]{client: r.client, id: sent.InvocationID, codec: firstOf(o.OutputCodec, o.Codec, r.out)}
	return sendResponse[O]{handle: h, status: sent.Status}, nil
}

func (r *requester[I, O]) request(input I, o restate.IngressOptions) (Request, error) {
	if r.scope != "" || o.LimitKey != "" {
		return Request{}, NewError(400, fmt.Sprintf("%s: this runtime has no flow control: use neither WithScope nor WithLimitKey", r), nil)
	}
	codec := firstOf(o.InputCodec, o.Codec, r.in)
	body, err := encoding.Marshal(codec, input)
	if err != nil {
		return Request{}, fmt.Errorf("encode the input of %s: %w", r, err)
	}
	request := Request{Service: r.service, Handler: r.handler, Headers: o.Headers, Body: body, ContentType: contentType(codec, input, body)}
	if r.key != nil {
		request.Key, request.Keyed = *r.key, true
	}
	if o.IdempotencyKey != nil {
		request.IdempotencyKey = *o.IdempotencyKey
	}
	return request, nil
}

// String names the target.
func (r *requester[I, O]) String() string {
	if r.key != nil {
		return r.service + "/" + *r.key + "/" + r.handler
	}
	return r.service + "/" + r.handler
}

type sender[I any] struct{ requester *requester[I, any] }

func (s sender[I]) Send(ctx context.Context, input I, options ...SendOption) (SimpleSendResponse, error) {
	return s.requester.Send(ctx, input, options...)
}

type sendResponse[O any] struct {
	handle[O]
	status string
}

func (s sendResponse[O]) Id() string     { return s.id }
func (s sendResponse[O]) Status() string { return s.status }

// contentType returns the media type of body, the bytes of v, or "" when it has
// none.
func contentType(codec encoding.Codec, v any, body []byte) string {
	if m, ok := v.(encoding.RestateMarshaler); ok {
		p := m.OutputPayload(codec)
		if p == nil || p.ContentType == nil || len(body) == 0 && !p.SetContentTypeIfEmpty {
			return ""
		}
		return *p.ContentType
	}
	m, ok := codec.(encoding.CodecMetadata)
	if !ok {
		return ""
	}
	if len(body) == 0 {
		if s, ok := codec.(encoding.CodecOutputMetadata); !ok || !s.SetContentTypeIfEmpty() {
			return ""
		}
	}
	return m.ContentType()
}

func firstOf(codecs ...encoding.Codec) encoding.Codec {
	for _, c := range codecs {
		if c != nil {
			return c
		}
	}
	return encoding.JSONCodec
}

func decode[O any](codec encoding.Codec, r Response) (O, error) {
	var output O
	if err := encoding.Unmarshal(codec, r.Body, &output); err != nil {
		return output, fmt.Errorf("decode the result of invocation %s as %T: %w", r.InvocationID, output, err)
	}
	return output, nil
}
