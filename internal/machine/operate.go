package machine

// operate does an operation of the admin interface.
func (t *transition) operate(ev *Operate) []Need {
	inv, needs := t.find(ev.ID)
	if needs == nil && inv != nil {
		needs = t.needForOperation(inv, ev.Op)
	}
	if needs != nil {
		return needs
	}
	t.take(ev.From)
	a := Answer{Token: ev.Token, Kind: AnswerUnknown, ID: ev.ID}
	if inv != nil {
		a.Status = inv.row.Status
		a.Kind = t.perform(inv, ev.Op)
	}
	t.answer(a)
	return nil
}

func (t *transition) needForOperation(inv *invocation, op Operation) []Need {
	completed := inv.row.Status == StatusCompleted
	switch {
	case op == OpCancel && !completed:
		return t.needForCancel(inv)
	case op == OpKill && !completed:
		return t.needForKill(inv)
	case (op == OpPurge || op == OpPurgeJournal) && completed:
		return t.needRows(inv)
	default:
		return nil
	}
}

// perform does an operation, or says why the status does not allow it.
func (t *transition) perform(inv *invocation, op Operation) AnswerKind {
	queued := inv.row.Status == StatusScheduled || inv.row.Status == StatusPending
	switch {
	case op == OpPurge && inv.row.Status == StatusCompleted:
		return t.purge(inv)
	case op == OpPurgeJournal && inv.row.Status == StatusCompleted:
		t.purgeJournal(inv)
		return AnswerDone
	case op == OpPurge || op == OpPurgeJournal || inv.row.Status == StatusCompleted:
		return AnswerConflict
	case op == OpCancel:
		t.cancel(inv)
		if queued {
			return AnswerDone
		}
		return AnswerStored
	case op == OpKill:
		t.kill(inv)
		return AnswerDone
	case op == OpPause && queued:
		return AnswerConflict
	case op == OpPause:
		return t.pause(inv)
	case queued:
		return AnswerTooEarly
	default:
		t.resume(inv)
		return AnswerDone
	}
}

// purge forgets a completed invocation, and with the run of a workflow all that
// the workflow has left. Unfinished shared invocations may still read that.
func (t *transition) purge(inv *invocation) AnswerKind {
	switch {
	case !inv.run():
		t.remove(inv)
	case t.head.Workflow.Unfinished > 0:
		return AnswerConflict
	default:
		t.removeWorkflow(inv)
	}
	return AnswerDone
}

// purgeJournal removes the journal of a completed invocation, and with it what
// only the journal has use for. The result stays.
func (t *transition) purgeJournal(inv *invocation) {
	if inv.row.HasJournal() {
		t.dropJournal(inv)
	}
}

// pause stops an invocation when its attempt ends, and at once when there is
// none. An attempt that waits is asked to suspend. What arrives meanwhile is
// stored.
func (t *transition) pause(inv *invocation) AnswerKind {
	switch inv.row.Status {
	case StatusReady:
		inv.row.PauseRequested = true
		t.change(inv)
		t.now(&PauseAttempt{Birth: inv.row.Birth, Epoch: inv.row.Epoch, Wanted: true})
		return AnswerStored
	case StatusBackingOff:
		t.leaveStatus(inv)
		t.becomePaused(inv)
		return AnswerStored
	case StatusSuspended:
		t.becomePaused(inv)
	}
	return AnswerDone
}

// resume starts a fresh attempt with a fresh count of failures.
func (t *transition) resume(inv *invocation) {
	retry := inv.row.Status != StatusReady
	switch {
	case retry:
		t.leaveStatus(inv) // a retry timer goes
	case inv.row.PauseRequested:
		t.now(&PauseAttempt{Birth: inv.row.Birth, Epoch: inv.row.Epoch})
	}
	inv.row.PauseRequested, inv.row.Retry = false, Retry{}
	t.change(inv)
	if retry {
		t.becomeReady(inv)
	}
}
