package ingress

import (
	"cmp"
	"errors"
	"fmt"

	restate "github.com/dormouse-run/dormouse/objects"
)

// Codes of the two errors that have a type of their own.
const (
	codeNotFound restate.Code = 404
	codeNotReady restate.Code = 470
)

// Refused before anything was sent.
var (
	// errNoAdmin: an operation over HTTP without the address for it.
	errNoAdmin = errors.New("the address of the admin port is not known: pass WithAdminURL to NewClient")
	// errNoScheme: a client of an address that is no URL.
	errNoScheme = errors.New("http:// is missing in front of it")
	// errNoReason: a rejection with a nil reason, which would resolve.
	errNoReason = errors.New("the reason is nil: give an error")
)

// Error is what a runtime answers when it does not do what it was asked for. One
// of an invocation also unwraps to a restate.TerminalError. It is sealed.
type Error interface {
	error
	// Code comes from the answer, else from its HTTP status.
	Code() restate.Code
	// Message is the text of the answer.
	Message() string
	// Stacktrace is empty unless the runtime exposes it.
	Stacktrace() string
	// IsInvocationError is true when the invocation was accepted and ended with
	// this error, false when the request itself was refused and nothing was
	// accepted.
	IsInvocationError() bool
	sealed()
}

// InvocationNotFoundError is an Error: no invocation has this id, or nothing is
// bound to this name. It is used as a pointer.
type InvocationNotFoundError struct{ answer }

// InvocationNotReadyError is an Error: the invocation has not completed. It is
// used as a pointer.
type InvocationNotReadyError struct{ answer }

// answer is the Error.
type answer struct {
	code       restate.Code
	message    string
	stacktrace string
	// invocation is set when an invocation ended with the error.
	invocation restate.TerminalError
	// cause is what a transport in the same process had in hand.
	cause error
}

func (a *answer) Error() string           { return cmp.Or(a.message, "the runtime gave no reason") }
func (a *answer) Code() restate.Code      { return a.code }
func (a *answer) Message() string         { return a.message }
func (a *answer) Stacktrace() string      { return a.stacktrace }
func (a *answer) IsInvocationError() bool { return a.invocation != nil }
func (a *answer) sealed()                 {}

// Unwrap returns the terminal error of the invocation, or what the transport
// had in hand.
func (a *answer) Unwrap() error {
	if a.invocation != nil {
		return a.invocation
	}
	return a.cause
}

// NewError returns the Error of a refused request: an *InvocationNotFoundError
// for code 404, an *InvocationNotReadyError for code 470. It unwraps to cause,
// which may be nil. It is meant for transports.
func NewError(code restate.Code, message string, cause error) Error {
	return typed(answer{code: code, message: message, cause: cause})
}

// NewInvocationError returns the Error of an invocation that ended with err. It
// is meant for transports.
func NewInvocationError(err restate.TerminalError) Error {
	return &answer{code: err.Code(), message: err.Message(), invocation: err}
}

// within names the operation in an error of the way to the runtime. An Error
// speaks for itself and keeps its type.
func within(err error, format string, a ...any) error {
	if _, ok := err.(Error); ok {
		return err
	}
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, a...), err)
}

// typed gives the two codes their types.
func typed(a answer) Error {
	switch a.code {
	case codeNotFound:
		return &InvocationNotFoundError{a}
	case codeNotReady:
		return &InvocationNotReadyError{a}
	default:
		return &a
	}
}
