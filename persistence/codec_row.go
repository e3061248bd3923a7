package persistence

import (
	"fmt"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// row appends the body of r: every field that its key does not hold. New fields
// go at the end of a row; nested records stay as they are.
func (e *encoder) row(r machine.Row) {
	switch r := r.(type) {
	case *machine.HeadRow:
		e.head(r)
	case *machine.StatusRow:
	case *machine.StateRow:
		e.payload(r.Value)
	case *machine.InboxRow:
		e.seq(r.Birth)
		e.id(r.ID)
		e.int(r.QueuedAt)
		e.u8(uint8(r.Kind))
	case *machine.IDRow:
		e.seq(r.Birth)
		e.object(r.Object)
	case *machine.InvocationRow:
		e.invocation(r)
	case *machine.JournalRow:
		e.entries(r.Entries)
	case *machine.SignalRow:
		e.n32(r.Entry)
	case *machine.PendingRow:
		e.int(r.Due)
		e.id(r.Callee)
		e.flags(r.Called)
		e.seq(r.Generation)
		e.n32(r.Promise)
		e.n32(r.Listener)
	case *machine.WaiterRow:
		e.address(&r.To)
		e.num(uint64(r.Type))
	case *machine.OutboxRow:
		e.outbox(r)
	case *machine.PromiseRow:
		e.promise(r)
	case *machine.ListenerRow:
		e.listener(r)
	case *machine.PatchRow:
		e.patch(r)
	default:
		e.indexRow(r)
	}
}

// indexRow appends the rows that lead from a number to an invocation.
func (e *encoder) indexRow(r machine.Row) {
	switch r := r.(type) {
	case *machine.TimerRow:
		e.id(r.ID)
		e.object(r.Object)
		e.seq(r.Epoch)
	case *machine.ActiveRow:
		e.id(r.ID)
		e.object(r.Object)
	case *machine.ExpiryRow:
		e.id(r.ID)
		e.object(r.Object)
	case *machine.AliasRow:
		e.seq(r.Birth)
		e.object(r.Object)
	case *machine.MarkerRow:
		e.seq(r.Birth)
		e.int(r.Hour)
	case *machine.ChoreRow:
		e.object(r.Object)
		e.u8(uint8(r.Kind))
		e.seq(r.Birth)
		e.id(r.ID)
		e.seq(r.Generation)
		e.result(&r.Result)
		e.n32(r.Promise)
		e.n32(r.Next)
	default:
		e.err = fmt.Errorf("row of type %T: %w", r, errTable)
	}
}

func (e *encoder) head(r *machine.HeadRow) {
	e.seq(r.Holder)
	e.optionalID(r.HolderID)
	e.num(r.InboxLength)
	e.seq(r.InboxFirst)
	e.seq(r.Generation)
	e.n32(r.StateRows)
	e.num(uint64(len(r.Inline)))
	for i := range r.Inline {
		e.text(r.Inline[i].Name)
		e.stateValue(r.Inline[i].Value)
	}
	e.workflow(&r.Workflow)
}

// stateValue appends a value that never leaves its row.
func (e *encoder) stateValue(v []byte) {
	if v == nil {
		e.num(0)
		return
	}
	e.inline(v, 0)
	e.raw(v)
}

// row reads the body of the row under k. The key must be of one of the
// machine's tables. The row keeps slices of the body.
func (d *decoder) row(k *machine.Key) machine.Row {
	p, birth := k.Partition, ident.Seq(k.A)
	switch k.Table {
	case machine.TableHead:
		return d.head(k)
	case machine.TableState:
		return &machine.StateRow{Partition: p, Object: k.Object, Generation: ident.Seq(k.A), Name: k.Name, Value: d.payload()}
	case machine.TableInbox:
		return &machine.InboxRow{Partition: p, Object: k.Object, Seq: ident.Seq(k.A), Birth: d.seq(), ID: d.id(), QueuedAt: d.int(), Kind: machine.InboxKind(d.u8())}
	case machine.TableID:
		return &machine.IDRow{ID: k.ID, Birth: d.seq(), Object: d.object()}
	case machine.TableInvocation:
		return d.invocation(birth)
	case machine.TableJournal:
		return &machine.JournalRow{Partition: p, Birth: birth, First: k.C, Entries: d.entries()}
	case machine.TableSignal:
		return &machine.SignalRow{Partition: p, Birth: birth, Index: k.C, Entry: d.n32()}
	case machine.TablePending:
		return &machine.PendingRow{Partition: p, Birth: birth, Completion: k.C, Due: d.int(), Callee: d.id(), Called: d.flags()[0], Generation: d.seq(), Promise: d.n32(), Listener: d.n32()}
	case machine.TableWaiter:
		return &machine.WaiterRow{Partition: p, Birth: birth, Seq: ident.Seq(k.B), To: d.address(), Type: d.entryType()}
	case machine.TableOutbox:
		return d.outbox(k)
	case machine.TablePromise:
		return d.promise(k)
	case machine.TableListener:
		return d.listener(k)
	case machine.TablePatch:
		return d.patch(k)
	default:
		return d.indexRow(k)
	}
}

func (d *decoder) indexRow(k *machine.Key) machine.Row {
	p := k.Partition
	switch k.Table {
	case machine.TableTimer:
		return &machine.TimerRow{Partition: p, Due: int64(k.A), Birth: ident.Seq(k.B), Slot: k.C, ID: d.id(), Object: d.object(), Epoch: d.seq()}
	case machine.TableActive:
		return &machine.ActiveRow{Partition: p, Birth: ident.Seq(k.A), ID: d.id(), Object: d.object()}
	case machine.TableStatus:
		return &machine.StatusRow{Partition: p, Class: d.class(k.A), Birth: ident.Seq(k.B)}
	case machine.TableExpiry:
		return &machine.ExpiryRow{Partition: p, Hour: int64(k.A), Birth: ident.Seq(k.B), What: d.expiring(k.C), ID: d.id(), Object: d.object()}
	case machine.TableAlias:
		return &machine.AliasRow{Alias: k.ID, Birth: d.seq(), Object: d.object()}
	case machine.TableMarker:
		return &machine.MarkerRow{ID: k.ID, Birth: d.seq(), Hour: d.int()}
	case machine.TableChore:
		return &machine.ChoreRow{
			Partition: p, Seq: ident.Seq(k.A), N: k.C,
			Object: d.object(), Kind: machine.ChoreKind(d.u8()),
			Birth: d.seq(), ID: d.id(), Generation: d.seq(), Result: d.result(), Promise: d.n32(), Next: d.n32(),
		}
	default:
		d.fail()
		return nil
	}
}

func (d *decoder) class(a uint64) machine.StatusClass {
	if a > 0xFF {
		d.fail()
	}
	return machine.StatusClass(a)
}

func (d *decoder) expiring(c uint32) machine.Expiring {
	if c > 0xFF {
		d.fail()
	}
	return machine.Expiring(c)
}

func (d *decoder) head(k *machine.Key) *machine.HeadRow {
	r := &machine.HeadRow{
		Partition: k.Partition, Object: machine.Headed(*k), Holder: d.seq(), HolderID: d.optionalID(),
		InboxLength: d.num(), InboxFirst: d.seq(), Generation: d.seq(), StateRows: d.n32(),
	}
	if n := d.count(); n > 0 {
		r.Inline = make([]machine.StateValue, n)
	}
	for i := range r.Inline {
		r.Inline[i] = machine.StateValue{Name: d.text(), Value: d.payload()}
	}
	r.Workflow = d.workflow()
	return r
}

func (e *encoder) address(a *machine.Address) {
	e.object(a.Object)
	e.id(a.ID)
	e.seq(a.Birth)
	e.n32(a.Completion)
}

func (d *decoder) address() machine.Address {
	return machine.Address{Object: d.object(), ID: d.id(), Birth: d.seq(), Completion: d.n32()}
}

func (d *decoder) entryType() journal.Type {
	v := d.num()
	if v > 0xFFFF {
		d.fail()
	}
	return journal.Type(v)
}

// checkNames compares the full names in a row with the key under which it was
// found, which holds only a hash or a part of them.
func checkNames(k *machine.Key, r machine.Row) bool {
	switch r := r.(type) {
	case *machine.HeadRow:
		return r.Key().Name == k.Name
	case *machine.InvocationRow:
		return r.ID.Partition() == k.Partition
	case *machine.IDRow, *machine.MarkerRow, *machine.AliasRow:
		return k.ID.Partition() == k.Partition
	default:
		return true
	}
}
