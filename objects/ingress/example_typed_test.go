package ingress_test

import (
	"context"
	"fmt"

	"github.com/dormouse-run/dormouse/actors"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

// Counter is an object that counts.
type Counter struct{}

func (*Counter) Add(ctx restate.ObjectContext, n int) (int, error) {
	sum, err := restate.Get[int](ctx, "sum")
	if err != nil {
		return 0, err
	}
	restate.Set(ctx, "sum", sum+n)
	return sum + n, nil
}

func (*Counter) Reset(ctx restate.ObjectContext) error {
	restate.ClearAll(ctx)
	return nil
}

// Outside of handlers, with a context of the standard library.
func ExampleCall() {
	ctx := context.Background()
	rt, err := actors.Open(ctx, actors.Options{Services: []restate.ServiceDefinition{restate.Reflect(&Counter{})}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = rt.Close() }()

	c, home := rt.Client(), restate.On[*Counter]("home")
	fmt.Println(ingress.Call(ctx, c, home, (*Counter).Add, 5))
	fmt.Println(ingress.CallVoid0(ctx, c, home, (*Counter).Reset))
	fmt.Println(ingress.Call(ctx, c, home, (*Counter).Add, 1))
	// Output:
	// 5 <nil>
	// <nil>
	// 1 <nil>
}

// A send returns when it is durable. Its response knows the type of the result.
func ExampleSend() {
	ctx := context.Background()
	rt, err := actors.Open(ctx, actors.Options{Services: []restate.ServiceDefinition{restate.Reflect(&Counter{})}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = rt.Close() }()

	sent, err := ingress.Send(ctx, rt.Client(), restate.On[*Counter]("home"), (*Counter).Add, 5, restate.WithIdempotencyKey("first"))
	if err != nil {
		fmt.Println(err)
		return
	}
	n, err := sent.Attach(ctx)
	fmt.Println(sent.Status(), n, err)
	// Output: Accepted 5 <nil>
}
