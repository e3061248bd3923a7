package ingress

import (
	"context"
	"time"

	restate "github.com/dormouse-run/dormouse/objects"
)

// Transport is how a Client reaches a runtime: in the same process, or over
// HTTP. What the runtime answers is an Error, made by NewError or
// NewInvocationError; a failure that leaves it unknown whether something was
// stored is not. All methods return when their effect is durable, and may be
// called concurrently.
type Transport interface {
	// Call invokes a handler and waits for its result. A failed invocation is
	// an Error whose IsInvocationError is true.
	Call(ctx context.Context, r Request) (Response, error)
	// Send invokes a handler and returns when the invocation is durable.
	Send(ctx context.Context, r Request) (Sent, error)
	// Attach waits for the result of an invocation.
	Attach(ctx context.Context, invocationID string) (Response, error)
	// Output returns the result of a completed invocation, and an
	// *InvocationNotReadyError otherwise.
	Output(ctx context.Context, invocationID string) (Response, error)
	// Complete resolves an awakeable with value, or rejects it when reason is
	// not nil. The first completion wins; later ones succeed and do nothing.
	Complete(ctx context.Context, awakeableID string, value []byte, reason error) error
	// Signal sends the value, or the reason when it is not nil, to the next wait
	// of an invocation for a signal of this name. Signals queue: each one counts.
	Signal(ctx context.Context, invocationID, name string, value []byte, reason error) error
	// Operate cancels, kills, pauses, resumes or purges an invocation, or purges
	// its journal.
	Operate(ctx context.Context, op Operation, invocationID string) error
	// Restart makes a new invocation of a completed one, with its journal up to
	// the entry from, and returns its id.
	Restart(ctx context.Context, invocationID string, from uint32) (newID string, err error)
	// EditState replaces the state of a key.
	EditState(ctx context.Context, p StatePatch) error
}

// DefinitionSource is a Transport to a runtime whose definitions are at hand, as
// in the same process. Typed calls then use the codecs of the handler.
type DefinitionSource interface {
	// Definition returns the definition of a service, nil when none is bound.
	// It may be called concurrently.
	Definition(service string) restate.ServiceDefinition
}

// Operation is what Operate does to an invocation.
type Operation string

// Operations.
const (
	OperationCancel Operation = "cancel"
	OperationKill   Operation = "kill"
	OperationPause  Operation = "pause"
	OperationResume Operation = "resume"
	OperationPurge  Operation = "purge"
	// OperationPurgeJournal forgets how an invocation came to its result.
	OperationPurgeJournal Operation = "purge-journal"
)

// String returns the word.
func (o Operation) String() string { return string(o) }

// StatePatch asks for another state of one key of an object or a workflow.
type StatePatch struct {
	Service, Key string
	// Version, unless it is empty, is that of the state which may be replaced, as
	// introspection shows it. A state that has another one by then stays.
	Version string
	// State is the whole new state, as the codecs of the handlers write it; JSON
	// unless they were given another one. Empty clears it.
	State map[string][]byte
}

// Request asks for an invocation.
type Request struct {
	Service string
	// Key is the object key or workflow id; Keyed tells the empty key from
	// none.
	Key     string
	Keyed   bool
	Handler string
	Headers map[string]string
	// ContentType is that of Body, empty for none. A content-type among
	// Headers wins over it.
	ContentType string
	Body        []byte
	// IdempotencyKey is absent when empty.
	IdempotencyKey string
	// Delay is for Send; nil starts at once.
	Delay *time.Duration
}

// Response is the result of a successful invocation.
type Response struct {
	InvocationID string
	Body         []byte
}

// Sent says that an invocation is durable.
type Sent struct {
	InvocationID string
	// Status is Accepted or PreviouslyAccepted.
	Status string
}
