package actors

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/persistence"
)

// TestAClosedStoreStopsTheRuntimeWhenAKeyReadsIt: a program may close the store
// that a runtime is open on. The first event finds out, and nobody waits for the
// next timer.
func TestAClosedStoreStopsTheRuntimeWhenAKeyReadsIt(t *testing.T) {
	t.Parallel()
	w := &world{}
	synctest.Test(t, func(t *testing.T) {
		store := persistence.NewMemory().(*persistence.Memory)
		rt, err := Open(t.Context(), Options{Store: store, Services: w.services()})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // whoever reads at the start has read
		store.Crash()
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		var unknown *OutcomeUnknownError
		if _, err := rt.Call(ctx, ask("Counter", "a", "add", 1)); !errors.As(err, &unknown) {
			t.Errorf("a call whose key reads a closed store gives %v", err)
		}
		if d := time.Since(start); d > time.Second {
			t.Errorf("the call has waited for %v", d)
		}
		<-rt.Done()
		if !errors.Is(rt.Err(), persistence.ErrClosed) {
			t.Errorf("Err is %v", rt.Err())
		}
		_ = rt.Close() // the store is closed already
	})
}

// TestAnIDThatIsLookedUpInAClosedStoreIsRefused: nothing has been handed to a key,
// so the request may be repeated elsewhere.
func TestAnIDThatIsLookedUpInAClosedStoreIsRefused(t *testing.T) {
	t.Parallel()
	w := &world{}
	synctest.Test(t, func(t *testing.T) {
		store := persistence.NewMemory().(*persistence.Memory)
		rt, err := Open(t.Context(), Options{Store: store, Services: w.services()})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		store.Crash()
		if _, err := rt.Attach(t.Context(), ident.WorkflowID("Signup", "a")); !errors.Is(err, ErrStopped) {
			t.Errorf("attach gives %v", err)
		}
		_ = rt.Close()
	})
}
