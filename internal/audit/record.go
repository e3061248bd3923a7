package audit

import (
	"fmt"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// record is what is kept of an invocation until its partition is done.
type record struct {
	birth     ident.Seq
	id, alias ident.InvocationID
	object    ident.ObjectKey
	status    machine.Status
	class     machine.StatusClass
	kind      ident.Kind
	// unreadable says that the record, or a row of it, cannot be read: nothing
	// more is said of it.
	unreadable bool

	// inbox is its place in the queue while it is pending.
	inbox ident.Seq
	// expires and expiresJournal are the hours in which the result and the journal
	// are removed, 0 for those without a row.
	expires, expiresJournal int64
	found                   found
}

// found are the rows about an invocation that were met.
type found uint8

const (
	foundID found = 1 << iota
	foundAlias
	foundStatus
	foundInbox
	foundExpiry
	foundJournalExpiry
)

func (r *record) name() string {
	if r.id.IsZero() {
		return fmt.Sprintf("birth %v", r.birth)
	}
	return r.id.String()
}

// holds reports whether the invocation must hold its key.
func (r *record) holds() bool { return r.kind == ident.KindExclusive && r.atWork() }

// atWork reports whether it has left the queue and not ended.
func (r *record) atWork() bool {
	return r.status >= machine.StatusReady && r.status <= machine.StatusPaused
}

// life is what lies under one birth, while it is read.
type life struct {
	p     *partition
	birth ident.Seq
	row   *machine.InvocationRow
	known *record

	signals, waiters uint32
	waiting          []machine.PendingRow
	activeRow        *machine.ActiveRow
}

func (l *life) record(row machine.Row) {
	l.row = row.(*machine.InvocationRow)
	r := &record{
		birth: l.birth, id: l.row.ID, alias: l.row.Alias, status: l.row.Status, class: l.row.Class(),
		kind: l.row.Target.Kind, object: ident.ObjectKeyOf(l.row.Target, l.row.ID),
	}
	l.known = r
	l.p.records[l.birth] = r
	l.p.order = append(l.p.order, r)
	l.p.check.begin(l.p, l.row)
}

func (l *life) journal(row machine.Row) {
	j := row.(*machine.JournalRow)
	if l.row == nil {
		l.orphan(machine.TableJournal)
		return
	}
	l.p.check.row(j)
}

func (l *life) signal(row machine.Row) {
	s := row.(*machine.SignalRow)
	if l.row == nil {
		l.orphan(machine.TableSignal)
		return
	}
	l.signals++
	if l.row.HasJournal() {
		l.p.check.signalRow(s)
	}
}

func (l *life) pending(row machine.Row) {
	r := row.(*machine.PendingRow)
	if r.Promise != 0 {
		l.p.listens(r, l.row)
	}
	if l.row == nil {
		l.orphan(machine.TablePending)
		return
	}
	l.waiting = append(l.waiting, *r)
}

func (l *life) waiter(row machine.Row) {
	w := row.(*machine.WaiterRow)
	l.waiters++
	if l.p.sweeps.has(machine.TableWaiter, l.birth) || l.row != nil && l.row.Status != machine.StatusCompleted {
		l.p.debts.pay(&w.To)
	}
	if l.row == nil {
		l.orphan(machine.TableWaiter)
	}
}

func (l *life) active(row machine.Row) {
	l.activeRow = row.(*machine.ActiveRow)
	if l.row == nil {
		l.orphan(machine.TableActive)
	}
}

// orphan finds a row whose birth has no record.
func (l *life) orphan(t machine.Table) {
	if l.p.records[l.birth] != nil || l.p.unsure || l.p.sweeps.has(t, l.birth) {
		return
	}
	l.p.find(RuleOwner, fmt.Sprintf("birth %v", l.birth), "a %s row belongs to no invocation", TableName(t))
}

// judge looks at an invocation of which every row was read.
func (l *life) judge() {
	if l.row == nil {
		return
	}
	p, row, r := l.p, l.row, l.known
	p.report.Invocations++
	if row.Status != machine.StatusCompleted {
		p.report.Unfinished++
	}
	p.member(r, row)
	l.expect()
	if r.unreadable {
		return
	}
	l.counts()
	if row.HasJournal() {
		p.check.end(l.waiting)
	} else if row.Status != machine.StatusCompleted {
		p.find(RuleJournal, r.name(), "it is %s and has no journal", row.Status)
	}
	l.reason()
}

// counts compares the counts of the record with the rows.
func (l *life) counts() {
	for _, c := range [...]struct {
		table     machine.Table
		have, own uint32
	}{
		{machine.TableJournal, l.p.check.rows, l.row.JournalRows},
		{machine.TableSignal, l.signals, l.row.Signals},
		{machine.TablePending, uint32(len(l.waiting)), l.row.Pending},
		{machine.TableWaiter, l.waiters, l.row.Waiters},
	} {
		if c.have != c.own && !l.p.sweeps.has(c.table, l.birth) {
			l.p.find(RuleCount, l.known.name(), "it has %d %s rows, and its record says %d", c.have, TableName(c.table), c.own)
		}
	}
}

// expect notes the rows of other tables that must be there.
func (l *life) expect() {
	p, row, r := l.p, l.row, l.known
	switch row.Status {
	case machine.StatusScheduled:
		p.timers[timerKey{row.ScheduledFor, l.birth, machine.SlotWake, 0}] = r
	case machine.StatusBackingOff:
		p.timers[timerKey{row.Retry.NextAt, l.birth, machine.SlotWake, row.Epoch}] = r
	case machine.StatusPending:
		r.inbox = row.InboxSeq
	case machine.StatusCompleted:
		l.expectExpiry()
		return
	}
	p.debts.pay(&row.Caller.ReplyTo)
	for i := range l.waiting {
		w := &l.waiting[i]
		switch {
		case w.Due != 0:
			p.timers[timerKey{w.Due, l.birth, w.Completion, 0}] = r
		case !w.Callee.IsZero():
			p.debts.want(row.ID, w)
		}
	}
}

// expectExpiry notes what removes a completed invocation.
func (l *life) expectExpiry() {
	row, r := l.row, l.known
	if row.ExpiresAt > row.CompletedAt && !row.Usual() {
		r.expires = row.Expiry(r.object).Hour
	}
	if row.Retention.Journal < row.Retention.Completion && row.HasJournal() {
		due := *row
		due.ExpiresAt = row.CompletedAt + row.Retention.Journal
		r.expiresJournal = due.Expiry(r.object).Hour
	}
}

// reason looks for the one reason that an unfinished invocation has to go on, as
// far as its own rows tell.
func (l *life) reason() {
	p, row, r := l.p, l.row, l.known
	switch ready := row.Status == machine.StatusReady; {
	case ready && l.activeRow == nil:
		p.find(RuleReason, r.name(), "it is ready and has no place in the active set")
	case !ready && l.activeRow != nil:
		p.find(RuleReason, r.name(), "it is %s and has a place in the active set", row.Status)
	case ready && (l.activeRow.ID != row.ID || l.activeRow.Object != r.object):
		p.find(RuleReason, r.name(), "its place in the active set names %s of %s", l.activeRow.ID, l.activeRow.Object)
	}
	switch {
	case row.Status == machine.StatusSuspended:
		l.suspended()
	case row.Await != nil:
		p.find(RuleReason, r.name(), "it is %s and waits for %s", row.Status, row.Await)
	}
	if row.Status < machine.StatusScheduled || row.Status > machine.StatusCompleted {
		p.find(RuleReason, r.name(), "it has the unknown status %d", row.Status)
	}
}

// suspended looks at what a suspended invocation waits for: nothing of it may be
// there, and each completion of it must be on its way.
func (l *life) suspended() {
	p, row, r := l.p, l.row, l.known
	if row.Await == nil {
		p.find(RuleReason, r.name(), "it is suspended and waits for nothing")
		return
	}
	if p.check.satisfied {
		p.find(RuleReason, r.name(), "it is suspended, and what it waits for is in its journal")
	}
	for id := range row.Await.Leaves() {
		if id.Completion != 0 && !l.waits(id) {
			p.find(RuleReason, r.name(), "it is suspended and waits for completion %d, which nobody owes it", id.Completion)
		}
	}
	p.report.Awakeables += uint64(p.check.unanswered(row.Allocated.Signals))
}

// waits reports whether a completion is owed. The rows are in its order.
func (l *life) waits(id journal.NotificationID) bool {
	low, high := 0, len(l.waiting)
	for low < high {
		if mid := (low + high) / 2; l.waiting[mid].Completion < id.Completion {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low < len(l.waiting) && l.waiting[low].Completion == id.Completion
}

// finishRecord finds rows that an invocation must have and that were not met.
func (p *partition) finishRecord(r *record) {
	if r.unreadable {
		return
	}
	if r.found&foundID == 0 && !p.lost[machine.TableID] {
		p.find(RuleName, r.name(), "it is not found by its id")
	}
	if !r.alias.IsZero() && r.found&foundAlias == 0 && !p.lost[machine.TableAlias] {
		p.find(RuleName, r.name(), "it is not found by its alias")
	}
	if r.class != 0 && r.found&foundStatus == 0 && !p.lost[machine.TableStatus] {
		p.find(RuleStatus, r.name(), "it is %s and is not listed as %s", r.status, r.class)
	}
	if r.status == machine.StatusPending && r.found&foundInbox == 0 && !p.lost[machine.TableInbox] {
		p.find(RuleReason, r.name(), "it is pending and has no place in the queue")
	}
	if p.lost[machine.TableExpiry] {
		return
	}
	o := p.objects[r.object]
	if r.expires != 0 && r.found&foundExpiry == 0 && !(r.kind == ident.KindWorkflow && o != nil && o.row.Workflow.Expiring) {
		p.find(RuleExpiry, r.name(), "it is completed, and nothing removes it when its retention is over")
	}
	if r.expiresJournal != 0 && r.found&foundJournalExpiry == 0 {
		p.find(RuleExpiry, r.name(), "it is completed, and nothing removes its journal when the retention of that is over")
	}
}
