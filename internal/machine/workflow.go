package machine

import "github.com/dormouse-run/dormouse/internal/ident"

// WorkflowHead is what the head record of a workflow key knows beyond that of an
// object. It is zero for objects.
//
// A workflow lives from its first invocation, or run, to its removal, which
// takes the record of the run, the state and the promises together. It is
// removed when the retention of its run is over, or, if it never ran, one
// retention after its last invocation; and never before its last unfinished
// invocation has ended, because that may still read what it would lose.
type WorkflowHead struct {
	// Run is the birth of the run, 0 when there is none. The record is there as
	// long as Run is.
	Run ident.Seq
	// Unfinished counts the invocations that have not ended, the run included, and
	// the patches of the state that were not applied.
	Unfinished uint32
	// Generation is the number under which promise rows are kept, 0 when there
	// are none; Promises counts them.
	Generation ident.Seq
	Promises   uint32
	// Expiring says that the retention of the run is over and that unfinished
	// invocations hold up the removal: no promise is waited for or completed.
	Expiring bool
	// ExpiresAt is when a workflow that never ran is removed, in ms since the
	// epoch, 0 while it has invocations or nothing to remove. ExpiryBirth names
	// the ExpiryRow, whose hour is that of ExpiresAt.
	ExpiresAt   int64
	ExpiryBirth ident.Seq
	// KeepState says that the service is an object in the build of today, and has
	// begun to use the state: the removal leaves it.
	KeepState bool
}

// joinWorkflow counts a new invocation of a workflow. What has outlived its
// retention and was not removed yet goes first. An exclusive invocation is that of
// an object which was a workflow in an earlier build: the state is its own now.
func (t *transition) joinWorkflow(inv *invocation) {
	w := &t.head.Workflow
	if !inv.row.Retention.OfWorkflow {
		if inv.exclusive() {
			t.keepState()
		}
		return
	}
	t.countUnfinished()
	if inv.row.Target.Kind == ident.KindWorkflow {
		w.Run = inv.row.Birth
		t.disarm()
	}
}

// keepState says that the state is no longer that of a workflow, if it was.
func (t *transition) keepState() {
	if w := &t.head.Workflow; *w != (WorkflowHead{}) {
		w.KeepState, t.headDirty = true, true
	}
}

// countUnfinished counts something new that must end before the workflow goes.
func (t *transition) countUnfinished() {
	w := &t.head.Workflow
	if w.Run == 0 && w.Unfinished == 0 && w.ExpiresAt != 0 && w.ExpiresAt <= t.at.Now {
		t.removeWorkflow(nil)
	}
	w.Unfinished++
	t.headDirty = true
}

// needForLeaving asks for the run, if the end of something that was accepted
// with this retention removes the workflow.
func (t *transition) needForLeaving(r Retention) []Need {
	w := &t.head.Workflow
	if !r.OfWorkflow || !w.Expiring || w.Unfinished != 1 {
		return nil
	}
	_, needs := t.findBirth(w.Run, t.partition)
	return needs
}

// leaveWorkflow counts an invocation that has ended, or a patch that was applied,
// which birth names. The last one removes the workflow, if it was held up by it,
// or says when one that never ran is removed.
func (t *transition) leaveWorkflow(r Retention, birth ident.Seq, id ident.InvocationID) {
	if !r.OfWorkflow {
		return
	}
	w := &t.head.Workflow
	if w.Unfinished == 0 {
		panic("machine: invocation " + id.String() + " ends, and the head of " + t.key.String() + " counts 0 unfinished ones")
	}
	w.Unfinished--
	t.headDirty = true
	switch {
	case w.Unfinished > 0:
	case w.Expiring:
		t.removeWorkflow(t.invocations[w.Run])
	case w.Run == 0:
		t.arm(r.Workflow, birth, id)
	}
}

// arm sets when a workflow that never ran is removed: one retention after its
// last invocation or patch, which birth and id name.
func (t *transition) arm(keep int64, birth ident.Seq, id ident.InvocationID) {
	w := &t.head.Workflow
	at := t.at.Now + keep
	switch {
	case t.promises.rows == 0 && (t.state.empty() || w.KeepState):
		t.disarm()
		w.KeepState = false // it is over, and nothing is left to remove
		return
	case keep == 0:
		t.removeWorkflow(nil)
		return
	case w.ExpiresAt != 0 && hourOf(w.ExpiresAt) == hourOf(at):
		w.ExpiresAt = at // its row stays
		return
	}
	t.disarm()
	w.ExpiresAt, w.ExpiryBirth = at, birth
	t.put(&ExpiryRow{Partition: t.partition, Hour: hourOf(at), Birth: birth, ID: id, Object: t.key, What: ExpireWorkflow})
}

// disarm removes the expiry row of a workflow that never ran.
func (t *transition) disarm() {
	w := &t.head.Workflow
	if w.ExpiresAt == 0 {
		return
	}
	row := ExpiryRow{Partition: t.partition, Hour: hourOf(w.ExpiresAt), Birth: w.ExpiryBirth, What: ExpireWorkflow}
	t.delete(row.Key())
	w.ExpiresAt, w.ExpiryBirth = 0, 0
	t.headDirty = true
}

// expireWorkflow removes a workflow that never ran.
func (t *transition) expireWorkflow(e *ExpiryRow) {
	w := &t.head.Workflow
	t.delete(e.Key())
	if w.ExpiryBirth != e.Birth || w.ExpiresAt == 0 || hourOf(w.ExpiresAt) != e.Hour {
		return // it was used again, and has a later row
	}
	w.ExpiresAt, w.ExpiryBirth = 0, 0
	t.headDirty = true
	if w.Run == 0 && w.Unfinished == 0 {
		t.removeWorkflow(nil)
	}
}

// endRun removes the workflow of a run whose retention is over. If there are
// unfinished invocations, it only ends their waits for promises that nobody will
// complete; the last of them removes the workflow.
func (t *transition) endRun(run *invocation) {
	w := &t.head.Workflow
	if w.Unfinished == 0 {
		t.removeWorkflow(run)
		return
	}
	if w.Expiring {
		return
	}
	w.Expiring, t.headDirty = true, true
	if t.promises.rows > 0 {
		t.leave(ChoreRow{Kind: ChoreAnswerListeners, Generation: t.promises.generation})
	}
}

// removeWorkflow forgets a workflow: its run, if it has one, its state and its
// promises. No invocation of it is unfinished.
func (t *transition) removeWorkflow(run *invocation) {
	if run != nil {
		t.remove(run)
	}
	if !t.state.empty() && !t.head.Workflow.KeepState {
		t.clearAllState()
	}
	if t.promises.rows > 0 {
		t.leave(ChoreRow{Kind: ChoreSweepPromises, Generation: t.promises.generation})
	}
	t.promises.reset()
	t.disarm()
	t.head.Workflow = WorkflowHead{}
	t.headDirty = true
}

// run reports whether the invocation is the run of a workflow.
func (inv *invocation) run() bool { return inv.row.Target.Kind == ident.KindWorkflow }
