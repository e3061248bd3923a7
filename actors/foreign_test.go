package actors

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/internal/machine"
	restate "github.com/dormouse-run/dormouse/objects"
)

// TestOuterContextInARunClosureIsRetriedByName: the handler that waits for the
// closure is unwound at once, nothing of the closure is stored, and the
// invocation goes on as soon as the code is right.
func TestOuterContextInARunClosureIsRetriedByName(t *testing.T) {
	t.Parallel()
	var corrected atomic.Bool
	def := restate.NewObject("Mistake").Handler("make", restate.NewObjectHandler(func(ctx restate.ObjectContext, _ restate.Void) (string, error) {
		return restate.Run(ctx, func(restate.RunContext) (string, error) {
			if !corrected.Load() {
				if err := restate.Sleep(ctx, time.Second); err != nil {
					return "", err
				}
			}
			return "done", nil
		})
	}))
	inBubble(t, Options{Services: []restate.ServiceDefinition{def}}, func(t *testing.T, b *bench) {
		id := send(b, ask("Mistake", "x", "make", nil))
		advance(10 * time.Second)
		in, err := b.rt.Inspect(t.Context(), id, InspectOptions{Journal: true})
		if err != nil {
			t.Fatal(err)
		}
		row := in.Invocation
		if f := row.Failures; row.Status != machine.StatusBackingOff || len(f) < 2 || !strings.HasPrefix(f[len(f)-1].Message, "Sleep: the handler's context was used inside a Run closure") {
			t.Errorf("the invocation is %v, its failures are %+v", row.Status, f)
		}
		if len(in.Journal) != 2 {
			t.Errorf("the journal has %d entries, want the input and the run", len(in.Journal))
		}
		corrected.Store(true)
		advance(time.Hour)
		if got := b.status(id); got != "completed" {
			t.Errorf("the corrected invocation is %s", got)
		}
	})
}
