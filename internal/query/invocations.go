package query

import (
	"cmp"
	"encoding/binary"
	"math"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// invocationList is the name of the list in its cursors.
const invocationList = "invocations"

// Invocations returns a page of invocations. Its error wraps ErrLimit, ErrCursor
// or ErrForeignCursor for a bad question; any other one is that of the store.
func Invocations(r persistence.Reader, at Moment, f *InvocationFilter) (Page[Invocation], error) {
	s := search{reader: r, filter: f, at: at, budget: NewBudget(at.Clock), after: f.CreatedAfter, before: math.MaxInt64}
	s.places = NewPlaces(r, s.budget)
	if err := s.prepare(); err != nil {
		return Page[Invocation]{}, err
	}
	if err := s.walk(); err != nil {
		return Page[Invocation]{}, err
	}
	s.page.Examined = s.budget.Examined()
	return s.page, nil
}

// search looks for the invocations of one page.
type search struct {
	reader persistence.Reader
	filter *InvocationFilter
	at     Moment
	budget *Budget
	places *Places
	limit  int
	// after and before bound the time of creation, window the births.
	after, before int64
	window        window
	// start is the position behind which the page begins, nil at the beginning
	// of the list.
	start *position
	// ended says that nothing that belongs to the list can follow.
	ended bool
	page  Page[Invocation]
}

// position is a place in the order of creation.
type position struct {
	birth     uint64
	partition ident.Partition
}

func (p position) encode() []byte {
	return binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint64(nil, p.birth), uint16(p.partition))
}

// compare orders positions. Births are unique; the partition decides when they
// are not.
func (p position) compare(q position) int {
	return cmp.Or(cmp.Compare(p.birth, q.birth), cmp.Compare(p.partition, q.partition))
}

// positionOf returns the position of a row of any table that leads to records.
func positionOf(k machine.Key) position {
	if k.Table == machine.TableStatus {
		return position{birth: k.B, partition: k.Partition}
	}
	return position{birth: k.A, partition: k.Partition}
}

// prepare reads the question.
func (s *search) prepare() (err error) {
	f := s.filter
	if s.limit, err = Limit(f.Limit); err != nil {
		return err
	}
	b, err := DecodeCursor(f.Cursor, invocationList, f.text())
	switch {
	case err != nil:
		return err
	case b != nil && len(b) != 10:
		return ErrCursor
	case b != nil:
		s.start = &position{birth: binary.BigEndian.Uint64(b), partition: ident.Partition(binary.BigEndian.Uint16(b[8:]))}
	}
	if f.CreatedBefore != 0 {
		s.before = f.CreatedBefore
	}
	if f.MinAge > 0 {
		s.before = min(s.before, s.at.Now-f.MinAge.Milliseconds()+1)
	}
	s.window = window{high: maxBirth}
	if s.start != nil {
		return nil
	}
	return s.window.narrow(s.reader, s.budget, s.order(), s.after, s.before)
}

func (s *search) order() persistence.Order {
	if s.filter.OldestFirst {
		return persistence.Ascending
	}
	return persistence.Descending
}

// walk fills the page.
func (s *search) walk() error {
	all, err := s.sources()
	if err != nil {
		return err
	}
	m := NewMerge(all, s.order(), func(a, b machine.Key) int { return positionOf(a).compare(positionOf(b)) }, s.budget)
	defer m.Close()
	// at is the position of the present step, and done the last one of which all
	// steps were made: an invocation has a step for each place that it was in, and
	// only one of them leads to it.
	var at, done position
	positions, begun := 0, false
	for !s.ended && m.Next() {
		next := positionOf(m.Key())
		arrived := !begun || next != at
		if arrived && begun {
			done, positions = at, positions+1
		}
		at, begun = next, true
		full := arrived && (len(s.page.Items) == s.limit || s.spent(2, positions))
		if !full {
			if full, err = s.look(m, positions); err != nil {
				return err
			}
		}
		if full {
			s.page.Next = EncodeCursor(invocationList, s.filter.text(), done.encode())
			return nil
		}
	}
	return m.Err()
}

// spent reports whether the page must end before a step that examines some rows,
// with so many positions behind it. Every page goes past a first one, and past
// some more however late it is.
func (s *search) spent(rows, positions int) bool {
	return positions > 0 && s.budget.Left() < rows || positions >= minWalk && s.budget.Late()
}

// look puts the present invocation on the page, if it belongs there. It reports
// whether the page must end before.
func (s *search) look(m *Merge, positions int) (full bool, err error) {
	row, err := s.record(m)
	if row == nil || err != nil {
		return false, err
	}
	if behind(row, s.order(), s.after, s.before) {
		s.ended = true
		return false, nil
	}
	var live LiveAttempt
	if s.at.Live != nil && row.Status == machine.StatusReady {
		live, _ = s.at.Live.Attempt(row)
	}
	if !s.filter.fits(row, live.Running, s.after, s.before) {
		return false, nil
	}
	if s.spent(s.places.Cost(row), positions) {
		return true, nil
	}
	place, err := s.places.Of(row)
	if err != nil {
		return false, err
	}
	row.Result.Value = nil
	s.page.Items = append(s.page.Items, Invocation{Row: *row, Live: live, Place: place})
	return false, nil
}

// record returns the record to which the present row leads, nil when the row was
// removed.
func (s *search) record(m *Merge) (*machine.InvocationRow, error) {
	row, err := m.Row()
	if row == nil || err != nil {
		return nil, err
	}
	record, ok := row.(*machine.InvocationRow)
	if ok {
		return record, nil
	}
	s.budget.Spend(1)
	at := positionOf(m.Key())
	if row, err = s.reader.Get(machine.Key{Partition: at.partition, Table: machine.TableInvocation, A: at.birth}); err != nil {
		return nil, err
	}
	record, _ = row.(*machine.InvocationRow)
	return record, nil
}
