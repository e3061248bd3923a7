package actors

import "github.com/dormouse-run/dormouse/internal/machine"

// Point is a moment at which a test may end the process. The set is closed.
type Point uint8

// Points, in the order in which an event meets them. Where a point is passed
// several times (once per effect, once per recovered row), whoever counts the
// passes tells them apart.
const (
	// PointApplied: an event has changed its object; nothing is encoded.
	PointApplied Point = iota + 1
	// PointEncoded: the output of an event is encoded, not yet queued.
	PointEncoded
	// PointBeforeCommit: a group is complete, the store has not seen it.
	PointBeforeCommit
	// PointAfterCommit: a group is on disk, nobody has been told.
	PointAfterCommit
	// PointPublished: the durable number of an output is visible; none of its
	// effects is performed.
	PointPublished
	// PointEffect: one gated effect has been performed.
	PointEffect
	// PointParked: a suspension is applied, its handler is still in memory.
	PointParked
	// PointUnloaded: a suspended handler has been unwound.
	PointUnloaded
	// PointHandedOver: an outbox row has been posted to its receiver.
	PointHandedOver
	// PointTimerFired: a timer is about to be posted to its key.
	PointTimerFired
	// PointRecoveryRow: start-up has handled one row.
	PointRecoveryRow
	// PointGuardDone: the store is open and checked; recovery begins.
	PointGuardDone
	// PointClosing: Close has begun.
	PointClosing
	// PointListeners: a slice of those who wait for a promise is answered in
	// memory; nothing is encoded.
	PointListeners
	// PointSwept: a slice of another chore is done in memory; nothing is encoded.
	PointSwept
	// PointWorkflowRemoved: a workflow with promises is removed in memory;
	// nothing is encoded.
	PointWorkflowRemoved
	// PointExpiring: a row that has outlived its retention is about to be posted
	// to its key.
	PointExpiring
	// PointDeadlocked: a call is about to fail because it can never be answered;
	// its callee has not been told.
	PointDeadlocked

	pointEnd
)

// String returns the name of the point.
func (p Point) String() string {
	switch p {
	case PointApplied:
		return "applied"
	case PointEncoded:
		return "encoded"
	case PointBeforeCommit:
		return "beforeCommit"
	case PointAfterCommit:
		return "afterCommit"
	case PointPublished:
		return "published"
	case PointEffect:
		return "effect"
	case PointParked:
		return "parked"
	case PointUnloaded:
		return "unloaded"
	case PointHandedOver:
		return "handedOver"
	case PointTimerFired:
		return "timerFired"
	case PointRecoveryRow:
		return "recoveryRow"
	case PointGuardDone:
		return "guardDone"
	case PointClosing:
		return "closing"
	case PointListeners:
		return "listeners"
	case PointSwept:
		return "swept"
	case PointWorkflowRemoved:
		return "workflowRemoved"
	case PointExpiring:
		return "expiring"
	case PointDeadlocked:
		return "deadlocked"
	default:
		return "unknown"
	}
}

// tracer is told of every point that is passed. The nil tracer listens to
// nothing, which is what production uses.
type tracer func(Point)

func (t tracer) pass(p Point) {
	if t != nil {
		t(p)
	}
}

// passApplied passes the points of an event that has changed its object.
func (t tracer) passApplied(ev machine.Event, out *machine.Output) {
	if t == nil {
		return
	}
	t(PointApplied)
	switch ev := ev.(type) {
	case *machine.Park:
		t(PointParked)
	case *machine.DoChore:
		if ev.Chore.Kind == machine.ChoreAnswerListeners {
			t(PointListeners)
		} else {
			t(PointSwept)
		}
	}
	for _, w := range out.Writes {
		if c, ok := w.Put.(*machine.ChoreRow); ok && c.Kind == machine.ChoreSweepPromises {
			t(PointWorkflowRemoved)
		}
	}
}
