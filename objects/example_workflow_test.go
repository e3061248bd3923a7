package objects_test

import (
	"context"
	"fmt"

	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

// SignUp is a workflow. Its run happens once for each id; the other handlers read
// its state and complete its promises, before it, beside it and after it.
type SignUp struct{}

func (SignUp) Run(ctx restate.WorkflowContext, email string) (string, error) {
	restate.Set(ctx, "status", "waiting for "+email)
	code, err := restate.Promise[string](ctx, "clicked").Result()
	if err != nil {
		return "", err
	}
	restate.Set(ctx, "status", "done")
	return email + " with " + code, nil
}

func (SignUp) Click(ctx restate.WorkflowSharedContext, code string) error {
	return restate.Promise[string](ctx, "clicked").Resolve(code)
}

func (SignUp) Refuse(ctx restate.WorkflowSharedContext, why string) error {
	return restate.Promise[string](ctx, "clicked").Reject(restate.TerminalErrorf("%s", why))
}

func (SignUp) Clicked(ctx restate.WorkflowSharedContext) (*string, error) {
	return restate.Promise[*string](ctx, "clicked").Peek()
}

// A promise is completed once, by whoever comes first, and read by all.
func ExamplePromise() {
	c, stop := start(restate.Reflect(SignUp{}))
	defer stop()
	ctx := context.Background()
	run, err := ingress.Workflow[string, string](c, "SignUp", "ann", "Run").Send(ctx, "ann@example.com")
	if err != nil {
		fmt.Println(err)
		return
	}
	before, err := ingress.Workflow[restate.Void, *string](c, "SignUp", "ann", "Clicked").Request(ctx, restate.Void{})
	fmt.Println("before:", before, err)
	for _, code := range []string{"1234", "9999"} {
		_, err := ingress.Workflow[string, restate.Void](c, "SignUp", "ann", "Click").Request(ctx, code)
		fmt.Println(code, err)
	}
	fmt.Println(run.Attach(ctx))
	// Output:
	// before: <nil> <nil>
	// 1234 <nil>
	// 9999 promise "clicked" has been completed before
	// ann@example.com with 1234 <nil>
}

// The promise may be completed before the run has begun. A second run of one id
// is refused.
func ExampleWorkflow() {
	try(func(ctx restate.Context, _ string) (string, error) {
		if _, err := restate.Workflow[restate.Void](ctx, "SignUp", "bob", "Refuse").Request("a robot"); err != nil {
			return "", err
		}
		_, first := restate.Workflow[string](ctx, "SignUp", "bob", "Run").Request("bob@example.com")
		_, second := restate.Workflow[string](ctx, "SignUp", "bob", "Run").Request("bob@example.com")
		return fmt.Sprint(first, "; ", second.Code()), nil
	}, restate.Reflect(SignUp{}))
	// Output: a robot; 409 <nil>
}

// A workflow is started and left alone. Whoever needs the result attaches to it.
func ExampleWorkflowSend() {
	try(func(ctx restate.Context, _ string) (string, error) {
		run := restate.WorkflowSend(ctx, "SignUp", "eve", "Run").Send("eve@example.com")
		restate.WorkflowSend(ctx, "SignUp", "eve", "Click").Send("5678")
		return restate.AttachInvocation[string](ctx, run.GetInvocationId()).Response()
	}, restate.Reflect(SignUp{}))
	// Output: eve@example.com with 5678 <nil>
}
