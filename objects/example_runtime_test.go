package objects_test

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/dormouse-run/dormouse/actors"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

// start opens a runtime in memory for an example, which calls stop at its end.
func start(services ...restate.ServiceDefinition) (c *ingress.Client, stop func()) {
	rt, err := actors.Open(context.Background(), actors.Options{Services: services, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		panic(err)
	}
	return rt.Client(), func() { _ = rt.Close() }
}

// try runs one handler of a service that calls others, and prints its result.
func try(handler func(ctx restate.Context, in string) (string, error), services ...restate.ServiceDefinition) {
	caller := restate.NewService("Caller").Handler("try", restate.NewServiceHandler(handler))
	c, stop := start(append(services, caller)...)
	defer stop()
	out, err := ingress.Service[string, string](c, "Caller", "try").Request(context.Background(), "")
	fmt.Println(out, err)
}
