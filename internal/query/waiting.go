package query

import (
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// waiting walks the invocations of one partition that are at work or wait, in the
// order of their births: those of the active set, and those of some classes of
// the status index. Like a listing it steps over what was removed.
type waiting struct {
	partition ident.Partition
	sources   []waitingSource
	err       error
}

// waitingSource is one table range, standing at birth.
type waitingSource struct {
	rows  persistence.Iterator
	birth ident.Seq
	// ended says that there is nothing more.
	ended bool
}

// waitingStep is one step.
type waitingStep struct {
	birth ident.Seq
	// present is false for what was removed.
	present bool
}

// openWaiting walks partition p behind a birth.
func openWaiting(r persistence.Reader, m *meter, p ident.Partition, after ident.Seq, classes []machine.StatusClass) *waiting {
	w := &waiting{partition: p}
	w.open(r, m, machine.Key{Partition: p, Table: machine.TableActive, A: uint64(after) + 1}, machine.Key{})
	for _, class := range classes {
		from := machine.Key{Partition: p, Table: machine.TableStatus, A: uint64(class), B: uint64(after) + 1}
		w.open(r, m, from, machine.Key{Partition: p, Table: machine.TableStatus, A: uint64(class) + 1})
	}
	return w
}

func (w *waiting) open(r persistence.Reader, m *meter, from, to machine.Key) {
	m.Spend(1)
	w.sources = append(w.sources, waitingSource{rows: r.Rows(from, to, persistence.Ascending)})
	w.advance(&w.sources[len(w.sources)-1])
}

func (w *waiting) advance(s *waitingSource) {
	if !s.rows.Next() {
		s.ended = true
		if err := s.rows.Err(); err != nil && w.err == nil {
			w.err = err
		}
		return
	}
	k := s.rows.Key()
	if s.birth = ident.Seq(k.B); k.Table == machine.TableActive {
		s.birth = ident.Seq(k.A)
	}
}

// next returns the next birth, and false at the end. A birth that stands in
// several ranges, because it was removed from some, is one step.
func (w *waiting) next(m *meter) (step waitingStep, more bool, err error) {
	for i := range w.sources {
		if s := &w.sources[i]; !s.ended && (!more || s.birth < step.birth) {
			step.birth, more = s.birth, true
		}
	}
	if w.err != nil || !more {
		return step, false, w.err
	}
	for i := range w.sources {
		s := &w.sources[i]
		if s.ended || s.birth != step.birth {
			continue
		}
		m.Spend(1)
		row, err := s.rows.Row()
		if err != nil {
			return step, false, err
		}
		step.present = step.present || row != nil
		w.advance(s)
	}
	return step, true, nil
}

func (w *waiting) close() {
	for i := range w.sources {
		w.sources[i].rows.Close()
	}
}
