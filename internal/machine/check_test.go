package machine

import (
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
)

// checkDisk checks that the rows on disk fit each other: every count in an
// owning row equals the rows, every row has an owner, and every unfinished
// invocation has exactly one reason to go on.
func (p *player) checkDisk() {
	p.t.Helper()
	owners := map[ident.Seq]*InvocationRow{}
	var head *HeadRow
	counts := map[Table]map[uint64]uint32{}
	swept := map[uint64]bool{}
	var listed []*StatusRow
	for k, row := range p.disk {
		if counts[k.Table] == nil {
			counts[k.Table] = map[uint64]uint32{}
		}
		counts[k.Table][k.A]++
		switch row := row.(type) {
		case *InvocationRow:
			owners[row.Birth] = row
		case *HeadRow:
			head = row
		case *StatusRow:
			listed = append(listed, row)
		case *ChoreRow:
			swept[uint64(row.Birth)] = true
			swept[uint64(row.Generation)] = true
		}
	}
	p.checkHead(head, counts, swept)
	for _, table := range subTables() {
		for birth := range counts[table] {
			if owners[ident.Seq(birth)] == nil && !swept[birth] {
				p.t.Errorf("rows of table %c belong to no invocation: birth %v", table, ident.Seq(birth))
			}
		}
	}
	for _, row := range owners {
		p.checkInvocation(row, head, counts, swept)
	}
	for _, row := range listed {
		if owners[row.Birth] == nil {
			p.t.Errorf("birth %v is listed as %s and has no record", row.Birth, row.Class)
		}
	}
	p.checkAliases(owners)
	p.checkWorkflow(head, owners)
	p.checkListeners(head, swept)
	if p.t.Failed() {
		p.t.Fatalf("disk:\n%s", p.printDisk())
	}
}

func (p *player) checkHead(head *HeadRow, counts map[Table]map[uint64]uint32, swept map[uint64]bool) {
	inbox := uint64(len(counts[TableInbox]))
	var length, generation uint64
	var stateRows uint32
	if head != nil {
		length, stateRows, generation = head.InboxLength, head.StateRows, uint64(head.Generation)
		if head.Holder != 0 && counts[TableInvocation][uint64(head.Holder)] == 0 {
			p.t.Errorf("the holder has no record")
		}
		if head.Holder == 0 && length > 0 && !p.served(head) {
			p.t.Errorf("a queue without a holder")
		}
	}
	if inbox != length {
		p.t.Errorf("the queue has %d rows, the head says %d", inbox, length)
	}
	if got := counts[TableState][generation]; got != stateRows {
		p.t.Errorf("the state has %d rows, the head says %d", got, stateRows)
	}
	p.checkPatches()
	for g := range counts[TableState] {
		if g != generation && !swept[g] {
			p.t.Errorf("state rows of generation %v are nobody's", ident.Seq(g))
		}
	}
}

func (p *player) checkInvocation(row *InvocationRow, head *HeadRow, counts map[Table]map[uint64]uint32, swept map[uint64]bool) {
	birth := uint64(row.Birth)
	if !swept[birth] {
		for table, want := range map[Table]uint32{TableJournal: row.JournalRows, TableSignal: row.Signals, TablePending: row.Pending, TableWaiter: row.Waiters} {
			if got := counts[table][birth]; got != want {
				p.t.Errorf("%s has %d rows of table %c, its record says %d", nameOf(row.ID), got, table, want)
			}
		}
	}
	if id, ok := p.disk[(&IDRow{ID: row.ID}).Key()].(*IDRow); !ok || id.Birth != row.Birth {
		p.t.Errorf("%s is not found by its id", nameOf(row.ID))
	}
	if alias, ok := p.disk[(&AliasRow{Alias: row.Alias}).Key()].(*AliasRow); !row.Alias.IsZero() && (!ok || alias.Birth != row.Birth) {
		p.t.Errorf("%s is not found by its alias", nameOf(row.ID))
	}
	if row.HasJournal() {
		p.checkJournal(row)
	}
	active := counts[TableActive][birth] > 0
	if active != (row.Status == StatusReady) {
		p.t.Errorf("%s is %s, active row: %t", nameOf(row.ID), row.Status, active)
	}
	timer := p.disk[(&TimerRow{Partition: p.part, Due: max(row.ScheduledFor, row.Retry.NextAt), Birth: row.Birth}).Key()] != nil
	if waits := row.Status == StatusBackingOff || row.Status == StatusScheduled; waits && !timer {
		p.t.Errorf("%s is %s and has no timer", nameOf(row.ID), row.Status)
	}
	queued := counts[TableInbox][uint64(row.InboxSeq)] > 0
	if row.Status == StatusPending && !queued {
		p.t.Errorf("%s is pending and not in the queue", nameOf(row.ID))
	}
	holds := head != nil && head.Holder == row.Birth
	mustHold := row.Target.Kind == ident.KindExclusive && row.Status >= StatusReady && row.Status <= StatusPaused
	if holds != mustHold {
		p.t.Errorf("%s is %s, holds the key: %t", nameOf(row.ID), row.Status, holds)
	}
	for class := range ClassPaused + 1 {
		listed := p.disk[(&StatusRow{Partition: p.part, Class: class, Birth: row.Birth}).Key()] != nil
		if listed != (class != 0 && class == row.Class()) {
			p.t.Errorf("%s is %s, listed as %s: %t", nameOf(row.ID), row.Status, class, listed)
		}
	}
	if row.Status == StatusSuspended {
		p.checkAwait(row)
	}
}

func (p *player) checkJournal(row *InvocationRow) {
	var next, rows uint32
	for next < row.InRows() && rows < row.JournalRows {
		j, ok := p.disk[Key{Partition: p.part, Table: TableJournal, A: uint64(row.Birth), C: next}].(*JournalRow)
		if !ok {
			p.t.Errorf("%s has no journal row at %d", nameOf(row.ID), next)
			return
		}
		next += uint32(len(j.Entries))
		rows++
	}
	if next != row.InRows() || rows != row.JournalRows {
		p.t.Errorf("%s has %d entries in %d rows, its record says %d in %d", nameOf(row.ID), next, rows, row.InRows(), row.JournalRows)
	}
	if n := newInvocation(*row).tailBytes(); n > MaxTailBytes {
		p.t.Errorf("the record of %s has a tail of %d bytes", nameOf(row.ID), n)
	}
}

// checkAwait checks that no stored entry from Taken on satisfies the tree.
func (p *player) checkAwait(row *InvocationRow) {
	await, satisfied := row.Await, false
	for i, e := range p.journal(row) {
		if uint32(i) >= row.Taken && e.Type.IsNotification() && !satisfied {
			n, err := decodeNotification(e)
			if err != nil {
				p.t.Fatal(err)
			}
			await, satisfied = await.Reduce(n.ID, false)
		}
	}
	if satisfied {
		p.t.Errorf("%s is suspended and has what it waits for", nameOf(row.ID))
	}
}

func decodeNotification(e journal.Entry) (journal.Notification, error) {
	return journal.DecodeNotification(e.Type, e.Body)
}
