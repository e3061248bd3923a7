package audit

import (
	"errors"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// debt names a completion that an invocation is owed by another key.
type debt struct {
	birth      ident.Seq
	completion uint32
}

// owed says who waits for a debt, if anybody, and whether some row will pay it:
// the call or the attach that is on its way, the callee that has not ended and
// knows its caller, or the result that is on its way back.
type owed struct {
	id     ident.InvocationID
	callee ident.InvocationID
	paid   bool
}

// debts are those of all partitions: sender and receiver may lie in different
// ones.
type debts map[debt]owed

// want notes that an unfinished invocation waits for an answer.
func (d debts) want(id ident.InvocationID, p *machine.PendingRow) {
	key := debt{p.Birth, p.Completion}
	o := d[key]
	o.id, o.callee = id, p.Callee
	d[key] = o
}

// pay notes a row that brings an answer to to, which may be nobody.
func (d debts) pay(to *machine.Address) {
	if to.Birth == 0 {
		return
	}
	key := debt{to.Birth, to.Completion}
	o := d[key]
	o.paid = true
	d[key] = o
}

// settleDebts finds those who wait and will never be answered.
func (a *audit) settleDebts() {
	for key, o := range a.debts {
		if !o.id.IsZero() && !o.paid && !a.unpaid {
			a.find(RuleHandover, o.id.String(), "it waits for completion %d of %s, and neither is that on its way nor does the callee know of it", key.completion, o.callee)
		}
	}
}

// outbox looks at what one key owes another.
func (p *partition) outbox(row *machine.OutboxRow) {
	switch m := row.Message.(type) {
	case *machine.Returned:
		p.debts.pay(&m.To)
	case *machine.Attach:
		p.debts.pay(&m.Waiter)
	case *machine.Invoke:
		p.debts.pay(&m.Caller.ReplyTo)
		p.delivered(m)
	}
}

// delivered looks for the acceptance of an invoke that is still on its way. One
// whose id is computed may meet an invocation that was there before.
func (p *partition) delivered(m *machine.Invoke) {
	if m.IdempotencyKey != "" || m.Target.Kind == ident.KindWorkflow {
		return
	}
	row, err := p.r.Get((&machine.IDRow{ID: m.ID}).Key())
	switch {
	case err != nil && !errors.Is(err, persistence.ErrCorrupt): // else the walk over the ids finds it
		p.failed = err
	case row != nil:
		p.find(RuleHandover, m.ID.String(), "it was accepted, and the row that hands it over is still there")
	}
}
