package machine

import (
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
)

// Change says what an output did to one invocation. The writes say it too, but
// for what was there before, and for the end of an invocation of which nothing
// is kept.
type Change struct {
	// Row is the record after the output. It belongs to the object: whoever
	// keeps it takes a copy before the next Apply.
	Row *InvocationRow
	// Was is the status before the output, 0 when the output made the record.
	Was Status
	// Entries were appended to the journal, the first of them with index First.
	First   uint32
	Entries []journal.Entry
	// Removed says that the output has removed the record.
	Removed bool
}

// report adds inv, as it is at the end of the transition, to the changes.
func (t *transition) report(inv *invocation) {
	t.out.Changes = append(t.out.Changes, Change{
		Row: &inv.row, Was: inv.was,
		First: inv.row.JournalLength - uint32(inv.appended), Entries: inv.row.Tail[len(inv.row.Tail)-inv.appended:],
		Removed: inv.removed,
	})
	inv.was = inv.row.Status
}

// Standing says who holds a key and how long its queue is.
type Standing struct {
	// Holder is the birth of the invocation that holds the key, 0 when it is
	// free, and HolderID its id. That of a workflow is its run, also when the run
	// has not begun or has completed: its status tells.
	Holder   ident.Seq
	HolderID ident.InvocationID
	// Status and Epoch are those of the holder; Status is 0 when the key is
	// free, and when the record of the holder is not in memory: then the store
	// has it as it is.
	Status Status
	Epoch  ident.Seq
	// Queued counts the places of the inbox.
	Queued uint64
}

// Standing returns the present standing. It is zero before the first event.
func (o *Object) Standing() Standing {
	s := Standing{Holder: o.head.Holder, HolderID: o.head.HolderID, Queued: o.inbox.length}
	if run := o.head.Workflow.Run; s.Holder == 0 && run != 0 {
		s.Holder, s.HolderID = run, ident.WorkflowID(o.head.Object.Service, o.head.Object.Key)
	}
	if inv := o.invocations[s.Holder]; inv != nil {
		s.Status, s.Epoch = inv.row.Status, inv.row.Epoch
	}
	return s
}

// Record returns the record of the invocation that was born at birth, when it
// is in memory. It belongs to the object, like those in Changes.
func (o *Object) Record(birth ident.Seq) (row *InvocationRow, found bool) {
	inv := o.invocations[birth]
	if inv == nil {
		return nil, false
	}
	return &inv.row, true
}

// Answered reports whether the awakeable with an index is answered. It is not
// known when memory has nothing about it: then the store has its SignalRow, or
// has none.
func (o *Object) Answered(birth ident.Seq, index uint32) (answered, known bool) {
	inv := o.invocations[birth]
	if inv == nil {
		return false, false
	}
	answered, known = inv.signals[index]
	return answered, known || inv.knows(TableSignal)
}
