package actors_test

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/dormouse-run/dormouse/actors"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

// A handler calls an object whose handler calls back. The key of the first is
// taken, by itself, so the second call could never be answered: it fails.
func Example_failOnDeadlock() {
	ask := func(ctx restate.ObjectContext, friend string) (string, error) {
		answer, err := restate.Object[string](ctx, "Person", friend, "ask").Request(restate.Key(ctx))
		if err != nil && err.Code() == 508 {
			return friend + " is waiting for " + restate.Key(ctx), nil
		}
		return answer, err
	}
	person := restate.NewObject("Person", restate.WithFailOnDeadlock()).
		Handler("ask", restate.NewObjectHandler(ask))

	rt, err := actors.Open(context.Background(), actors.Options{
		Services: []restate.ServiceDefinition{person}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = rt.Close() }()
	fmt.Println(ingress.Object[string, string](rt.Client(), "Person", "ann", "ask").Request(context.Background(), "bob"))
	// Output: ann is waiting for bob <nil>
}
