package main

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/restatedev/sdk-go"
	"github.com/restatedev/sdk-go/encoding"
)

// Order is what a shop is asked for.
type Order struct {
	Item   string `json:"item"`
	Amount int    `json:"amount"`
}

// stock is an object: one per item.
type stock struct{}

// ServiceName names the object.
func (stock) ServiceName() string { return "Stock" }

// Take takes some of the item, and fails for good when there is too little.
func (stock) Take(ctx restate.ObjectContext, amount int) (int, error) {
	left, err := restate.Get[int](ctx, "left")
	if err != nil {
		return 0, err
	}
	if left < amount {
		return left, restate.ToTerminalError(fmt.Errorf("only %d %s left", left, restate.Key(ctx)),
			restate.WithErrorCode(409), restate.WithMetadata("item", restate.Key(ctx)))
	}
	restate.Set(ctx, "left", left-amount, restate.WithJSON)
	return left - amount, nil
}

// Fill adds some of the item.
func (stock) Fill(ctx restate.ObjectContext, amount int) (int, error) {
	left, err := restate.Get[int](ctx, "left", restate.WithCodec(encoding.JSONCodec))
	if err != nil {
		return 0, err
	}
	restate.Set(ctx, "left", left+amount)
	return left + amount, nil
}

// Names lists the state beside what else runs.
func (stock) Names(ctx restate.ObjectSharedContext) ([]string, error) { return restate.Keys(ctx) }

// Drop empties the object.
func (stock) Drop(ctx restate.ObjectContext) error {
	restate.Clear(ctx, "left")
	restate.ClearAll(ctx)
	return nil
}

// shop is a service that calls the objects.
func shop() restate.ServiceDefinition {
	return restate.NewService("Shop",
		restate.WithMetadataMap(map[string]string{"team": "sales"}),
		restate.WithInvocationRetryPolicy(restate.WithMaxRetryAttempts(3), restate.WithInitialRetryInterval(time.Millisecond),
			restate.WithMaxRetryInterval(time.Second), restate.WithRetryIntervalFactor(2), restate.PauseOnMaxAttempts()),
		restate.WithInactivityTimeout(time.Minute), restate.WithAbortTimeout(time.Minute),
		restate.WithIdempotencyRetention(time.Hour), restate.WithJournalRetention(time.Hour),
		restate.WithIngressPrivate(false), restate.WithEnableLazyState(false),
	).
		Handler("buy", restate.NewServiceHandler(buy)).
		Handler("race", restate.NewServiceHandler(race)).
		Handler("raw", restate.NewServiceHandler(func(_ restate.Context, in []byte) ([]byte, error) { return in, nil }, restate.WithBinary)).
		Handler("retry", restate.NewServiceHandler(new(printer).retry)).
		Handler("names", restate.NewServiceHandler(func(ctx restate.Context, _ restate.Void) (string, error) { return names(ctx, nil) })).
		Handler("wait", restate.NewServiceHandler(wait)).
		Handler("answer", restate.NewServiceHandler(answer)).
		Handler("cancel", restate.NewServiceHandler(cancel)).
		ConfigureHandler("retry", restate.WithInvocationRetryPolicy(restate.WithMaxRetryAttempts(5)))
}

func buy(ctx restate.Context, order Order) (string, error) {
	stocks := restate.Object[int](ctx, "Stock", order.Item, "Take")
	typed := restate.WithRequestType[int, int](stocks)
	left, err := typed.Request(order.Amount, restate.WithHeaders(map[string]string{"from": "shop"}))
	if terminal := restate.AsTerminalError(err); terminal != nil {
		return "", restate.ToTerminalError(fmt.Errorf("sorry: %s", terminal.Message()),
			restate.WithErrorCode(terminal.Code()), restate.WithMetadataMap(terminal.Metadata().ToMap()))
	}
	receipt, err := restate.Run(ctx, func(run restate.RunContext) (string, error) {
		run.Log().Info("printing", "invocation", run.Request().ID)
		return fmt.Sprintf("%d %s", order.Amount, order.Item), nil
	}, restate.WithName("print"), restate.WithMaxRetryAttempts(3), restate.WithMaxRetryDuration(time.Minute), restate.WithJSON)
	if err != nil {
		return "", err
	}
	if err := restate.RunVoid(ctx, func(restate.RunContext) error { return nil }); err != nil {
		return "", err
	}
	var sent restate.Invocation = restate.ObjectSend(ctx, "Stock", order.Item, "Fill").
		Send(order.Amount, restate.WithDelay(time.Hour), restate.WithIdempotencyKey(restate.UUID(ctx).String()))
	if !strings.HasPrefix(sent.GetInvocationId(), "inv_1") {
		return "", restate.TerminalErrorf("what was sent is called %q", sent.GetInvocationId())
	}
	restate.CancelInvocation(ctx, sent.GetInvocationId())
	return fmt.Sprintf("%s, %d left", receipt, left), nil
}

// race waits in every way that there is.
func race(ctx restate.Context, _ restate.Void) (string, error) {
	var soon restate.AfterFuture = restate.After(ctx, time.Millisecond, restate.WithName("soon"))
	var never restate.AwakeableFuture[string] = restate.Awakeable[string](ctx, restate.WithJSON)
	var work restate.RunAsyncFuture[int] = restate.RunAsync(ctx, func(restate.RunContext) (int, error) { return 7, nil })
	var call restate.ResponseFuture[[]byte] = restate.Service[[]byte](ctx, "Shop", "raw", restate.WithBinary).RequestFuture([]byte("x"))
	if first, err := restate.WaitFirst(ctx, soon, never); err != nil || first != restate.Future(soon) {
		return "", restate.TerminalErrorf("first is %v, %v", first, err)
	}
	done := 0
	for fut, err := range restate.Wait(ctx, soon, work, call) {
		if err != nil {
			return "", err
		}
		switch fut {
		case soon:
			if err := soon.Done(); err != nil {
				return "", err
			}
		case work:
			if n, err := work.Result(); err != nil || n != 7 {
				return "", restate.TerminalErrorf("work gives %d, %v", n, err)
			}
		case call:
			if b, err := call.Response(); err != nil || string(b) != "x" {
				return "", restate.TerminalErrorf("call gives %q, %v", b, err)
			}
		}
		done++
	}
	restate.ResolveAwakeable(ctx, never.Id(), "at last")
	text, err := never.Result()
	if err != nil {
		return "", err
	}
	if err := restate.Sleep(ctx, time.Millisecond); err != nil {
		return "", err
	}
	again := restate.WithValue(ctx, contextKey{}, "value")
	_ = restate.Rand(ctx).IntN(6)
	_ = restate.RandSource(ctx).Uint64()
	return fmt.Sprintf("%d done, %s, %v", done, text, again.Value(contextKey{})), nil
}

type contextKey struct{}

// answer sends signals to itself and rejects an awakeable.
func answer(ctx restate.Context, _ restate.Void) (string, error) {
	id := ctx.Request().ID
	restate.ResolveSignal(ctx, id, "go", 1)
	restate.RejectSignal(ctx, id, "go", errors.New("stop"))
	n, err := restate.Signal[int](ctx, "go").Result()
	if err != nil {
		return "", err
	}
	var second restate.SignalFuture[int] = restate.Signal[int](ctx, "go")
	_, stop := second.Result()
	awakeable := restate.Awakeable[int](ctx)
	restate.RejectAwakeable(ctx, awakeable.Id(), restate.TerminalErrorf("no"))
	_, no := awakeable.Result()
	return fmt.Sprintf("%d, %v, %v", n, restate.AsTerminalError(stop).Message(), restate.IsTerminalError(no)), nil
}

// printer is out of paper at first.
type printer struct{ tried atomic.Int32 }

// retry has a run that succeeds at its third attempt.
func (p *printer) retry(ctx restate.Context, _ restate.Void) (int, error) {
	return restate.Run(ctx, func(restate.RunContext) (int, error) {
		n := int(p.tried.Add(1))
		if n < 3 {
			return 0, restate.ToRetryableError(fmt.Errorf("attempt %d", n), restate.WithErrorCode(503))
		}
		return n, nil
	}, restate.WithInitialRetryInterval(time.Millisecond), restate.WithMaxRetryInterval(time.Second), restate.WithRetryIntervalFactor(2))
}

// wait waits for ever.
func wait(ctx restate.Context, _ restate.Void) (string, error) {
	return restate.Awakeable[string](ctx).Result()
}

// cancel cancels an invocation that waits and attaches to it.
func cancel(ctx restate.Context, _ restate.Void) (string, error) {
	waiting := restate.ServiceSend(ctx, "Shop", "wait").Send(restate.Void{})
	restate.CancelInvocation(ctx, waiting.GetInvocationId())
	var fut restate.AttachFuture[string] = restate.AttachInvocation[string](ctx, waiting.GetInvocationId())
	_, err := fut.Response()
	restate.WorkflowSend(ctx, "Once", restate.UUID(ctx).String(), "Run").Send("gone")
	return fmt.Sprint(restate.AsTerminalError(err).Code()), nil
}

// Delivery is a workflow that waits for a signature.
type Delivery struct{}

// Run waits until the parcel is signed for.
func (Delivery) Run(ctx restate.WorkflowContext, order Order) (string, error) {
	restate.Set(ctx, "item", order.Item)
	var signature restate.DurablePromise[string] = restate.Promise[string](ctx, "signature")
	name, err := signature.Result()
	if err != nil {
		return "", err
	}
	return order.Item + " signed by " + name, nil
}

// Sign signs for the parcel.
func (Delivery) Sign(ctx restate.WorkflowSharedContext, name string) (string, error) {
	promise := restate.Promise[string](ctx, "signature")
	if peeked, err := promise.Peek(); err != nil || peeked != "" {
		return "", restate.TerminalErrorf("signed by %q already, %v", peeked, err)
	}
	if err := promise.Resolve(name); err != nil {
		return "", err
	}
	return restate.Get[string](ctx, "item")
}

// Refuse sends the parcel back.
func (Delivery) Refuse(ctx restate.WorkflowSharedContext) error {
	return restate.Promise[string](ctx, "signature").Reject(restate.TerminalErrorf("refused"))
}

// built has the same kinds of handlers without reflection.
func built() []restate.ServiceDefinition {
	return []restate.ServiceDefinition{
		restate.NewObject("Counter").
			Handler("add", restate.NewObjectHandler(func(ctx restate.ObjectContext, n int) (int, error) {
				restate.Set(ctx, "n", n)
				return n, nil
			})).
			Handler("get", restate.NewObjectSharedHandler(func(ctx restate.ObjectSharedContext, _ restate.Void) (*int, error) {
				return restate.Get[*int](ctx, "n")
			})),
		restate.NewWorkflow("Once", restate.WithWorkflowRetention(time.Hour)).
			Handler("Run", restate.NewWorkflowHandler(func(ctx restate.WorkflowContext, s string) (string, error) {
				return restate.Workflow[string](ctx, "Once", restate.Key(ctx), "Echo").Request(s)
			})).
			Handler("Echo", restate.NewWorkflowSharedHandler(func(_ restate.WorkflowSharedContext, s string) (string, error) { return s, nil })),
	}
}
