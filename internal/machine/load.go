package machine

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/dormouse-run/dormouse/internal/ident"
)

// ErrInconsistent is returned by Loaded when rows contradict each other: a row
// that a count promises is missing, or rows name different owners.
var ErrInconsistent = errors.New("stored rows contradict each other")

// Loaded hands over what a need asked for: no rows when there are none. Its
// error wraps ErrInconsistent; the object must then not be used any more.
func (o *Object) Loaded(n Need, rows []Row) error {
	if n.slice {
		if o.chores == nil {
			o.chores = map[choreStep][]Row{}
		}
		o.chores[choreStep{table: n.From.Table, owner: n.From.A}] = rows
		return nil
	}
	switch n.From.Table {
	case TableHead:
		return o.loadedHead(rows)
	case TableID:
		return o.loadedID(n.From.ID, rows)
	case TableAlias:
		return o.loadedAlias(n.From.ID, rows)
	case TableInvocation:
		return o.loadedInvocation(ident.Seq(n.From.A), rows)
	case TableInbox:
		return o.inbox.loaded(rows, n.Limit)
	case TableState:
		return o.state.loaded(n, rows)
	case TablePromise, TableListener:
		return o.promises.loaded(n, rows)
	case TablePatch:
		return o.loadedPatch(ident.Seq(n.From.A), rows)
	case TableMarker:
		var m *MarkerRow
		if len(rows) > 0 {
			m = rows[0].(*MarkerRow)
		}
		o.knowMarker(n.From.ID, m)
		return nil
	case TableSignal, TablePending, TableWaiter, TableJournal:
		return o.loadedSub(n, rows)
	default:
		panic(fmt.Sprintf("machine: loaded a row of table %q, which is never asked for", n.From.Table))
	}
}

func (o *Object) loadedHead(rows []Row) error {
	o.headKnown = true
	o.head = HeadRow{Partition: o.partition, Object: o.key}
	if len(rows) > 0 {
		h, ok := rows[0].(*HeadRow)
		if !ok || h.Object != o.key {
			return fmt.Errorf("head of %s: %w", o.key, ErrInconsistent)
		}
		o.head, o.headStored = *h, true
	}
	o.inbox = newInbox(o.partition, o.id, &o.head)
	o.state = newState(o.partition, o.id, &o.head)
	o.promises = newPromises(o.partition, o.id, &o.head)
	return nil
}

func (o *Object) loadedID(id ident.InvocationID, rows []Row) error {
	if len(rows) == 0 {
		o.births[id] = 0
		return nil
	}
	r, ok := rows[0].(*IDRow)
	if !ok || r.Object != o.key {
		return fmt.Errorf("invocation %s of %s: %w", id, o.key, ErrInconsistent)
	}
	o.births[id] = r.Birth
	return nil
}

func (o *Object) loadedInvocation(birth ident.Seq, rows []Row) error {
	if len(rows) == 0 {
		if o.absent == nil {
			o.absent = map[ident.Seq]bool{}
		}
		o.absent[birth] = true
		return nil
	}
	r, ok := rows[0].(*InvocationRow)
	if !ok || keyOf(r) != o.key {
		return fmt.Errorf("invocation %v of %s: %w", birth, o.key, ErrInconsistent)
	}
	inv := newInvocation(*r)
	inv.active, inv.listed = r.Status == StatusReady, r.Class()
	o.invocations[birth] = inv
	o.loadedBirths = append(o.loadedBirths, birth)
	o.knowAlias(r.Alias, birth)
	if _, known := o.births[r.ID]; !known {
		o.births[r.ID] = birth
	}
	return nil
}

func keyOf(r *InvocationRow) ident.ObjectKey { return ident.ObjectKeyOf(r.Target, r.ID) }

func (o *Object) knowMarker(id ident.InvocationID, m *MarkerRow) {
	if o.markers == nil {
		o.markers = map[ident.InvocationID]*MarkerRow{}
	}
	o.markers[id] = m
}

// loadedSub takes rows under a birth: one signal or pending row, or all rows of
// a table.
func (o *Object) loadedSub(n Need, rows []Row) error {
	inv := o.invocations[ident.Seq(n.From.A)]
	if inv == nil {
		return nil
	}
	if n.Point() {
		inv.loadedPoint(n.From, rows)
		return nil
	}
	have := inv.loadedAll(n.From.Table, rows)
	if have != int(inv.count(n.From.Table)) {
		return fmt.Errorf("invocation %s has %d rows of table %q and should have %d: %w",
			inv.row.ID, have, n.From.Table, inv.count(n.From.Table), ErrInconsistent)
	}
	if inv.all == nil {
		inv.all = map[Table]bool{}
	}
	inv.all[n.From.Table] = true
	return nil
}

func (inv *invocation) loadedPoint(k Key, rows []Row) {
	if k.Table == TableSignal {
		if inv.signals == nil {
			inv.signals = map[uint32]bool{}
		}
		inv.signals[k.C] = len(rows) > 0
		return
	}
	if inv.pending == nil {
		inv.pending = map[uint32]*PendingRow{}
	}
	inv.pending[k.C] = nil
	if len(rows) > 0 {
		inv.pending[k.C] = rows[0].(*PendingRow)
	}
}

// loadedAll joins the stored rows of a table with what memory knows better:
// rows that are not durable yet, and rows whose removal is not. It returns how
// many there are.
func (inv *invocation) loadedAll(table Table, rows []Row) (have int) {
	switch table {
	case TableJournal:
		for _, r := range rows {
			inv.firsts = append(inv.firsts, r.(*JournalRow).First)
		}
		slices.Sort(inv.firsts)
		inv.firsts = slices.Compact(inv.firsts)
		return len(inv.firsts)
	case TableSignal:
		if inv.signals == nil {
			inv.signals = make(map[uint32]bool, len(rows))
		}
		for _, r := range rows {
			inv.signals[r.(*SignalRow).Index] = true
		}
		maps.DeleteFunc(inv.signals, func(_ uint32, stored bool) bool { return !stored })
		return len(inv.signals)
	case TablePending:
		if inv.pending == nil {
			inv.pending = make(map[uint32]*PendingRow, len(rows))
		}
		for _, r := range rows {
			p := r.(*PendingRow)
			if _, known := inv.pending[p.Completion]; !known {
				inv.pending[p.Completion] = p
			}
		}
		maps.DeleteFunc(inv.pending, func(_ uint32, p *PendingRow) bool { return p == nil })
		return len(inv.pending)
	default:
		for _, r := range rows {
			w := r.(*WaiterRow)
			if !slices.ContainsFunc(inv.waiters, func(have *WaiterRow) bool { return have.Seq == w.Seq }) {
				inv.waiters = append(inv.waiters, w)
			}
		}
		slices.SortFunc(inv.waiters, func(a, b *WaiterRow) int { return cmp.Compare(a.Seq, b.Seq) })
		return len(inv.waiters)
	}
}

// find returns the invocation with id; nil without needs when there is none.
func (t *transition) find(id ident.InvocationID) (*invocation, []Need) {
	birth, known := t.births[id]
	_, gone := t.gone[id]
	switch {
	case !known && gone:
		return nil, nil
	case !known:
		return nil, []Need{{From: (&IDRow{ID: id}).Key()}}
	case birth == 0:
		return nil, nil
	}
	return t.findBirth(birth, id.Partition())
}

// findBirth returns the invocation born at birth; nil without needs when there
// is none.
func (t *transition) findBirth(birth ident.Seq, p ident.Partition) (*invocation, []Need) {
	if inv := t.invocations[birth]; inv != nil {
		return inv, nil
	}
	if _, gone := t.goneBirths[birth]; gone || t.absent[birth] {
		return nil, nil
	}
	return nil, []Need{{From: Key{Partition: p, Table: TableInvocation, A: uint64(birth)}}}
}
