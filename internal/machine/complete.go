package machine

import (
	"maps"
	"slices"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
)

// fanOut is how many waiters or callees one output serves, and fanOutBytes about
// how many bytes of results it carries to them. More of them are left to chores.
const (
	fanOut      = 256
	fanOutBytes = 128 << 10
	// servingOverhead is what a result takes beside its payload.
	servingOverhead = 512
)

// servings returns how many waiters one output can give r.
func servings(r *journal.Result) uint32 {
	return uint32(min(fanOut, max(1, fanOutBytes/sizeOf(r))))
}

// sizeOf returns about how many bytes it takes to carry r to a waiter.
func sizeOf(r *journal.Result) int {
	size := servingOverhead + len(r.Value)
	if f := r.Failure; f != nil {
		size += len(f.Message)
		for _, h := range f.Metadata {
			size += len(h.Key) + len(h.Value)
		}
	}
	return size
}

// outputState says whether the Output of an invocation is in its journal.
type outputState uint8

const (
	writeOutput outputState = iota
	outputWritten
)

// needForEnd asks for everything that complete touches.
func (t *transition) needForEnd(inv *invocation) []Need {
	if needs := t.needNext(inv); needs != nil {
		return needs
	}
	if n := inv.row.Waiters; n > 0 && n <= fanOut && !inv.knows(TableWaiter) {
		return []Need{inv.rangeOf(TableWaiter, fanOut+1)}
	}
	if needs := t.needForListening(inv); needs != nil {
		return needs
	}
	if needs := t.needForLeaving(inv.row.Retention); needs != nil {
		return needs
	}
	if !inv.keeps() {
		return t.needRows(inv)
	}
	return nil
}

// complete ends an invocation: its result is stored, everyone who waits is
// answered, and the key goes to the next in the queue.
func (t *transition) complete(inv *invocation, r journal.Result, written outputState) {
	if written == writeOutput {
		t.appendEntry(inv, journal.NewEntry(&journal.Output{Result: r}, t.at.Now, journal.Sidecar{}))
	}
	queued := inv.row.Status == StatusPending || inv.row.Status == StatusScheduled
	t.leaveStatus(inv)
	retention := inv.row.Retention
	if queued && !inv.deduplicates() {
		retention = Retention{} // it has done nothing that anyone could ask for
	}
	inv.row.Status, inv.row.Result = StatusCompleted, r
	inv.row.CompletedAt, inv.row.ExpiresAt = t.at.Now, t.at.Now+retention.Completion
	inv.row.PauseRequested, inv.row.Await = false, nil
	t.change(inv)
	t.stopListening(inv)
	t.answerWaiters(inv)
	t.gate(&Finished{Birth: inv.row.Birth, ID: inv.row.ID, Result: r, Took: max(0, t.at.Now-inv.row.CreatedAt)})
	t.release(inv)
	t.leaveWorkflow(inv.row.Retention, inv.row.Birth, inv.row.ID)
	t.keepOrRemove(inv, retention)
}

// deduplicates reports whether a second request may name this invocation.
func (inv *invocation) deduplicates() bool {
	return inv.row.IdempotencyKey != "" || inv.row.Target.Kind == ident.KindWorkflow
}

// leaveStatus undoes what the present status has written outside the record.
func (t *transition) leaveStatus(inv *invocation) {
	switch inv.row.Status {
	case StatusScheduled:
		t.clearTimer(inv, inv.row.ScheduledFor, SlotWake)
	case StatusPending:
		place := inv.row.InboxSeq
		t.inbox.remove(place, t.at.Seq)
		t.delete((&InboxRow{Partition: t.partition, Object: t.id, Seq: place}).Key())
		t.headDirty = true
		inv.row.InboxSeq = 0
	case StatusBackingOff:
		t.clearTimer(inv, inv.row.Retry.NextAt, SlotWake)
		inv.row.Retry.NextAt = 0
	case StatusReady:
		t.leaveReady(inv)
	}
}

// answerWaiters sends the result to every invocation that waits for it.
func (t *transition) answerWaiters(inv *invocation) {
	if to := inv.row.Caller.ReplyTo; to.Birth != 0 {
		t.owe(inv, &Returned{To: to, Type: journal.TypeCallCompletion, Result: inv.row.Result})
	}
	if inv.row.Waiters == 0 {
		return
	}
	if inv.row.Waiters > servings(&inv.row.Result) {
		t.leave(ChoreRow{Kind: ChoreAnswer, Birth: inv.row.Birth, ID: inv.row.ID, Result: inv.row.Result})
	} else {
		for _, w := range inv.waiters {
			t.answerWaiter(inv, w)
		}
	}
	inv.waiters, inv.row.Waiters = nil, 0 // what is left belongs to the chore
}

func (t *transition) answerWaiter(inv *invocation, w *WaiterRow) {
	t.owe(inv, &Returned{To: w.To, Type: w.Type, Result: inv.row.Result})
	t.delete(w.Key())
}

// waitFor makes another invocation wait for the result of inv.
func (t *transition) waitFor(inv *invocation, to Address, typ journal.Type) {
	if inv.row.Status == StatusCompleted {
		t.owe(inv, &Returned{To: to, Type: typ, Result: inv.row.Result})
		return
	}
	w := &WaiterRow{Partition: inv.partition(), Birth: inv.row.Birth, Seq: t.at.Seq, To: to, Type: typ}
	t.putFresh(w)
	inv.waiters = append(inv.waiters, w)
	inv.row.Waiters++
	t.change(inv)
	t.awaited(inv)
}

func (t *transition) keepOrRemove(inv *invocation, retention Retention) {
	switch {
	case retention.Completion == 0 && inv.run():
		t.endRun(inv)
		return
	case retention.Completion == 0:
		t.remove(inv)
		return
	}
	if !inv.row.Usual() {
		t.put(inv.expiry(ExpireInvocation, inv.row.ExpiresAt, t.key))
	}
	if retention.Journal < retention.Completion {
		t.put(inv.expiry(ExpireJournal, t.at.Now+retention.Journal, t.key))
	}
}

func (inv *invocation) expiry(what Expiring, at int64, key ident.ObjectKey) *ExpiryRow {
	row := inv.row.Expiry(key)
	row.What, row.Hour = what, hourOf(at)
	return &row
}

// needRows asks for the rows under the birth of inv when they are few enough
// to be removed by the output that removes the record.
func (t *transition) needRows(inv *invocation) []Need {
	if !inv.small() {
		return nil
	}
	for _, table := range subTables() {
		if inv.count(table) > 0 && !inv.knows(table) {
			return []Need{inv.rangeOf(table, fanOut+1)}
		}
	}
	return nil
}

// small reports whether one output can remove all rows under the birth.
func (inv *invocation) small() bool {
	return inv.row.JournalRows+inv.row.Signals+inv.row.Pending+inv.row.Waiters <= fanOut
}

// droppable reports whether the rows under the birth are few and all known.
func (inv *invocation) droppable() bool {
	for _, table := range subTables() {
		if inv.count(table) > 0 && !inv.knows(table) {
			return false
		}
	}
	return inv.small()
}

// remove forgets a completed invocation. needRows must have been satisfied.
func (t *transition) remove(inv *invocation) {
	inv.removed = true
	t.change(inv)
	gone := goneInvocation{id: inv.row.ID, alias: inv.row.Alias, birth: inv.row.Birth, removedAt: t.at.Seq}
	t.delete(inv.row.Key())
	if inv.row.ExpiresAt > inv.row.CompletedAt && !inv.row.Usual() {
		t.delete(inv.expiry(ExpireInvocation, inv.row.ExpiresAt, t.key).Key())
	}
	t.delete((&IDRow{ID: inv.row.ID}).Key())
	t.dropAlias(inv)
	if inv.droppable() {
		t.dropRows(inv, subTables())
	} else {
		t.leaveSweep(inv)
	}
	if inv.row.IssuedAwakeables || inv.row.Signals > 0 {
		gone.marker = t.mark(inv)
	}
	t.forget(inv)
	t.bury(gone)
}

// leaveSweep leaves the rows that the record counts to a chore.
func (t *transition) leaveSweep(inv *invocation) {
	kind := ChoreSweepInvocation
	if inv.row.Pending == 0 {
		kind = ChoreSweepJournal
	}
	t.leave(ChoreRow{Kind: kind, Birth: inv.row.Birth, ID: inv.row.ID})
}

// dropRows removes the known rows of the given tables.
func (t *transition) dropRows(inv *invocation, tables [4]Table) {
	p, birth := inv.partition(), uint64(inv.row.Birth)
	for _, table := range tables {
		switch table {
		case TableJournal:
			for _, first := range inv.firsts {
				t.delete(Key{Partition: p, Table: TableJournal, A: birth, C: first})
			}
		case TableSignal:
			for _, index := range slices.Sorted(maps.Keys(inv.signals)) {
				if inv.signals[index] {
					t.delete(Key{Partition: p, Table: TableSignal, A: birth, C: index})
				}
			}
		case TablePending:
			for _, completion := range slices.Sorted(maps.Keys(inv.pending)) {
				if inv.pending[completion] != nil {
					t.delete(Key{Partition: p, Table: TablePending, A: birth, C: completion})
				}
			}
		case TableWaiter:
			for _, w := range inv.waiters {
				t.delete(w.Key())
			}
		}
	}
}

// markerKeep is how long a marker outlives the record: 24 h.
const markerKeep = 24 * 3_600_000

// mark leaves a marker for an invocation that had created an awakeable, so that
// a repeated callback is still acknowledged.
func (t *transition) mark(inv *invocation) *MarkerRow {
	e := inv.expiry(ExpireMarker, t.at.Now+markerKeep, t.key)
	e.ID = inv.row.awakeableOwner()
	m := &MarkerRow{ID: e.ID, Birth: inv.row.Birth, Hour: e.Hour}
	t.put(m)
	t.put(e)
	t.knowMarker(m.ID, m)
	return m
}

// goneInvocation is what must be remembered of a removed invocation until its
// removal is durable: the store still has the rows.
type goneInvocation struct {
	id, alias        ident.InvocationID
	birth, removedAt ident.Seq
	marker           *MarkerRow
}

// markerOf returns the marker for one of the two ids, nil when there is none.
func (g *goneInvocation) markerOf(id ident.InvocationID) *MarkerRow {
	if g.marker == nil || g.marker.ID != id {
		return nil
	}
	return g.marker
}

func (t *transition) bury(g goneInvocation) {
	if t.gone == nil {
		t.gone, t.goneBirths = map[ident.InvocationID]goneInvocation{}, map[ident.Seq]goneInvocation{}
	}
	t.gone[g.id], t.goneBirths[g.birth] = g, g
	if !g.alias.IsZero() {
		t.gone[g.alias] = g
	}
	t.unsettled = append(t.unsettled, unsettled{seq: t.at.Seq, birth: g.birth})
}

// unbury forgets a removal that is durable.
func (o *Object) unbury(birth, durable ident.Seq) {
	g, ok := o.goneBirths[birth]
	if !ok || g.removedAt > durable {
		return
	}
	delete(o.goneBirths, birth)
	delete(o.gone, g.alias)
	if o.gone[g.id].birth == birth {
		delete(o.gone, g.id)
	}
}

func (t *transition) needMarker(id ident.InvocationID) []Need {
	if _, known := t.markers[id]; known {
		return nil
	}
	if g, ok := t.gone[id]; ok {
		t.knowMarker(id, g.markerOf(id))
		return nil
	}
	return []Need{{From: (&MarkerRow{ID: id}).Key()}}
}

// forgetMarker removes the marker of an id that is accepted again.
func (t *transition) forgetMarker(id ident.InvocationID) {
	m := t.markers[id]
	if m == nil {
		return
	}
	t.delete(m.Key())
	t.delete((&ExpiryRow{Partition: id.Partition(), Hour: m.Hour, Birth: m.Birth, What: ExpireMarker}).Key())
	t.markers[id] = nil
}
