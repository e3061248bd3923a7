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
	rows *Merge
	// ahead says that rows stands at the first row of the next birth.
	ahead bool
}

// waitingStep is one step.
type waitingStep struct {
	birth ident.Seq
	// present is false for what was removed.
	present bool
}

// openWaiting walks partition p behind a birth.
func openWaiting(r persistence.Reader, m *meter, p ident.Partition, after ident.Seq, classes []machine.StatusClass) *waiting {
	active := machine.Key{Partition: p, Table: machine.TableActive, A: uint64(after) + 1}
	all := []persistence.Iterator{r.Rows(active, machine.Key{}, persistence.Ascending)}
	for _, class := range classes {
		from := machine.Key{Partition: p, Table: machine.TableStatus, A: uint64(class), B: uint64(after) + 1}
		to := machine.Key{Partition: p, Table: machine.TableStatus, A: uint64(class) + 1}
		all = append(all, r.Rows(from, to, persistence.Ascending))
	}
	m.Spend(len(all)) // an empty range has been looked at, too
	byBirth := func(a, b machine.Key) int { return positionOf(a).compare(positionOf(b)) }
	return &waiting{rows: NewMerge(all, persistence.Ascending, byBirth, m.Budget)}
}

// next returns the next birth, and false at the end. A birth that stands in
// several ranges, because it was removed from some, is one step.
func (w *waiting) next() (step waitingStep, more bool, err error) {
	if !w.ahead && !w.rows.Next() {
		return step, false, w.rows.Err()
	}
	at := positionOf(w.rows.Key())
	step.birth = ident.Seq(at.birth)
	for w.ahead = true; w.ahead && positionOf(w.rows.Key()) == at; w.ahead = w.rows.Next() {
		row, err := w.rows.Row()
		if err != nil {
			return step, false, err
		}
		step.present = step.present || row != nil
	}
	return step, true, w.rows.Err()
}

func (w *waiting) close() { w.rows.Close() }
