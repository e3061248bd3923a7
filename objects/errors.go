package objects

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"time"

	"github.com/dormouse-run/dormouse/internal/journal"
)

// Code is the number of an error. Codes from 200 to 999 are answered as HTTP
// statuses.
type Code uint16

// Codes that the runtime gives.
const (
	codeBadRequest Code = 400
	codeNotFound   Code = 404
	codeConflict   Code = 409
	codeInternal   Code = 500
)

// TerminalError ends an invocation or a Run for good: it is not retried, and
// becomes the result. It is sealed; a nil one returned as error is a nil error.
type TerminalError interface {
	error
	// Code is 500 unless another one was given.
	Code() Code
	// Message is the text without the code.
	Message() string
	// Metadata is never nil.
	Metadata() StringMap
	terminal() *terminalError
}

// RetryableError fails an attempt, which is repeated by the retry policy, like
// every error that is not terminal. It carries a code, or a delay, along. It is
// sealed.
type RetryableError interface {
	error
	// Code is 500 unless another one was given.
	Code() Code
	// Message is the text of the error it was made from.
	Message() string
	retryable() *retryableError
}

// TerminalErrorOption changes a terminal error.
type TerminalErrorOption interface{ applyTerminal(*terminalError) }

// RetryableErrorOption changes a retryable error.
type RetryableErrorOption interface{ applyRetryable(*retryableError) }

// ErrorCodeOption is what WithErrorCode returns.
type ErrorCodeOption struct{ code Code }

// WithErrorCode sets the code of a terminal or retryable error.
func WithErrorCode(code Code) ErrorCodeOption { return ErrorCodeOption{code} }

func (o ErrorCodeOption) applyTerminal(e *terminalError)   { e.code = o.code }
func (o ErrorCodeOption) applyRetryable(e *retryableError) { e.code = o.code }

func (o MetadataOption) applyTerminal(e *terminalError) { o.addTo(&e.metadata) }

type retryAfterOption time.Duration

// WithRetryAfter sets the delay before the next attempt, once, in place of what
// the retry policy says. It works for errors of handlers and of Run closures. A
// negative delay is none.
func WithRetryAfter(d time.Duration) RetryableErrorOption { return retryAfterOption(max(d, 0)) }

func (o retryAfterOption) applyRetryable(e *retryableError) {
	e.retryAfter = new(time.Duration(o))
}

// terminalError is the one TerminalError. It does not wrap what it was made
// from: only code, message and metadata are stored, so nothing else can be
// relied on after a replay.
type terminalError struct {
	code     Code
	message  string
	metadata map[string]string
	// cancelled is set for the error of a wait that a cancellation has ended. It
	// is not stored: what another invocation, or a closure, has failed with is
	// its result.
	cancelled bool
}

func (e *terminalError) Error() string            { return e.message }
func (e *terminalError) Code() Code               { return e.code }
func (e *terminalError) Message() string          { return e.message }
func (e *terminalError) Metadata() StringMap      { return newStringMap(headersOf(e.metadata)) }
func (e *terminalError) terminal() *terminalError { return e }

// Is makes errors.Is and IsCancelled tell a cancellation from other errors.
func (e *terminalError) Is(target error) bool { return e.cancelled && target == ErrCancelled }

type retryableError struct {
	code       Code
	cause      error
	retryAfter *time.Duration
}

func (e *retryableError) Error() string              { return e.cause.Error() }
func (e *retryableError) Code() Code                 { return e.code }
func (e *retryableError) Message() string            { return e.cause.Error() }
func (e *retryableError) retryable() *retryableError { return e }

// Unwrap returns what the error was made from, unless that would make it
// terminal.
func (e *retryableError) Unwrap() error {
	if IsTerminalError(e.cause) {
		return nil
	}
	return e.cause
}

// ToTerminalError returns a terminal error with the message of err and the
// given options. It does not wrap err. A nil err gives nil, a terminal error
// without options is returned unchanged; with options it keeps the code and the
// metadata that they do not name, and what IsCancelled says of it.
func ToTerminalError(err error, opts ...TerminalErrorOption) TerminalError {
	if err == nil {
		return nil
	}
	e := &terminalError{code: codeInternal}
	if t, ok := err.(TerminalError); ok {
		if len(opts) == 0 {
			return t
		}
		e.code, e.metadata, e.cancelled = t.Code(), maps.Clone(t.terminal().metadata), t.terminal().cancelled
	}
	e.message = err.Error()
	for _, opt := range opts {
		opt.applyTerminal(e)
	}
	return e
}

// TerminalErrorf returns a terminal error with code 500 and the formatted
// message. Like ToTerminalError it does not wrap: %w reads as %v.
func TerminalErrorf(format string, a ...any) TerminalError {
	return terminalf(codeInternal, format, a...)
}

// IsTerminalError reports whether err is or wraps a terminal error.
func IsTerminalError(err error) bool { return AsTerminalError(err) != nil }

// AsTerminalError returns the terminal error that err is or wraps, else nil.
func AsTerminalError(err error) TerminalError {
	if t, ok := errors.AsType[TerminalError](err); ok {
		return t
	}
	return nil
}

// IsCancelled reports whether err is, or wraps, the error with which a wait of
// this handler has ended because its own invocation was cancelled: then the
// handler may compensate and return, or go on, because the next wait works. It is
// also true of the context.Cause of a closure's context that was cancelled for
// this reason. It is false of every other error, also of code 409: a call or an
// attach whose invocation was cancelled or killed, a promise that was completed
// before, a conflict that user code reports. It is false of a nil err. It may be
// called concurrently.
func IsCancelled(err error) bool { return errors.Is(err, ErrCancelled) }

// ToRetryableError returns a retryable error with the given options that wraps
// err. An err that is or wraps a terminal error becomes retryable and is not
// wrapped. A nil err gives nil, a retryable error without options is returned
// unchanged; with options it keeps what they do not name.
func ToRetryableError(err error, opts ...RetryableErrorOption) RetryableError {
	if err == nil {
		return nil
	}
	e := &retryableError{code: codeInternal, cause: err}
	if r, ok := err.(RetryableError); ok {
		if len(opts) == 0 {
			return r
		}
		e.code, e.retryAfter = r.Code(), r.retryable().retryAfter
	}
	for _, opt := range opts {
		opt.applyRetryable(e)
	}
	return e
}

// RetryableErrorf returns a retryable error with code 500 and the formatted
// message; %w wraps.
func RetryableErrorf(format string, a ...any) RetryableError {
	return ToRetryableError(fmt.Errorf(format, a...))
}

// IsRetryableError reports whether err is or wraps a RetryableError and is not
// terminal. Other errors are retried as well.
func IsRetryableError(err error) bool { return AsRetryableError(err) != nil }

// AsRetryableError returns the RetryableError that err is or wraps, nil when
// there is none or when err is terminal.
func AsRetryableError(err error) RetryableError {
	if r, ok := errors.AsType[RetryableError](err); ok && !IsTerminalError(err) {
		return r
	}
	return nil
}

// terminalf returns a terminal error of the runtime itself.
func terminalf(code Code, format string, a ...any) TerminalError {
	return &terminalError{code: code, message: fmt.Errorf(format, a...).Error()}
}

// codeOf returns the code of an error of user code, 500 when it has none.
func codeOf(err error) Code {
	if r := AsRetryableError(err); r != nil {
		return r.Code()
	}
	return codeInternal
}

// retryAfterOf returns the delay that err asks for, nil when it does not.
func retryAfterOf(err error) *time.Duration {
	if r := AsRetryableError(err); r != nil {
		return r.retryable().retryAfter
	}
	return nil
}

// FailureOf returns err as it is stored, nil for nil: a message that is too long
// is cut, and metadata that is too large is left out, and both say so.
func FailureOf(err TerminalError) *journal.Failure {
	if err == nil {
		return nil
	}
	e := err.terminal()
	f := &journal.Failure{Code: uint32(e.code), Message: clip(e.message), Metadata: headersOf(e.metadata)}
	if t := checkHeaders(f.Metadata); t != nil {
		f.Message += " (its metadata is left out: " + t.Message() + ")"
		f.Metadata = nil
	}
	return f
}

// TerminalErrorFrom returns a stored failure as an error, nil for nil. A code
// that fits no Code becomes 500.
func TerminalErrorFrom(f *journal.Failure) TerminalError {
	if f == nil {
		return nil
	}
	e := &terminalError{code: codeInternal, message: f.Message}
	if f.Code <= math.MaxUint16 {
		e.code = Code(f.Code)
	}
	if len(f.Metadata) > 0 {
		e.metadata = make(map[string]string, len(f.Metadata))
		for _, h := range f.Metadata {
			e.metadata[h.Key] = h.Value
		}
	}
	return e
}

func failureOf(err TerminalError) *journal.Failure { return FailureOf(err) }

func terminalFromFailure(f *journal.Failure) TerminalError { return TerminalErrorFrom(f) }
