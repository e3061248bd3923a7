package actors

import (
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// Request asks for an invocation.
type Request struct {
	Service string
	// Key is ignored for plain services.
	Key     string
	Handler string
	Headers []journal.Header
	Body    []byte
	// IdempotencyKey is absent when empty.
	IdempotencyKey string
	// Delay is for Send: nil starts at once.
	Delay *time.Duration
	// Origin says whether the request came over HTTP or in process. Private
	// handlers refuse both.
	Origin machine.InvokedBy
}

// Response is the result of an invocation: a value or a terminal failure.
type Response struct {
	ID ident.InvocationID
	// Result may be given to others, too, who wait for the same invocation: its
	// bytes must not be changed.
	Result journal.Result
	// ExpiresAt is set when the invocation had completed before it was asked
	// for.
	ExpiresAt time.Time
}

// Accepted says that an invocation is durable.
type Accepted struct {
	ID ident.InvocationID
	// Previously is true when the id existed before.
	Previously bool
	// StartAt is set while the invocation is scheduled.
	StartAt time.Time
}

// SignalOutcome says what became of a signal. In all three cases it is durable
// that the invocation is answered or over.
type SignalOutcome uint8

// Outcomes of a signal.
const (
	// SignalApplied: it is stored and will be delivered.
	SignalApplied SignalOutcome = iota + 1
	// SignalDuplicate: an earlier one was stored, which wins.
	SignalDuplicate
	// SignalCompleted: the invocation had completed.
	SignalCompleted
)

// String returns the word of the x-dormouse-outcome header.
func (o SignalOutcome) String() string {
	switch o {
	case SignalApplied:
		return "applied"
	case SignalDuplicate:
		return "duplicate"
	case SignalCompleted:
		return "completed"
	default:
		return "unknown"
	}
}
