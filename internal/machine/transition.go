package machine

import (
	"github.com/dormouse-run/dormouse/internal/journal"
)

// transition is one event being applied. Handlers first look for what they
// need and return needs; only then do they change anything. Changed rows are
// collected and written once, by finish.
type transition struct {
	*Object
	at  Stamp
	out *Output

	headDirty bool
	promised  []*promise
	outboxed  uint32
	chored    uint32
	// served and servedBytes are what the listeners of promises take of the
	// output.
	served, servedBytes int
}

func (t *transition) put(r Row)      { t.out.Writes = append(t.out.Writes, Write{Put: r}) }
func (t *transition) putFresh(r Row) { t.out.Writes = append(t.out.Writes, Write{Put: r, Fresh: true}) }
func (t *transition) delete(k Key)   { t.out.Writes = append(t.out.Writes, Write{Delete: k}) }
func (t *transition) now(e Effect)   { t.out.Now = append(t.out.Now, e) }
func (t *transition) gate(e Effect)  { t.out.Gated = append(t.out.Gated, e) }

// take removes the outbox row from which an event came, also when the event is
// ignored.
func (t *transition) take(from OutboxRef) {
	if from != (OutboxRef{}) {
		t.out.Writes = append(t.out.Writes, Write{Delete: from.Key(), ForeignOutbox: true})
	}
}

// answer replies to a request, after the disk.
func (t *transition) answer(a Answer) {
	if a.Token != 0 {
		t.gate(&a)
	}
}

// owe creates a debt to another key: a row, and its delivery.
func (t *transition) owe(inv *invocation, m Message) {
	row := &OutboxRow{
		Partition: t.partition,
		Ref:       OutboxRef{Partition: t.partition, Seq: t.at.Seq, N: t.outboxed},
		Message:   m,
	}
	if inv != nil {
		row.CauseBirth, row.CauseEntry = inv.row.Birth, inv.row.JournalLength
	}
	t.outboxed++
	t.putFresh(row)
	t.gate(&Deliver{Row: row})
}

// leave writes a chore and asks for its first slice.
func (t *transition) leave(c ChoreRow) {
	c.Partition, c.Object = t.partition, t.key
	c.Seq, c.N = t.at.Seq, t.chored
	t.chored++
	t.put(&c)
	t.gate(&Continue{Chore: c})
}

// change marks the record of inv as changed.
func (t *transition) change(inv *invocation) {
	if inv.changedAt == t.at.Seq {
		return
	}
	inv.changedAt = t.at.Seq
	t.dirty = append(t.dirty, inv)
}

// finish writes the records that changed.
func (t *transition) finish() {
	for _, inv := range t.dirty {
		t.report(inv)
		t.writeInvocation(inv)
	}
	clear(t.dirty)
	t.dirty = t.dirty[:0]
	t.writePromises()
	if t.headDirty {
		t.writeHead()
	}
	for _, birth := range t.loadedBirths {
		t.unsettled = append(t.unsettled, unsettled{seq: t.at.Seq, birth: birth})
	}
	t.loadedBirths = t.loadedBirths[:0]
	clear(t.absent)
	clear(t.markers)
	clear(t.chores)
	t.forgetUnknownAliases()
	for id, birth := range t.births {
		if birth == 0 {
			delete(t.births, id)
		}
	}
}

func (t *transition) writeInvocation(inv *invocation) {
	inv.appended = 0
	t.index(inv)
	if inv.removed {
		return
	}
	if inv.tailBytes() > MaxTailBytes {
		t.spill(inv)
	}
	inv.written = t.at.Seq
	inv.row.ModifiedAt = t.at.Now
	if inv.born == t.at.Seq {
		t.putFresh(&inv.row)
	} else {
		t.put(&inv.row)
	}
	t.unsettled = append(t.unsettled, unsettled{seq: t.at.Seq, birth: inv.row.Birth})
}

// writeHead writes the head record, or removes it when the key has no holder,
// no queue and no state, and nothing of a workflow.
func (t *transition) writeHead() {
	h := &t.head
	h.InboxLength, h.InboxFirst = t.inbox.length, t.inbox.first()
	t.state.fill(h)
	t.promises.fill(h)
	empty := h.Holder == 0 && h.InboxLength == 0 && h.StateRows == 0 && len(h.Inline) == 0 && h.Workflow == (WorkflowHead{})
	switch {
	case !empty:
		t.put(h)
	case t.headStored:
		t.delete(h.Key())
	}
	t.headStored = !empty
}

// spill moves the tail of the journal out of the record into a row of its own.
func (t *transition) spill(inv *invocation) {
	row := &JournalRow{Partition: inv.partition(), Birth: inv.row.Birth, First: inv.row.InRows(), Entries: inv.row.Tail}
	t.putFresh(row)
	inv.firsts = append(inv.firsts, row.First)
	inv.row.JournalRows++
	inv.spilled = append(inv.spilled, spilledRow{seq: t.at.Seq, entries: row.Entries})
	inv.row.Tail = nil
}

// appendEntry adds one entry to the journal of inv.
func (t *transition) appendEntry(inv *invocation, e journal.Entry) (index uint32) {
	index = inv.row.JournalLength
	e.At = t.at.Now
	inv.add(e)
	inv.appended++
	t.change(inv)
	return index
}

// notify appends a notification, and hands it to the attempt when there is one.
// A suspended invocation resumes when nothing it waits for is missing.
func (t *transition) notify(inv *invocation, n journal.Notification) {
	e := n.Entry(t.at.Now)
	index := t.appendEntry(inv, e)
	failed := n.Result.Kind == journal.ResultFailure
	switch {
	case inv.live:
		inv.recent = append(inv.recent, recent{index: index, id: n.ID, failed: failed})
		effect := &Notify{Birth: inv.row.Birth, Epoch: inv.row.Epoch, Index: index, Entry: e}
		if n.Type == journal.TypeRunCompletion {
			t.gate(effect)
		} else {
			t.now(effect)
		}
	case inv.row.Status == StatusSuspended:
		reduced, satisfied := inv.row.Await.Reduce(n.ID, failed)
		inv.row.Await = reduced
		if satisfied {
			t.becomeReady(inv)
		} else {
			t.awaiting(inv)
		}
	}
}

// hourOf returns the hour since the epoch in which something that expires at
// ms is removed: the first full hour at or after it.
func hourOf(ms int64) int64 {
	const hour = 3_600_000
	return (ms + hour - 1) / hour
}
