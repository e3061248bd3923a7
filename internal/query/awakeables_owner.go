package query

import (
	"slices"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// awakeableOwner is one invocation whose awakeables are listed.
type awakeableOwner struct {
	*awakeableWalk
	inv     *machine.InvocationRow
	running bool
	await   *journal.Future
	since   int64
	// end is the first index that the handler has not handed out, as far as it is
	// known.
	end uint32
	// depth is the length of the queue behind it, when depthKnown is set.
	depth      uint64
	depthKnown bool
}

func newAwakeableOwner(w *awakeableWalk, inv *machine.InvocationRow) (*awakeableOwner, error) {
	o := &awakeableOwner{awakeableWalk: w, inv: inv, await: inv.Await, since: inv.ModifiedAt}
	allocated, err := allocatedSignals(w.r, w.m, inv)
	if err != nil {
		return nil, err
	}
	if w.at.Live != nil {
		if live, found := w.at.Live.Attempt(inv); found {
			o.running = live.Running
			allocated = max(allocated, live.Signals)
			if live.Awaiting != nil {
				o.await, o.since = live.Awaiting, live.Since
			}
		}
	}
	o.end = ident.FirstAwakeable + allocated
	if o.await != nil {
		for id := range o.await.Leaves() {
			if id.Signal >= o.end {
				o.end = id.Signal + 1
			}
		}
	}
	return o, nil
}

// allocatedSignals returns how many signal indexes the handler is known to have
// handed out: what it said when it was suspended, or with its last command.
func allocatedSignals(r persistence.Reader, m *meter, inv *machine.InvocationRow) (uint32, error) {
	if inv.Allocated.Signals > 0 || !inv.IssuedAwakeables {
		return inv.Allocated.Signals, nil
	}
	if n, found := lastAllocated(inv.Tail); found || inv.JournalRows == 0 {
		return n, nil
	}
	from := machine.Key{Partition: inv.ID.Partition(), Table: machine.TableJournal, A: uint64(inv.Birth)}
	to := from
	to.A++
	rows := r.Rows(from, to, persistence.Descending)
	defer rows.Close()
	for steps := 0; steps < maxJournalSteps && rows.Next(); steps++ {
		m.Spend(1)
		row, err := rows.Row()
		if err != nil {
			return 0, err
		}
		j, ok := row.(*machine.JournalRow)
		if !ok {
			continue
		}
		if n, found := lastAllocated(j.Entries); found {
			return n, nil
		}
	}
	return 0, rows.Err()
}

// lastAllocated returns what the last command among entries says.
func lastAllocated(entries []journal.Entry) (n uint32, found bool) {
	for _, e := range slices.Backward(entries) {
		if e.Type.IsCommand() {
			return e.Sidecar.Allocated.Signals, true
		}
	}
	return 0, false
}

// maxJournalSteps bounds how far back the last command is looked for, behind
// notifications.
const maxJournalSteps = 8

// walk lists what is behind index: indexes that were handed out and are not
// answered, then answers to those that were not. It leaves index 0 when it is done.
func (o *awakeableOwner) walk() error {
	index := max(o.index+1, ident.FirstAwakeable)
	from := machine.Key{Partition: o.inv.ID.Partition(), Table: machine.TableSignal, A: uint64(o.inv.Birth), C: index}
	to := machine.Key{Partition: from.Partition, Table: from.Table, A: from.A + 1}
	answers := signals{m: o.m}
	if o.inv.Signals > 0 {
		answers.rows = o.r.Rows(from, to, persistence.Ascending)
		defer answers.rows.Close()
	}
	for ; index < o.end; index++ {
		o.m.Spend(1)
		answered, err := answers.has(index)
		if err != nil {
			return err
		}
		if !answered {
			if err := o.emit(index, o.stateOf(index)); err != nil {
				return err
			}
		}
		if o.index = index; o.full() {
			return nil
		}
	}
	for answers.next() {
		if answers.index < o.end {
			continue
		}
		if err := o.emit(answers.index, AwakeableEarly); err != nil {
			return err
		}
		if o.index = answers.index; o.full() {
			return nil
		}
	}
	o.index = 0
	return answers.err
}

func (o *awakeableOwner) stateOf(index uint32) AwakeableState {
	if o.await != nil && o.await.Contains(journal.SignalID(index)) {
		return AwakeableAwaited
	}
	return AwakeableCreated
}

// emit adds an item, unless the filter leaves it out.
func (o *awakeableOwner) emit(index uint32, state AwakeableState) error {
	item := AwakeableItem{
		ID:         o.inv.Awakeable(index),
		Invocation: o.inv, Running: o.running, State: state, Since: o.since, AgeMs: max(0, o.at.Now-o.since),
	}
	f := &o.filter
	if len(f.States) > 0 && !slices.Contains(f.States, state) || item.AgeMs < f.MinAgeMs {
		return nil
	}
	if o.inv.Target.Kind == ident.KindExclusive {
		if err := o.readDepth(); err != nil {
			return err
		}
		item.Exclusive, item.QueueDepth = true, o.depth
	}
	o.items = append(o.items, item)
	return nil
}

func (o *awakeableOwner) readDepth() error {
	if o.depthKnown {
		return nil
	}
	key := ident.ObjectKey{Service: o.inv.Target.Service, Key: o.inv.Target.Key}
	head, err := readHead(o.r, o.m, o.inv.ID.Partition(), key)
	if head != nil && head.Holder == o.inv.Birth {
		o.depth = head.InboxLength
	}
	o.depthKnown = true
	return err
}

// signals walks the indexes that are answered. Without rows there are none.
type signals struct {
	rows persistence.Iterator
	m    *meter
	// index is the present one, which next has found and has may not have used.
	index uint32
	unused,
	ended bool
	err error
}

// next moves to the next answered index.
func (s *signals) next() bool {
	if s.unused {
		s.unused = false
		return true
	}
	for s.rows != nil && !s.ended && s.err == nil {
		if !s.rows.Next() {
			s.ended, s.err = true, s.rows.Err()
			break
		}
		s.m.Spend(1)
		row, err := s.rows.Row()
		if err != nil {
			s.err = err
			break
		}
		if row != nil {
			s.index = s.rows.Key().C
			return true
		}
	}
	return false
}

// has reports whether index is answered. Indexes are asked for in ascending order.
func (s *signals) has(index uint32) (bool, error) {
	for s.next() {
		if s.index >= index {
			s.unused = s.index > index
			return s.index == index, nil
		}
	}
	return false, s.err
}
