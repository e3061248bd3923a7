package objects

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
)

// DefaultMaxPayload is the bound of one payload, in bytes, when an Attempt names
// none.
const DefaultMaxPayload = 32 << 20

// ErrCancelled is the cause with which a host cancels the context of closures
// when the invocation was cancelled. The cancel signal itself comes through the
// feed.
var ErrCancelled = errors.New("the invocation was cancelled")

// Attempt is what a host hands to Execute: one attempt of one invocation.
type Attempt struct {
	ID             ident.InvocationID
	Birth          ident.Seq
	Target         ident.Target
	IdempotencyKey string
	RandomSeed     uint64
	// Alias stands for the invocation in its awakeable ids, zero for its ID.
	Alias ident.InvocationID
	// Journal is everything stored so far; entry 0 is the Input. It has been
	// taken: the feed starts behind it.
	Journal []journal.Entry
	// Allocated is what the last suspension recorded; zero when there was none.
	Allocated journal.Allocated
	// State and StateComplete are the state at the start, sorted by name; names
	// that are not listed are absent when StateComplete, else they are read from
	// the host. A shared handler always reads from the host.
	State         []StateValue
	StateComplete bool
	// LazyState reads state through completions (WithEnableLazyState).
	LazyState bool
	// Attempts and Failing count failed attempts since the last new entry, and
	// the time since the first of them.
	Attempts uint32
	Failing  time.Duration
	// MaxPayload bounds, in bytes, each value that the handler stores, sends or
	// returns; 0 stands for DefaultMaxPayload.
	MaxPayload int
	// AbortTimeout bounds how long a closure that starts after a cancel waits
	// for the closures of before; 0 does not wait.
	AbortTimeout time.Duration
	// Logger carries invocation id and target.
	Logger *slog.Logger
	// LogReplay lets log lines through while the journal is replayed.
	LogReplay bool
}

// StateValue is one value of the state of a key.
type StateValue struct {
	Name  string
	Value []byte
}

// Host is what Execute runs an attempt against; package actors implements it.
// Except for Go, Barrier, Propose, Wake, Now, Signal, AfterFunc and Context, its methods are called
// from the handler's goroutine only.
type Host interface {
	// Context returns the context of a closure that starts now. It is
	// cancelled, with the reason as its cause, when closures of Run should
	// stop: on cancel (cause ErrCancelled), kill, abort and shutdown, and when
	// the attempt has ended. After a cancel the next call returns a fresh one,
	// for the closures of the compensation.
	Context() context.Context
	// Now is the clock of the runtime.
	Now() time.Time
	// Handler looks up what a target is bound to in this build. Kind 0 fits
	// every call.
	Handler(service, handler string) (kind ident.Kind, bound bool)
	// Definition returns the definition of a service in this build, nil when
	// none is bound.
	Definition(service string) ServiceDefinition
	// Append queues a command. It does not wait for the disk; it holds the
	// caller while the attempt has too much that is not durable.
	Append(c journal.Command, allocated journal.Allocated) Verdict
	// Take moves what has arrived out of the feed, in entry order. It does not
	// wait.
	Take() []journal.Notification
	// Unread tells how many signals Take has given that nothing has taken yet.
	// It must not block.
	Unread(signals uint32)
	// Wait blocks until Take has something, Wake was called since the last Wait
	// returned, or the attempt must be unwound: also when it has failed, which
	// another goroutine may have reported.
	// wait returns what the handler waits for; it is called only when the host
	// wants to suspend the attempt. parkable is false while closures are in
	// flight.
	Wait(parkable bool, wait func() (await *journal.Future, allocated journal.Allocated)) Verdict
	// Wake makes Wait return: a closure has ended without a result.
	Wake()
	// ReadState asks for a state value that the attempt does not hold.
	ReadState(name string) (value []byte, found bool, v Verdict)
	// ReadStateKeys lists the names of all state values, sorted.
	ReadStateKeys() (names []string, v Verdict)
	// Barrier blocks until everything the attempt has observed is durable.
	Barrier() Verdict
	// Propose stores the result of the Run with this completion id. It comes
	// back through the feed once it is durable. It must not wait for the
	// handler. After the attempt has ended it does nothing, and so does Wake.
	Propose(completion uint32, r journal.Result)
	// Go runs fn on a goroutine that the host accounts for.
	Go(name string, fn func())
	// Signal returns a new signal. Goroutines of Go block on nothing else.
	Signal() HostSignal
	// AfterFunc calls fn on a goroutine of its own once d has passed on the clock
	// of the runtime. fn must not block. stop reports whether it has kept fn from
	// being called.
	AfterFunc(d time.Duration, fn func()) (stop func() bool)
}

// HostSignal wakes one goroutine. A notification that comes before WaitOr is kept;
// several of them count as one.
type HostSignal interface {
	// Notify wakes the waiter, now or at its next WaitOr. It never blocks and may
	// be called concurrently.
	Notify()
	// WaitOr blocks until Notify has been called since it last returned, or until
	// done is closed; nil never is. At most one goroutine may wait at a time.
	WaitOr(done <-chan struct{})
}

// Verdict tells a handler whether to go on.
type Verdict uint8

// Verdicts.
const (
	// Proceed: go on.
	Proceed Verdict = iota
	// Unwind: the attempt is over for the host; the handler must end without
	// another operation.
	Unwind
)

// String returns the word for v.
func (v Verdict) String() string {
	if v == Unwind {
		return "unwind"
	}
	return "proceed"
}

// Outcome is how an attempt ended.
type Outcome struct {
	Kind OutcomeKind
	// Failure is set for OutcomeFailed.
	Failure AttemptFailure
}

// OutcomeKind tells outcomes apart.
type OutcomeKind uint8

// Outcomes.
const (
	// OutcomeEnded: the Output has been appended; the invocation is complete.
	OutcomeEnded OutcomeKind = iota + 1
	// OutcomeFailed: a retryable error.
	OutcomeFailed
	// OutcomeUnwound: the host asked for it.
	OutcomeUnwound
)

// String returns the word for k.
func (k OutcomeKind) String() string {
	switch k {
	case OutcomeEnded:
		return "ended"
	case OutcomeFailed:
		return "failed"
	case OutcomeUnwound:
		return "unwound"
	default:
		return "unknown"
	}
}

// AttemptFailure is a retryable error of an attempt.
type AttemptFailure struct {
	Code    uint32
	Message string
	// Stack is set for panics: the frames of the user.
	Stack string
	// CommandIndex is the command at which it failed, -1 when there is none.
	CommandIndex int32
	CommandType  journal.Type
	CommandName  string
	// RetryAfter overrides the delay of the retry policy when it is not nil.
	RetryAfter *time.Duration
	// Unlimited says that the failure counts against a Run's own policy, not
	// against the handler's.
	Unlimited bool
}
