package machine

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
