package actors

import (
	"errors"
	"testing"
	"time"

	restate "github.com/dormouse-run/dormouse/objects"
)

// failing is a service whose handler counts its attempts and fails the first n.
func failing(n int, tries *int, options ...restate.ServiceDefinitionOption) restate.ServiceDefinition {
	return restate.NewObject("F", options...).Handler("f", restate.NewObjectHandler(func(restate.ObjectContext, restate.Void) (int, error) {
		if *tries++; *tries <= n {
			return 0, errors.New("no")
		}
		return *tries, nil
	}))
}

// TestABoundBelowAMillisecondIsABound: delays are kept in milliseconds, and none of
// them would be no bound at all.
func TestABoundBelowAMillisecondIsABound(t *testing.T) {
	t.Parallel()
	tries := 0
	d := failing(16, &tries, restate.WithInvocationRetryPolicy(
		restate.WithInitialRetryInterval(time.Millisecond), restate.WithMaxRetryInterval(900*time.Microsecond),
		restate.WithRetryIntervalFactor(2), restate.WithMaxRetryAttempts(0)))
	inBubble(t, Options{Services: []restate.ServiceDefinition{d}}, func(t *testing.T, b *bench) {
		begin := time.Now()
		if _, err := b.rt.Call(t.Context(), Request{Service: "F", Key: "a", Handler: "f"}); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took > time.Second {
			t.Errorf("16 retries, each at most 0.9 ms (and jitter) after the other, took %v", took)
		}
	})
}

// TestADelayWithoutABoundDoesNotBecomeNone lets the delay grow beyond every number.
func TestADelayWithoutABoundDoesNotBecomeNone(t *testing.T) {
	t.Parallel()
	tries := 0
	d := failing(100, &tries, restate.WithInvocationRetryPolicy(
		restate.WithInitialRetryInterval(time.Second), restate.WithMaxRetryInterval(0),
		restate.WithRetryIntervalFactor(1e25), restate.WithMaxRetryAttempts(50)))
	inBubble(t, Options{Services: []restate.ServiceDefinition{d}}, func(t *testing.T, b *bench) {
		if _, err := b.rt.Send(t.Context(), Request{Service: "F", Key: "a", Handler: "f"}); err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Minute)
		if tries != 2 {
			t.Errorf("%d tries within a minute, want the first and the one a second later", tries)
		}
	})
}
