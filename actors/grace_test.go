package actors

import (
	"testing"
	"testing/synctest"
	"time"

	restate "github.com/dormouse-run/dormouse/objects"
)

// TestDrainAndCloseShareOneGrace lets a supervisor rely on the time it gives.
func TestDrainAndCloseShareOneGrace(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	deaf := restate.NewService("Deaf").Handler("hang", restate.NewServiceHandler(func(restate.Context, restate.Void) (restate.Void, error) {
		<-release
		return restate.Void{}, nil
	}))
	const grace = 4 * time.Second
	inBubble(t, Options{Services: []restate.ServiceDefinition{deaf}, CloseGrace: grace}, func(t *testing.T, b *bench) {
		release = make(chan struct{})
		send(b, ask("Deaf", "", "hang", nil))
		synctest.Wait()
		began := time.Now()
		if err := b.rt.Drain(t.Context()); err == nil {
			t.Error("a drain that leaves code behind succeeds")
		}
		if err := b.rt.Close(); err == nil {
			t.Error("a close that abandons code succeeds")
		}
		if took := time.Since(began); took != grace {
			t.Errorf("drain and close took %v, want %v", took, grace)
		}
		close(release)
		synctest.Wait()
		b.store = b.store.Crash()
		b.open() // the invocation goes on, and the bubble closes a healthy runtime
		synctest.Wait()
	})
}
