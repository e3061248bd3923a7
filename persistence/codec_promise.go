package persistence

import (
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
)

func (e *encoder) promise(r *machine.PromiseRow) {
	e.n32(r.Number)
	e.n32(r.Asked)
	e.int(r.CreatedAt)
	e.result(&r.Result)
	e.int(r.CompletedAt)
}

func (d *decoder) promise(k *machine.Key) *machine.PromiseRow {
	return &machine.PromiseRow{
		Partition: k.Partition, Object: k.Object, Generation: ident.Seq(k.A), Name: k.Name,
		Number: d.n32(), Asked: d.n32(), CreatedAt: d.int(), Result: d.result(), CompletedAt: d.int(),
	}
}

func (e *encoder) listener(r *machine.ListenerRow) {
	e.text(r.Name)
	e.id(r.ID)
	e.seq(r.Birth)
	e.n32(r.Completion)
}

func (d *decoder) listener(k *machine.Key) *machine.ListenerRow {
	if k.B > 1<<32-1 {
		d.fail()
	}
	return &machine.ListenerRow{
		Partition: k.Partition, Object: k.Object, Generation: ident.Seq(k.A), Promise: uint32(k.B), N: k.C,
		Name: d.text(), ID: d.id(), Birth: d.seq(), Completion: d.n32(),
	}
}

// workflow appends what the head of a workflow knows, in one byte when it is
// that of an object.
func (e *encoder) workflow(w *machine.WorkflowHead) {
	if *w == (machine.WorkflowHead{}) {
		e.u8(0)
		return
	}
	e.u8(1)
	e.seq(w.Run)
	e.n32(w.Unfinished)
	e.seq(w.Generation)
	e.n32(w.Promises)
	e.flags(w.Expiring, w.KeepState)
	e.int(w.ExpiresAt)
	e.seq(w.ExpiryBirth)
}

func (d *decoder) workflow() machine.WorkflowHead {
	if d.u8() == 0 {
		return machine.WorkflowHead{}
	}
	w := machine.WorkflowHead{Run: d.seq(), Unfinished: d.n32(), Generation: d.seq(), Promises: d.n32()}
	claims := d.flags()
	w.Expiring, w.KeepState = claims[0], claims[1]
	w.ExpiresAt, w.ExpiryBirth = d.int(), d.seq()
	return w
}
