package objects_test

import (
	"context"
	"fmt"

	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

// A question to a person. The answer may come over HTTP, in the same process or
// from another handler, in a second or next year.
func ExampleAwakeable() {
	mail := make(chan string, 1)
	ask := func(ctx restate.ObjectContext, what string) (string, error) {
		answer := restate.Awakeable[string](ctx)
		err := restate.RunVoid(ctx, func(restate.RunContext) error { mail <- answer.Id(); return nil })
		if err != nil {
			return "", err
		}
		decision, err := answer.Result() // the handler may leave memory here
		return what + ": " + decision, err
	}
	c, stop := start(restate.NewObject("Approval").Handler("ask", restate.NewObjectHandler(ask)))
	defer stop()
	go func() { _ = ingress.ResolveAwakeable(context.Background(), c, <-mail, "approved") }()
	fmt.Println(ingress.Object[string, string](c, "Approval", "alice", "ask").Request(context.Background(), "a laptop"))
	// Output: a laptop: approved <nil>
}

// Whoever knows the id of the invocation cannot answer in the place of the person
// who was asked.
func ExampleWithUnguessableAwakeables() {
	mail := make(chan string, 1)
	ask := func(ctx restate.ObjectContext, what string) (string, error) {
		answer := restate.Awakeable[string](ctx)
		mail <- answer.Id()
		return answer.Result()
	}
	c, stop := start(restate.NewObject("Approval", restate.WithUnguessableAwakeables(true)).Handler("ask", restate.NewObjectHandler(ask)))
	defer stop()
	go func() { _ = ingress.ResolveAwakeable(context.Background(), c, <-mail, "approved") }()
	fmt.Println(ingress.Object[string, string](c, "Approval", "alice", "ask").Request(context.Background(), "a laptop"))
	// Output: approved <nil>
}

// The first answer counts, whoever gives it.
func ExampleResolveAwakeable() {
	try(func(ctx restate.Context, _ string) (string, error) {
		answer := restate.Awakeable[int](ctx)
		restate.ResolveAwakeable(ctx, answer.Id(), 1)
		restate.ResolveAwakeable(ctx, answer.Id(), 2)
		n, err := answer.Result()
		return fmt.Sprint(n), err
	})
	// Output: 1 <nil>
}

// A rejection becomes the error of the wait. Code and metadata of a terminal
// error are kept.
func ExampleRejectAwakeable() {
	try(func(ctx restate.Context, _ string) (string, error) {
		answer := restate.Awakeable[int](ctx)
		restate.RejectAwakeable(ctx, answer.Id(), restate.ToTerminalError(fmt.Errorf("too expensive"), restate.WithErrorCode(402)))
		_, err := answer.Result()
		return fmt.Sprint(err.Code(), " ", err.Message()), nil
	})
	// Output: 402 too expensive <nil>
}

// Signals are addressed to an invocation by name, and queue.
func ExampleSignal() {
	collect := func(ctx restate.Context, _ restate.Void) (string, error) {
		first, err := restate.Signal[string](ctx, "chat").Result()
		if err != nil {
			return "", err
		}
		second, err := restate.Signal[string](ctx, "chat").Result()
		return first + ", " + second, err
	}
	c, stop := start(restate.NewService("Chat").Handler("collect", restate.NewServiceHandler(collect)))
	defer stop()
	ctx := context.Background()
	sent, err := ingress.Service[restate.Void, string](c, "Chat", "collect").Send(ctx, restate.Void{})
	fmt.Println(err)
	for _, text := range []string{"hello", "mouse"} {
		fmt.Println(ingress.ResolveSignal(ctx, c, sent.Id(), "chat", text))
	}
	fmt.Println(sent.Attach(ctx))
	// Output:
	// <nil>
	// <nil>
	// <nil>
	// hello, mouse <nil>
}

// waiter is a service that waits for the signal go.
func waiter() restate.ServiceDefinition {
	return restate.NewService("Waiter").Handler("wait", restate.NewServiceHandler(
		func(ctx restate.Context, _ restate.Void) (string, error) {
			return restate.Signal[string](ctx, "go").Result()
		}))
}

// A handler signals an invocation that it has made.
func ExampleResolveSignal() {
	try(func(ctx restate.Context, _ string) (string, error) {
		call := restate.Service[string](ctx, "Waiter", "wait").RequestFuture(restate.Void{})
		restate.ResolveSignal(ctx, call.GetInvocationId(), "go", "gone")
		return call.Response()
	}, waiter())
	// Output: gone <nil>
}

func ExampleRejectSignal() {
	try(func(ctx restate.Context, _ string) (string, error) {
		call := restate.Service[string](ctx, "Waiter", "wait").RequestFuture(restate.Void{})
		restate.RejectSignal(ctx, call.GetInvocationId(), "go", restate.TerminalErrorf("it rains"))
		return call.Response()
	}, waiter())
	// Output:  it rains
}
