package objects_test

import (
	"context"
	"fmt"
	"time"

	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

// A call by name. Its input is encoded as JSON.
func ExampleService() {
	try(func(ctx restate.Context, _ string) (string, error) {
		return restate.Service[string](ctx, "Greeter", "Greet").Request("mouse")
	}, restate.Reflect(Greeter{}))
	// Output: Hello mouse <nil>
}

// Two calls at once. The error of the callee is the error of the call.
func ExampleObject() {
	try(func(ctx restate.Context, _ string) (string, error) {
		add := restate.Object[int](ctx, "Visits", "home", "Add")
		five, six := add.RequestFuture(5), add.RequestFuture(6)
		a, err := five.Response()
		if err != nil {
			return "", err
		}
		b, err := six.Response()
		if err != nil {
			return "", err
		}
		_, refused := restate.Object[restate.Void](ctx, "Visits", "home", "Forget").Request("")
		return fmt.Sprint(a, b, " ", refused), nil
	}, restate.Reflect(&Visits{}))
	// Output: 5 11 a reason is needed <nil>
}

// A client whose input has a type: another one does not compile.
func ExampleWithRequestType() {
	try(func(ctx restate.Context, _ string) (string, error) {
		add := restate.WithRequestType[int](restate.Object[int](ctx, "Visits", "home", "Add"))
		n, err := add.Request(5)
		return fmt.Sprint(n), err
	}, restate.Reflect(&Visits{}))
	// Output: 5 <nil>
}

// A send is not waited for, and outlives the handler. Its id is known at once.
func ExampleServiceSend() {
	try(func(ctx restate.Context, _ string) (string, error) {
		sent := restate.ServiceSend(ctx, "Greeter", "Greet").Send("mouse")
		return restate.AttachInvocation[string](ctx, sent.GetInvocationId()).Response()
	}, restate.Reflect(Greeter{}))
	// Output: Hello mouse <nil>
}

// What one handler sends to one key and calls there arrives in this order.
func ExampleObjectSend() {
	try(func(ctx restate.Context, _ string) (string, error) {
		for n := range 3 {
			restate.ObjectSend(ctx, "Visits", "home", "Add").Send(n)
		}
		count, err := restate.Object[int](ctx, "Visits", "home", "Add").Request(4)
		return fmt.Sprint(count), err
	}, restate.Reflect(&Visits{}))
	// Output: 7 <nil>
}

// A send in the future. It can be cancelled until then; the key keeps its result.
func ExampleWithDelay() {
	try(func(ctx restate.Context, _ string) (string, error) {
		reminder := restate.ServiceSend(ctx, "Greeter", "Greet").
			Send("sleeper", restate.WithDelay(24*time.Hour), restate.WithIdempotencyKey("reminder-1"))
		restate.CancelInvocation(ctx, reminder.GetInvocationId())
		_, err := restate.AttachInvocation[string](ctx, reminder.GetInvocationId()).Response()
		return fmt.Sprint(err), nil
	}, restate.Reflect(Greeter{}))
	// Output: cancelled <nil>
}

// Under one key a handler is invoked once, whoever asks, and everybody gets the
// first result.
func ExampleWithIdempotencyKey() {
	try(func(ctx restate.Context, _ string) (string, error) {
		add := restate.Object[int](ctx, "Visits", "home", "Add")
		first, err := add.Request(5, restate.WithIdempotencyKey("order-1"))
		if err != nil {
			return "", err
		}
		again, err := add.Request(7, restate.WithIdempotencyKey("order-1"))
		return fmt.Sprint(first, again), err
	}, restate.Reflect(&Visits{}))
	// Output: 5 5 <nil>
}

// Somebody else has made the invocation; its id is all that is needed.
func ExampleAttachInvocation() {
	c, stop := start(restate.Reflect(Greeter{}), restate.NewService("Reader").Handler("read", restate.NewServiceHandler(
		func(ctx restate.Context, id string) (string, error) {
			greeting, err := restate.AttachInvocation[string](ctx, id).Response()
			if err != nil {
				return "", err
			}
			return "it said: " + greeting, nil
		})))
	defer stop()
	ctx := context.Background()
	sent, err := ingress.ServiceSend[string](c, "Greeter", "Greet").Send(ctx, "mouse")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(ingress.Service[string, string](c, "Reader", "read").Request(ctx, sent.Id()))
	// Output: it said: Hello mouse <nil>
}

// The first answer is enough, so the other call is cancelled. Its handler may
// compensate.
func ExampleCancelInvocation() {
	slow := restate.NewService("Slow").Handler("ask", restate.NewServiceHandler(
		func(ctx restate.Context, wait time.Duration) (string, error) {
			return fmt.Sprint("after ", wait), restate.Sleep(ctx, wait)
		}))
	try(func(ctx restate.Context, _ string) (string, error) {
		ask := restate.Service[string](ctx, "Slow", "ask")
		hour, moment := ask.RequestFuture(time.Hour), ask.RequestFuture(time.Millisecond)
		if _, err := restate.WaitFirst(ctx, hour, moment); err != nil {
			return "", err
		}
		restate.CancelInvocation(ctx, hour.GetInvocationId())
		_, cancelled := hour.Response()
		answer, err := moment.Response()
		return fmt.Sprint(answer, ", the other one: ", cancelled, ", own: ", restate.IsCancelled(cancelled)), err
	}, slow)
	// Output: after 1ms, the other one: cancelled, own: false <nil>
}

// Headers go with a call. They are not passed on by themselves.
func ExampleWithHeaders() {
	trace := restate.NewService("Trace").Handler("id", restate.NewServiceHandler(
		func(ctx restate.Context, _ restate.Void) (string, error) {
			return ctx.Request().Headers.Get("x-trace"), nil
		}))
	try(func(ctx restate.Context, _ string) (string, error) {
		return restate.Service[string](ctx, "Trace", "id").
			Request(restate.Void{}, restate.WithHeaders(map[string]string{"x-trace": "t-1"}))
	}, trace)
	// Output: t-1 <nil>
}

// What a handler was asked for, before it was decoded.
func ExampleRequest() {
	show := func(ctx restate.Context, _ map[string]int) (string, error) {
		r := ctx.Request()
		return fmt.Sprintf("%s %s %q", r.Headers.Get("x-who"), r.Body, r.IdempotencyKey), nil
	}
	c, stop := start(restate.NewService("Show").Handler("show", restate.NewServiceHandler(show)))
	defer stop()
	fmt.Println(ingress.Service[map[string]int, string](c, "Show", "show").Request(context.Background(), map[string]int{"n": 1},
		restate.WithHeaders(map[string]string{"x-who": "ann"}), restate.WithIdempotencyKey("k")))
	// Output: ann {"n":1} "k" <nil>
}

// Flow control does not exist, so a scope or a limit key is refused.
func ExampleWithScope() {
	try(func(ctx restate.Context, _ string) (string, error) {
		_, scoped := restate.Service[string](ctx, "Greeter", "Greet", restate.WithScope("tenant")).Request("mouse")
		_, limited := restate.Service[string](ctx, "Greeter", "Greet").Request("mouse", restate.WithLimitKey("tenant"))
		return fmt.Sprint(scoped.Code(), limited.Code()), nil
	}, restate.Reflect(Greeter{}))
	// Output: 400 400 <nil>
}
