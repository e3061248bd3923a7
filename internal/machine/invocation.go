package machine

import (
	"slices"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
)

// invocation is an invocation in memory: its record, and what is known of the
// rows under its birth.
type invocation struct {
	row InvocationRow
	// was is the status in the record as the last output left it, 0 when there
	// was none.
	was Status
	// live says that this process runs an attempt with row.Epoch.
	live bool
	// born is the number of the output that made it, 0 when it was loaded.
	// A born invocation knows all rows under its birth.
	born ident.Seq
	// active says that an ActiveRow exists.
	active bool
	// listed is the class of its StatusRow, 0 when there is none.
	listed StatusClass
	// removed says that this transition removes the record.
	removed bool
	// changedAt and written number the outputs that changed and last wrote it.
	changedAt, written ident.Seq

	// appended counts the entries of the current transition: they are the last
	// ones of row.Tail. spilled are the rows of entries before row.Tail that may
	// not be durable yet.
	appended int
	spilled  []spilledRow
	// recent are the notifications appended since the live attempt started.
	recent []recent

	// firsts are the first indexes of the journal rows, signals and pending
	// what is known about those rows (a nil PendingRow is known to be absent),
	// waiters the waiter rows. all lists the tables of which everything is
	// known.
	firsts  []uint32
	signals map[uint32]bool
	pending map[uint32]*PendingRow
	waiters []*WaiterRow
	all     map[Table]bool
}

// spilledRow is a journal row in memory, with the output that wrote it.
type spilledRow struct {
	seq     ident.Seq
	entries []journal.Entry
}

// recent is a notification that a live attempt was handed.
type recent struct {
	index  uint32
	id     journal.NotificationID
	failed bool
}

// subTables are the tables of rows under a birth.
func subTables() [4]Table {
	return [...]Table{TableJournal, TableSignal, TablePending, TableWaiter}
}

func newInvocation(row InvocationRow) *invocation {
	return &invocation{row: row, was: row.Status}
}

func (inv *invocation) partition() ident.Partition { return inv.row.ID.Partition() }

// knows reports whether every row of table under this birth is known.
func (inv *invocation) knows(table Table) bool { return inv.born != 0 || inv.all[table] }

// count returns how many rows of table lie under this birth.
func (inv *invocation) count(table Table) uint32 {
	switch table {
	case TableJournal:
		return inv.row.JournalRows
	case TableSignal:
		return inv.row.Signals
	case TablePending:
		return inv.row.Pending
	default:
		return inv.row.Waiters
	}
}

// trim forgets journal rows that are durable.
func (inv *invocation) trim(durable ident.Seq) {
	n := 0
	for n < len(inv.spilled) && inv.spilled[n].seq <= durable {
		n++
	}
	if n == len(inv.spilled) {
		inv.spilled = nil
		return
	}
	inv.spilled = inv.spilled[n:]
}

// entries returns the part of the journal that is in memory, which is its end.
// Entries never change, so what is returned may be kept.
func (inv *invocation) entries() []journal.Entry {
	if len(inv.spilled) == 0 {
		return slices.Clip(inv.row.Tail)
	}
	var list []journal.Entry
	for i := range inv.spilled {
		list = append(list, inv.spilled[i].entries...)
	}
	return append(list, inv.row.Tail...)
}

// add appends an entry to the tail.
func (inv *invocation) add(e journal.Entry) {
	inv.row.Tail = append(inv.row.Tail, e)
	inv.row.JournalLength++
	if e.Type.IsCommand() {
		inv.row.Commands++
	}
}

// tailBytes returns about how many bytes of the record the tail takes.
func (inv *invocation) tailBytes() (n int) {
	for i := range inv.row.Tail {
		n += len(inv.row.Tail[i].Body) + tailOverhead
	}
	return n
}

func (inv *invocation) setPending(r *PendingRow) {
	if inv.pending == nil {
		inv.pending = map[uint32]*PendingRow{}
	}
	inv.pending[r.Completion] = r
	inv.row.Pending++
}

// dropPending says that the row of a completion is gone. Once a row is gone
// the answer is remembered only where it cannot be read again.
func (inv *invocation) dropPending(completion uint32) {
	if inv.knows(TablePending) {
		delete(inv.pending, completion)
	} else {
		inv.pending[completion] = nil
	}
	inv.row.Pending--
}

func (inv *invocation) setSignal(index uint32) {
	if inv.signals == nil {
		inv.signals = map[uint32]bool{}
	}
	inv.signals[index] = true
	inv.row.Signals++
}

// rangeOf returns the need for every row of a table under this birth.
func (inv *invocation) rangeOf(table Table, limit int) Need {
	p := inv.partition()
	if table == TablePending {
		limit += len(inv.pending) // rows whose removal is not durable are read as well
	}
	return Need{
		From:  Key{Partition: p, Table: table, A: uint64(inv.row.Birth)},
		To:    Key{Partition: p, Table: table, A: uint64(inv.row.Birth) + 1},
		Limit: limit,
	}
}

// keeps reports whether the record is kept after completion.
func (inv *invocation) keeps() bool { return inv.row.Retention.Completion > 0 }

// exclusive reports whether the invocation holds its key while it is neither
// queued nor completed.
func (inv *invocation) exclusive() bool { return inv.row.Target.Kind == ident.KindExclusive }
