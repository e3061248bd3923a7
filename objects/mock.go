package objects

import (
	"errors"
	"fmt"
	"time"

	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/objects/encoding"
)

// MockableContext answers what a handler does in a test without a runtime. A
// test embeds a MockContext and overrides what it is about, sets its functions,
// or has a mock generated. Payloads are bytes, as a runtime has them.
//
// WithMockContext calls Key, Log and Request once, when it makes the context, and
// everything else while the handler does it, on the goroutine that does.
type MockableContext interface {
	// RunContext is what closures get; values of the handler's context come
	// from it.
	RunContext
	// Key is the object key or workflow id.
	Key() string

	// GetState returns a state value, SetState writes and ClearState removes
	// one. StateKeys lists their names; ClearAll clears each of them.
	GetState(name string) (value []byte, found bool)
	SetState(name string, value []byte)
	ClearState(name string)
	StateKeys() []string

	// Run executes fn, the closure of a Run, and returns how it has ended, or
	// returns an answer of its own.
	Run(name string, fn func() MockAnswer) MockAnswer
	// Sleep is told of a timer. MockDone lets it end when its time has come.
	Sleep(name string, d time.Duration) MockAnswer
	// Call answers a call.
	Call(c MockCall) MockAnswer
	// Send is told of a send.
	Send(c MockCall)
	// Cancel is told of a cancellation of another invocation.
	Cancel(invocationID string)
	// Await answers what comes from elsewhere. It is asked when the handler
	// waits for it, or peeks into a promise, and again at the next wait as long
	// as it is open. Each answer to a signal is a signal of its own.
	Await(s MockSource) MockAnswer
	// Complete is told of a resolution or rejection. For a promise it answers
	// MockDone, or the error that the handler gets.
	Complete(c MockCompletion) MockAnswer
}

// MockSource names something that is waited for and completed elsewhere. One
// field is set; a completed signal also names its invocation.
type MockSource struct {
	// Awakeable is an awakeable id.
	Awakeable string
	// Signal and Promise are names.
	Signal, Promise string
	// Invocation is the id of an invocation that is attached to, or that a
	// signal is for.
	Invocation string
}

// String names the source.
func (s MockSource) String() string {
	switch {
	case s.Awakeable != "":
		return "awakeable " + s.Awakeable
	case s.Promise != "":
		return fmt.Sprintf("promise %q", s.Promise)
	case s.Signal != "":
		return fmt.Sprintf("signal %q", s.Signal)
	default:
		return "invocation " + s.Invocation
	}
}

// MockCall is a call or a send.
type MockCall struct {
	// InvocationID is the id that the handler gets; the context makes it.
	InvocationID string
	// Service, Key and Handler are the target; Key is empty for a service.
	Service, Key, Handler string
	// Input is encoded by the codec of the call.
	Input []byte
	// Headers is nil when none were given; IdempotencyKey is empty when absent.
	Headers        map[string]string
	IdempotencyKey string
	// Delay is 0 to start at once, and for calls.
	Delay time.Duration
}

// MockCompletion is a resolution with Value, or a rejection with Err when that
// is not nil.
type MockCompletion struct {
	MockSource
	Value []byte
	Err   TerminalError
}

// MockAnswer is how something ends that a handler waits for. The zero value
// stands for what is open; a handler that waits for nothing else fails with a
// MockFailure, because it would wait for ever.
type MockAnswer struct {
	result    journal.Result
	err       error
	cancelled bool
}

// MockValue is a value: JSON unless options give a codec. It panics on a value
// that the codec does not take.
func MockValue(v any, options ...ResolveAwakeableOption) MockAnswer {
	codec := resolveAwakeableOptionsOf(options).codec
	b, err := encoding.Marshal(codec, v)
	if err != nil {
		panic(fmt.Sprintf("objects: MockValue cannot encode a %T: %v: give a codec that takes it, for example WithBinary", v, err))
	}
	return MockAnswer{result: journal.ValueOf(b)}
}

// MockDone is an end without a value: of a timer, or of a RunVoid.
func MockDone() MockAnswer { return MockAnswer{result: journal.VoidResult()} }

// MockError is a failure. A terminal error keeps its code and metadata, any other
// becomes code 500. Of a Run, an error that is not terminal fails the attempt. It
// panics on nil.
func MockError(err error) MockAnswer {
	if err == nil {
		panic("objects: MockError was given nil: use MockDone for success")
	}
	return MockAnswer{err: err}
}

// MockCancelled cancels the invocation of the handler: its wait ends with a
// terminal error, code 409, and what it waited for stays open.
func MockCancelled() MockAnswer { return MockAnswer{cancelled: true} }

// open reports whether a is the zero value.
func (a MockAnswer) open() bool {
	return a.err == nil && !a.cancelled && a.result.Kind == journal.ResultNone
}

// outcome is a as a notification carries it.
func (a MockAnswer) outcome() journal.Result {
	if a.err != nil {
		return rejection(a.err)
	}
	return a.result
}

// MockFailure is the value with which an operation panics when a runtime would
// not go on with the handler: the attempt would fail, the invocation would end
// with a terminal error although the operation has no error result, or the
// handler waits for what the mock leaves open.
type MockFailure struct {
	// Err is terminal when the invocation would end.
	Err error
}

// Error says what would happen.
func (f *MockFailure) Error() string {
	if IsTerminalError(f.Err) {
		return fmt.Sprintf("objects: the invocation would end here, with code %d: %v", AsTerminalError(f.Err).Code(), f.Err)
	}
	return fmt.Sprintf("objects: the attempt would fail here: %v", f.Err)
}

// Unwrap returns Err.
func (f *MockFailure) Unwrap() error { return f.Err }

var errMockOpen = errors.New("the handler waits for ever")
