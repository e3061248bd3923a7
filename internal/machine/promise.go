package machine

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
)

// PromiseRow is a durable promise of a workflow. It belongs to the key of the
// workflow, and so do all who wait for it: they are invocations of that key.
//
// Invariants: a promise is completed once and never changes afterwards; Number
// is at most the Promises of the head; ListenerRows under Number exist only
// while it is open, or while a ChoreAnswerListeners has not answered them.
type PromiseRow struct {
	Partition  ident.Partition
	Object     ident.ObjectID
	Generation ident.Seq
	Name       string
	// Number names the promise among those of its generation, from 1.
	Number uint32
	// Asked counts everyone who has ever waited for it: the number of the last
	// listener.
	Asked uint32
	// CreatedAt is when somebody first named the promise, in ms since the epoch.
	CreatedAt int64
	// Result is ResultNone while the promise is open. It is set, together with
	// CompletedAt, by the one completion.
	Result      journal.Result
	CompletedAt int64
}

// ListenerRow is an invocation that waits for an open promise. Its PendingRow
// names the listener, so that the end of the invocation removes both.
type ListenerRow struct {
	Partition  ident.Partition
	Object     ident.ObjectID
	Generation ident.Seq
	// Promise is the Number of the promise, N that of the listener.
	Promise, N uint32
	// Name is the name of the promise.
	Name       string
	ID         ident.InvocationID
	Birth      ident.Seq
	Completion uint32
}

// Key returns the key of the row.
func (r *PromiseRow) Key() Key {
	return Key{Partition: r.Partition, Table: TablePromise, Object: r.Object, A: uint64(r.Generation), Name: r.Name}
}

// Key returns the key of the row.
func (r *ListenerRow) Key() Key {
	return Key{Partition: r.Partition, Table: TableListener, Object: r.Object, A: uint64(r.Generation), B: uint64(r.Promise), C: r.N}
}

// inlineListeners is how many listeners the output that completes a promise
// answers itself. More of them are left to a chore.
const inlineListeners = 64

// promises are the durable promises of a workflow: those that the present event
// has asked for, and those that are not durable yet.
//
// Everybody who listens is in the store or in listeners. A listener that is in
// the store although its invocation has ended, because the removal is not
// durable, is told nothing: its invocation owes no such completion any more. So
// removals need not be remembered here.
type promises struct {
	partition  ident.Partition
	object     ident.ObjectID
	generation ident.Seq
	// rows counts the promises of this generation. None is removed alone.
	rows   uint32
	byName map[string]*promise
	// unsettled lists the promises in byName, by the event that read or wrote
	// them, until settle.
	unsettled []unsettledPromise
}

type unsettledPromise struct {
	seq  ident.Seq
	name string
}

// promise is one promise in memory. One that is not present is known to have no
// row.
type promise struct {
	row     PromiseRow
	present bool
	// fresh says that the present transition made the row; changedAt and written
	// number the outputs that changed and last wrote it.
	fresh              bool
	changedAt, written ident.Seq
	// listed says that listeners holds everyone who waits, or, when crowded is
	// set, that they are too many for one output.
	listed, crowded bool
	listeners       map[uint32]listener
}

// listener is a ListenerRow in memory, with the output that wrote it, 0 when it
// was read.
type listener struct {
	row ListenerRow
	seq ident.Seq
}

func newPromises(p ident.Partition, object ident.ObjectID, h *HeadRow) promises {
	return promises{
		partition: p, object: object, generation: h.Workflow.Generation, rows: h.Workflow.Promises,
		byName: map[string]*promise{},
	}
}

// fill puts what the head record keeps of the promises into h.
func (s *promises) fill(h *HeadRow) {
	h.Workflow.Generation, h.Workflow.Promises = s.generation, s.rows
}

// reset forgets all promises: what comes next has another generation.
func (s *promises) reset() {
	s.generation, s.rows, s.byName, s.unsettled = 0, 0, map[string]*promise{}, nil
}

// completed reports whether the promise has its result.
func (p *promise) completed() bool { return p.present && p.row.Result.Kind != journal.ResultNone }

// need asks for the row of a promise.
func (s *promises) need(name string) []Need {
	if s.byName[name] != nil || s.rows == 0 {
		return nil
	}
	row := PromiseRow{Partition: s.partition, Object: s.object, Generation: s.generation, Name: name}
	return []Need{{From: row.Key()}}
}

// needListeners asks for everyone who waits for a promise whose row is known.
func (s *promises) needListeners(name string) []Need {
	p := s.byName[name]
	if p == nil || !p.present || p.completed() || p.listed {
		return nil
	}
	from := (&ListenerRow{Partition: s.partition, Object: s.object, Generation: s.generation, Promise: p.row.Number}).Key()
	to := from
	to.B++
	return []Need{{From: from, To: to, Limit: inlineListeners + 1}}
}

// loaded takes the row of one promise, or those of its listeners.
func (s *promises) loaded(n Need, rows []Row) error {
	if n.From.Table == TableListener {
		return s.loadedListeners(n, rows)
	}
	p := &promise{listed: true}
	if len(rows) > 0 {
		r, ok := rows[0].(*PromiseRow)
		if !ok || r.Number == 0 || r.Number > s.rows {
			return fmt.Errorf("promise %q has a number beyond the %d of its workflow: %w", n.From.Name, s.rows, ErrInconsistent)
		}
		p = &promise{row: *r, present: true}
	}
	s.keep(n.From.Name, p, 0)
	return nil
}

func (s *promises) loadedListeners(n Need, rows []Row) error {
	for _, p := range s.byName {
		if !p.present || uint64(p.row.Number) != n.From.B {
			continue
		}
		p.listed, p.crowded = true, len(rows) > inlineListeners
		for _, row := range rows {
			r, ok := row.(*ListenerRow)
			if !ok || r.Name != p.row.Name {
				return fmt.Errorf("a listener of promise %q names another one: %w", p.row.Name, ErrInconsistent)
			}
			if _, known := p.listeners[r.N]; !known {
				p.listen(listener{row: *r})
			}
		}
		return nil
	}
	return nil
}

func (s *promises) keep(name string, p *promise, seq ident.Seq) {
	s.byName[name] = p
	s.unsettled = append(s.unsettled, unsettledPromise{seq: seq, name: name})
}

// get returns a promise; need must have been satisfied.
func (s *promises) get(name string) *promise {
	p := s.byName[name]
	if p == nil {
		p = &promise{listed: true}
		s.keep(name, p, 0)
	}
	return p
}

// create gives a promise that has none a row.
func (s *promises) create(name string, at Stamp) *promise {
	p := s.get(name)
	if p.present {
		return p
	}
	if s.generation == 0 {
		s.generation = at.Seq
	}
	s.rows++
	p.present, p.fresh = true, true
	p.row = PromiseRow{
		Partition: s.partition, Object: s.object, Generation: s.generation, Name: name,
		Number: s.rows, CreatedAt: at.Now,
	}
	return p
}

func (p *promise) listen(l listener) {
	if p.listeners == nil {
		p.listeners = map[uint32]listener{}
	}
	p.listeners[l.row.N] = l
}

// list returns everyone in memory who waits, in the order of their coming.
func (p *promise) list() []ListenerRow {
	list := make([]ListenerRow, 0, len(p.listeners))
	for _, l := range p.listeners {
		list = append(list, l.row)
	}
	slices.SortFunc(list, func(a, b ListenerRow) int { return cmp.Compare(a.N, b.N) })
	return list
}

// settle forgets what can be read back.
func (s *promises) settle(durable ident.Seq) {
	n := 0
	for n < len(s.unsettled) && s.unsettled[n].seq <= durable {
		name := s.unsettled[n].name
		n++
		p := s.byName[name]
		switch {
		case p == nil:
		case p.written <= durable:
			delete(s.byName, name)
		default:
			p.settle(durable)
		}
	}
	s.unsettled = s.unsettled[n:]
}

func (p *promise) settle(durable ident.Seq) {
	for n, l := range p.listeners {
		if l.seq <= durable {
			delete(p.listeners, n)
			p.listed = false
		}
	}
}
