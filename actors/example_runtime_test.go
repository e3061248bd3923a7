package actors_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
	"github.com/dormouse-run/dormouse/persistence"
)

// Shop is an object that counts what was bought, and asks before something is
// returned.
type Shop struct{}

func (Shop) Buy(ctx restate.ObjectContext, n int) (int, error) {
	sum, err := restate.Get[int](ctx, "sum")
	restate.Set(ctx, "sum", sum+n)
	return sum + n, err
}

func (Shop) Return(ctx restate.ObjectContext, what string) (string, error) {
	answer := restate.Awakeable[string](ctx)
	restate.Set(ctx, "question", answer.Id())
	decision, err := answer.Result()
	return what + " is " + decision, err
}

func (Shop) Question(ctx restate.ObjectSharedContext) (string, error) {
	return restate.Get[string](ctx, "question")
}

// A runtime inside of a program, without HTTP and without a disk.
func ExampleOpen() {
	ctx := context.Background()
	rt, err := actors.Open(ctx, actors.Options{Services: []restate.ServiceDefinition{restate.Reflect(Shop{})}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = rt.Close() }()

	buy := ingress.Object[int, int](rt.Client(), "Shop", "ann", "Buy")
	for range 2 {
		fmt.Println(buy.Request(ctx, 21))
	}
	// Output:
	// 21 <nil>
	// 42 <nil>
}

// openOn opens a runtime on a data directory.
func openOn(dir string, o actors.Options) *actors.Runtime {
	store, err := persistence.Open(dir, persistence.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		panic(err)
	}
	o.Store, o.Services, o.Logger = store, []restate.ServiceDefinition{restate.Reflect(Shop{})}, slog.New(slog.DiscardHandler)
	rt, err := actors.Open(context.Background(), o)
	if err != nil {
		panic(err)
	}
	return rt
}

// What waits goes on after the next start. Close suspends it and closes the store.
func ExampleRuntime_Close() {
	dir, err := os.MkdirTemp("", "shop")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	ctx, rt := context.Background(), openOn(dir, actors.Options{})
	sent, err := ingress.Object[string, string](rt.Client(), "Shop", "ann", "Return").Send(ctx, "the hat")
	fmt.Println(err, rt.Close())
	rt = openOn(dir, actors.Options{})
	c := rt.Client()
	question := ""
	for question == "" { // it is there as soon as the handler has begun
		question, _ = ingress.Object[restate.Void, string](c, "Shop", "ann", "Question").Request(ctx, restate.Void{})
	}
	fmt.Println(ingress.ResolveAwakeable(ctx, c, question, "taken back"))
	fmt.Println(ingress.Attach[string](ctx, c, sent.Id()))
	fmt.Println(rt.Close())
	// Output:
	// <nil> <nil>
	// <nil>
	// the hat is taken back <nil>
	// <nil>
}

// Stop in two steps: what runs comes to its next wait, for as long as ctx allows,
// while the program still answers what it can.
func ExampleRuntime_Drain() {
	rt, err := actors.Open(context.Background(), actors.Options{
		Services: []restate.ServiceDefinition{restate.Reflect(Shop{})}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	fmt.Println(rt.Drain(ctx))
	_, err = ingress.Object[int, int](rt.Client(), "Shop", "ann", "Buy").Request(ctx, 1)
	fmt.Println("refused:", err != nil)
	fmt.Println(rt.Close(), rt.Err())
	// Output:
	// <nil>
	// refused: true
	// <nil> <nil>
}

// What applies to all handlers whose definitions say nothing, and what bounds the
// memory.
func ExampleOptions() {
	defaults := restate.DefaultSettings()
	defaults.Retry.MaxAttempts = 5
	rt, err := actors.Open(context.Background(), actors.Options{
		Services:           []restate.ServiceDefinition{restate.Reflect(Shop{}, restate.WithAbortTimeout(time.Minute))},
		Defaults:           &defaults,
		InactivityTimeout:  10 * time.Second,
		MaxRunningHandlers: 64,
		Logger:             slog.New(slog.DiscardHandler),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = rt.Close() }()
	s, bound := rt.Settings("Shop", "Buy")
	fmt.Println(bound, s.Retry.MaxAttempts, s.InactivityTimeout, s.AbortTimeout)
	// Output: true 5 10s 1m0s
}
