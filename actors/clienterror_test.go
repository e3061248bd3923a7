package actors

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/dormouse-run/dormouse/objects/ingress"
)

// TestErrorsOfTheClientNameTheOperationOnce covers errors that say nothing about
// the invocation: the client names the operation, so the transport must not.
func TestErrorsOfTheClientNameTheOperationOnce(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		c := b.rt.Client()
		sent, err := ingress.Object[string, string](c, "Desk", "x", "ask").Send(t.Context(), "x")
		if err != nil {
			t.Fatal(err)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = sent.Attach(ended)
		if want := "attach to invocation " + sent.Id() + ": context canceled"; err == nil || err.Error() != want || !errors.Is(err, context.Canceled) {
			t.Errorf("attach gives %v, want %s", err, want)
		}
	})
}

func TestOnlyErrorsThatAreNoRefusalLoseTheirOperation(t *testing.T) {
	t.Parallel()
	wrapped := fmt.Errorf("attach to inv_1: %w", ErrUnknownInvocation)
	for _, err := range []error{wrapped, ErrUnknownInvocation, context.Canceled} {
		if got := unnamed(err); got.Error() != err.Error() {
			t.Errorf("%v became %v", err, got)
		}
	}
}
