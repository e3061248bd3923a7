package objects

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/internal/journal"
)

// waitsOfEveryKind end at a cancellation.
func waitsOfEveryKind() map[string]func(ctx Context) error {
	return map[string]func(ctx Context) error{
		"awakeable": func(ctx Context) error { _, err := Awakeable[int](ctx).Result(); return err },
		"the same awakeable again": func(ctx Context) error {
			a := Awakeable[int](ctx)
			_, _ = a.Result()
			_, err := a.Result()
			return err
		},
		"sleep":      func(ctx Context) error { return Sleep(ctx, time.Hour) },
		"call":       func(ctx Context) error { _, err := Service[int](ctx, "Keyless", "h").Request(1); return err },
		"WaitFirst":  func(ctx Context) error { _, err := WaitFirst(ctx, Awakeable[int](ctx)); return err },
		"combinator": func(ctx Context) error { _, err := All(ctx, Awakeable[int](ctx)); return err },
		"WaitIter": func(ctx Context) error {
			it := WaitIter(ctx, Awakeable[int](ctx))
			it.Next()
			return it.Err()
		},
		"Wait": func(ctx Context) error {
			var last error
			for _, err := range Wait(ctx, Awakeable[int](ctx)) {
				last = err
			}
			return last
		},
	}
}

func TestTheErrorOfACancelledWaitIsCancelledAlsoWhenItIsWrapped(t *testing.T) {
	t.Parallel()
	for name, wait := range waitsOfEveryKind() {
		h := func() Handler {
			return NewObjectHandler(func(ctx ObjectContext, _ string) (Void, error) {
				err := wait(ctx)
				for form, err := range map[string]error{
					"as it is":        err,
					"wrapped":         fmt.Errorf("book a trip: %w", err),
					"with metadata":   ToTerminalError(AsTerminalError(err), WithMetadata("undone", "flight")),
					"behind a second": errors.Join(TerminalErrorf("no car"), err),
				} {
					if !IsCancelled(err) {
						t.Errorf("%s, %s: %v is not cancelled", name, form, err)
					}
				}
				if copied := ToTerminalError(fmt.Errorf("text: %w", err)); IsCancelled(copied) {
					t.Errorf("%s: a copy of the text is cancelled", name)
				}
				return Void{}, nil
			})
		}
		everyMode(t, func(t *testing.T, e *engine) {
			if got := e.finish(0); got.Kind == journal.ResultFailure {
				t.Fatalf("%s: %+v", name, got)
			}
		}, h, cancels(1, nil))
	}
}

func TestWhatOthersFailWithIsNotCancelled(t *testing.T) {
	t.Parallel()
	e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (string, error) {
		_, called := Service[int](ctx, "Keyless", "h").Request(1)
		_, attached := AttachInvocation[int](ctx, calleeID("x")).Response()
		a := Awakeable[int](ctx)
		RejectAwakeable(ctx, a.Id(), cancelledError())
		_, rejected := a.Result()
		_, ran := Run(ctx, func(RunContext) (int, error) { return 0, cancelledError() })
		var texts []string
		for _, err := range []TerminalError{called, attached, rejected, ran} {
			if err == nil || err.Code() != 409 || IsCancelled(err) {
				t.Errorf("%v: cancelled is %v", err, IsCancelled(err))
				continue
			}
			texts = append(texts, err.Message())
		}
		return strings.Join(texts, " "), nil
	}))
	e.results = map[string]journal.Result{
		"h":           journal.FailureOf(409, "cancelled"),
		calleeID("x"): journal.FailureOf(409, "killed"),
	}
	if got := e.finish(0); string(got.Value) != `"cancelled killed cancelled cancelled"` {
		t.Errorf("got %s", got.Value)
	}
	for _, err := range []error{nil, errors.New("cancelled"), ToTerminalError(errors.New("cancelled"), WithErrorCode(409)), TerminalErrorFrom(nil)} {
		if IsCancelled(err) {
			t.Errorf("%#v is cancelled", err)
		}
	}
	if err := ToRetryableError(cancelledError()); IsCancelled(err) {
		t.Errorf("%#v is cancelled, although it was made retryable", err)
	}
}
