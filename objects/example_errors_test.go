package objects_test

import (
	"errors"
	"fmt"
	"io"
	"time"

	restate "github.com/dormouse-run/dormouse/objects"
)

// A terminal error ends the invocation: trying again would not help.
func ExampleTerminalErrorf() {
	try(func(ctx restate.Context, _ string) (string, error) {
		return "", restate.TerminalErrorf("no such account: %s", "ann")
	})
	// Output:  no such account: ann
}

// Code and metadata reach the caller, through any number of calls.
func ExampleWithMetadata() {
	shop := restate.NewService("Shop").Handler("buy", restate.NewServiceHandler(
		func(ctx restate.Context, sku string) (string, error) {
			return "", restate.ToTerminalError(errors.New("sold out"), restate.WithErrorCode(410),
				restate.WithMetadata("sku", sku), restate.WithMetadataMap(map[string]string{"next": "friday"}))
		}))
	try(func(ctx restate.Context, _ string) (string, error) {
		_, err := restate.Service[string](ctx, "Shop", "buy").Request("cheese")
		return fmt.Sprint(err.Code(), " ", err, " ", err.Metadata().ToMap()), nil
	}, shop)
	// Output: 410 sold out map[next:friday sku:cheese] <nil>
}

func ExampleIsTerminalError() {
	fmt.Println(restate.IsTerminalError(fmt.Errorf("buy: %w", restate.TerminalErrorf("sold out"))))
	fmt.Println(restate.IsTerminalError(io.ErrUnexpectedEOF)) // it is retried
	// Output:
	// true
	// false
}

func ExampleAsTerminalError() {
	err := fmt.Errorf("buy: %w", restate.ToTerminalError(errors.New("sold out"), restate.WithErrorCode(410)))
	if t := restate.AsTerminalError(err); t != nil {
		fmt.Println(t.Code(), t.Message())
	}
	// Output: 410 sold out
}

// Every error that is not terminal is retried. One with a code says more in
// introspection; one that wraps a terminal error makes it retryable.
func ExampleToRetryableError() {
	full := restate.ToRetryableError(restate.TerminalErrorf("sold out"), restate.WithErrorCode(503))
	fmt.Println(full, full.Code(), restate.IsTerminalError(full), restate.IsRetryableError(full))
	// Output: sold out 503 false true
}

func ExampleRetryableErrorf() {
	err := restate.RetryableErrorf("read the price: %w", io.ErrUnexpectedEOF)
	fmt.Println(restate.AsRetryableError(err).Code(), errors.Is(err, io.ErrUnexpectedEOF))
	// Output: 500 true
}

// The other side has said when to come back: the next attempt is then, whatever
// the policy says.
func ExampleWithRetryAfter() {
	attempts := 0
	try(func(ctx restate.Context, _ string) (string, error) {
		if attempts++; attempts < 3 {
			return "", restate.ToRetryableError(errors.New("429 too many requests"), restate.WithRetryAfter(time.Millisecond))
		}
		return fmt.Sprint(attempts, " attempts"), nil
	})
	// Output: 3 attempts <nil>
}
