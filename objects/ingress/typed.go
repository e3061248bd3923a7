package ingress

import (
	"context"

	restate "github.com/dormouse-run/dormouse/objects"
)

// The calls of this file name a handler by a method expression, like their
// namesakes in package objects:
//
//	n, err := ingress.Call(ctx, client, restate.On[*Counter]("visits"), (*Counter).Add, 5)
//
// The suffix says which shape the method has: 0 has no input, Void no output.
//
// Over HTTP, values are encoded with the codec of the client unless an option
// names another one. In the same process the codecs of the handler come before
// that of the client. What is no method expression of S is an Error with code
// 400, and nothing is sent.

// Call calls the handler that method names and waits for its result, like
// Requester.Request.
func Call[S any, C restate.Context, I, O any](ctx context.Context, c *Client, to restate.Ref[S], method func(S, C, I) (O, error), input I, opts ...RequestOption) (O, error) {
	return callMethod[S, C, I, O](ctx, c, to, method, input, opts)
}

// Call0 is Call for a handler without an input.
func Call0[S any, C restate.Context, O any](ctx context.Context, c *Client, to restate.Ref[S], method func(S, C) (O, error), opts ...RequestOption) (O, error) {
	return callMethod[S, C, restate.Void, O](ctx, c, to, method, restate.Void{}, opts)
}

// CallVoid is Call for a handler without an output.
func CallVoid[S any, C restate.Context, I any](ctx context.Context, c *Client, to restate.Ref[S], method func(S, C, I) error, input I, opts ...RequestOption) error {
	_, err := callMethod[S, C, I, restate.Void](ctx, c, to, method, input, opts)
	return err
}

// CallVoid0 is Call for a handler without an input and an output.
func CallVoid0[S any, C restate.Context](ctx context.Context, c *Client, to restate.Ref[S], method func(S, C) error, opts ...RequestOption) error {
	_, err := callMethod[S, C, restate.Void, restate.Void](ctx, c, to, method, restate.Void{}, opts)
	return err
}

// Send invokes the handler that method names and returns when the invocation is
// durable, like Requester.Send. The response gives access to the result.
func Send[S any, C restate.Context, I, O any](ctx context.Context, c *Client, to restate.Ref[S], method func(S, C, I) (O, error), input I, opts ...SendOption) (SendResponse[O], error) {
	return sendMethod[S, C, I, O](ctx, c, to, method, input, opts)
}

// Send0 is Send for a handler without an input.
func Send0[S any, C restate.Context, O any](ctx context.Context, c *Client, to restate.Ref[S], method func(S, C) (O, error), opts ...SendOption) (SendResponse[O], error) {
	return sendMethod[S, C, restate.Void, O](ctx, c, to, method, restate.Void{}, opts)
}

// SendVoid is Send for a handler without an output.
func SendVoid[S any, C restate.Context, I any](ctx context.Context, c *Client, to restate.Ref[S], method func(S, C, I) error, input I, opts ...SendOption) (SendResponse[restate.Void], error) {
	return sendMethod[S, C, I, restate.Void](ctx, c, to, method, input, opts)
}

// SendVoid0 is Send for a handler without an input and an output.
func SendVoid0[S any, C restate.Context](ctx context.Context, c *Client, to restate.Ref[S], method func(S, C) error, opts ...SendOption) (SendResponse[restate.Void], error) {
	return sendMethod[S, C, restate.Void, restate.Void](ctx, c, to, method, restate.Void{}, opts)
}

func callMethod[S any, C restate.Context, I, O any](ctx context.Context, c *Client, to restate.Ref[S], method any, input I, opts []RequestOption) (O, error) {
	r, err := methodRequester[S, C, I, O](c, to, method)
	if err != nil {
		var none O
		return none, err
	}
	return r.Request(ctx, input, opts...)
}

func sendMethod[S any, C restate.Context, I, O any](ctx context.Context, c *Client, to restate.Ref[S], method any, input I, opts []SendOption) (SendResponse[O], error) {
	r, err := methodRequester[S, C, I, O](c, to, method)
	if err != nil {
		return nil, err
	}
	return r.Send(ctx, input, opts...)
}

// methodRequester is the requester of one typed call.
func methodRequester[S any, C restate.Context, I, O any](c *Client, to restate.Ref[S], method any) (*requester[I, O], error) {
	target, refusal := restate.TargetOf[S, C](to, method)
	if refusal == nil {
		refusal = target.CheckKey()
	}
	if refusal != nil {
		return nil, NewError(refusal.Code(), refusal.Message(), nil)
	}
	r := &requester[I, O]{client: c, service: target.Service, in: c.codec, out: c.codec}
	if s, ok := c.transport.(DefinitionSource); ok {
		if def := s.Definition(target.Service); def != nil {
			in, out := target.Bind(def)
			r.in, r.out = firstOf(in, c.codec), firstOf(out, c.codec)
		}
	}
	r.handler = target.Handler
	if target.Keyed {
		r.key = &target.Key
	}
	return r, nil
}
