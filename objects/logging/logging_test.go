package logging_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/dormouse-run/dormouse/objects/logging"
)

func TestLogContextComesBackFromDerivedContexts(t *testing.T) {
	t.Parallel()
	if got := logging.LogContextFrom(t.Context()); got != nil {
		t.Fatalf("a plain context has the log context %+v", got)
	}
	want := &logging.LogContext{Source: logging.LogSourceUser, IsReplaying: true}
	ctx := logging.WithLogContext(t.Context(), want)
	type other struct{}
	if got := logging.LogContextFrom(context.WithValue(ctx, other{}, 1)); got != want {
		t.Fatalf("got %+v, want %+v", got, want)
	}
}

func ExampleLogContextFrom() {
	ctx := logging.WithLogContext(context.Background(), &logging.LogContext{Source: logging.LogSourceUser})
	l := logging.LogContextFrom(ctx)
	fmt.Println(l.Source, l.IsReplaying)
	// Output: user false
}
