package sim

import (
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// judgeOperation judges the acknowledgement of an operation by the records of before
// and after it, which are of one life.
func (w *world) judgeOperation(op machine.Operation, before, after *machine.InvocationRow) {
	switch {
	case op == machine.OpKill && after.Status != machine.StatusCompleted:
		w.loop.fail(InvariantAcked, "the kill of %s is acknowledged, and it is %s by what is durable", after.ID, after.Status)
	case op == machine.OpCancel && before.Status == machine.StatusPaused && after.Status == machine.StatusPaused && before.Epoch == after.Epoch:
		w.loop.fail(InvariantAcked, "the cancel of %s is acknowledged, and it is still paused", after.ID)
	}
}

// pauses counts the requests of the plan that pause.
func (w *world) pauses() (n int) {
	for i := range w.plan.Requests {
		if w.plan.Requests[i].Kind == RequestPause {
			n++
		}
	}
	return n
}

// callees returns whom an invocation waits for that it has called, by what is durable.
func (w *world) callees(record *machine.InvocationRow) (ids []ident.InvocationID) {
	if record == nil || record.Pending == 0 {
		return nil
	}
	from := machine.Key{Partition: record.ID.Partition(), Table: machine.TablePending, A: uint64(record.Birth)}
	to := from
	to.A++
	w.look(func(r persistence.Reader) error {
		rows, err := r.Scan(from, to, 1<<20)
		for _, row := range rows {
			if p := row.(*machine.PendingRow); p.Called {
				ids = append(ids, p.Callee)
			}
		}
		return err
	})
	return ids
}

// judgeCallees judges the acknowledgement of a kill: each callee has ended, or is
// going to be killed too, by what is durable.
func (w *world) judgeCallees(caller *machine.InvocationRow, callees []ident.InvocationID) {
	for _, id := range callees {
		if record, _ := w.record(id.String()); record != nil && record.Status != machine.StatusCompleted && !w.owesKill(caller, id) {
			w.loop.fail(InvariantAcked, "the kill of %s is acknowledged, and nothing ends %s, which it has called", caller.ID, id)
		}
	}
}

// owesKill reports whether an invocation that was killed still hands that on.
func (w *world) owesKill(caller *machine.InvocationRow, callee ident.InvocationID) (owes bool) {
	w.look(func(r persistence.Reader) error {
		err := eachRow(r, machine.TableOutbox, func(row machine.Row) {
			m, operates := row.(*machine.OutboxRow).Message.(*machine.Operate)
			owes = owes || operates && m.Op == machine.OpKill && m.ID == callee
		})
		if err != nil {
			return err
		}
		return eachRow(r, machine.TableChore, func(row machine.Row) {
			c := row.(*machine.ChoreRow)
			owes = owes || c.Kind == machine.ChoreKillCallees && c.Birth == caller.Birth
		})
	})
	return owes
}
