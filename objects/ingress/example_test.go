package ingress_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/httpapi"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

// Approval is an object that asks and waits.
type Approval struct{}

func (Approval) Ask(ctx restate.ObjectContext, what string) (string, error) {
	answer := restate.Awakeable[string](ctx)
	restate.Set(ctx, "waiting", answer.Id())
	decision, err := answer.Result()
	return what + ": " + decision, err
}

func (Approval) Waiting(ctx restate.ObjectSharedContext) (string, error) {
	return restate.Get[string](ctx, "waiting")
}

// Parcel is a workflow that waits for a signal.
type Parcel struct{}

func (Parcel) Run(ctx restate.WorkflowContext, what string) (string, error) {
	where, err := restate.Signal[string](ctx, "arrived").Result()
	return what + " is " + where, err
}

// Echo is a service.
type Echo struct{}

func (Echo) Say(_ restate.Context, text string) (string, error) {
	if text == "" {
		return "", restate.ToTerminalError(errors.New("nothing to say"), restate.WithErrorCode(422))
	}
	return text, nil
}

// start opens a runtime in memory for an example, which calls stop at its end.
func start() (c *ingress.Client, stop func()) {
	rt := open()
	return rt.Client(), func() { _ = rt.Close() }
}

func open() *actors.Runtime {
	rt, err := actors.Open(context.Background(), actors.Options{
		Services: []restate.ServiceDefinition{restate.Reflect(Approval{}), restate.Reflect(Parcel{}), restate.Reflect(Echo{}), restate.Reflect(&Counter{})},
		Logger:   slog.New(slog.DiscardHandler),
	})
	if err != nil {
		panic(err)
	}
	return rt
}

// ask sends a question to key and returns its invocation and its awakeable.
func ask(c *ingress.Client, key string) (sent ingress.SendResponse[string], awakeable string) {
	sent, err := ingress.Object[string, string](c, "Approval", key, "Ask").Send(context.Background(), "a laptop")
	for err == nil && awakeable == "" {
		awakeable, err = ingress.Object[restate.Void, string](c, "Approval", key, "Waiting").Request(context.Background(), restate.Void{})
	}
	if err != nil {
		panic(err)
	}
	return sent, awakeable
}

// Over HTTP, from another program. The admin port is needed to cancel, kill,
// pause, resume and purge.
func ExampleNewClient() {
	rt := open()
	defer func() { _ = rt.Close() }()
	server, err := httpapi.New(rt, httpapi.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	front, admin := httptest.NewServer(server.IngressHandler()), httptest.NewServer(server.AdminHandler())
	defer front.Close()
	defer admin.Close()

	c := ingress.NewClient(front.URL, ingress.WithAdminURL(admin.URL), ingress.WithHttpClient(front.Client()), ingress.WithAuthKey("secret"))
	fmt.Println(ingress.Service[string, string](c, "Echo", "Say").Request(context.Background(), "hello"))
	// Output: hello <nil>
}

// A call waits for the result. With a key it can be repeated: the first result
// counts.
func ExampleObject() {
	c, stop := start()
	defer stop()
	add := ingress.Object[int, int](c, "Counter", "visits", "Add")
	for range 2 {
		fmt.Println(add.Request(context.Background(), 5, restate.WithIdempotencyKey("visit-1")))
	}
	// Output:
	// 5 <nil>
	// 5 <nil>
}

// The run of a workflow happens once for each id.
func ExampleWorkflow() {
	c, stop := start()
	defer stop()
	ctx := context.Background()
	deliver := ingress.Workflow[string, string](c, "Parcel", "p-1", "Run")
	run, err := deliver.Send(ctx, "the book")
	fmt.Println(run.Status(), err)
	again, err := deliver.Send(ctx, "the same book")
	fmt.Println(again.Status(), again.Id() == run.Id(), err)
	fmt.Println(ingress.ResolveSignal(ctx, c, run.Id(), "arrived", "here"))
	fmt.Println(again.Attach(ctx))
	// Output:
	// Accepted <nil>
	// PreviouslyAccepted true <nil>
	// <nil>
	// the book is here <nil>
}

// A send returns when it is durable.
func ExampleServiceSend() {
	c, stop := start()
	defer stop()
	ctx := context.Background()
	sent, err := ingress.ServiceSend[string](c, "Echo", "Say").Send(ctx, "hello", restate.WithDelay(time.Millisecond))
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := ingress.Attach[string](ctx, c, sent.Id())
	fmt.Println(sent.Status(), text, err)
	// Output: Accepted hello <nil>
}

// What one client sends to one key, one after the other, arrives in order.
func ExampleObjectSend() {
	c, stop := start()
	defer stop()
	ctx := context.Background()
	for _, n := range []int{1, 2, 3} {
		if _, err := ingress.ObjectSend[int](c, "Counter", "home", "Add").Send(ctx, n); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println(ingress.Object[int, int](c, "Counter", "home", "Add").Request(ctx, 4))
	// Output: 10 <nil>
}

func ExampleWorkflowSend() {
	c, stop := start()
	defer stop()
	sent, err := ingress.WorkflowSend[string](c, "Parcel", "p-2", "Run").Send(context.Background(), "a letter")
	fmt.Println(sent.Status(), err)
	// Output: Accepted <nil>
}

// Output does not wait: it says that there is no result yet.
func ExampleInvocationById() {
	c, stop := start()
	defer stop()
	ctx := context.Background()
	sent, awakeable := ask(c, "alice")
	handle := ingress.InvocationById[string](c, sent.Id())
	_, err := handle.Output(ctx)
	_, early := errors.AsType[*ingress.InvocationNotReadyError](err)
	fmt.Println("early:", early)
	fmt.Println(ingress.ResolveAwakeable(ctx, c, awakeable, "approved"))
	fmt.Println(handle.Attach(ctx))
	// Output:
	// early: true
	// <nil>
	// a laptop: approved <nil>
}

// The result of a request whose connection broke, by the key that it was sent
// with.
func ExampleServiceInvocationByIdempotencyKey() {
	c, stop := start()
	defer stop()
	ctx := context.Background()
	_, err := ingress.ServiceSend[string](c, "Echo", "Say").Send(ctx, "hello", restate.WithIdempotencyKey("k-1"))
	fmt.Println(err)
	fmt.Println(ingress.ServiceInvocationByIdempotencyKey[string](c, "Echo", "Say", "k-1").Attach(ctx))
	// Output:
	// <nil>
	// hello <nil>
}

func ExampleObjectInvocationByIdempotencyKey() {
	c, stop := start()
	defer stop()
	ctx := context.Background()
	_, err := ingress.ObjectSend[int](c, "Counter", "home", "Add").Send(ctx, 5, restate.WithIdempotencyKey("k-1"))
	fmt.Println(err)
	fmt.Println(ingress.ObjectInvocationByIdempotencyKey[int](c, "Counter", "home", "Add", "k-1").Attach(ctx))
	// Output:
	// <nil>
	// 5 <nil>
}

// The run of a workflow is found by its id, whoever has started it.
func ExampleWorkflowHandle() {
	c, stop := start()
	defer stop()
	_, err := ingress.WorkflowHandle[string](c, "Parcel", "p-9").Attach(context.Background())
	_, unknown := errors.AsType[*ingress.InvocationNotFoundError](err)
	fmt.Println("unknown:", unknown)
	// Output: unknown: true
}

func ExampleAttach() {
	c, stop := start()
	defer stop()
	ctx := context.Background()
	sent, err := ingress.ServiceSend[string](c, "Echo", "Say").Send(ctx, "hello")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(ingress.Attach[string](ctx, c, sent.Id()))
	// Output: hello <nil>
}

// The first answer counts. It is durable when the call returns.
func ExampleResolveAwakeable() {
	c, stop := start()
	defer stop()
	ctx := context.Background()
	sent, awakeable := ask(c, "alice")
	fmt.Println(ingress.ResolveAwakeable(ctx, c, awakeable, "approved"))
	fmt.Println(ingress.RejectAwakeable(ctx, c, awakeable, errors.New("too late")))
	fmt.Println(sent.Attach(ctx))
	// Output:
	// <nil>
	// <nil>
	// a laptop: approved <nil>
}

func ExampleRejectAwakeable() {
	c, stop := start()
	defer stop()
	ctx := context.Background()
	sent, awakeable := ask(c, "bob")
	fmt.Println(ingress.RejectAwakeable(ctx, c, awakeable, restate.TerminalErrorf("too expensive")))
	_, err := sent.Attach(ctx)
	fmt.Println(err)
	// Output:
	// <nil>
	// too expensive
}

func ExampleResolveSignal() {
	c, stop := start()
	defer stop()
	ctx := context.Background()
	run, err := ingress.Workflow[string, string](c, "Parcel", "p-3", "Run").Send(ctx, "the book")
	fmt.Println(err)
	fmt.Println(ingress.ResolveSignal(ctx, c, run.Id(), "arrived", "at the door"))
	fmt.Println(run.Attach(ctx))
	// Output:
	// <nil>
	// <nil>
	// the book is at the door <nil>
}

func ExampleRejectSignal() {
	c, stop := start()
	defer stop()
	ctx := context.Background()
	run, err := ingress.Workflow[string, string](c, "Parcel", "p-4", "Run").Send(ctx, "the book")
	fmt.Println(err, ingress.RejectSignal(ctx, c, run.Id(), "arrived", restate.TerminalErrorf("lost")))
	_, err = run.Attach(ctx)
	fmt.Println(err)
	// Output:
	// <nil> <nil>
	// lost
}

// The handler sees the cancellation at its wait, and may compensate.
func ExampleCancel() {
	c, stop := start()
	defer stop()
	ctx := context.Background()
	sent, _ := ask(c, "carol")
	fmt.Println(ingress.Cancel(ctx, c, sent.Id()))
	_, err := sent.Attach(ctx)
	fmt.Println(err)
	// Output:
	// <nil>
	// cancelled
}

// No code of the handler runs any more. Its key is free for the next one.
func ExampleKill() {
	c, stop := start()
	defer stop()
	ctx := context.Background()
	sent, _ := ask(c, "dave")
	fmt.Println(ingress.Kill(ctx, c, sent.Id()))
	_, err := sent.Attach(ctx)
	fmt.Println(err)
	// Output:
	// <nil>
	// killed
}

// A paused invocation keeps its key, and goes on when it is resumed.
func ExamplePause() {
	c, stop := start()
	defer stop()
	ctx := context.Background()
	sent, awakeable := ask(c, "eve")
	fmt.Println(ingress.Pause(ctx, c, sent.Id()))
	fmt.Println(ingress.Resume(ctx, c, sent.Id()))
	fmt.Println(ingress.ResolveAwakeable(ctx, c, awakeable, "approved"))
	fmt.Println(sent.Attach(ctx))
	// Output:
	// <nil>
	// <nil>
	// <nil>
	// a laptop: approved <nil>
}

// What has been forgotten may be asked again under its old key.
func ExamplePurge() {
	c, stop := start()
	defer stop()
	ctx := context.Background()
	add := ingress.Object[int, int](c, "Counter", "home", "Add")
	sent, err := add.Send(ctx, 5, restate.WithIdempotencyKey("once"))
	n, attachErr := sent.Attach(ctx)
	fmt.Println(n, err, attachErr, ingress.Purge(ctx, c, sent.Id()))
	fmt.Println(add.Request(ctx, 5, restate.WithIdempotencyKey("once")))
	// Output:
	// 5 <nil> <nil> <nil>
	// 10 <nil>
}

// What has ended can be done again, for example when the cause of its failure is
// mended: with the same input, under an id of its own.
func ExampleRestartAsNew() {
	c, stop := start()
	defer stop()
	ctx := context.Background()
	sent, _ := ingress.Object[int, int](c, "Counter", "home", "Add").Send(ctx, 5)
	fmt.Println(sent.Attach(ctx))
	id, err := ingress.RestartAsNew(ctx, c, sent.Id(), 0)
	n, attachErr := ingress.Attach[int](ctx, c, id)
	fmt.Println(n, id != sent.Id(), err, attachErr)
	fmt.Println(ingress.PurgeJournal(ctx, c, sent.Id()))
	_, err = ingress.RestartAsNew(ctx, c, sent.Id(), 0)
	e, _ := errors.AsType[ingress.Error](err)
	fmt.Println(e.Code())
	// Output:
	// 5 <nil>
	// 10 true <nil> <nil>
	// <nil>
	// 410
}

// A state that is wrong is corrected through the queue of its key.
func ExampleEditState() {
	c, stop := start()
	defer stop()
	ctx := context.Background()
	add := ingress.Object[int, int](c, "Counter", "home", "Add")
	fmt.Println(add.Request(ctx, 5))
	fmt.Println(ingress.EditState(ctx, c, ingress.StatePatch{Service: "Counter", Key: "home", State: map[string][]byte{"sum": []byte("41")}}))
	fmt.Println(add.Request(ctx, 1))
	err := ingress.EditState(ctx, c, ingress.StatePatch{Service: "Nobody", Key: "home"})
	e, _ := errors.AsType[ingress.Error](err)
	fmt.Println(e.Code())
	// Output:
	// 5 <nil>
	// <nil>
	// 42 <nil>
	// 404
}

// An error of the invocation is told from one of the request.
func ExampleError() {
	c, stop := start()
	defer stop()
	ctx := context.Background()
	_, err := ingress.Service[string, string](c, "Echo", "Say").Request(ctx, "")
	e, _ := errors.AsType[ingress.Error](err)
	fmt.Println(e.Code(), e.Message(), e.IsInvocationError(), restate.IsTerminalError(err))
	_, err = ingress.Service[string, string](c, "Echo", "Shout").Request(ctx, "hello")
	e, _ = errors.AsType[ingress.Error](err)
	fmt.Println(e.Code(), e.IsInvocationError(), restate.IsTerminalError(err))
	// Output:
	// 422 nothing to say true true
	// 404 false false
}
