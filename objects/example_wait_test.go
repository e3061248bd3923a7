package objects_test

import (
	"fmt"
	"time"

	restate "github.com/dormouse-run/dormouse/objects"
)

// A sleep may last a year: nothing of the handler is in memory then. Its error is
// a cancellation.
func ExampleSleep() {
	try(func(ctx restate.Context, _ string) (string, error) {
		if err := restate.Sleep(ctx, time.Millisecond, restate.WithName("cool down")); err != nil {
			return "", err
		}
		return "rested", nil
	})
	// Output: rested <nil>
}

// After is a timer to wait for beside other futures.
func ExampleAfter() {
	try(func(ctx restate.Context, _ string) (string, error) {
		answer, timeout := restate.Awakeable[string](ctx), restate.After(ctx, time.Millisecond)
		first, err := restate.WaitFirst(ctx, answer, timeout)
		if err != nil {
			return "", err
		}
		if first == timeout {
			return "nobody has answered", timeout.Done()
		}
		return answer.Result()
	})
	// Output: nobody has answered <nil>
}

// The future that was passed in is handed back.
func ExampleWaitFirst() {
	try(func(ctx restate.Context, _ string) (string, error) {
		letter, phone := restate.Awakeable[string](ctx), restate.Awakeable[string](ctx)
		restate.ResolveAwakeable(ctx, phone.Id(), "hello?")
		first, err := restate.WaitFirst(ctx, letter, phone)
		if err != nil {
			return "", err
		}
		return first.(restate.AwakeableFuture[string]).Result()
	})
	// Output: hello? <nil>
}

// Answers in the order in which they come.
func ExampleWait() {
	try(func(ctx restate.Context, _ string) (string, error) {
		a, b := restate.Awakeable[string](ctx), restate.Awakeable[string](ctx)
		restate.ResolveAwakeable(ctx, b.Id(), "b is first. ")
		restate.ResolveAwakeable(ctx, a.Id(), "Then comes a.")
		text := ""
		for answer, err := range restate.Wait(ctx, a, b) {
			if err != nil {
				return "", err // cancelled
			}
			said, err := answer.(restate.AwakeableFuture[string]).Result()
			if err != nil {
				return "", err
			}
			text += said
		}
		return text, nil
	})
	// Output: b is first. Then comes a. <nil>
}

// The same with an iterator, which may stop and go on.
func ExampleWaitIter() {
	try(func(ctx restate.Context, _ string) (string, error) {
		quick, slow := restate.After(ctx, 0), restate.After(ctx, time.Millisecond)
		done := restate.WaitIter(ctx, slow, quick)
		order := []bool{}
		for done.Next() {
			order = append(order, done.Value() == quick)
		}
		return fmt.Sprint("quick first: ", order[0], ", ", len(order), " timers"), done.Err()
	})
	// Output: quick first: true, 2 timers <nil>
}
