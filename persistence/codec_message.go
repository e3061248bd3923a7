package persistence

import (
	"fmt"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// messageKind says which message an outbox row holds. The values are stored.
type messageKind uint8

const (
	messageInvoke messageKind = iota + 1
	messageSignal
	messageReturned
	messageAttach
	messageOperate
)

// outbox appends an outbox row. From and Token of its message mean nothing on
// disk and are not kept.
func (e *encoder) outbox(r *machine.OutboxRow) {
	e.seq(r.CauseBirth)
	e.n32(r.CauseEntry)
	switch m := r.Message.(type) {
	case *machine.Invoke:
		e.u8(uint8(messageInvoke))
		e.invoke(m)
	case *machine.Signal:
		e.u8(uint8(messageSignal))
		e.id(m.ID)
		e.n32(m.Signal.Completion)
		e.n32(m.Signal.Signal)
		e.text(m.Signal.Name)
		e.result(&m.Result)
	case *machine.Returned:
		e.u8(uint8(messageReturned))
		e.address(&m.To)
		e.num(uint64(m.Type))
		e.result(&m.Result)
	case *machine.Attach:
		e.u8(uint8(messageAttach))
		e.id(m.ID)
		e.address(&m.Waiter)
		e.flags(m.Peek)
	case *machine.Operate:
		e.u8(uint8(messageOperate))
		e.id(m.ID)
		e.u8(uint8(m.Op))
	default:
		e.err = fmt.Errorf("outbox message of type %T: %w", m, errTable)
	}
}

func (d *decoder) outbox(k *machine.Key) *machine.OutboxRow {
	return &machine.OutboxRow{
		Partition:  k.Partition,
		Ref:        machine.OutboxRef{Partition: k.Partition, Seq: ident.Seq(k.A), N: k.C},
		CauseBirth: d.seq(), CauseEntry: d.n32(), Message: d.message(),
	}
}

func (d *decoder) message() machine.Message {
	switch messageKind(d.u8()) {
	case messageInvoke:
		return d.invoke()
	case messageSignal:
		return &machine.Signal{
			ID:     d.id(),
			Signal: journal.NotificationID{Completion: d.n32(), Signal: d.n32(), Name: d.text()},
			Result: d.result(),
		}
	case messageReturned:
		return &machine.Returned{To: d.address(), Type: d.entryType(), Result: d.result()}
	case messageAttach:
		return &machine.Attach{ID: d.id(), Waiter: d.address(), Peek: d.flags()[0]}
	case messageOperate:
		return &machine.Operate{ID: d.id(), Op: machine.Operation(d.u8())}
	default:
		d.fail()
		return nil
	}
}

func (e *encoder) invoke(m *machine.Invoke) {
	e.flags(m.AnswerAccepted, !m.Alias.IsZero())
	e.id(m.ID)
	e.target(&m.Target)
	e.headers(m.Headers)
	e.payload(m.Value)
	e.int(m.StartAt)
	e.text(m.IdempotencyKey)
	e.u8(uint8(m.InvokedBy))
	e.caller(&m.Caller)
	e.u64(m.RandomSeed)
	e.retention(m.Retention)
	if !m.Alias.IsZero() {
		e.id(m.Alias)
	}
}

func (d *decoder) invoke() *machine.Invoke {
	flags := d.flags()
	m := &machine.Invoke{
		AnswerAccepted: flags[0], ID: d.id(), Target: d.target(), Headers: d.headers(), Value: d.payload(),
		StartAt: d.int(), IdempotencyKey: d.text(), InvokedBy: machine.InvokedBy(d.u8()), Caller: d.caller(),
		RandomSeed: d.u64(), Retention: d.retention(),
	}
	if flags[1] {
		m.Alias = d.id()
	}
	return m
}
