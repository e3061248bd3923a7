package objects

import (
	"bytes"

	"github.com/dormouse-run/dormouse/objects/encoding"
)

// The calls of this file name a handler by a method expression:
//
//	n, err := restate.Call(ctx, restate.On[*Counter]("visits"), (*Counter).Add, 5)
//
// so a wrong handler, input or output does not compile. The suffix says which
// shape the method has: 0 has no input, Void no output. Methods without an error
// result have no shape; they are called through Object, Workflow or Service.
//
// Values are encoded as the definition that the runtime has bound says, unless
// an option does; JSON when nothing is bound. What is no method expression of S
// is a terminal error, code 400.

// Call calls the handler that method names and waits for its result, like
// Client.Request.
func Call[S any, C Context, I, O any](ctx Context, to Ref[S], method func(S, C, I) (O, error), input I, opts ...RequestOption) (O, TerminalError) {
	return callMethod[S, C, O](ctx, to, method, input, opts).Response()
}

// Call0 is Call for a handler without an input.
func Call0[S any, C Context, O any](ctx Context, to Ref[S], method func(S, C) (O, error), opts ...RequestOption) (O, TerminalError) {
	return callMethod[S, C, O](ctx, to, method, Void{}, opts).Response()
}

// CallVoid is Call for a handler without an output.
func CallVoid[S any, C Context, I any](ctx Context, to Ref[S], method func(S, C, I) error, input I, opts ...RequestOption) TerminalError {
	_, err := callMethod[S, C, Void](ctx, to, method, input, opts).Response()
	return err
}

// CallVoid0 is Call for a handler without an input and an output.
func CallVoid0[S any, C Context](ctx Context, to Ref[S], method func(S, C) error, opts ...RequestOption) TerminalError {
	_, err := callMethod[S, C, Void](ctx, to, method, Void{}, opts).Response()
	return err
}

// CallFuture calls the handler that method names without waiting for it, like
// Client.RequestFuture.
func CallFuture[S any, C Context, I, O any](ctx Context, to Ref[S], method func(S, C, I) (O, error), input I, opts ...RequestOption) ResponseFuture[O] {
	return callMethod[S, C, O](ctx, to, method, input, opts)
}

// CallFuture0 is CallFuture for a handler without an input.
func CallFuture0[S any, C Context, O any](ctx Context, to Ref[S], method func(S, C) (O, error), opts ...RequestOption) ResponseFuture[O] {
	return callMethod[S, C, O](ctx, to, method, Void{}, opts)
}

// CallFutureVoid is CallFuture for a handler without an output.
func CallFutureVoid[S any, C Context, I any](ctx Context, to Ref[S], method func(S, C, I) error, input I, opts ...RequestOption) ResponseFuture[Void] {
	return callMethod[S, C, Void](ctx, to, method, input, opts)
}

// CallFutureVoid0 is CallFuture for a handler without an input and an output.
func CallFutureVoid0[S any, C Context](ctx Context, to Ref[S], method func(S, C) error, opts ...RequestOption) ResponseFuture[Void] {
	return callMethod[S, C, Void](ctx, to, method, Void{}, opts)
}

// Send invokes the handler that method names and does not wait for it, like
// SendClient.Send: what cannot be sent ends this invocation with a terminal
// error.
func Send[S any, C Context, I, O any](ctx Context, to Ref[S], method func(S, C, I) (O, error), input I, opts ...SendOption) Invocation {
	return sendMethod[S, C](ctx, to, method, input, opts)
}

// Send0 is Send for a handler without an input.
func Send0[S any, C Context, O any](ctx Context, to Ref[S], method func(S, C) (O, error), opts ...SendOption) Invocation {
	return sendMethod[S, C](ctx, to, method, Void{}, opts)
}

// SendVoid is Send for a handler without an output.
func SendVoid[S any, C Context, I any](ctx Context, to Ref[S], method func(S, C, I) error, input I, opts ...SendOption) Invocation {
	return sendMethod[S, C](ctx, to, method, input, opts)
}

// SendVoid0 is Send for a handler without an input and an output.
func SendVoid0[S any, C Context](ctx Context, to Ref[S], method func(S, C) error, opts ...SendOption) Invocation {
	return sendMethod[S, C](ctx, to, method, Void{}, opts)
}

func callMethod[S any, C Context, O any](ctx Context, to Ref[S], method, input any, opts []RequestOption) *response[O] {
	target, err := TargetOf[S, C](to, method)
	c := calleeOf(ctx, &target, err)
	return &response[O]{c.call(input, requestOptionsOf(opts))}
}

func sendMethod[S any, C Context](ctx Context, to Ref[S], method, input any, opts []SendOption) Invocation {
	target, err := TargetOf[S, C](to, method)
	c := calleeOf(ctx, &target, err)
	return c.send(input, sendOptionsOf(opts))
}

// calleeOf is the callee of one typed call.
func calleeOf(ctx Context, t *MethodTarget, refusal TerminalError) callee {
	return callee{
		ex: ctx.inner(), service: t.Service, key: t.Key, keyed: t.Keyed, handler: t.Handler,
		method: t, refusal: refusal,
	}
}

// bind takes name and codecs of the handler of a typed call from the definition
// of this build.
func (c *callee) bind() {
	if c.method == nil {
		return
	}
	if def := c.ex.host.Definition(c.service); def != nil {
		c.options.inputCodec, c.options.outputCodec = c.method.Bind(def)
		c.handler = c.method.Handler
	}
}

// storedAsJSON reports whether the stored call of a typed call has its input as
// JSON, although the definition of this build names another codec. The build that
// made it bound a handler with JSON, or none, and got 404: that call stands, and
// so does its result.
func (c *callee) storedAsJSON(o *requestOptions, parameter []byte, input any) bool {
	if c.method == nil || o.codec != nil || o.inputCodec != nil {
		return false
	}
	stored := c.stored()
	if stored == nil || bytes.Equal(stored.Parameter, parameter) {
		return false
	}
	b, err := encoding.Marshal(encoding.JSONCodec, input)
	return err == nil && bytes.Equal(stored.Parameter, b)
}
