package replay

import (
	"slices"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
)

// Step is what an await comes to.
type Step struct {
	Kind StepKind
	// Index is the position of the id that is done, for StepDone.
	Index int
	// Result is what it was done with. It is ResultNone for an id that the
	// caller had marked as done.
	Result journal.Result
}

// StepKind tells steps apart.
type StepKind uint8

// Steps.
const (
	// StepDone: one of the awaited ids is done.
	StepDone StepKind = iota + 1
	// StepCancelled: a cancel was consumed. It is gone now.
	StepCancelled
	// StepPending: nothing is left to consume. Feed more and await again.
	StepPending
)

// String returns the word used in tests.
func (k StepKind) String() string {
	switch k {
	case StepDone:
		return "done"
	case StepCancelled:
		return "cancelled"
	case StepPending:
		return "pending"
	default:
		return "unknown"
	}
}

func cancelID() journal.NotificationID { return journal.SignalID(ident.CancelSignal) }

// Await waits for the first of ids. A zero id stands for a future that is done
// already. Among several that are done the first in the order of ids is taken;
// a result is taken once, and the caller keeps it.
//
// The error is a *Mismatch when the stored journal cannot satisfy the wait
// although commands of it are left.
func (a *Attempt) Await(ids []journal.NotificationID) (Step, error) {
	if !a.reached {
		if err := a.reach(); err != nil {
			return Step{}, err
		}
	}
	for {
		for i, id := range ids {
			if id == (journal.NotificationID{}) {
				return Step{Kind: StepDone, Index: i}, nil
			}
			if n, ok := a.take(id); ok {
				return Step{Kind: StepDone, Index: i, Result: n.Result}, nil
			}
		}
		id, ok := a.consume()
		if !ok {
			return a.pending(ids)
		}
		if id == cancelID() {
			return Step{Kind: StepCancelled}, nil
		}
	}
}

// reach notes that the handler waits at the point of its last suspension.
func (a *Attempt) reach() error {
	if a.allocated == a.suspended {
		a.reached = true
		return nil
	}
	return a.checkSuspension(Side{Name: "a wait", Allocated: a.allocated})
}

// pending is the step of a wait for which nothing is left to consume. A stored
// command behind it was issued after this wait had been satisfied, by a
// notification that would be stored as well; and a handler that had been
// suspended elsewhere cannot have waited here in vain.
func (a *Attempt) pending(ids []journal.NotificationID) (Step, error) {
	if a.left == 0 && a.reached {
		return Step{Kind: StepPending}, nil
	}
	m := &Mismatch{
		Index:  a.index + 1,
		Stored: Side{Name: "a wait", Allocated: a.suspended},
		Issued: Side{Name: "a wait for " + a.Suspension(ids).String(), Allocated: a.allocated},
	}
	if a.left > 0 {
		m.Stored = a.peek()
	}
	return Step{}, m
}

// peek describes the next stored command.
func (a *Attempt) peek() Side {
	e := a.upcoming()
	stored, err := journal.DecodeCommand(e.Type, e.Body)
	if err != nil {
		return Side{Type: e.Type, Allocated: e.Sidecar.Allocated}
	}
	return sideOf(stored, e.Sidecar.Allocated)
}

// Suspension returns what the engine must wait for on behalf of an await of
// ids that is pending: the first of them, or a cancel.
func (a *Attempt) Suspension(ids []journal.NotificationID) *journal.Future {
	f := &journal.Future{Combinator: journal.FirstCompleted, Signals: []uint32{ident.CancelSignal}}
	for _, id := range ids {
		switch {
		case id.Name != "" && !slices.Contains(f.Named, id.Name):
			f.Named = append(f.Named, id.Name)
		case id.Signal != 0 && !slices.Contains(f.Signals, id.Signal):
			f.Signals = append(f.Signals, id.Signal)
		case id.Completion != 0 && !slices.Contains(f.Completions, id.Completion):
			f.Completions = append(f.Completions, id.Completion)
		}
	}
	return f
}
