package machine

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dormouse-run/dormouse/internal/ident"
)

// Values up to inlineValue bytes stay in the head record while they are
// together at most inlineTotal bytes.
const (
	inlineValue = 512
	inlineTotal = 4096
)

// state is the state of an object: every value that is inline, and those rows
// that were read or written.
type state struct {
	partition  ident.Partition
	object     ident.ObjectID
	generation ident.Seq
	cells      map[string]*cell
	// rows counts state rows of this generation, inline the bytes inline.
	rows   uint32
	inline int
	// complete says that cells has every name.
	complete bool
	// unsettled lists the names whose cells may be let go of once the event that
	// read them is over, or what wrote them is durable, oldest first.
	unsettled []string
}

// cell is one value. present is false for a name known to be absent, loaded is
// false for one whose value is only in its row.
type cell struct {
	value                   []byte
	present, loaded, inline bool
	written                 ident.Seq
}

func newState(p ident.Partition, object ident.ObjectID, h *HeadRow) state {
	s := state{
		partition: p, object: object, generation: h.Generation, rows: h.StateRows,
		cells: make(map[string]*cell, len(h.Inline)), complete: h.StateRows == 0,
	}
	for _, v := range h.Inline {
		s.cells[v.Name] = &cell{value: v.Value, present: true, loaded: true, inline: true}
		s.inline += len(v.Name) + len(v.Value)
	}
	return s
}

// fill puts what the head record keeps of the state into h.
func (s *state) fill(h *HeadRow) {
	h.Generation, h.StateRows, h.Inline = s.generation, s.rows, h.Inline[:0]
	for name, c := range s.cells {
		if c.present && c.inline {
			h.Inline = append(h.Inline, StateValue{Name: name, Value: c.value})
		}
	}
	slices.SortFunc(h.Inline, func(a, b StateValue) int { return strings.Compare(a.Name, b.Name) })
}

// need asks for one value that is not in memory.
func (s *state) need(name string) []Need {
	c := s.cells[name]
	if c != nil && (c.loaded || !c.present) || c == nil && s.complete {
		return nil
	}
	return []Need{{From: s.rowKey(name)}}
}

// needNames asks for every row when the names are not all known.
func (s *state) needNames() []Need {
	if s.complete {
		return nil
	}
	from := s.rowKey("")
	to := from
	to.A++
	return []Need{{From: from, To: to, Limit: int(s.rows) + len(s.cells) + 1}}
}

// needAll asks for every row when the values are not all in memory.
func (s *state) needAll() []Need {
	for _, c := range s.cells {
		if c.present && !c.loaded {
			s.complete = false
			break
		}
	}
	return s.needNames()
}

// all lists every value, sorted; needAll must have been satisfied.
func (s *state) all() []StateValue {
	values, _ := s.snapshot()
	return values
}

// loaded takes state rows: one value, or all of them.
func (s *state) loaded(n Need, rows []Row) error {
	if n.Point() && len(rows) == 0 {
		if c := s.cells[n.From.Name]; c != nil && c.present {
			return fmt.Errorf("state %q has no row: %w", n.From.Name, ErrInconsistent)
		}
		s.keep(n.From.Name, &cell{loaded: true})
		return nil
	}
	for _, row := range rows {
		r := row.(*StateRow)
		if c := s.cells[r.Name]; c != nil && (c.loaded || !c.present) {
			continue // what is in memory is newer
		}
		s.keep(r.Name, &cell{value: r.Value, present: true, loaded: true})
	}
	if n.Point() {
		return nil
	}
	s.complete = true
	if have := s.rowNames(); have != s.rows {
		return fmt.Errorf("state has %d rows and should have %d: %w", have, s.rows, ErrInconsistent)
	}
	return nil
}

// keep takes a cell that was read, until settle lets go of it.
func (s *state) keep(name string, c *cell) {
	s.cells[name] = c
	s.unsettled = append(s.unsettled, name)
}

func (s *state) rowNames() (n uint32) {
	for _, c := range s.cells {
		if c.present && !c.inline {
			n++
		}
	}
	return n
}

// empty reports whether there is no value.
func (s *state) empty() bool {
	for _, c := range s.cells {
		if c.present {
			return false
		}
	}
	return s.rows == 0
}

// get returns a value; need must have been satisfied.
func (s *state) get(name string) ([]byte, bool) {
	if c := s.cells[name]; c != nil && c.present {
		return c.value, true
	}
	return nil, false
}

// names lists all names, sorted; needNames must have been satisfied.
func (s *state) names() []string {
	names := make([]string, 0, len(s.cells))
	for name, c := range s.cells {
		if c.present {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// snapshot lists the values in memory, and whether there are no others.
func (s *state) snapshot() (values []StateValue, complete bool) {
	complete = s.complete
	for name, c := range s.cells {
		switch {
		case c.present && c.loaded:
			values = append(values, StateValue{Name: name, Value: c.value})
		case c.present:
			complete = false
		}
	}
	slices.SortFunc(values, func(a, b StateValue) int { return strings.Compare(a.Name, b.Name) })
	return values, complete
}

// set stores a value. It returns the row to write, nil when it is inline, and
// whether an older row must go.
func (s *state) set(name string, value []byte, seq ident.Seq) (row *StateRow, dropRow bool) {
	if s.generation == 0 {
		s.generation = seq
	}
	hadRow := s.drop(name)
	inline := fitsInline(&StateValue{Name: name, Value: value}, s.inline)
	s.cells[name] = &cell{value: value, present: true, loaded: true, inline: inline, written: seq}
	if inline {
		s.inline += len(name) + len(value)
		return nil, hadRow
	}
	s.rows++
	s.unsettled = append(s.unsettled, name)
	return &StateRow{Partition: s.partition, Object: s.object, Generation: s.generation, Name: name, Value: value}, false
}

// fitsInline reports whether a value fits the head record, which holds so many
// bytes of others.
func fitsInline(v *StateValue, held int) bool {
	return len(v.Value) <= inlineValue && held+len(v.Name)+len(v.Value) <= inlineTotal
}

// clear removes a value and reports whether its row must go.
func (s *state) clear(name string, seq ident.Seq) (dropRow bool) {
	hadRow := s.drop(name)
	s.cells[name] = &cell{loaded: true, written: seq}
	s.unsettled = append(s.unsettled, name)
	return hadRow
}

// drop takes a value out of the counts and reports whether it had a row.
func (s *state) drop(name string) (hadRow bool) {
	c := s.cells[name]
	switch {
	case c == nil || !c.present:
		return false
	case c.inline:
		s.inline -= len(name) + len(c.value)
		return false
	default:
		s.rows--
		return true
	}
}

// clearAll empties the state under a new generation. It returns the old one,
// 0 when no row is left behind to sweep. When the generation is as new as seq,
// every row of it was written by the same output, and their keys are returned.
func (s *state) clearAll(seq ident.Seq) (swept ident.Seq, drop []Key) {
	if s.rows > 0 && s.generation != seq {
		swept = s.generation
	}
	if s.generation == seq {
		for _, name := range s.names() {
			if !s.cells[name].inline {
				drop = append(drop, s.rowKey(name))
			}
		}
	}
	s.generation = seq
	s.cells, s.rows, s.inline, s.complete = map[string]*cell{}, 0, 0, true
	return swept, drop
}

// replace gives the object a state whose rows are, or are about to be, written
// under a new generation. It returns the old one, 0 when no row is left behind to
// sweep. values are sorted by name.
func (s *state) replace(generation ident.Seq, values []StateValue, seq ident.Seq) (swept ident.Seq) {
	if s.rows > 0 {
		swept = s.generation
	}
	s.generation, s.complete = generation, true
	s.cells, s.rows, s.inline = make(map[string]*cell, len(values)), 0, 0
	for _, v := range values {
		s.set(v.Name, v.Value, seq)
	}
	return swept
}

// settle lets go of large values and of absent names that can be read back.
func (s *state) settle(durable ident.Seq) {
	n := 0
	for ; n < len(s.unsettled); n++ {
		name := s.unsettled[n]
		c := s.cells[name]
		if c == nil || c.inline {
			continue
		}
		if c.written > durable {
			break
		}
		if !c.present {
			delete(s.cells, name)
		} else if len(c.value) > inlineTotal {
			c.value, c.loaded = nil, false
		}
	}
	s.unsettled = s.unsettled[n:]
}

func (s *state) rowKey(name string) Key {
	return Key{Partition: s.partition, Table: TableState, Object: s.object, A: uint64(s.generation), Name: name}
}
