package machine

import "github.com/dormouse-run/dormouse/internal/journal"

// park suspends an attempt, unless what it waits for has come since it last
// looked: entries from ev.Taken on.
func (t *transition) park(ev *Park) []Need {
	inv := t.attempt(ev.Birth, ev.Epoch)
	if inv == nil {
		t.now(&StopAttempt{Birth: ev.Birth, Epoch: ev.Epoch, Reason: StopKilled})
		return nil
	}
	await, satisfied, unread := ev.Await, false, ev.Unread
	for _, r := range inv.recent {
		if r.index >= ev.Taken && r.id.Deliverable() {
			unread++
		}
		if r.index >= ev.Taken && !satisfied {
			await, satisfied = await.Reduce(r.id, r.failed)
		}
	}
	if satisfied {
		t.now(&KeepWaiting{Birth: ev.Birth, Epoch: ev.Epoch})
		return nil
	}
	inv.row.Allocated, inv.row.Retry, inv.row.Unread = ev.Allocated, Retry{}, unread
	if ev.Allocated.Signals > 0 {
		inv.row.IssuedAwakeables = true
	}
	if inv.row.PauseRequested {
		t.becomePaused(inv)
	} else {
		t.becomeSuspended(inv, await, ev.Taken)
	}
	t.gate(&StopAttempt{Birth: ev.Birth, Epoch: ev.Epoch, Reason: StopSuspended})
	return nil
}

func (t *transition) becomeSuspended(inv *invocation, await *journal.Future, taken uint32) {
	t.leaveReady(inv)
	inv.row.Status, inv.row.Await, inv.row.Taken = StatusSuspended, await, taken
	t.awaiting(inv)
}

func (t *transition) becomePaused(inv *invocation) {
	t.leaveReady(inv)
	inv.row.Status, inv.row.PauseRequested = StatusPaused, false
	inv.row.Await, inv.row.Taken = nil, 0
}
