package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/restatedev/sdk-go"
	"github.com/restatedev/sdk-go/encoding"
	"github.com/restatedev/sdk-go/ingress"
)

// visit is a client: it prints one line for each thing it does.
func visit(ctx context.Context, url string) error {
	c := ingress.NewClient(url, restate.WithJSON)
	for _, step := range []func(context.Context, *ingress.Client) error{objects, services, handles, workflows} {
		if err := step(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

func say(what string, got any, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	_, err = fmt.Printf("%s: %v\n", what, got)
	return err
}

func objects(ctx context.Context, c *ingress.Client) error {
	filled, err := ingress.Object[int, int](c, "Stock", "pears", "Fill").Request(ctx, 5)
	if err := say("fill", filled, err); err != nil {
		return err
	}
	names, err := ingress.Object[restate.Void, []string](c, "Stock", "pears", "Names").Request(ctx, restate.Void{})
	if err := say("names", names, err); err != nil {
		return err
	}
	key, codec := "pears", encoding.JSONCodec
	added, err := ingress.NewRequester[int, int](c, "Counter", "add", &key, &codec).Request(ctx, 3)
	if err := say("add", added, err); err != nil {
		return err
	}
	none, err := ingress.Object[restate.Void, *int](c, "Counter", "nobody", "get").Request(ctx, restate.Void{})
	return say("nobody has a count", none == nil, err)
}

func services(ctx context.Context, c *ingress.Client) error {
	bought, err := ingress.Service[Order, string](c, "Shop", "buy").
		Request(ctx, Order{Item: "pears", Amount: 2}, restate.WithHeaders(map[string]string{"x-from": "client"}))
	if err := say("buy", bought, err); err != nil {
		return err
	}
	_, err = ingress.Service[Order, string](c, "Shop", "buy").Request(ctx, Order{Item: "pears", Amount: 20})
	terminal := restate.AsTerminalError(err)
	if terminal == nil {
		return fmt.Errorf("buying too much gives %w", err)
	}
	if err := say("too much", fmt.Sprint(terminal.Code(), " ", terminal.Message()), nil); err != nil {
		return err
	}
	raw, err := ingress.Service[[]byte, []byte](c, "Shop", "raw").Request(ctx, []byte{1, 2}, restate.WithBinary)
	if err := say("raw", raw, err); err != nil {
		return err
	}
	from, err := ingress.Service[restate.Void, string](c, "Shop", "names").
		Request(ctx, restate.Void{}, restate.WithHeaders(map[string]string{"x-from": "client"}))
	if err := say("names", from, err); err != nil {
		return err
	}
	for _, handler := range []string{"race", "answer", "cancel"} {
		text, err := ingress.Service[restate.Void, string](c, "Shop", handler).Request(ctx, restate.Void{})
		if err := say(handler, text, err); err != nil {
			return err
		}
	}
	attempts, err := ingress.Service[restate.Void, int](c, "Shop", "retry").Request(ctx, restate.Void{})
	return say("retry", attempts, err)
}

func workflows(ctx context.Context, c *ingress.Client) error {
	sent, err := ingress.WorkflowSend[Order](c, "Delivery", "one", "Run").Send(ctx, Order{Item: "pears"})
	if err != nil {
		return err
	}
	handle := ingress.WorkflowHandle[string](c, "Delivery", "one")
	var notReady *ingress.InvocationNotReadyError
	if _, err := handle.Output(ctx); !errors.As(err, &notReady) {
		return fmt.Errorf("the output of a workflow that waits is %w", err)
	}
	again, err := ingress.WorkflowSend[Order](c, "Delivery", "one", "Run").Send(ctx, Order{Item: "plums"})
	if err := say("sent twice", fmt.Sprint(sent.Status(), " ", again.Status(), " ", sent.Id() == again.Id()), err); err != nil {
		return err
	}
	if _, err := ingress.Workflow[string, string](c, "Delivery", "one", "Sign").Request(ctx, "eve"); err != nil {
		return err
	}
	signed, err := handle.Attach(ctx)
	if err := say("delivery", signed, err); err != nil {
		return err
	}
	once, err := ingress.Workflow[string, string](c, "Once", "x", "Run").Request(ctx, "echo")
	return say("once", once, err)
}

func handles(ctx context.Context, c *ingress.Client) error {
	send := ingress.ObjectSend[int](c, "Stock", "plums", "Fill")
	sent, err := send.Send(ctx, 4, restate.WithIdempotencyKey("plums-1"))
	if err != nil {
		return err
	}
	byKey, err := ingress.ObjectInvocationByIdempotencyKey[int](c, "Stock", "plums", "Fill", "plums-1").Attach(ctx)
	if err := say("by idempotency key", byKey, err); err != nil {
		return err
	}
	byID, err := ingress.InvocationById[int](c, sent.Id(), restate.WithJSON).Output(ctx)
	if err := say("by id", byID, err); err != nil {
		return err
	}
	response, err := ingress.Service[[]byte, []byte](c, "Shop", "raw", restate.WithScope("")).
		Send(ctx, []byte("later"), restate.WithBinary, restate.WithDelay(time.Millisecond), restate.WithIdempotencyKey("raw-1"))
	if err != nil {
		return err
	}
	late, err := response.Attach(ctx)
	if err := say("later", string(late), err); err != nil {
		return err
	}
	var notFound *ingress.InvocationNotFoundError
	_, err = ingress.ServiceInvocationByIdempotencyKey[string](c, "Shop", "buy", "nobody").Output(ctx)
	if err := say("nobody is not found", errors.As(err, &notFound), nil); err != nil {
		return err
	}
	_, err = ingress.ServiceSend[[]byte](c, "Shop", "raw").Send(ctx, []byte("x"), restate.WithBinary)
	return say("sent", err == nil, err)
}
