package query

import (
	"fmt"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// InvocationFilter says which invocations a list shows. Fields that are set must
// all fit; the zero value is the first page of all of them, newest first.
type InvocationFilter struct {
	Service, Handler, IdempotencyKey string
	// Key is the key of an object or the id of a workflow, which may be empty;
	// nil for any. Plain services have none.
	Key *string
	// Statuses are those of which an invocation must have one; none for any.
	Statuses Statuses
	// Result is ResultVoid or ResultValue for those that succeeded and
	// ResultFailure for those that failed; ResultNone for any.
	Result    journal.ResultKind
	InvokedBy machine.InvokedBy
	// CallerID is the invocation that made the call or the send.
	CallerID ident.InvocationID
	// CreatedAfter and CreatedBefore bound the creation, in milliseconds since
	// the epoch: at or after the first and before the second one. 0 is no bound.
	CreatedAfter, CreatedBefore int64
	// MinAge is the least time since the creation.
	MinAge time.Duration
	// OldestFirst turns the order round.
	OldestFirst bool

	// Limit is how many items a page has at most, 1 to MaxLimit; 0 is
	// DefaultLimit.
	Limit int
	// Cursor is the Next of the page before, "" for the first one.
	Cursor string
}

// Invocation is an item of a list.
type Invocation struct {
	// Row is the record. Its Result has no payload.
	Row machine.InvocationRow
	// Live is what its attempt is doing, zero when there is none in memory.
	Live LiveAttempt
	Place
}

// text is what a cursor depends on: everything but the limit.
func (f *InvocationFilter) text() string {
	key := "any"
	if f.Key != nil {
		key = fmt.Sprintf("%q", *f.Key)
	}
	return fmt.Sprintf("%q %q %s %q %s %d %d %s %d %d %d %t", f.Service, f.Handler, key, f.IdempotencyKey, f.Statuses,
		f.Result, f.InvokedBy, f.CallerID, f.CreatedAfter, f.CreatedBefore, f.MinAge.Milliseconds(), f.OldestFirst)
}

// fits reports whether a record belongs to the list. after and before are the
// bounds of its creation.
func (f *InvocationFilter) fits(row *machine.InvocationRow, running bool, after, before int64) bool {
	switch {
	case f.Service != "" && row.Target.Service != f.Service,
		f.Handler != "" && row.Target.Handler != f.Handler,
		f.Key != nil && (!row.Target.Keyed() || row.Target.Key != *f.Key),
		f.IdempotencyKey != "" && row.IdempotencyKey != f.IdempotencyKey,
		f.InvokedBy != 0 && row.InvokedBy != f.InvokedBy,
		!f.CallerID.IsZero() && row.Caller.ID != f.CallerID,
		row.CreatedAt < after || row.CreatedAt >= before,
		f.Statuses != 0 && !f.Statuses.meets(statusOf(row, running)):
		return false
	}
	switch f.Result {
	case journal.ResultNone:
		return true
	case journal.ResultFailure:
		return row.Result.Kind == journal.ResultFailure
	default:
		return row.Result.Kind != journal.ResultNone && row.Result.Kind != journal.ResultFailure
	}
}

// statusOf returns the status that a list shows.
func statusOf(row *machine.InvocationRow, running bool) Statuses {
	if running {
		return Running
	}
	return StatusOf(row.Status)
}
