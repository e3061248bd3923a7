package machine

import (
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
)

// signal appends a signal to the journal of its target, whatever the target is
// doing. The first one with the index of an awakeable wins.
func (t *transition) signal(ev *Signal) []Need {
	inv, needs := t.find(ev.ID)
	if needs == nil && inv == nil {
		needs = t.needMarker(ev.ID)
	}
	if needs == nil && inv != nil {
		needs = t.needForSignal(inv, ev)
	}
	if needs != nil {
		return needs
	}
	t.take(ev.From)
	t.answer(Answer{Token: ev.Token, Kind: t.storeSignal(inv, ev), ID: ev.ID})
	return nil
}

func (ev *Signal) cancels() bool { return ev.Signal.Signal == ident.CancelSignal }

func (ev *Signal) awakeable() bool { return ev.Signal.Signal >= ident.FirstAwakeable }

func (t *transition) needForSignal(inv *invocation, ev *Signal) []Need {
	switch {
	case inv.row.Status == StatusCompleted:
		return nil
	case ev.cancels():
		return t.needForCancel(inv)
	case ev.awakeable():
		return t.needSignal(inv, ev.Signal.Signal)
	default:
		return nil
	}
}

func (t *transition) needSignal(inv *invocation, index uint32) []Need {
	if _, known := inv.signals[index]; known || inv.knows(TableSignal) {
		return nil
	}
	return []Need{{From: (&SignalRow{Partition: inv.partition(), Birth: inv.row.Birth, Index: index}).Key()}}
}

func (t *transition) storeSignal(inv *invocation, ev *Signal) AnswerKind {
	switch {
	case inv == nil && t.markers[ev.ID] != nil:
		return AnswerCompleted
	case inv == nil:
		return AnswerUnknown
	case inv.row.Status == StatusCompleted:
		return AnswerCompleted
	case ev.cancels():
		t.cancel(inv)
		return AnswerApplied
	case ev.awakeable() && inv.signals[ev.Signal.Signal]:
		return AnswerDuplicate
	}
	if ev.awakeable() {
		t.put(&SignalRow{Partition: inv.partition(), Birth: inv.row.Birth, Index: ev.Signal.Signal, Entry: inv.row.JournalLength})
		inv.setSignal(ev.Signal.Signal)
	}
	t.notify(inv, journal.Notification{Type: journal.TypeSignal, ID: ev.Signal, Result: ev.Result})
	return AnswerApplied
}

// needForCancel asks for what cancelling takes: a queued invocation ends.
func (t *transition) needForCancel(inv *invocation) []Need {
	if inv.row.Status == StatusScheduled || inv.row.Status == StatusPending {
		return t.needForQueuedEnd(inv)
	}
	return nil
}

// needForQueuedEnd is needForEnd for an invocation that never ran: unless it
// deduplicates, nothing of it is kept.
func (t *transition) needForQueuedEnd(inv *invocation) []Need {
	if needs := t.needForEnd(inv); needs != nil {
		return needs
	}
	if inv.deduplicates() {
		return nil
	}
	return t.needRows(inv)
}

// cancel ends a queued invocation with 409, and leaves any other one a signal.
func (t *transition) cancel(inv *invocation) {
	if inv.row.Status == StatusScheduled || inv.row.Status == StatusPending {
		t.complete(inv, journal.FailureOf(409, "cancelled"), writeOutput)
		return
	}
	inv.row.Cancelled = true
	t.notify(inv, journal.Notification{Type: journal.TypeSignal, ID: journal.SignalID(ident.CancelSignal), Result: journal.VoidResult()})
	switch {
	case inv.live:
		t.now(&CancelRuns{Birth: inv.row.Birth, Epoch: inv.row.Epoch})
	case inv.row.Status == StatusPaused:
		inv.row.Retry = Retry{}
		t.becomeReady(inv)
	}
}

// returned appends the result of a callee, if it is still owed.
func (t *transition) returned(ev *Returned) []Need {
	inv, needs := t.findBirth(ev.To.Birth, ev.To.ID.Partition())
	if needs == nil && inv != nil {
		needs = t.needPending(inv, ev.To.Completion)
	}
	if needs != nil {
		return needs
	}
	t.take(ev.From)
	if inv == nil || inv.row.ID != ev.To.ID || inv.row.Status == StatusCompleted || inv.pending[ev.To.Completion] == nil {
		return nil
	}
	t.settlePending(inv, ev.To.Completion)
	t.complete1(inv, ev.Type, ev.To.Completion, ev.Result)
	return nil
}

func (t *transition) needPending(inv *invocation, completion uint32) []Need {
	if _, known := inv.pending[completion]; known || inv.knows(TablePending) {
		return nil
	}
	return []Need{{From: (&PendingRow{Partition: inv.partition(), Birth: inv.row.Birth, Completion: completion}).Key()}}
}

// settlePending removes the row of a completion that has arrived.
func (t *transition) settlePending(inv *invocation, completion uint32) {
	t.delete(inv.pending[completion].Key())
	inv.dropPending(completion)
}

// wake is a timer that fired. Its row is removed, also when the timer means
// nothing any more.
func (t *transition) wake(ev *Wake) []Need {
	timer := &ev.Timer
	inv, needs := t.findBirth(timer.Birth, timer.ID.Partition())
	if needs == nil && inv != nil && timer.Slot != SlotWake {
		needs = t.needPending(inv, timer.Slot)
	}
	if needs != nil {
		return needs
	}
	if inv != nil && inv.row.Status == StatusBackingOff && timer.Slot == SlotWake && inv.row.Retry.NextAt == timer.Due && inv.row.Epoch != timer.Epoch {
		return nil // a later attempt has set a timer under the same key
	}
	t.delete(timer.Key())
	if inv == nil || inv.row.Status == StatusCompleted {
		return nil
	}
	if timer.Slot == SlotWake {
		t.wakeUp(inv, timer)
		return nil
	}
	if p := inv.pending[timer.Slot]; p != nil && p.Due == timer.Due {
		t.settlePending(inv, timer.Slot)
		t.complete1(inv, journal.TypeSleepCompletion, timer.Slot, journal.VoidResult())
	}
	return nil
}

func (t *transition) wakeUp(inv *invocation, timer *TimerRow) {
	switch {
	case inv.row.Status == StatusScheduled && inv.row.ScheduledFor == timer.Due:
		t.arrive(inv)
	case inv.row.Status == StatusBackingOff && inv.row.Retry.NextAt == timer.Due && inv.row.Epoch == timer.Epoch:
		inv.row.Retry.NextAt = 0
		t.becomeReady(inv)
	}
}
