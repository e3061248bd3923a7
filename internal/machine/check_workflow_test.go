package machine

import (
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
)

// checkWorkflow checks what the head of a workflow counts and names, and that no
// promise outlives its generation without a sweep.
func (p *player) checkWorkflow(head *HeadRow, owners map[ident.Seq]*InvocationRow) {
	var w WorkflowHead
	if head != nil {
		w = head.Workflow
	}
	var unfinished uint32
	var run *InvocationRow
	for _, row := range owners {
		if row.Retention.OfWorkflow && row.Status != StatusCompleted {
			unfinished++
		}
		if row.Target.Kind == ident.KindWorkflow {
			run = row
		}
	}
	for _, row := range p.disk {
		if patch, ok := row.(*PatchRow); ok && patch.Retention.OfWorkflow {
			unfinished++
		}
	}
	if unfinished != w.Unfinished {
		p.t.Errorf("%d invocations are unfinished, the head says %d", unfinished, w.Unfinished)
	}
	if (run == nil) != (w.Run == 0) || run != nil && run.Birth != w.Run {
		p.t.Errorf("the run is %v, the head says %v", run, w.Run)
	}
	if w.Expiring && (unfinished == 0 || run == nil || run.Status != StatusCompleted) {
		p.t.Errorf("the workflow is expiring with %d unfinished invocations, the run is %v", unfinished, run)
	}
	expiry := ExpiryRow{Partition: p.part, Hour: hourOf(w.ExpiresAt), Birth: w.ExpiryBirth, What: ExpireWorkflow}
	if w.ExpiresAt != 0 && p.disk[expiry.Key()] == nil {
		p.t.Errorf("the expiry row of the workflow is missing")
	}
	if rest := w.Promises > 0 && w.Run == 0 && w.Unfinished == 0; rest && w.ExpiresAt == 0 {
		p.t.Errorf("%d promises are never removed", w.Promises)
	}
	p.checkPromises(w)
}

func (p *player) checkPromises(w WorkflowHead) {
	var promises uint32
	for _, row := range p.disk {
		r, ok := row.(*PromiseRow)
		switch {
		case !ok:
		case r.Generation == w.Generation:
			promises++
		case !p.hasChore(ChoreSweepPromises, func(c *ChoreRow) bool { return c.Generation == r.Generation }):
			p.t.Errorf("%s of generation %v is nobody's", p.describe(r), r.Generation)
		}
	}
	if promises != w.Promises {
		p.t.Errorf("there are %d promises, the head says %d", promises, w.Promises)
	}
}

// checkListeners checks that listeners and those who wait name each other, and
// that whoever waits for a promise that is completed, or never will be, is about
// to be answered.
func (p *player) checkListeners(head *HeadRow, swept map[uint64]bool) {
	expiring := head != nil && head.Workflow.Expiring
	for _, row := range p.disk {
		switch r := row.(type) {
		case *PendingRow:
			l := ListenerRow{Partition: p.part, Object: p.key.ID(), Generation: r.Generation, Promise: r.Promise, N: r.Listener}
			if r.Promise != 0 && p.disk[l.Key()] == nil && !swept[uint64(r.Birth)] {
				p.t.Errorf("%s has no listener", p.describe(r))
			}
		case *ListenerRow:
			pending, _ := p.disk[(&PendingRow{Partition: p.part, Birth: r.Birth, Completion: r.Completion}).Key()].(*PendingRow)
			if !pending.awaits(r) {
				p.t.Errorf("%s has nobody who waits", p.describe(r))
			}
			promise, _ := p.disk[(&PromiseRow{Partition: p.part, Object: r.Object, Generation: r.Generation, Name: r.Name}).Key()].(*PromiseRow)
			if promise == nil {
				p.t.Errorf("%s has no promise", p.describe(r))
			} else if (expiring || promise.Result.Kind != journal.ResultNone) && !swept[uint64(r.Birth)] && !p.hasChore(ChoreAnswerListeners, func(c *ChoreRow) bool {
				return c.Generation == r.Generation && (c.Promise == 0 || c.Promise == r.Promise)
			}) {
				p.t.Errorf("%s is never answered", p.describe(r))
			}
		}
	}
}

func (p *player) hasChore(kind ChoreKind, match func(*ChoreRow) bool) bool {
	for _, row := range p.disk {
		if c, ok := row.(*ChoreRow); ok && c.Kind == kind && match(c) {
			return true
		}
	}
	return false
}
