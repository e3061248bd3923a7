package logging_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"github.com/dormouse-run/dormouse/actors"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
	"github.com/dormouse-run/dormouse/objects/logging"
)

// users lets through what handlers log, and not what the runtime logs.
type users struct{ slog.Handler }

func (u users) Handle(ctx context.Context, r slog.Record) error {
	if l := logging.LogContextFrom(ctx); l == nil || l.Source != logging.LogSourceUser {
		return nil
	}
	return u.Handler.Handle(ctx, slog.NewRecord(r.Time, r.Level, r.Message, 0))
}

func (u users) WithAttrs(attrs []slog.Attr) slog.Handler { return u }

// A handler of log records that knows who has logged. What an attempt repeats is
// not logged again, unless the runtime is asked to.
func Example() {
	withoutTime := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}
	logger := slog.New(users{slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: withoutTime})})
	greeter := restate.NewService("Greeter").Handler("greet", restate.NewServiceHandler(
		func(ctx restate.Context, name string) (string, error) {
			ctx.Log().Info("greet " + name)
			return "hello " + name, nil
		}))
	rt, err := actors.Open(context.Background(), actors.Options{Services: []restate.ServiceDefinition{greeter}, Logger: logger})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = rt.Close() }()
	fmt.Println(ingress.Service[string, string](rt.Client(), "Greeter", "greet").Request(context.Background(), "mouse"))
	// Output:
	// level=INFO msg="greet mouse"
	// hello mouse <nil>
}

// A host of handlers says who logs.
func ExampleWithLogContext() {
	ctx := logging.WithLogContext(context.Background(), &logging.LogContext{Source: logging.LogSourceUser, IsReplaying: true})
	fmt.Println(*logging.LogContextFrom(ctx), logging.LogContextFrom(context.Background()) == nil)
	// Output: {user true} true
}
