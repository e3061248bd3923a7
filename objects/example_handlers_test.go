package objects_test

import (
	"context"
	"fmt"
	"time"

	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

// A service without a key. Its handlers run beside each other.
func ExampleNewService() {
	def := restate.NewService("Mail", restate.WithDocumentation("sends mail"), restate.WithMetadata("team", "post"))
	fmt.Println(def.Name(), def.Type(), def.GetOptions().Documentation)
	// Output: Mail SERVICE sends mail
}

func ExampleNewServiceHandler() {
	double := restate.NewServiceHandler(func(ctx restate.Context, n int) (int, error) { return 2 * n, nil },
		restate.WithDocumentation("doubles a number"))
	c, stop := start(restate.NewService("Math").Handler("double", double))
	defer stop()
	fmt.Println(ingress.Service[int, int](c, "Math", "double").Request(context.Background(), 21))
	// Output: 42 <nil>
}

// An exclusive handler has its key for itself: it reads and writes the state.
func ExampleNewObjectHandler() {
	push := restate.NewObjectHandler(func(ctx restate.ObjectContext, item string) (int, error) {
		stack, err := restate.Get[[]string](ctx, "stack")
		restate.Set(ctx, "stack", append(stack, item))
		return len(stack) + 1, err
	})
	c, stop := start(restate.NewObject("Stack").Handler("push", push))
	defer stop()
	for _, item := range []string{"a", "b"} {
		fmt.Println(ingress.Object[string, int](c, "Stack", "s", "push").Request(context.Background(), item))
	}
	// Output:
	// 1 <nil>
	// 2 <nil>
}

// A shared handler answers while an exclusive one waits. It only reads.
func ExampleNewObjectSharedHandler() {
	waits := make(chan string, 1)
	job := restate.NewObject("Job").
		Handler("run", restate.NewObjectHandler(func(ctx restate.ObjectContext, _ restate.Void) (string, error) {
			restate.Set(ctx, "status", "waits for an answer")
			answer := restate.Awakeable[string](ctx)
			waits <- answer.Id()
			return answer.Result()
		})).
		Handler("status", restate.NewObjectSharedHandler(func(ctx restate.ObjectSharedContext, _ restate.Void) (string, error) {
			return restate.Get[string](ctx, "status")
		}))
	c, stop := start(job)
	defer stop()
	ctx := context.Background()
	run, err := ingress.Object[restate.Void, string](c, "Job", "j", "run").Send(ctx, restate.Void{})
	id := <-waits
	status, statusErr := ingress.Object[restate.Void, string](c, "Job", "j", "status").Request(ctx, restate.Void{})
	fmt.Println(status, err, statusErr, ingress.ResolveAwakeable(ctx, c, id, "done"))
	fmt.Println(run.Attach(ctx))
	// Output:
	// waits for an answer <nil> <nil> <nil>
	// done <nil>
}

// The run of a workflow happens once for each id; its shared handlers complete
// what it waits for.
func ExampleNewWorkflowHandler() {
	def := restate.NewWorkflow("Order").
		Handler("run", restate.NewWorkflowHandler(func(ctx restate.WorkflowContext, item string) (string, error) {
			paid, err := restate.Promise[bool](ctx, "paid").Result()
			return fmt.Sprint(item, ", paid: ", paid), err
		})).
		Handler("pay", restate.NewWorkflowSharedHandler(func(ctx restate.WorkflowSharedContext, _ restate.Void) (restate.Void, error) {
			return restate.Void{}, restate.Promise[bool](ctx, "paid").Resolve(true)
		}))
	c, stop := start(def)
	defer stop()
	ctx := context.Background()
	_, err := ingress.Workflow[restate.Void, restate.Void](c, "Order", "o-1", "pay").Request(ctx, restate.Void{})
	fmt.Println(err)
	fmt.Println(ingress.Workflow[string, string](c, "Order", "o-1", "run").Request(ctx, "cheese"))
	// Output:
	// <nil>
	// cheese, paid: true <nil>
}

// A shared handler of a workflow: its id is its key.
func ExampleNewWorkflowSharedHandler() {
	who := restate.NewWorkflowSharedHandler(func(ctx restate.WorkflowSharedContext, _ restate.Void) (string, error) {
		return restate.Key(ctx), nil
	})
	def := restate.NewWorkflow("Order").Handler("who", who).
		Handler("run", restate.NewWorkflowHandler(func(restate.WorkflowContext, restate.Void) (restate.Void, error) { return restate.Void{}, nil }))
	c, stop := start(def)
	defer stop()
	fmt.Println(ingress.Workflow[restate.Void, string](c, "Order", "o-1", "who").Request(context.Background(), restate.Void{}))
	// Output: o-1 <nil>
}

// A private handler is for other handlers only.
func ExampleWithIngressPrivate() {
	vault := restate.NewService("Vault").Handler("open", restate.NewServiceHandler(
		func(ctx restate.Context, _ restate.Void) (string, error) { return "gold", nil }, restate.WithIngressPrivate(true)))
	clerk := restate.NewService("Clerk").Handler("fetch", restate.NewServiceHandler(
		func(ctx restate.Context, _ restate.Void) (string, error) {
			return restate.Service[string](ctx, "Vault", "open").Request(restate.Void{})
		}))
	c, stop := start(vault, clerk)
	defer stop()
	ctx := context.Background()
	_, err := ingress.Service[restate.Void, string](c, "Vault", "open").Request(ctx, restate.Void{})
	fmt.Println(err != nil)
	fmt.Println(ingress.Service[restate.Void, string](c, "Clerk", "fetch").Request(ctx, restate.Void{}))
	// Output:
	// true
	// gold <nil>
}

// How long handlers stay in memory, may take to stop, and are remembered. What a
// handler does not say is as its service says, else as the runtime says.
func ExampleWithInactivityTimeout() {
	nothing := func(restate.WorkflowContext, restate.Void) (restate.Void, error) { return restate.Void{}, nil }
	def := restate.NewWorkflow("Report",
		restate.WithInactivityTimeout(10*time.Second), // then a waiting handler leaves memory
		restate.WithAbortTimeout(time.Minute),         // for code that should stop
		restate.WithWorkflowRetention(7*24*time.Hour), // of result, state and promises
		restate.WithIdempotencyRetention(time.Hour),   // of results of requests with a key
		restate.WithJournalRetention(time.Hour),       // of what introspection shows
	).Handler("run", restate.NewWorkflowHandler(nothing, restate.WithInactivityTimeout(0)))
	s := restate.SettingsOf(def, restate.DefaultSettings())["run"]
	fmt.Println(s.InactivityTimeout, s.AbortTimeout, s.WorkflowRetention, s.JournalRetention)
	// Output: 0s 1m0s 168h0m0s 1h0m0s
}

// After three attempts the invocation is paused, until somebody resumes it.
func ExamplePauseOnMaxAttempts() {
	def := restate.Reflect(Greeter{}, restate.WithInvocationRetryPolicy(
		restate.WithMaxRetryAttempts(3), restate.PauseOnMaxAttempts()))
	fmt.Println(restate.SettingsOf(def, restate.DefaultSettings())["Greet"].Retry.OnMaxAttempts)
	// Output: PAUSE
}

// After two attempts the invocation ends with its last error.
func ExampleKillOnMaxAttempts() {
	policy := restate.WithInvocationRetryPolicy(restate.WithInitialRetryInterval(time.Millisecond),
		restate.WithMaxRetryAttempts(2), restate.KillOnMaxAttempts())
	broken := restate.NewService("Broken", policy).Handler("run", restate.NewServiceHandler(
		func(restate.Context, restate.Void) (string, error) { return "", fmt.Errorf("the disk is gone") }))
	c, stop := start(broken)
	defer stop()
	_, err := ingress.Service[restate.Void, string](c, "Broken", "run").Request(context.Background(), restate.Void{})
	fmt.Println(err)
	// Output: the disk is gone
}

// Two objects that call each other wait for ever, unless one of the calls fails.
func ExampleWithFailOnDeadlock() {
	ask := func(ctx restate.ObjectContext, friend string) (string, error) {
		answer, err := restate.Object[string](ctx, "Person", friend, "ask").Request(restate.Key(ctx))
		if err != nil && err.Code() == 508 {
			return friend + " is waiting for " + restate.Key(ctx), nil
		}
		return answer, err
	}
	c, stop := start(restate.NewObject("Person", restate.WithFailOnDeadlock()).Handler("ask", restate.NewObjectHandler(ask)))
	defer stop()
	fmt.Println(ingress.Object[string, string](c, "Person", "ann", "ask").Request(context.Background(), "bob"))
	// Output: ann is waiting for bob <nil>
}
