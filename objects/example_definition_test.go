package objects_test

import (
	"fmt"
	"maps"
	"slices"
	"time"

	restate "github.com/dormouse-run/dormouse/objects"
)

// Greeter is a service: handlers with a Context, and no key.
type Greeter struct{}

func (Greeter) Greet(ctx restate.Context, name string) (string, error) {
	if name == "" {
		return "", restate.ToTerminalError(fmt.Errorf("nobody to greet"), restate.WithErrorCode(400))
	}
	return "Hello " + name, nil
}

// Stock is an object: Reserve holds the key, Left runs beside it.
type Stock struct{}

func (Stock) Reserve(ctx restate.ObjectContext, n int) error    { return nil }
func (Stock) Left(ctx restate.ObjectSharedContext) (int, error) { return 0, nil }

func ExampleReflect() {
	for _, def := range []restate.ServiceDefinition{
		restate.Reflect(Greeter{}),
		restate.Reflect(Stock{}, restate.WithInactivityTimeout(time.Second)),
	} {
		fmt.Println(def.Type(), def.Name(), restate.Validate(def))
		handlers := def.Handlers()
		for _, name := range slices.Sorted(maps.Keys(handlers)) {
			fmt.Println(" ", name, handlers[name].Kind())
		}
	}
	// Output:
	// SERVICE Greeter <nil>
	//   Greet service
	// VIRTUAL_OBJECT Stock <nil>
	//   Left shared
	//   Reserve exclusive
}

func ExampleNewObject() {
	def := restate.NewObject("Counter", restate.WithDocumentation("counts")).
		Handler("Add", restate.NewObjectHandler(func(ctx restate.ObjectContext, n int) (int, error) { return n, nil })).
		ConfigureHandler("Add", restate.WithIngressPrivate(true))
	settings := restate.SettingsOf(def, restate.DefaultSettings())["Add"]
	fmt.Println(settings.IngressPrivate, settings.InactivityTimeout, settings.Retry.MaxAttempts)
	// Output: true 1m0s 70
}

func ExampleNewWorkflow() {
	def := restate.NewWorkflow("SignUp", restate.WithWorkflowRetention(time.Hour)).
		Handler("Run", restate.NewWorkflowHandler(func(ctx restate.WorkflowContext, email string) (bool, error) { return true, nil })).
		Handler("Status", restate.NewWorkflowSharedHandler(func(ctx restate.WorkflowSharedContext, _ restate.Void) (string, error) { return "waiting", nil }))
	fmt.Println(def.Type(), *def.Handlers()["Run"].InputPayload().ContentType)
	// Output: WORKFLOW application/json
}

func ExampleWithInvocationRetryPolicy() {
	def := restate.Reflect(Greeter{}, restate.WithInvocationRetryPolicy(
		restate.WithInitialRetryInterval(time.Second),
		restate.WithMaxRetryAttempts(3),
		restate.KillOnMaxAttempts(),
	))
	retry := restate.SettingsOf(def, restate.DefaultSettings())["Greet"].Retry
	fmt.Println(retry.Delay(1), retry.Delay(2), retry.MaxAttempts, retry.OnMaxAttempts)
	// Output: 1s 2s 3 KILL
}

func ExampleToTerminalError() {
	err := fmt.Errorf("reserve: %w", restate.ToTerminalError(fmt.Errorf("sold out"), restate.WithErrorCode(409), restate.WithMetadata("sku", "42")))
	if e := restate.AsTerminalError(err); e != nil {
		fmt.Println(e.Code(), e.Message(), e.Metadata().Get("sku"))
	}
	// Output: 409 sold out 42
}
