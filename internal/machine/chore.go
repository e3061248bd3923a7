package machine

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
	switch c.Kind {
	case ChoreAnswerListeners:
		return t.choreListeners(c)
	case ChoreServeQueue:
		return t.serveQueue(c)
	}
	tables, owner := c.tables()
	for _, table := range tables {
		rows, known := t.chores[choreStep{table: table, owner: owner}]
		if !known {
			from := Key{Partition: t.partition, Table: table, A: owner}
			to := Key{Partition: t.partition, Table: table, A: owner + 1}
			switch table {
			case TableState, TablePromise, TableListener:
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
	case ChoreSweepPromises:
		return []Table{TablePromise, TableListener}, uint64(c.Generation)
	case ChoreKillCallees, ChoreStopListening:
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
		if r.Promise != 0 {
			t.delete(t.listenerKey(r))
		}
	}
	t.delete(r.Key())
}
