package machine

import (
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
)

// InvocationRow is the record of an invocation.
//
// Invariants: Commands <= JournalLength; Holder of the head is the Birth of the
// one exclusive invocation in Ready, Suspended, BackingOff or Paused; the rows
// under Birth are exactly those that the counts name, and those of a ChoreAnswer,
// ChoreKillCallees or ChoreStopListening, which counts none; the entries of the
// journal rows and then those of Tail are the journal, unless it was dropped:
// then there are neither.
type InvocationRow struct {
	Birth  ident.Seq
	ID     ident.InvocationID
	Target ident.Target
	Status Status

	CreatedAt, ModifiedAt int64
	// RunningAt is when the first attempt started, 0 before.
	RunningAt int64
	// ScheduledFor is the start time of a delayed invocation, 0 otherwise.
	ScheduledFor int64
	// InboxSeq is the place in the queue while Pending.
	InboxSeq ident.Seq

	InvokedBy      InvokedBy
	Caller         Caller
	IdempotencyKey string
	RandomSeed     uint64
	Retention      Retention

	// JournalLength counts entries, Commands counts commands among them,
	// JournalRows the rows in which those before Tail are stored.
	JournalLength, Commands, JournalRows uint32
	// Tail are the last entries of the journal, at most MaxTailBytes of them: a
	// short invocation is one row, and a step of a long one is this row only.
	Tail []journal.Entry
	// Signals, Pending and Waiters count rows of those tables.
	Signals, Pending, Waiters uint32

	// Epoch is the current attempt, 0 when there is none.
	Epoch ident.Seq
	// Await and Taken are set while Suspended: what is missing, and how many
	// entries the handler had taken when it was unloaded.
	Await *journal.Future
	Taken uint32
	// Allocated is what the handler had handed out when it was suspended; zero
	// once a command was appended after that.
	Allocated journal.Allocated
	// IssuedAwakeables says that the handler had created an awakeable, so that
	// a marker must outlive the record.
	IssuedAwakeables bool

	Retry Retry
	// Failures holds the latest failures, newest last, at most MaxFailures.
	Failures []FailureEvent
	// PauseRequested makes the invocation pause when its attempt ends.
	PauseRequested bool

	// Result, CompletedAt and ExpiresAt are set when Completed. ExpiresAt 0
	// means that nothing is kept.
	Result                 journal.Result
	CompletedAt, ExpiresAt int64

	// Unread is how many signals have been stored that the handler was not
	// known to have taken when the last one came.
	Unread uint32
	// RestartedFrom is the invocation whose input, or more of whose journal, this
	// one began with. It is zero for others.
	RestartedFrom ident.InvocationID
	// Alias stands for the invocation in its awakeable ids, zero for its id.
	Alias ident.InvocationID
}

// MaxUnread bounds the signals of an invocation that its handler has not taken,
// for requests from outside. What one key owes another is always stored, and so
// are the answers of as many awakeables.
const MaxUnread = 10_000

// MaxTailBytes is how many bytes the entries in the tail of a record take, each
// with tailOverhead. More go to a JournalRow of their own. A larger bound saves
// rows and writes the same entries more often.
const (
	MaxTailBytes = 1 << 10
	tailOverhead = 16
)

// MaxFailures bounds the failures kept in a record.
const MaxFailures = 20

// InvokedBy says where an invocation came from. The values are stored.
type InvokedBy uint8

// Origins.
const (
	ByIngress InvokedBy = iota + 1
	ByService
	ByProcess
	ByRestart
)

// String returns the word of the introspection.
func (b InvokedBy) String() string {
	switch b {
	case ByIngress:
		return "ingress"
	case ByService:
		return "service"
	case ByProcess:
		return "in_process"
	case ByRestart:
		return "restart_as_new"
	default:
		return "unknown"
	}
}

// Caller is the invocation that made a call or a send, and for a call where
// the result goes: ReplyTo.Birth is 0 for a send.
type Caller struct {
	ID      ident.InvocationID
	Target  ident.Target
	ReplyTo Address
}

// Retention says how long a completed invocation is kept, in milliseconds.
// Zero keeps nothing.
type Retention struct {
	// Completion is for the result: idempotency or workflow retention, or the
	// journal retention for a plain invocation.
	Completion int64
	// Journal is for the journal, at most Completion.
	Journal int64
	// OfWorkflow says that the handler belongs to a workflow, and Workflow how
	// long the state and the promises of that are kept.
	OfWorkflow bool
	Workflow   int64
}

// Retry counts what has gone wrong since the last stored entry.
type Retry struct {
	// Attempts counts failed attempts since the last new entry or resume.
	Attempts uint32
	// Since is when the first of them failed, 0 when there is none.
	Since int64
	// NextAt is the due time of the retry timer while BackingOff.
	NextAt int64
	// Deaths counts starts of the process in a row that found this invocation
	// running and saw no new entry since.
	Deaths uint32
}

// FailureEvent is one failed attempt.
type FailureEvent struct {
	At           int64
	Code         uint32
	Message      string
	CommandIndex int32 // -1 when no command is known
	CommandType  journal.Type
	CommandName  string
}

// UsualKeep and Promptly say, in milliseconds, which completed invocation is a
// usual one: it is kept for UsualKeep, its journal no shorter, and was completed
// within Promptly of its creation. Usual ones expire, give or take that, in the
// order of their births, in which their records are stored anyway: they need no
// ExpiryRow. Changing either leaves stored records that nobody removes.
const (
	UsualKeep int64 = 24 * 3_600_000
	Promptly  int64 = 3_600_000
)

// Usual reports whether the record has no ExpiryRow of its own: whoever walks over
// the records finds it when it has expired.
func (r *InvocationRow) Usual() bool {
	return r.Status == StatusCompleted && r.ExpiresAt-r.CompletedAt == UsualKeep && r.CompletedAt-r.CreatedAt < Promptly &&
		r.Retention.Journal >= UsualKeep && !r.Retention.OfWorkflow
}

// Expiry returns when and where a completed invocation, which belongs to key, is
// removed.
func (r *InvocationRow) Expiry(key ident.ObjectKey) ExpiryRow {
	return ExpiryRow{Partition: r.ID.Partition(), Hour: hourOf(r.ExpiresAt), Birth: r.Birth, ID: r.ID, Object: key, What: ExpireInvocation}
}

// InRows returns how many entries of the journal are in rows of their own, or
// were before the journal was dropped.
func (r *InvocationRow) InRows() uint32 { return r.JournalLength - uint32(len(r.Tail)) }

// HasJournal reports whether the journal is kept. That of a completed invocation
// may have been dropped.
func (r *InvocationRow) HasJournal() bool { return r.JournalRows > 0 || len(r.Tail) > 0 }

// Key returns the key of the row.
func (r *InvocationRow) Key() Key {
	return Key{Partition: r.ID.Partition(), Table: TableInvocation, A: uint64(r.Birth)}
}

// Status is the state of an invocation. The values are stored; String gives the
// words used over HTTP.
type Status uint8

// Statuses. Running is not stored: whether a Ready invocation has been given a
// handler slot is known to the process that runs it.
const (
	StatusScheduled Status = iota + 1
	StatusPending
	StatusReady
	StatusSuspended
	StatusBackingOff
	StatusPaused
	StatusCompleted
)

// String returns the status word.
func (s Status) String() string {
	switch s {
	case StatusScheduled:
		return "scheduled"
	case StatusPending:
		return "pending"
	case StatusReady:
		return "ready"
	case StatusSuspended:
		return "suspended"
	case StatusBackingOff:
		return "backing-off"
	case StatusPaused:
		return "paused"
	case StatusCompleted:
		return "completed"
	default:
		return "none"
	}
}
