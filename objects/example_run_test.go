package objects_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

// hiccup fails an attempt. The next one begins at once.
func hiccup() error {
	return restate.ToRetryableError(errors.New("hiccup"), restate.WithRetryAfter(time.Millisecond))
}

// What comes from outside belongs into a Run: it is asked once, and every later
// attempt of the handler gets the same answer.
func ExampleRun() {
	asked, attempts := 0, 0
	try(func(ctx restate.Context, _ string) (string, error) {
		price, err := restate.Run(ctx, func(restate.RunContext) (int, error) {
			asked++
			return 40 + asked, nil
		}, restate.WithName("price"))
		if err != nil {
			return "", err
		}
		if attempts++; attempts == 1 {
			return "", hiccup() // this attempt fails, the next one starts from the beginning
		}
		return fmt.Sprintf("%d, asked %d time", price, asked), nil
	})
	// Output: 41, asked 1 time <nil>
}

// With retry options the closure is tried again by a policy of its own. When that
// is exhausted, its last error is the result.
func ExampleRun_retry() {
	tries := 0
	try(func(ctx restate.Context, _ string) (string, error) {
		_, err := restate.Run(ctx, func(restate.RunContext) (int, error) {
			tries++
			return 0, errors.New("the line is busy")
		},
			restate.WithInitialRetryInterval(time.Millisecond), restate.WithRetryIntervalFactor(2),
			restate.WithMaxRetryInterval(time.Second), restate.WithMaxRetryAttempts(3))
		return fmt.Sprint(tries, " tries: ", err), nil
	})
	// Output: 3 tries: the line is busy <nil>
}

// A terminal error is a result as well: it is not tried again.
func ExampleRunVoid() {
	try(func(ctx restate.Context, _ string) (string, error) {
		err := restate.RunVoid(ctx, func(restate.RunContext) error {
			return restate.TerminalErrorf("no such account")
		}, restate.WithName("charge"), restate.WithMaxRetryDuration(time.Hour))
		return fmt.Sprint("not charged: ", err), nil
	})
	// Output: not charged: no such account <nil>
}

// Two closures at once. They start when they are waited for.
func ExampleRunAsync() {
	try(func(ctx restate.Context, _ string) (string, error) {
		left := restate.RunAsync(ctx, func(restate.RunContext) (int, error) { return 40, nil })
		right := restate.RunAsync(ctx, func(restate.RunContext) (int, error) { return 2, nil })
		sum := 0
		for f, err := range restate.Wait(ctx, left, right) {
			if err != nil {
				return "", err
			}
			n, err := f.(restate.RunAsyncFuture[int]).Result()
			if err != nil {
				return "", err
			}
			sum += n
		}
		return fmt.Sprint(sum), nil
	})
	// Output: 42 <nil>
}

// A closure that was cut off may be executed again. The key tells the other side
// that it is the same payment.
func ExampleRunKey() {
	tries, paid := 0, map[string]int{} // paid is in the bank
	try(func(ctx restate.Context, _ string) (string, error) {
		err := restate.RunVoid(ctx, func(run restate.RunContext) error {
			paid[restate.RunKey(run)] = 100 // the Idempotency-Key of a request
			if tries++; tries == 1 {
				return hiccup() // the answer of the bank is lost
			}
			return nil
		})
		return fmt.Sprint(tries, " tries, payments: ", len(paid)), err
	})
	// Output: 2 tries, payments: 1 <nil>
}

func undoFlight(restate.RunContext) error {
	fmt.Println("flight cancelled")
	return nil
}

// A handler that is cancelled undoes what it has done, also the step that was cut
// off, and gives the cancellation back as its result.
func ExampleIsCancelled() {
	reserved := make(chan struct{})
	trip := func(ctx restate.Context, _ restate.Void) (string, error) {
		err := restate.RunVoid(ctx, func(restate.RunContext) error { close(reserved); return nil })
		if err == nil {
			err = restate.Sleep(ctx, 24*time.Hour)
		}
		if restate.IsCancelled(err) {
			return "", errors.Join(err, restate.RunVoid(ctx, undoFlight))
		}
		return "booked", err
	}
	c, stop := start(restate.NewService("Trip").Handler("book", restate.NewServiceHandler(trip)))
	defer stop()
	ctx := context.Background()
	sent, err := ingress.Service[restate.Void, string](c, "Trip", "book").Send(ctx, restate.Void{})
	<-reserved
	cancelErr := ingress.Cancel(ctx, c, sent.Id())
	_, result := sent.Attach(ctx)
	fmt.Println(err, cancelErr, result)
	// Output:
	// flight cancelled
	// <nil> <nil> cancelled
}

// Random numbers are the same in every attempt.
func ExampleRand() {
	var dice []int
	try(func(ctx restate.Context, _ string) (string, error) {
		dice = append(dice, 1+restate.Rand(ctx).IntN(6))
		if len(dice) == 1 {
			return "", hiccup()
		}
		return fmt.Sprint(len(dice), " throws, equal: ", dice[0] == dice[1]), nil
	})
	// Output: 2 throws, equal: true <nil>
}

// A source for other generators, with a sequence of its own.
func ExampleRandSource() {
	try(func(ctx restate.Context, _ string) (string, error) {
		a, b := restate.RandSource(ctx), restate.RandSource(ctx)
		return fmt.Sprint(a.Uint64() == b.Uint64()), nil
	})
	// Output: true <nil>
}

// A UUID needs no Run: every attempt draws the same one. Runs that belong
// together share it.
func ExampleUUID() {
	try(func(ctx restate.Context, _ string) (string, error) {
		order := restate.UUID(ctx)
		var numbers []string
		for _, step := range []string{"charge", "refund"} {
			number, err := restate.Run(ctx, func(restate.RunContext) (string, error) { return order.String(), nil }, restate.WithName(step))
			if err != nil {
				return "", err
			}
			numbers = append(numbers, number)
		}
		return fmt.Sprint(order.Version(), ", equal: ", numbers[0] == numbers[1]), nil
	})
	// Output: VERSION_4, equal: true <nil>
}
