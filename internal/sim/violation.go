package sim

import (
	"fmt"
	"time"
)

// Invariant is one of the things that must hold whatever happens. The numbers are
// those of the list in docs/testing.md.
type Invariant uint8

// Invariants.
const (
	InvariantAcked Invariant = iota + 1
	InvariantPrefix
	InvariantGate
	InvariantStranded
	InvariantOrder
	InvariantJournal
	InvariantReplay
	InvariantRun
	InvariantHandOver
	InvariantOwner
	// InvariantPanic: code of ours has panicked, or the runtime has stopped by
	// itself.
	InvariantPanic
)

// String returns the name of the invariant.
func (i Invariant) String() string {
	names := [...]string{
		InvariantAcked:    "what was acknowledged is durable",
		InvariantPrefix:   "the disk holds a prefix, and memory all of it",
		InvariantGate:     "nothing leaves before its cause is durable",
		InvariantStranded: "nothing is stranded",
		InvariantOrder:    "one at a time, in order",
		InvariantJournal:  "a journal has no holes",
		InvariantReplay:   "the same story on replay",
		InvariantRun:      "done once stays done",
		InvariantHandOver: "handed over once, in order",
		InvariantOwner:    "rows have owners",
		InvariantPanic:    "code of ours does not fail",
	}
	if i == 0 || int(i) >= len(names) {
		return "unknown"
	}
	return names[i]
}

// Violation says which invariant did not hold, and when.
type Violation struct {
	Invariant Invariant
	Text      string
	Step      uint64
	At        time.Duration
}

// Error implements error.
func (v *Violation) Error() string {
	return fmt.Sprintf("invariant %d, %s: %s (step %d, at %v)", v.Invariant, v.Invariant, v.Text, v.Step, v.At)
}
