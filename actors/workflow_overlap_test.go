package actors

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dormouse-run/dormouse/internal/machine"
	restate "github.com/dormouse-run/dormouse/objects"
)

// TestTheNextRunOfAWorkflowWaitsForTheCodeOfTheOneBefore: a kill and a purge free
// the workflow id at once, but not from code that has not ended yet.
func TestTheNextRunOfAWorkflowWaitsForTheCodeOfTheOneBefore(t *testing.T) {
	t.Parallel()
	var inside, most atomic.Int32
	def := restate.NewWorkflow("Payout").
		Handler("run", restate.NewWorkflowHandler(func(ctx restate.WorkflowContext, _ restate.Void) (restate.Void, error) {
			return restate.Void{}, restate.RunVoid(ctx, func(rc restate.RunContext) error {
				most.Store(max(most.Load(), inside.Add(1)))
				defer inside.Add(-1)
				<-rc.Done()
				advance(2 * time.Second) // takes its time to stop
				return rc.Err()
			})
		})).
		Handler("look", restate.NewWorkflowSharedHandler(func(restate.WorkflowSharedContext, restate.Void) (string, error) { return "here", nil }))
	inBubble(t, Options{Services: []restate.ServiceDefinition{def}}, func(t *testing.T, b *bench) {
		for range 2 {
			id := send(b, ask("Payout", "x", "run", nil))
			advance(100 * time.Millisecond)
			synctest.Wait()
			wantValue(t, call(b, ask("Payout", "x", "look", nil)).Result, `"here"`) // shared handlers do not wait
			for _, op := range []machine.Operation{machine.OpKill, machine.OpPurge} {
				if _, err := b.rt.Operate(t.Context(), op, id); err != nil {
					t.Fatal(err)
				}
			}
		}
		advance(5 * time.Second)
		if n := most.Load(); n != 1 {
			t.Errorf("%d runs of one workflow were in their closures at a time", n)
		}
	})
}
