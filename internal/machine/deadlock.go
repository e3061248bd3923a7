package machine

import (
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
)

// The core sees one key. Whether calls wait for each other in a cycle can only
// be told from the rows of several keys, so the core says when a cycle may have
// closed, and the shell looks. Both effects below are gated: whoever looks finds
// on disk what has closed the cycle.
//
// A cycle closes in one of three ways: a call finds its key taken; an
// invocation that somebody waits for already is waited for once more, by an
// attach or by a call with the same idempotency key; or a handler that has let
// calls run on their own begins to wait for them. In the third way the shell
// sees a handler that waits in memory, the core one that is suspended.

// Awaited says that another invocation waits for this one, which was queued now
// or was there before.
type Awaited struct {
	Object ident.ObjectKey
	Birth  ident.Seq
	ID     ident.InvocationID
	Status Status
}

// Awaiting says that a suspended invocation waits, and that something it has
// issued is not answered. It comes when the invocation is suspended and whenever
// what it waits for has become less.
type Awaiting struct {
	Birth ident.Seq
	ID    ident.InvocationID
}

// Deadlocked says that a call by To can never be answered, and with which
// failure To shall go on. The callee is queued, or it is one that To has joined
// by an idempotency key. A callee that has left the queue since, has ended, or is
// another life of its id is left alone.
type Deadlocked struct {
	Birth  ident.Seq
	ID     ident.InvocationID
	To     Address
	Result journal.Result
}

func (*Awaited) effect()   {}
func (*Awaiting) effect()  {}
func (*Deadlocked) event() {}

// awaited says that inv is waited for, if it is.
func (t *transition) awaited(inv *invocation) {
	if inv.row.Caller.ReplyTo.Birth != 0 || inv.row.Waiters > 0 {
		t.gate(&Awaited{Object: t.key, Birth: inv.row.Birth, ID: inv.row.ID, Status: inv.row.Status})
	}
}

// awaiting says that inv, which is suspended, waits for what it has issued.
func (t *transition) awaiting(inv *invocation) {
	if inv.row.Pending > 0 {
		t.gate(&Awaiting{Birth: inv.row.Birth, ID: inv.row.ID})
	}
}

// deadlocked fails the call of one caller. A queued invocation that nobody else
// can ask for ends with it. One that others wait for, or may name by its
// idempotency key, stays where it is: they did not close the cycle.
func (t *transition) deadlocked(ev *Deadlocked) []Need {
	inv, needs := t.findBirth(ev.Birth, ev.ID.Partition())
	if needs != nil {
		return needs
	}
	if inv == nil || inv.row.ID != ev.ID || inv.row.Status == StatusCompleted {
		return nil
	}
	called := inv.row.Caller.ReplyTo == ev.To
	switch {
	case called && inv.row.Status != StatusPending:
		return nil
	case called && inv.row.Waiters == 0 && !inv.deduplicates():
		if needs := t.needForQueuedEnd(inv); needs != nil {
			return needs
		}
		t.complete(inv, ev.Result, writeOutput)
		return nil
	case called:
		inv.row.Caller.ReplyTo = Address{}
		t.change(inv)
	}
	// The row of a waiter stays: its second answer is owed to nobody any more
	// and is dropped.
	t.owe(inv, &Returned{To: ev.To, Type: journal.TypeCallCompletion, Result: ev.Result})
	return nil
}
