package machine

import (
	"testing"

	"github.com/dormouse-run/dormouse/internal/ident"
)

// TestAPatchOfAWorkflowThatIsNotBoundGoesWithTheWorkflow patches a workflow whose
// service the running build does not have while its run waits. The patch is then
// applied behind the end of the run, which is kept for keep ms.
func TestAPatchOfAWorkflowThatIsNotBoundGoesWithTheWorkflow(t *testing.T) {
	t.Parallel()
	for _, keep := range []int64{0, 1000} {
		w := livesWorld(t)
		run := &Invoke{ID: w.id("run"), Target: ident.Target{Service: "Obj", Key: "k", Handler: "h", Kind: ident.KindWorkflow}, Value: []byte("in"),
			Retention: Retention{Completion: keep, Journal: keep, OfWorkflow: true, Workflow: keep}}
		w.apply(run)
		w.apply(&EditState{Token: 1, Values: []StateValue{{Name: "a", Value: []byte("1")}}})
		row := w.inv("run")
		w.apply(&Append{Birth: row.Birth, Epoch: row.Epoch, Ended: true, Proposals: []Proposal{w.proposal([]string{"output", "o"})}})
		w.runOut()
		if got := len(w.stateOnDisk()); keep > 0 && got != 1 {
			t.Errorf("behind a run that is kept for %d ms the state has %d values", keep, got)
		}
		w.now += 10 * 3_600_000
		w.runOut()
		for _, row := range w.disk {
			t.Errorf("left over of a run that is kept for %d ms: %s", keep, w.describe(row))
		}
	}
}

// runOut commits, and does every chore and removal that is due.
func (w *world) runOut() {
	w.commit()
	for range 10 {
		for _, row := range w.disk {
			switch r := row.(type) {
			case *ChoreRow:
				w.apply(&DoChore{Chore: *r})
			case *ExpiryRow:
				if r.Hour*3_600_000 <= w.now {
					w.apply(&Expire{Expiry: *r})
				}
			}
		}
		w.commit()
	}
}
