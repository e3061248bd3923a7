package machine

import (
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
)

// Stamp is the number and the time of an event. The shell draws Seq right
// before Apply, so the numbers of one key grow in Apply order.
type Stamp struct {
	Seq ident.Seq
	Now int64 // milliseconds since the epoch
	// Unread comes with a Signal: how many signals the live attempt of its
	// target has not taken, as the shell counts them; nil when none has counted.
	Unread *uint32
}

// Event is something that happened to a key. The set is closed.
type Event interface{ event() }

// Message is an event that one key sends another through its outbox.
type Message interface {
	Event
	// Sent returns a copy of the message that names the outbox row it came
	// from; the receiver's output removes that row.
	Sent(from OutboxRef) Message
}

// Token names a request of this process that waits for an answer. 0 is no
// request. Tokens mean nothing after a restart.
type Token uint64

// Invoke asks for a new invocation.
type Invoke struct {
	From OutboxRef
	// Token is answered at once when AnswerAccepted is set, else with the
	// result.
	Token          Token
	AnswerAccepted bool

	ID      ident.InvocationID
	Target  ident.Target
	Headers []journal.Header
	Value   []byte
	// StartAt delays the invocation, in ms since the epoch; 0 is now. The
	// delay elapses before it takes its place in the queue.
	StartAt        int64
	IdempotencyKey string
	InvokedBy      InvokedBy
	Caller         Caller
	RandomSeed     uint64
	Retention      Retention
	// Alias stands for the invocation in its awakeable ids, zero for its id.
	Alias ident.InvocationID
}

// Proposal is an entry that a running attempt wants appended: a command, or
// the result of a Run (then Parsed is nil and Entry is a RunCompletion).
type Proposal struct {
	Entry  journal.Entry
	Parsed journal.Command
	// Callee is set for Call and OneWayCall.
	Callee *Callee
}

// Callee is what the shell resolved the target of a call to.
type Callee struct {
	ID     ident.InvocationID
	Target ident.Target
	// Known is false when no such handler is bound: then nothing is started,
	// and the completion is a failure 404.
	Known      bool
	RandomSeed uint64
	Retention  Retention
	// Alias is that of Invoke.
	Alias ident.InvocationID
}

// Append carries what a running attempt wrote, in order. With Ended set, the
// handler has returned and the last command is its Output.
type Append struct {
	Birth, Epoch ident.Seq
	Proposals    []Proposal
	Ended        bool
}

// Park asks to suspend: the attempt waits for Await and has taken Taken entries
// of its journal.
type Park struct {
	Birth, Epoch ident.Seq
	Await        *journal.Future
	Taken        uint32
	Allocated    journal.Allocated
	// Unread is how many signals among the taken entries no future has taken.
	Unread uint32
}

// Fail says that an attempt ended with a retryable error.
type Fail struct {
	Birth, Epoch ident.Seq
	Failure      FailureEvent
	// Delay until the next attempt in ms; nil lets Policy decide.
	Delay *int64
	// Unlimited keeps this failure from exhausting Policy: a Run with a retry
	// policy of its own counts for itself.
	Unlimited bool
	Policy    RetryPolicy
	// Jitter in [0,1) is drawn by the shell.
	Jitter float64
}

// RetryPolicy is the retry policy of a handler as the running build defines
// it. Intervals in ms. MaxAttempts includes the first; 0 is unlimited.
type RetryPolicy struct {
	InitialInterval, MaxInterval int64
	Factor                       float64
	MaxAttempts                  uint32
	// KillOnExhausted ends the invocation with the last failure; otherwise it
	// is paused.
	KillOnExhausted bool
}

// ReadState asks for one value, or with Keys for all names, on behalf of a
// running attempt that does not hold the state itself.
type ReadState struct {
	Birth, Epoch ident.Seq
	Name         string
	Keys         bool
}

// Signal delivers a signal to an invocation: the answer of an awakeable, a
// named signal, or cancel (index ident.CancelSignal).
type Signal struct {
	From   OutboxRef
	Token  Token
	ID     ident.InvocationID
	Signal journal.NotificationID
	Result journal.Result
}

// Returned delivers the result of a callee, or of an attached invocation.
type Returned struct {
	From   OutboxRef
	To     Address
	Type   journal.Type // CallCompletion or AttachCompletion
	Result journal.Result
}

// Attach asks for the result of an invocation: for a request (Token), or for
// another invocation (Waiter). With Peek it answers at once.
type Attach struct {
	From   OutboxRef
	Token  Token
	ID     ident.InvocationID
	Waiter Address
	Peek   bool
}

// Operate is an operation of the admin interface, or a kill that follows a
// call.
type Operate struct {
	From  OutboxRef
	Token Token
	ID    ident.InvocationID
	Op    Operation
}

// Operation is what Operate does. The values are stored.
type Operation uint8

// Operations.
const (
	OpCancel Operation = iota + 1
	OpKill
	OpPause
	OpResume
	OpPurge
	OpPurgeJournal
	// OpRestartAsNew names the operation in errors. It is a Restart, never an
	// Operate.
	OpRestartAsNew
)

// String returns the word of the admin route.
func (op Operation) String() string {
	switch op {
	case OpCancel:
		return "cancel"
	case OpKill:
		return "kill"
	case OpPause:
		return "pause"
	case OpResume:
		return "resume"
	case OpPurge:
		return "purge"
	case OpPurgeJournal:
		return "purge-journal"
	case OpRestartAsNew:
		return "restart-as-new"
	default:
		return "unknown"
	}
}

// Wake is a timer that fired. What the record does not know is ignored.
type Wake struct{ Timer TimerRow }

// Recover brings back an invocation that start-up found active. CountDeath is
// false when the process had stopped cleanly. Turn says that nothing else is
// started now, so that an invocation which is Suspected may be.
type Recover struct {
	Active           ActiveRow
	CountDeath, Turn bool
}

// Expire removes what has outlived its retention.
type Expire struct{ Expiry ExpiryRow }

// DoChore does the next slice of a chore.
type DoChore struct{ Chore ChoreRow }

func (*Invoke) event()    {}
func (*Append) event()    {}
func (*Park) event()      {}
func (*Fail) event()      {}
func (*ReadState) event() {}
func (*Signal) event()    {}
func (*Returned) event()  {}
func (*Attach) event()    {}
func (*Operate) event()   {}
func (*Wake) event()      {}
func (*Recover) event()   {}
func (*Expire) event()    {}
func (*DoChore) event()   {}

// Sent implements Message.
func (m *Invoke) Sent(from OutboxRef) Message { c := *m; c.From = from; return &c }

// Sent implements Message.
func (m *Signal) Sent(from OutboxRef) Message { c := *m; c.From = from; return &c }

// Sent implements Message.
func (m *Returned) Sent(from OutboxRef) Message { c := *m; c.From = from; return &c }

// Sent implements Message.
func (m *Attach) Sent(from OutboxRef) Message { c := *m; c.From = from; return &c }

// Sent implements Message.
func (m *Operate) Sent(from OutboxRef) Message { c := *m; c.From = from; return &c }
