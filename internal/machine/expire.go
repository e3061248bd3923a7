package machine

// expire removes what has outlived its retention.
func (t *transition) expire(ev *Expire) []Need {
	e := &ev.Expiry
	switch e.What {
	case ExpireMarker:
		return t.expireMarker(e)
	case ExpireWorkflow:
		t.expireWorkflow(e)
		return nil
	}
	inv, needs := t.findBirth(e.Birth, e.ID.Partition())
	if needs == nil && inv != nil {
		needs = t.needRows(inv)
	}
	if needs != nil {
		return needs
	}
	if e.What != ExpireInvocation || inv == nil || !inv.row.Usual() {
		t.delete(e.Key())
	}
	switch {
	case inv == nil || inv.row.Status != StatusCompleted:
	case e.What == ExpireJournal:
		t.dropJournal(inv)
	case hourOf(inv.row.ExpiresAt) > e.Hour:
	case inv.run():
		t.endRun(inv)
	default:
		t.remove(inv)
	}
	return nil
}

func (t *transition) expireMarker(e *ExpiryRow) []Need {
	if needs := t.needMarker(e.ID); needs != nil {
		return needs
	}
	t.delete(e.Key())
	if m := t.markers[e.ID]; m != nil && m.Birth == e.Birth {
		t.delete(m.Key())
	}
	return nil
}

// dropJournal removes the journal of a completed invocation and keeps its
// result.
func (t *transition) dropJournal(inv *invocation) {
	if !inv.droppable() {
		t.leaveSweep(inv)
	} else {
		t.dropRows(inv, subTables())
	}
	inv.row.JournalRows, inv.row.Signals, inv.row.Pending, inv.row.Waiters = 0, 0, 0, 0
	inv.firsts, inv.signals, inv.pending, inv.waiters = nil, nil, nil, nil
	inv.row.Tail, inv.spilled = nil, nil
	t.change(inv)
}
