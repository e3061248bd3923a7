package objects_test

import (
	"context"
	"fmt"
	"time"

	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

// Visits is an object. Its count is a state value with a type.
type Visits struct{}

func (*Visits) Add(ctx restate.ObjectContext, n int) (int, error) {
	count := restate.StateCell[int]("count")
	sum, _, err := count.Get(ctx)
	if err != nil {
		return 0, err
	}
	count.Set(ctx, sum+n)
	return sum + n, nil
}

func (*Visits) Count(ctx restate.ObjectSharedContext) (int, error) {
	return restate.Get[int](ctx, "count")
}

func (*Visits) Forget(ctx restate.ObjectContext, reason string) error {
	if reason == "" {
		return restate.TerminalErrorf("a reason is needed")
	}
	restate.ClearAll(ctx)
	return nil
}

func (*Visits) Reset(ctx restate.ObjectContext) error {
	restate.StateCell[int]("count").Clear(ctx)
	return nil
}

// Calls name a handler by its method: a wrong one, or a wrong input, does not
// compile. The suffix says which shape the method has.
func ExampleCall() {
	try(func(ctx restate.Context, _ string) (string, error) {
		home := restate.On[*Visits]("home")
		five, err := restate.Call(ctx, home, (*Visits).Add, 5)
		if err != nil {
			return "", err
		}
		count, err := restate.Call0(ctx, home, (*Visits).Count)
		if err != nil {
			return "", err
		}
		refused := restate.CallVoid(ctx, home, (*Visits).Forget, "")
		if err := restate.CallVoid0(ctx, home, (*Visits).Reset); err != nil {
			return "", err
		}
		return fmt.Sprint(five, count, refused), nil
	}, restate.Reflect(&Visits{}))
	// Output: 5 5 a reason is needed <nil>
}

// A service has no key.
func ExampleOnService() {
	try(func(ctx restate.Context, _ string) (string, error) {
		return restate.Call(ctx, restate.OnService[Greeter](), Greeter.Greet, "mouse")
	}, restate.Reflect(Greeter{}))
	// Output: Hello mouse <nil>
}

// An interface stands for the service of its own name, here one that is
// implemented elsewhere.
func ExampleOn() {
	type Counter interface {
		Add(ctx restate.ObjectContext, n int) (int, error)
	}
	try(func(ctx restate.Context, _ string) (string, error) {
		n, err := restate.Call(ctx, restate.On[Counter]("home"), Counter.Add, 5)
		return fmt.Sprint(n), err
	}, restate.NewObject("Counter").Handler("Add", restate.NewObjectHandler((&Visits{}).Add)))
	// Output: 5 <nil>
}

// A send is not waited for. What is sent to one key arrives in order.
func ExampleSend() {
	try(func(ctx restate.Context, _ string) (string, error) {
		home := restate.On[*Visits]("home")
		restate.Send(ctx, home, (*Visits).Add, 5)
		restate.SendVoid(ctx, home, (*Visits).Forget, "a new year")
		restate.Send(ctx, home, (*Visits).Add, 6)
		restate.SendVoid0(ctx, home, (*Visits).Reset, restate.WithDelay(time.Hour))
		count, err := restate.Call(ctx, home, (*Visits).Add, 1)
		return fmt.Sprint(count), err
	}, restate.Reflect(&Visits{}))
	// Output: 7 <nil>
}

// Three calls at once, and all their results.
func ExampleAll() {
	try(func(ctx restate.Context, _ string) (string, error) {
		var counts []restate.TypedFuture[int]
		for i, room := range []string{"hall", "attic", "cellar"} {
			call := restate.CallFuture(ctx, restate.On[*Visits](room), (*Visits).Add, i+1)
			counts = append(counts, restate.ResultOf(call))
		}
		all, err := restate.All(ctx, counts...)
		return fmt.Sprint(all), err
	}, restate.Reflect(&Visits{}))
	// Output: [1 2 3] <nil>
}

// An answer, or what holds when nobody has answered in time.
func ExampleRace() {
	try(func(ctx restate.Context, _ string) (string, error) {
		answer := restate.Awakeable[string](ctx)
		late := restate.DoneAs(restate.After(ctx, time.Millisecond), "nobody has answered")
		decision, who, err := restate.Race(ctx, answer, late)
		return fmt.Sprint(who, " ", decision), err
	})
	// Output: 1 nobody has answered <nil>
}

// The first that succeeds; failures are skipped.
func ExampleAny() {
	try(func(ctx restate.Context, _ string) (string, error) {
		mirror := func(name string, err error) restate.TypedFuture[string] {
			return restate.RunAsync(ctx, func(restate.RunContext) (string, error) { return name, err })
		}
		down := restate.TerminalErrorf("down")
		found, which, err := restate.Any(ctx, mirror("a", down), mirror("b", nil), mirror("c", down))
		return fmt.Sprint(which, " ", found), err
	})
	// Output: 1 b <nil>
}

// A cell is declared once, and knows whether there is a value.
func ExampleStateCell() {
	owner := restate.StateCell[string]("owner")
	claim := func(ctx restate.ObjectContext, name string) (string, error) {
		if held, taken, err := owner.Get(ctx); err != nil || taken {
			return "it is " + held + "'s", err
		}
		owner.Set(ctx, name)
		return "it is yours", nil
	}
	c, stop := start(restate.NewObject("Nest").Handler("claim", restate.NewObjectHandler(claim)))
	defer stop()
	for _, name := range []string{"dora", "max"} {
		fmt.Println(ingress.Object[string, string](c, "Nest", "oak", "claim").Request(context.Background(), name))
	}
	// Output:
	// it is yours <nil>
	// it is dora's <nil>
}
