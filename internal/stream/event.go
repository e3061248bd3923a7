package stream

import (
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// Kind is what an event tells.
type Kind uint8

// Kinds of events.
const (
	InvocationCreated Kind = iota + 1
	InvocationStatus
	InvocationCompleted
	InvocationRemoved
	// InvocationJournal: one entry was appended.
	InvocationJournal
	// ObjectChanged: the holder of a key, its status, or the queue is another.
	ObjectChanged
	AwakeablePending
	AwakeableCompleted
	PromiseCompleted
)

// String returns the name of the event.
func (k Kind) String() string {
	switch k {
	case InvocationCreated:
		return "invocation.created"
	case InvocationStatus:
		return "invocation.status"
	case InvocationCompleted:
		return "invocation.completed"
	case InvocationRemoved:
		return "invocation.removed"
	case InvocationJournal:
		return "invocation.journal"
	case ObjectChanged:
		return "object.changed"
	case AwakeablePending:
		return "awakeable.pending"
	case AwakeableCompleted:
		return "awakeable.completed"
	case PromiseCompleted:
		return "promise.completed"
	default:
		return "unknown"
	}
}

// Topic returns the topic to which events of this kind belong.
func (k Kind) Topic() Topics {
	switch k {
	case ObjectChanged:
		return TopicObject
	case AwakeablePending, AwakeableCompleted:
		return TopicAwakeable
	case PromiseCompleted:
		return TopicPromise
	default:
		return TopicInvocation
	}
}

// Words of a status that are not in the record.
const (
	// WordRunning is the status of a ready invocation whose handler executes, or
	// waits in memory.
	WordRunning = "running"
	// WordIdle is that of a key that nobody holds.
	WordIdle = "idle"
)

// Position is the place of an event in the stream: the number of the start of
// the process, and a number that grows by one from event to event. The zero
// Position is before everything.
type Position struct {
	Boot uint32
	N    uint64
}

// String returns the id of the event, like 3-17.
func (p Position) String() string {
	return strconv.FormatUint(uint64(p.Boot), 10) + "-" + strconv.FormatUint(p.N, 10)
}

// ParsePosition reads what String writes. Its error says what an id looks like.
func ParsePosition(s string) (Position, error) {
	boot, n, found := strings.Cut(s, "-")
	b, err := strconv.ParseUint(boot, 10, 32)
	if err == nil && found {
		var number uint64
		number, err = strconv.ParseUint(n, 10, 64)
		if p := (Position{Boot: uint32(b), N: number}); err == nil && p.String() == s {
			return p, nil
		}
	}
	return Position{}, fmt.Errorf("the id of an event is two numbers, like 3-17: %q is none", s)
}

// Event is one change. It is immutable once it is in a Ring, and may then be
// read concurrently.
type Event struct {
	At   Position
	Kind Kind
	// Invocation is the record after the change, without the value of its result
	// and with its latest failure only; nil for ObjectChanged and
	// PromiseCompleted.
	Invocation *machine.InvocationRow
	// Running says that its handler executes: the word of its status is then
	// WordRunning.
	Running bool
	// Previous is the word of the status before, "" for InvocationCreated and
	// for events that are not about a status.
	Previous string
	// Index and Entry are those of InvocationJournal.
	Index uint32
	Entry journal.Entry
	// Object is the key of ObjectChanged and PromiseCompleted.
	Object ident.ObjectKey
	// Key is the standing that ObjectChanged tells.
	Key KeyStanding
	// Awakeable is that of the two awakeable events.
	Awakeable Awakeable
	// Promise is the record of PromiseCompleted.
	Promise *machine.PromiseRow

	once  sync.Once
	frame []byte
	err   error
}

// KeyStanding is the standing of a key in the words of introspection.
type KeyStanding struct {
	Status   string
	HolderID ident.InvocationID
	Queued   uint64
}

// Awakeable is one awakeable of an invocation.
type Awakeable struct {
	Index uint32
	State AwakeableState
	// Since is when it came into this state, in ms since the epoch.
	Since int64
}

// AwakeableState says what is known of an awakeable.
type AwakeableState uint8

// States, each stronger than those before it.
const (
	// AwakeableCreated: the handler has issued it and does not wait for it.
	AwakeableCreated AwakeableState = iota + 1
	// AwakeableAwaited: the handler waits for it.
	AwakeableAwaited
	// AwakeableAnswered: it was resolved or rejected.
	AwakeableAnswered
)

// String returns the word of introspection.
func (s AwakeableState) String() string {
	switch s {
	case AwakeableCreated:
		return "created"
	case AwakeableAwaited:
		return "awaited"
	case AwakeableAnswered:
		return "completed"
	default:
		return "unknown"
	}
}

// Status returns the word of the status after the change: that of the
// invocation, or of the key. It is "" for promises.
func (e *Event) Status() string {
	switch {
	case e.Kind == ObjectChanged:
		return e.Key.Status
	case e.Invocation == nil:
		return ""
	case e.Running:
		return WordRunning
	default:
		return e.Invocation.Status.String()
	}
}

// Frame returns what encode made of the event at the first call. However many
// subscribers there are, an event is encoded once.
func (e *Event) Frame(encode func(*Event) ([]byte, error)) ([]byte, error) {
	e.once.Do(func() { e.frame, e.err = encode(e) })
	return e.frame, e.err
}

// overhead is about how many bytes an event takes beside what it refers to, with
// its encoded form, and leafBytes what it takes for each leaf of an await.
const (
	overhead  = 1536
	leafBytes = 16
)

// size returns about how many bytes of memory the event keeps.
func (e *Event) size() int {
	n := overhead + len(e.Entry.Body)
	if e.Promise != nil {
		n += len(e.Promise.Result.Value)
	}
	if row := e.Invocation; row != nil {
		for i := range row.Failures {
			n += len(row.Failures[i].Message)
		}
		if row.Result.Failure != nil {
			n += len(row.Result.Failure.Message)
		}
		n += len(row.Target.Key) + len(row.IdempotencyKey)
		if row.Await != nil {
			for range row.Await.Leaves() {
				n += leafBytes
			}
		}
	}
	return n
}
