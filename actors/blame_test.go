package actors

import (
	"testing"
	"testing/synctest"
)

// TestAnInvocationThatOnlyWaitsIsNotBlamedForCrashes crashes a dozen times in a
// row, each time before any waiting handler has reached its inactivity timeout.
func TestAnInvocationThatOnlyWaitsIsNotBlamedForCrashes(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		id := send(b, ask("Desk", "x", "ask", "x"))
		synctest.Wait()
		for n := range 12 {
			b.crash()
			synctest.Wait()
			in, err := b.rt.Inspect(t.Context(), id, InspectOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if deaths := in.Invocation.Retry.Deaths; deaths > 0 {
				t.Fatalf("after %d crashes the invocation is %s and blamed for %d", n+1, b.status(id), deaths)
			}
		}
		b.resolve(w, "x", "yes")
		wantValue(t, attach(b, id), `"yes"`)
	})
}
