package objects

import (
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/objects/encoding"
)

// Client calls one handler.
type Client[I any, O any] interface {
	// RequestFuture calls the handler without waiting for it.
	RequestFuture(input I, options ...RequestOption) ResponseFuture[O]
	// Request calls the handler and waits for its result. Its terminal error is
	// the error; an unknown handler is code 404, and a key too many or too few
	// is code 400.
	Request(input I, options ...RequestOption) (O, TerminalError)
	SendClient[I]
}

// SendClient invokes one handler without ever waiting for it.
type SendClient[I any] interface {
	// Send invokes the handler, which runs on whatever becomes of this one. An
	// unknown handler ends this invocation with a terminal error, code 404, and
	// a key too many or too few with code 400.
	Send(input I, options ...SendOption) Invocation
}

// Invocation is an invocation that a handler has made.
type Invocation interface {
	// GetInvocationId returns its id, as soon as the call is accepted. It never
	// fails, and does not see a cancellation. The id is "" when the call was
	// refused.
	GetInvocationId() string
}

// ResponseFuture is the result of a call.
type ResponseFuture[O any] interface {
	// Response waits for the result. A result that does not decode as O is a
	// terminal error, code 400.
	Response() (O, TerminalError)
	Invocation
	Future
}

// AttachFuture is the result of an invocation that someone else has made.
type AttachFuture[O any] interface {
	// Response waits for the result, like that of a ResponseFuture. The error
	// has code 404 when the invocation is not known, 400 when the id is none.
	Response() (O, TerminalError)
	Future
}

// Service returns a client of a handler of a service.
func Service[O any](ctx Context, service string, method string, options ...ClientOption) Client[any, O] {
	return newClient[any, O](ctx, service, "", false, method, options)
}

// Object returns a client of a handler of the object with this key.
func Object[O any](ctx Context, service string, key string, method string, options ...ClientOption) Client[any, O] {
	return newClient[any, O](ctx, service, key, true, method, options)
}

// Workflow returns a client of a handler of the workflow with this id.
func Workflow[O any](ctx Context, service string, workflowID string, method string, options ...ClientOption) Client[any, O] {
	return newClient[any, O](ctx, service, workflowID, true, method, options)
}

// ServiceSend is Service for sends.
func ServiceSend(ctx Context, service string, method string, options ...ClientOption) SendClient[any] {
	return newClient[any, Void](ctx, service, "", false, method, options)
}

// ObjectSend is Object for sends.
func ObjectSend(ctx Context, service string, key string, method string, options ...ClientOption) SendClient[any] {
	return newClient[any, Void](ctx, service, key, true, method, options)
}

// WorkflowSend is Workflow for sends.
func WorkflowSend(ctx Context, service string, workflowID string, method string, options ...ClientOption) SendClient[any] {
	return newClient[any, Void](ctx, service, workflowID, true, method, options)
}

// WithRequestType returns inner with an input type. It panics on a client that
// this package has not made.
func WithRequestType[I any, O any](inner Client[any, O]) Client[I, O] {
	c := inner.(*client[any, O])
	return &client[I, O]{callee: c.callee}
}

// callee is the target of a client.
type callee struct {
	ex                    *execution
	service, key, handler string
	// keyed says that the client was made for a service with keys; the empty
	// text is a key as well.
	keyed   bool
	options clientOptions
	// method is set for a typed call, and refusal when it names no handler.
	method  *MethodTarget
	refusal TerminalError
}

type client[I, O any] struct{ callee }

func newClient[I, O any](ctx Context, service, key string, keyed bool, handler string, options []ClientOption) *client[I, O] {
	return &client[I, O]{callee{ex: ctx.inner(), service: service, key: key, handler: handler, keyed: keyed, options: clientOptionsOf(options)}}
}

func (c *client[I, O]) Request(input I, options ...RequestOption) (O, TerminalError) {
	return c.RequestFuture(input, options...).Response()
}

func (c *client[I, O]) RequestFuture(input I, options ...RequestOption) ResponseFuture[O] {
	return &response[O]{c.call(input, requestOptionsOf(options))}
}

func (c *client[I, O]) Send(input I, options ...SendOption) Invocation {
	return c.send(input, sendOptionsOf(options))
}

// called is the untyped part of a call.
type called struct {
	future
	target string
	// codec decodes the result.
	codec encoding.Codec
	sent
}

// sent is an invocation that was made; its id arrives under completion, which is
// 0 when the call was refused.
type sent struct {
	ex         *execution
	completion uint32
}

// GetInvocationId waits for the id.
func (s sent) GetInvocationId() string {
	if s.completion == 0 {
		return ""
	}
	s.ex.enter(opInvocationID)
	defer s.ex.leave()
	return s.ex.callee(s.completion)
}

type response[O any] struct{ called }

func (r *response[O]) Response() (O, TerminalError) {
	return resultOf[O](&r.future, r.codec, func() string { return "the call of " + r.target })
}

// call issues a call. One that breaks a limit is refused without an entry.
func (c *callee) call(input any, o requestOptions) called {
	ex := c.ex
	ex.enter(opCall)
	defer ex.leave()
	c.bind()
	headers := headersOf(o.headers)
	if t := c.check(headers, o); t != nil {
		return called{future: refused(ex, t)}
	}
	if t := c.checkKind(); t != nil && c.stored() == nil {
		return called{future: refused(ex, t)}
	}
	in, out := c.codecs(&o)
	parameter := c.encode(in, input)
	if c.storedAsJSON(&o, parameter, input) {
		in, out = encoding.JSONCodec, encoding.JSONCodec
		parameter = c.encode(in, input)
	}
	if t := ex.checkSize("the input of "+c.handler, parameter); t != nil {
		return called{future: refused(ex, t)}
	}
	idCompletion := ex.story.NextCompletion()
	completion := ex.story.NextCompletion()
	ex.callees = append(ex.callees, idCompletion)
	ex.issue(&journal.Call{
		Service: c.service, Handler: c.handler, Key: c.key,
		Parameter: parameter, Headers: headers, IdempotencyKey: o.idempotencyKey,
		InvocationIDCompletion: idCompletion, Completion: completion,
	}, encoding.IsNonDeterministicSerialization(in))
	return called{
		future: future{ex: ex, id: journal.CompletionID(completion)},
		target: c.service + "/" + c.handler,
		codec:  out,
		sent:   sent{ex, idCompletion},
	}
}

// send issues a one-way call. There is no result that could carry an error, so
// what cannot be sent ends the invocation.
func (c *callee) send(input any, o sendOptions) Invocation {
	ex := c.ex
	ex.enter(opSend)
	defer ex.leave()
	c.bind()
	headers := headersOf(o.headers)
	ex.demand(c.check(headers, o.requestOptions))
	in, _ := c.codecs(&o.requestOptions)
	parameter := c.encode(in, input)
	ex.demand(ex.checkSize("the input of "+c.handler, parameter))
	if !ex.story.Replaying() {
		if _, bound := ex.host.Handler(c.service, c.handler); !bound {
			ex.endWith(terminalf(codeNotFound, "send to %s/%s: no such service or handler is bound", c.service, c.handler))
		}
		ex.demand(c.checkKind())
	}
	s := sent{ex, ex.story.NextCompletion()}
	ex.issue(&journal.OneWayCall{
		Service: c.service, Handler: c.handler, Key: c.key,
		Parameter: parameter, Headers: headers, IdempotencyKey: o.idempotencyKey,
		InvokeAt: ex.invokeAt(o.delay), InvocationIDCompletion: s.completion,
	}, encoding.IsNonDeterministicSerialization(in))
	return s
}

// invokeAt is the start of a delayed send, in ms since the epoch, 0 for now.
func (ex *execution) invokeAt(delay time.Duration) uint64 {
	if delay <= 0 {
		return 0
	}
	return ex.due(delay)
}

func (c *callee) check(headers []journal.Header, o requestOptions) TerminalError {
	checks := [...]TerminalError{
		c.refusal,
		checkName("the name of a service", c.service),
		checkName("the name of a handler", c.handler),
		checkKey("the key of "+c.service, c.key),
		checkHeaders(headers),
		c.checkFlowControl(o),
	}
	for _, t := range checks {
		if t != nil {
			return t
		}
	}
	if o.idempotencyKey != nil {
		return checkKey("the idempotency key", *o.idempotencyKey)
	}
	return nil
}

// checkKind refuses a service that has keys and was called without one, and the
// other way round.
func (c *callee) checkKind() TerminalError {
	if c.method != nil {
		if t := c.method.CheckKey(); t != nil {
			return t
		}
	}
	kind, bound := c.ex.host.Handler(c.service, c.handler)
	if t := (ident.Target{Kind: kind}); !bound || kind == 0 || t.Keyed() == c.keyed {
		return nil
	}
	if c.keyed {
		return terminalf(codeBadRequest, "service %s has no keys: call it without one", c.service)
	}
	return terminalf(codeBadRequest, "service %s has keys: call it with one", c.service)
}

// stored returns this very call when it is the next command of the journal, else
// nil: a build in which its kind was another one has made it, and it stands.
func (c *callee) stored() *journal.Call {
	next, ok := c.ex.story.Upcoming().(*journal.Call)
	if !ok || next.Service != c.service || next.Handler != c.handler || next.Key != c.key {
		return nil
	}
	return next
}

func (c *callee) checkFlowControl(o requestOptions) TerminalError {
	if c.options.scope != "" || o.limitKey != "" {
		return terminalf(codeBadRequest, "scope and limit key need flow control, which this runtime does not have: leave them out")
	}
	return nil
}

// encode fails the attempt when the input does not encode.
func (c *callee) encode(codec encoding.Codec, input any) []byte {
	b, err := encoding.Marshal(codec, input)
	if err != nil {
		c.ex.fail(RetryableErrorf("encode the input of %s/%s from %T: %w", c.service, c.handler, input, err))
	}
	return b
}

// codecs returns those of one call: its own options win over what is known of
// the handler.
func (c *callee) codecs(o *requestOptions) (input, output encoding.Codec) {
	return firstCodec(o.inputCodec, o.codec, c.options.inputCodec), firstCodec(o.outputCodec, o.codec, c.options.outputCodec)
}

// CancelInvocation asks an invocation to stop: its next wait ends with a
// terminal error, code 409, and so do the waits of those it has called. An id
// that is none ends this invocation with code 400; one that is unknown or
// complete is ignored.
func CancelInvocation(ctx Context, invocationId string) {
	ex := ctx.inner()
	ex.enter(opCancel)
	defer ex.leave()
	ex.checkInvocationID("cancel", invocationId)
	ex.issue(cancelOf(invocationId), false)
}

func cancelOf(invocationID string) journal.Command {
	return &journal.SendSignal{Target: invocationID, Index: ident.CancelSignal, Result: journal.VoidResult()}
}

// AttachInvocation waits for the result of any invocation.
func AttachInvocation[T any](ctx Context, invocationId string, options ...AttachOption) AttachFuture[T] {
	ex := ctx.inner()
	ex.enter(opAttach)
	defer ex.leave()
	completion := ex.story.NextCompletion()
	ex.issue(&journal.AttachInvocation{
		Target: journal.AttachTarget{InvocationID: invocationId}, Completion: completion,
	}, false)
	return &attached[T]{
		future:     future{ex: ex, id: journal.CompletionID(completion)},
		codec:      attachOptionsOf(options).codec,
		invocation: invocationId,
	}
}

type attached[T any] struct {
	future
	codec      encoding.Codec
	invocation string
}

func (a *attached[T]) Response() (T, TerminalError) {
	return resultOf[T](&a.future, a.codec, func() string { return "invocation " + a.invocation })
}
