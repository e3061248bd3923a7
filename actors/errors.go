package actors

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// A request was refused before anything was stored.
var (
	// ErrUnknownService: no definition of this name is bound.
	ErrUnknownService = errors.New("unknown service")
	// ErrUnknownHandler: the service has no handler of this name.
	ErrUnknownHandler = errors.New("unknown handler")
	// ErrPrivate: the handler may be called by other handlers only.
	ErrPrivate = errors.New("the handler is private to other handlers")
	// ErrInvalid: a name or key is too long or not valid UTF-8.
	ErrInvalid = errors.New("invalid request")
	// ErrTooLarge: a payload is over Options.MaxPayload.
	ErrTooLarge = errors.New("the payload is too large")
	// ErrLowSpace: the store holds new work because something runs short. What
	// was accepted goes on, and admission resumes by itself.
	ErrLowSpace = errors.New("short of space")
	// ErrStopped: the runtime is draining or closed.
	ErrStopped = errors.New("the runtime has stopped")
)

// Answers about an invocation.
var (
	// ErrUnknownInvocation: neither the store nor anything on its way knows
	// the id.
	ErrUnknownInvocation = errors.New("unknown invocation")
	// ErrTooManySignals: the handler has 10,000 signals that it has not
	// taken. Nothing was stored; it may be sent again when some are taken.
	ErrTooManySignals = errors.New("too many signals wait for the handler")
	// ErrNotReady: the invocation has not completed.
	ErrNotReady = errors.New("the invocation has not completed yet")
	// ErrNotRestartable: the invocation is the run of a workflow, which there is
	// once per key.
	ErrNotRestartable = errors.New("the run of a workflow cannot be restarted as a new one: purge it and call it again")
	// ErrJournalGone: the journal is not kept any more, or was purged.
	ErrJournalGone = errors.New("the journal is not kept any more: send the request again")
)

// OverloadedError is returned when a request is refused because too much is
// under way. Nothing was stored.
type OverloadedError struct {
	// Requests is true when there are too many concurrent requests, false when
	// too much waits for the disk.
	Requests   bool
	RetryAfter time.Duration
	// what says it in other words, "" for those of Error.
	what string
}

// Error implements error.
func (e *OverloadedError) Error() string {
	what := "too much is waiting for the disk"
	if e.Requests {
		what = "too many concurrent requests"
	}
	return fmt.Sprintf("%s; try again in %v", cmp.Or(e.what, what), e.RetryAfter)
}

// OutcomeUnknownError is returned when the runtime stopped after it had handed
// a request to its key: the invocation may or may not be stored. Its id can be
// attached to after a restart. It is zero for a change of the state.
type OutcomeUnknownError struct{ ID ident.InvocationID }

// Error implements error.
func (e *OutcomeUnknownError) Error() string {
	if e.ID.IsZero() {
		return "the runtime stopped; whether the request was stored is unknown: look at the key after a restart"
	}
	return fmt.Sprintf("the runtime stopped; whether invocation %s was stored is unknown: attach to it after a restart", e.ID)
}

// StatusError is returned when the status of an invocation does not allow an
// operation.
type StatusError struct {
	Op     machine.Operation
	ID     ident.InvocationID
	Status machine.Status
	// Running says that an attempt of a ready invocation executes, or waits in
	// memory.
	Running bool
	// TooEarly tells 425 from 409.
	TooEarly bool
}

// Error implements error.
func (e *StatusError) Error() string {
	if e.Op == machine.OpPurge && e.Status == machine.StatusCompleted {
		return fmt.Sprintf("cannot purge invocation %s: its workflow has shared handlers that have not ended and may still read what it has left, or a patch of its state is not applied: wait for them, or kill them, and purge it then", e.ID)
	}
	status := e.Status.String()
	if e.Running {
		status = "running"
	}
	return fmt.Sprintf("cannot %s invocation %s: it is %s", e.Op, e.ID, status)
}

// QuarantinedError is returned for every request to a key whose rows are
// damaged or whose core has failed, until the process is restarted. No other
// key is affected.
type QuarantinedError struct {
	Object ident.ObjectKey
	Cause  error
}

// Error implements error.
func (e *QuarantinedError) Error() string {
	return fmt.Sprintf("%s is quarantined: %v; other keys work: restart the process, and restore its directory from a backup when this comes again", e.Object, e.Cause)
}

// Unwrap returns the cause.
func (e *QuarantinedError) Unwrap() error { return e.Cause }
