package machine

import "github.com/dormouse-run/dormouse/internal/journal"

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
