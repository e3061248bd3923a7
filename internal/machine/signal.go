package machine

import (
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
)

// signal appends a signal to the journal of its target, whatever the target is
// doing. The first one with the index of an awakeable wins.
func (t *transition) signal(ev *Signal) []Need {
	inv, needs := t.receiver(ev)
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
	case !t.mayQueue(inv, ev):
		return AnswerUnread
	}
	if ev.awakeable() {
		t.put(&SignalRow{Partition: inv.partition(), Birth: inv.row.Birth, Index: ev.Signal.Signal, Entry: inv.row.JournalLength})
		inv.setSignal(ev.Signal.Signal)
	}
	t.notify(inv, journal.Notification{Type: journal.TypeSignal, ID: ev.Signal, Result: ev.Result})
	return AnswerApplied
}

// awaited reports whether a signal is the answer of one of the first awakeables.
// Each has one answer, so their number is a bound of its own; signals that
// nobody takes must not keep out what the handler waits for.
func (ev *Signal) awaited() bool {
	return ev.awakeable() && ev.Signal.Signal-ident.FirstAwakeable < MaxUnread
}

// waitsFor reports whether a suspended invocation waits for a notification, perhaps
// among others. That is never kept out: it is what the handler needs to take the rest.
func (inv *invocation) waitsFor(id journal.NotificationID) bool {
	if inv.row.Await == nil {
		return false
	}
	rest, satisfied := inv.row.Await.Reduce(id, false)
	return satisfied || rest != inv.row.Await
}

// mayQueue counts a signal that the handler has to take, and refuses one from
// outside when too many wait already.
func (t *transition) mayQueue(inv *invocation, ev *Signal) bool {
	if !ev.Signal.Deliverable() {
		return true
	}
	unread := inv.row.Unread
	if inv.live && t.at.Unread != nil {
		unread = *t.at.Unread
	}
	if unread >= MaxUnread && ev.From == (OutboxRef{}) && !ev.awaited() && !inv.waitsFor(ev.Signal) {
		return false
	}
	inv.row.Unread = unread + 1
	return true
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
	t.notify(inv, journal.Notification{Type: journal.TypeSignal, ID: journal.SignalID(ident.CancelSignal), Result: journal.VoidResult()})
	switch {
	case inv.live:
		t.now(&CancelRuns{Birth: inv.row.Birth, Epoch: inv.row.Epoch})
	case inv.row.Status == StatusPaused:
		inv.row.Retry = Retry{}
		t.becomeReady(inv)
	}
}
