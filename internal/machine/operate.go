package machine

import "github.com/dormouse-run/dormouse/internal/journal"

// attach gives the result of an invocation to a request or to another
// invocation.
func (t *transition) attach(ev *Attach) []Need {
	inv, needs := t.find(ev.ID)
	if needs != nil {
		return needs
	}
	if inv != nil && inv.expired(t.at.Now) {
		inv = nil
	}
	t.take(ev.From)
	switch {
	case inv == nil && ev.Waiter.Birth != 0:
		t.owe(nil, &Returned{To: ev.Waiter, Type: journal.TypeAttachCompletion, Result: journal.FailureOf(404, "no invocation "+ev.ID.String()+" is known here")})
	case inv == nil:
		t.answer(Answer{Token: ev.Token, Kind: AnswerUnknown, ID: ev.ID})
	case ev.Waiter.Birth != 0:
		t.waitFor(inv, ev.Waiter, journal.TypeAttachCompletion)
	case ev.Peek && inv.row.Status != StatusCompleted:
		t.answer(Answer{Token: ev.Token, Kind: AnswerNotReady, ID: ev.ID})
	default:
		t.watchOrAnswer(ev.Token, inv)
	}
	return nil
}

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
	case op == OpPurge && completed:
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
		t.remove(inv)
		return AnswerDone
	case op == OpPurge || inv.row.Status == StatusCompleted:
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

// pause stops an invocation when its attempt ends, and at once when there is
// none. What arrives meanwhile is stored.
func (t *transition) pause(inv *invocation) AnswerKind {
	switch inv.row.Status {
	case StatusReady:
		inv.row.PauseRequested = true
		t.change(inv)
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
	t.leaveIdle(inv)
	inv.row.PauseRequested, inv.row.Retry = false, Retry{}
	t.change(inv)
	if retry {
		t.becomeReady(inv)
	}
}

// leaveIdle removes the retry timer of an invocation that is backing off.
func (t *transition) leaveIdle(inv *invocation) {
	if inv.row.Status == StatusBackingOff {
		t.leaveStatus(inv)
	}
}

func (t *transition) needForKill(inv *invocation) []Need {
	if needs := t.needForQueuedEnd(inv); needs != nil {
		return needs
	}
	if n := inv.row.Pending; n > 0 && n <= fanOut && !inv.knows(TablePending) {
		return []Need{inv.rangeOf(TablePending, fanOut+1)}
	}
	return nil
}

// kill ends an invocation without running its code, and follows the calls that
// have not returned.
func (t *transition) kill(inv *invocation) {
	if inv.live {
		t.now(&StopAttempt{Birth: inv.row.Birth, Epoch: inv.row.Epoch, Reason: StopKilled})
	}
	if inv.row.Pending > fanOut {
		t.leave(ChoreRow{Kind: ChoreKillCallees, Birth: inv.row.Birth, ID: inv.row.ID})
		inv.pending, inv.row.Pending = nil, 0 // the rows belong to the chore
	} else {
		t.killCallees(inv)
	}
	t.complete(inv, journal.FailureOf(409, "killed"), writeOutput)
}
