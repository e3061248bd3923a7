package httpapi_test

import (
	"errors"
	"math/rand/v2"
	"strings"
	"time"

	restate "github.com/dormouse-run/dormouse/objects"
)

// soakServices have a handler for everything. What is not said otherwise is kept
// for an hour.
func soakServices() []restate.ServiceDefinition {
	hour := []restate.ServiceDefinitionOption{restate.WithJournalRetention(time.Hour), restate.WithIdempotencyRetention(time.Hour)}
	return []restate.ServiceDefinition{
		restate.NewObject("Soak", hour...).
			Handler("add", restate.NewObjectHandler(soakAdd)).
			Handler("large", restate.NewObjectHandler(soakLarge)).
			Handler("clear", restate.NewObjectHandler(soakClear)).
			Handler("hold", restate.NewObjectHandler(soakHold)).
			Handler("signal", restate.NewObjectHandler(soakSignal)).
			Handler("nap", restate.NewObjectHandler(soakNap)).
			Handler("stumble", restate.NewObjectHandler(soakStumble)).
			Handler("ask", restate.NewObjectHandler(soakAsk)).
			Handler("peek", restate.NewObjectSharedHandler(soakPeek)),
		restate.NewObject("Daily").Handler("hold", restate.NewObjectHandler(soakHold)),
		restate.NewObject("Gone", restate.WithJournalRetention(0), restate.WithIdempotencyRetention(0)).Handler("hold", restate.NewObjectHandler(soakHold)),
		restate.NewService("Plain", hour...).Handler("echo", restate.NewServiceHandler(func(_ restate.Context, s string) (string, error) { return s, nil })),
		restate.NewObject("Sealed", hour...).Handler("hold", restate.NewObjectHandler(soakHold, restate.WithUnguessableAwakeables(true))),
		restate.NewWorkflow("Flow", restate.WithWorkflowRetention(time.Hour), restate.WithJournalRetention(time.Hour)).
			Handler("run", restate.NewWorkflowHandler(func(ctx restate.WorkflowContext, s string) (string, error) {
				restate.Set(ctx, "s", s)
				v, err := restate.Promise[string](ctx, "p").Result()
				return v, restate.ToTerminalError(err)
			})).
			Handler("look", restate.NewWorkflowSharedHandler(func(ctx restate.WorkflowSharedContext, _ restate.Void) (string, error) {
				v, err := restate.Promise[string](ctx, "p").Result()
				return v, restate.ToTerminalError(err)
			})).
			Handler("sign", restate.NewWorkflowSharedHandler(func(ctx restate.WorkflowSharedContext, s string) (restate.Void, error) {
				return restate.Void{}, restate.ToTerminalError(restate.Promise[string](ctx, "p").Resolve(s))
			})),
	}
}

func soakAdd(ctx restate.ObjectContext, n int) (int, error) {
	sum, err := restate.Get[int](ctx, "n")
	if err != nil {
		return 0, err
	}
	restate.Set(ctx, "n", (sum+n)%1000)
	return sum, nil
}

// soakLarge keeps a value that is stored in chunks.
func soakLarge(ctx restate.ObjectContext, letter string) (restate.Void, error) {
	restate.Set(ctx, "large", strings.Repeat(letter, 300<<10))
	return restate.Void{}, nil
}

func soakClear(ctx restate.ObjectContext, _ restate.Void) (restate.Void, error) {
	restate.ClearAll(ctx)
	return restate.Void{}, nil
}

func soakHold(ctx restate.ObjectContext, _ restate.Void) (string, error) {
	return restate.Awakeable[string](ctx).Result()
}

func soakSignal(ctx restate.ObjectContext, _ restate.Void) (string, error) {
	return restate.Signal[string](ctx, "go").Result()
}

func soakNap(ctx restate.ObjectContext, _ restate.Void) (restate.Void, error) {
	return restate.Void{}, restate.ToTerminalError(restate.Sleep(ctx, 5*time.Minute))
}

// soakStumble has a journal of many steps, and now and then a failed attempt.
func soakStumble(ctx restate.ObjectContext, _ restate.Void) (string, error) {
	for range 10 {
		if err := restate.RunVoid(ctx, func(restate.RunContext) error {
			if rand.IntN(20) == 0 {
				return errors.New("stumbled")
			}
			return nil
		}, restate.WithName("a step of many")); err != nil {
			return "", err
		}
	}
	return "stands", nil
}

func soakAsk(ctx restate.ObjectContext, key string) (string, error) {
	restate.ObjectSend(ctx, "Soak", key, "nap").Send(restate.Void{}, restate.WithDelay(time.Minute))
	v, err := restate.Object[string](ctx, "Soak", key, "stumble").Request(restate.Void{})
	return v, restate.ToTerminalError(err)
}

func soakPeek(ctx restate.ObjectSharedContext, _ restate.Void) ([]string, error) {
	return restate.Keys(ctx)
}
