package objects

import (
	"iter"
	"strings"
	"testing"
	"time"
)

// TestAPulledWaitFailsByNameAndDoesNotHang: iter.Pull2 runs Wait on a goroutine of
// its own, for which the handler's waits. Were that held until the handler has
// ended, both would wait for each other.
func TestAPulledWaitFailsByNameAndDoesNotHang(t *testing.T) {
	t.Parallel()
	e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (string, error) {
		next, stop := iter.Pull2(Wait(ctx, After(ctx, time.Second)))
		defer stop()
		_, _, ok := next()
		t.Errorf("the handler went on with %v", ok)
		return "", nil
	}))
	e.world = (*engine).fireTimer
	done := make(chan Outcome, 1)
	go func() { done <- e.attempt(0) }()
	select {
	case o := <-done:
		if o.Kind != OutcomeFailed || !strings.HasPrefix(o.Failure.Message, "WaitFirst: the handler's context was used inside a Run closure or on another goroutine") {
			t.Errorf("%+v", o)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the handler hangs")
	}
}
