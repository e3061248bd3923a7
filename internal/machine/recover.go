package machine

import (
	"maps"
	"slices"
)

// An attempt that ends the process is counted by the start after it. From
// aloneDeaths on it is started after all others, at pausedDeaths it is paused.
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
	if ev.CountDeath {
		inv.row.Retry.Deaths++
	}
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

// expire removes what has outlived its retention.
func (t *transition) expire(ev *Expire) []Need {
	e := &ev.Expiry
	if e.What == ExpireMarker {
		return t.expireMarker(e)
	}
	inv, needs := t.findBirth(e.Birth, e.ID.Partition())
	if needs == nil && inv != nil {
		needs = t.needRows(inv)
	}
	if needs != nil {
		return needs
	}
	t.delete(e.Key())
	switch {
	case inv == nil || inv.row.Status != StatusCompleted:
	case e.What == ExpireJournal:
		t.dropJournal(inv)
	case hourOf(inv.row.ExpiresAt) <= e.Hour:
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
	t.change(inv)
}

// readState answers an attempt that does not hold the state itself.
func (t *transition) readState(ev *ReadState) []Need {
	if t.attempt(ev.Birth, ev.Epoch) == nil {
		t.now(&StopAttempt{Birth: ev.Birth, Epoch: ev.Epoch, Reason: StopKilled})
		return nil
	}
	effect := &StateRead{Birth: ev.Birth, Epoch: ev.Epoch, Name: ev.Name}
	if ev.Keys {
		if needs := t.state.needNames(); needs != nil {
			return needs
		}
		effect.Keys = t.state.names()
	} else {
		if needs := t.state.need(ev.Name); needs != nil {
			return needs
		}
		effect.Value, effect.Found = t.state.get(ev.Name)
	}
	t.now(effect)
	return nil
}

// choreSlice is how many rows one slice of a chore handles.
const choreSlice = 1024

// choreStep names rows that a chore asked for.
type choreStep struct {
	table Table
	owner uint64
}

// chore does the next slice of work that a transition left behind. The rows
// that are left in the store are its cursor; it asks again until there are
// none, and then removes its own row.
func (t *transition) chore(ev *DoChore) []Need {
	c := &ev.Chore
	tables, owner := c.tables()
	for _, table := range tables {
		rows, known := t.chores[choreStep{table: table, owner: owner}]
		if !known {
			from := Key{Partition: t.partition, Table: table, A: owner}
			to := Key{Partition: t.partition, Table: table, A: owner + 1}
			if table == TableState {
				from.Object, to.Object = t.id, t.id
			}
			return []Need{{From: from, To: to, Limit: c.slice(), slice: true}}
		}
		if len(rows) > 0 {
			for _, r := range rows {
				t.choreRow(c, r)
			}
			t.gate(&Continue{Chore: *c})
			return nil
		}
	}
	t.delete(c.Key())
	return nil
}

func (c *ChoreRow) tables() (tables []Table, owner uint64) {
	switch c.Kind {
	case ChoreSweepState:
		return []Table{TableState}, uint64(c.Generation)
	case ChoreAnswer:
		return []Table{TableWaiter}, uint64(c.Birth)
	case ChoreKillCallees:
		return []Table{TablePending}, uint64(c.Birth)
	case ChoreSweepJournal:
		return []Table{TableJournal, TableSignal}, uint64(c.Birth)
	default:
		return []Table{TableJournal, TableSignal, TablePending}, uint64(c.Birth)
	}
}

// slice returns how many rows one slice of c handles.
func (c *ChoreRow) slice() int {
	if c.Kind == ChoreAnswer {
		return int(servings(&c.Result))
	}
	return choreSlice
}

func (t *transition) choreRow(c *ChoreRow, r Row) {
	switch r := r.(type) {
	case *WaiterRow:
		if c.Kind == ChoreAnswer {
			t.owe(nil, &Returned{To: r.To, Type: r.Type, Result: c.Result})
		}
	case *PendingRow:
		if c.Kind == ChoreKillCallees && r.Called {
			t.owe(nil, &Operate{ID: r.Callee, Op: OpKill})
		}
	}
	t.delete(r.Key())
}

// killCallees sends a kill to every callee that has not returned.
func (t *transition) killCallees(inv *invocation) {
	for _, completion := range slices.Sorted(maps.Keys(inv.pending)) {
		if p := inv.pending[completion]; p != nil && p.Called {
			t.owe(inv, &Operate{ID: p.Callee, Op: OpKill})
		}
	}
}
