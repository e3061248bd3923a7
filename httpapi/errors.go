package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/guard"
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/query"
	"github.com/dormouse-run/dormouse/persistence"
)

// statusNotReady answers a question for the result of an invocation that has
// not completed.
const statusNotReady = 470

// source says who is responsible for an error answer. Clients repeat requests
// that failed at the ingress, so sourceIngress is a promise: nothing was
// accepted.
type source uint8

const (
	sourceIngress source = iota
	sourceInvocation
)

// String returns the word of the x-restate-error-source header.
func (s source) String() string {
	if s == sourceInvocation {
		return "invocation"
	}
	return "ingress"
}

// failure is an error answer.
type failure struct {
	status int
	// code stands in the body; it differs from status where the code of a
	// terminal error is no HTTP status.
	code    int
	message string
	source  source
	// metadata is that of a terminal error.
	metadata []journal.Header
	// id is the invocation that was found, zero for none.
	id ident.InvocationID
	// retryAfter is sent, in whole seconds, when it is positive.
	retryAfter time.Duration
	// allow lists the methods of a 405.
	allow string
	// challenge asks for a bearer token.
	challenge bool
	// stack is that of a route that panicked, for an answer that exposes it.
	stack string
	// expiresAt is when a stored failure is forgotten, zero for a fresh one.
	expiresAt time.Time
}

// Error implements error.
func (f *failure) Error() string { return fmt.Sprintf("%d: %s", f.status, f.message) }

// errNoAnswer ends a request without an answer: its connection is closed. It
// stands for everything of which a status would say too much.
var errNoAnswer = errors.New("the connection is closed without an answer")

func fail(status int, message string) *failure {
	return &failure{status: status, code: status, message: message}
}

func badRequest(message string) *failure { return fail(http.StatusBadRequest, message) }

func notFound(message string) *failure { return fail(http.StatusNotFound, message) }

func methodNotAllowed(allow string) *failure {
	f := fail(http.StatusMethodNotAllowed, "this route takes "+allow)
	f.allow = allow
	return f
}

func unauthorized(message string) *failure {
	f := fail(http.StatusUnauthorized, message)
	f.challenge = true
	return f
}

func tooLarge(limit int64) *failure {
	return fail(http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is larger than %d bytes: store it elsewhere and pass a reference", limit))
}

// The delays of Retry-After where the runtime names none.
const (
	retryAfterStop     = time.Second
	retryAfterLowSpace = 5 * time.Second
	retryAfterSignals  = time.Second
	retryAfterBackup   = 10 * time.Second
)

// failureOf is the one table from errors to answers, for both ports. It returns
// nil when the request is to end without an answer.
func failureOf(err error) *failure {
	var f *failure
	var token *guard.TokenError
	var unknown *actors.OutcomeUnknownError
	switch {
	case errors.As(err, &f):
		return f
	case errors.As(err, &token):
		return unauthorized(token.Error())
	case errors.As(err, &unknown), errors.Is(err, errNoAnswer),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return nil
	}
	if f = refusal(err); f == nil {
		f = conflict(err)
	}
	if f == nil {
		f = internal()
	}
	return f
}

// refusal maps errors after which nothing is stored.
func refusal(err error) *failure {
	var busy *actors.OverloadedError
	switch {
	case errors.Is(err, actors.ErrUnknownService), errors.Is(err, actors.ErrUnknownHandler):
		return notFound(err.Error())
	case errors.Is(err, actors.ErrPrivate), errors.Is(err, actors.ErrInvalid), errors.Is(err, ident.ErrMalformed),
		errors.Is(err, ident.ErrReservedSignal), errors.Is(err, errDelay):
		return badRequest(err.Error())
	case errors.Is(err, query.ErrLimit), errors.Is(err, query.ErrCursor), errors.Is(err, query.ErrForeignCursor),
		errors.Is(err, query.ErrNoPages):
		return badRequest(err.Error())
	case errors.Is(err, ident.ErrForeignAwakeable), errors.Is(err, actors.ErrUnknownInvocation):
		return notFound(err.Error())
	case errors.Is(err, actors.ErrTooLarge):
		return fail(http.StatusRequestEntityTooLarge, err.Error())
	case errors.Is(err, actors.ErrTooManySignals):
		return later(http.StatusTooManyRequests, err, retryAfterSignals)
	case errors.Is(err, persistence.ErrBackupUnderWay):
		return later(http.StatusTooManyRequests, err, retryAfterBackup)
	case errors.Is(err, actors.ErrNotReady):
		return fail(statusNotReady, "not completed yet")
	case errors.As(err, &busy) && busy.Requests:
		return later(http.StatusTooManyRequests, err, busy.RetryAfter)
	case errors.As(err, &busy):
		return later(http.StatusServiceUnavailable, err, busy.RetryAfter)
	case errors.Is(err, actors.ErrLowSpace):
		return later(http.StatusInsufficientStorage, err, retryAfterLowSpace)
	case errors.Is(err, actors.ErrStopped), errors.Is(err, persistence.ErrClosed):
		return later(http.StatusServiceUnavailable, err, retryAfterStop)
	default:
		return nil
	}
}

// later is a refusal that may be repeated after a while.
func later(status int, err error, after time.Duration) *failure {
	f := fail(status, err.Error())
	f.retryAfter = max(after, time.Second)
	return f
}

// conflict maps errors of an invocation or a key that exists.
func conflict(err error) *failure {
	var status *actors.StatusError
	var quarantined *actors.QuarantinedError
	var route *echo.HTTPError
	switch {
	case errors.As(err, &status) && status.TooEarly:
		return ofInvocation(http.StatusTooEarly, err, status.ID)
	case errors.As(err, &status):
		return ofInvocation(http.StatusConflict, err, status.ID)
	case errors.Is(err, actors.ErrNotRestartable):
		return fail(http.StatusUnprocessableEntity, err.Error())
	case errors.Is(err, actors.ErrJournalGone):
		return fail(http.StatusGone, err.Error())
	case errors.As(err, &quarantined):
		return ofInvocation(http.StatusInternalServerError, err, ident.InvocationID{})
	case errors.As(err, &route):
		return fail(route.Code, http.StatusText(route.Code))
	default:
		return nil
	}
}

func ofInvocation(status int, err error, id ident.InvocationID) *failure {
	f := fail(status, err.Error())
	f.source, f.id = sourceInvocation, id
	return f
}

// internal is the answer to an error that has no row: a bug, or a store that
// cannot be read. Its text may name files and values, so it is for the log
// only. What became of the request is not known, so the source is never the
// ingress.
func internal() *failure {
	f := fail(http.StatusInternalServerError, "internal error: the log has more under the request id")
	f.source = sourceInvocation
	return f
}

// ofResult is the answer to an invocation that failed terminally. A code that
// HTTP can carry with a body is the status; any other one is a 500 that keeps
// the code in its body.
func ofResult(r actors.Response) *failure {
	code, message := 500, ""
	var metadata []journal.Header
	if t := r.Result.Failure; t != nil {
		code, message, metadata = int(t.Code), t.Message, t.Metadata
	}
	status := code
	if code < 200 || code > 999 || code == http.StatusNoContent || code == http.StatusNotModified {
		status = http.StatusInternalServerError
	}
	return &failure{
		status: status, code: code, message: message, metadata: metadata,
		source: sourceInvocation, id: r.ID, expiresAt: r.ExpiresAt,
	}
}
