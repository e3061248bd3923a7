package query

import (
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// MaxWaits bounds the leaves of an await tree that are explained.
const MaxWaits = 64

// Wait explains one thing that an invocation waits for.
type Wait struct {
	// ID is the notification that ends it: a completion, a signal with an index,
	// which is the cancellation or an awakeable, or a named signal.
	ID journal.NotificationID
	// Command is what the completion belongs to, 0 when that is not known.
	Command journal.Type
	// WakeUpAt is when a sleep is over, in milliseconds since the epoch.
	WakeUpAt int64
	// Callee and Target are set for a call and an attach; Target is zero when the
	// callee is not known any more.
	Callee ident.InvocationID
	Target ident.Target
	// Promise is set for a promise.
	Promise string
}

// Waits explains what an invocation waits for: the first MaxWaits leaves of await,
// in its order. Each costs at most three rows.
func Waits(r persistence.Reader, inv *machine.InvocationRow, await *journal.Future) ([]Wait, error) {
	if await == nil {
		return nil, nil
	}
	m := newCount()
	var waits []Wait
	for id := range await.Leaves() {
		if len(waits) == MaxWaits {
			break
		}
		w := Wait{ID: id}
		if id.Completion != 0 {
			if err := w.explain(r, m, inv); err != nil {
				return nil, err
			}
		}
		waits = append(waits, w)
	}
	return waits, nil
}

// explain says what a completion belongs to, from the row that says that it is owed.
func (w *Wait) explain(r persistence.Reader, m *meter, inv *machine.InvocationRow) error {
	p := inv.ID.Partition()
	pending, err := get[*machine.PendingRow](r, m, (&machine.PendingRow{Partition: p, Birth: inv.Birth, Completion: w.ID.Completion}).Key())
	switch {
	case pending == nil || err != nil:
		return err
	case pending.Due != 0:
		w.Command, w.WakeUpAt = journal.TypeSleep, pending.Due
		return nil
	case pending.Callee != (ident.InvocationID{}):
		w.Command, w.Callee = journal.TypeAttachInvocation, pending.Callee
		if pending.Called {
			w.Command = journal.TypeCall
		}
		return w.explainCallee(r, m)
	case pending.Promise != 0:
		w.Command = journal.TypeGetPromise
		key := machine.Key{
			Partition: p, Table: machine.TableListener, Object: ident.ObjectKeyOf(inv.Target, inv.ID).ID(),
			A: uint64(pending.Generation), B: uint64(pending.Promise), C: pending.Listener,
		}
		listener, err := get[*machine.ListenerRow](r, m, key)
		if listener != nil {
			w.Promise = listener.Name
		}
		return err
	}
	return nil
}

func (w *Wait) explainCallee(r persistence.Reader, m *meter) error {
	row, err := get[*machine.IDRow](r, m, (&machine.IDRow{ID: w.Callee}).Key())
	if row == nil || err != nil {
		return err
	}
	callee, err := readInvocation(r, m, w.Callee.Partition(), row.Birth)
	if callee != nil {
		w.Target = callee.Target
	}
	return err
}
