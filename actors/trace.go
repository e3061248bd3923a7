package actors

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
