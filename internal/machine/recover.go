package machine

// An attempt that ends the process is counted by the start after it. From
// aloneDeaths on it is started after all others, when its turn has come, and only
// that counts: one that was not reached has not ended the process. At pausedDeaths
// it is paused.
const (
	aloneDeaths  = 3
	pausedDeaths = 10
)

// recover brings back an invocation that start-up found active. Its start is
// gated, so that the count survives the death that the attempt may cause.
func (t *transition) recover(ev *Recover) []Need {
	inv, needs := t.findBirth(ev.Active.Birth, ev.Active.ID.Partition())
	if needs != nil {
		return needs
	}
	if inv == nil || inv.row.Status != StatusReady {
		t.delete(ev.Active.Key())
		return nil
	}
	if inv.live {
		return nil
	}
	deaths := inv.row.Retry.Deaths
	if ev.CountDeath {
		deaths++
	}
	if deaths >= aloneDeaths && !ev.Turn && !inv.row.PauseRequested {
		t.now(&Suspected{Active: ev.Active})
		return nil
	}
	inv.row.Retry.Deaths = deaths
	switch {
	case inv.row.Retry.Deaths >= pausedDeaths:
		t.countFailure(inv, FailureEvent{Code: 500, Message: "the process ended during this attempt", CommandIndex: -1})
		t.becomePaused(inv)
	case inv.row.PauseRequested:
		t.becomePaused(inv)
	default:
		t.gateReady(inv, &StartAttempt{Alone: inv.row.Retry.Deaths >= aloneDeaths})
	}
	t.change(inv)
	return nil
}
