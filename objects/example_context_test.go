package objects_test

import (
	"context"
	"fmt"

	restate "github.com/dormouse-run/dormouse/objects"
)

type tenantKey struct{}

// A value for what the handler calls, and for its closures.
func ExampleWithValue() {
	tenant := func(ctx context.Context) string { return ctx.Value(tenantKey{}).(string) }
	try(func(ctx restate.Context, _ string) (string, error) {
		ctx = restate.WithValue(ctx, tenantKey{}, "acme")
		inside, err := restate.Run(ctx, func(run restate.RunContext) (string, error) { return tenant(run), nil })
		return tenant(ctx) + " " + inside, err
	})
	// Output: acme acme <nil>
}

// Values of a context from elsewhere, for example that of a tracer. Its deadline
// and its end have no effect: a replay could not repeat them.
func ExampleWrapContext() {
	try(func(ctx restate.Context, _ string) (string, error) {
		span, end := context.WithCancel(context.WithValue(context.Background(), tenantKey{}, "acme"))
		end()
		ctx = restate.WrapContext(ctx, span)
		return fmt.Sprint(ctx.Value(tenantKey{}), " ", ctx.Err()), nil
	})
	// Output: acme <nil> <nil>
}
