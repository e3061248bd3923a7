package machine

import (
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
)

// Output is what one event did.
//
// Writes must be durable, together and after the writes of every earlier
// output of the key, before any effect in Gated is performed. An output without
// writes waits in the same line. Effects in Now are performed at once. Both
// lists are performed in order.
//
// The rows in Writes belong to the object: they are encoded before the next
// Apply.
type Output struct {
	Seq    ident.Seq
	Writes []Write
	Now    []Effect
	Gated  []Effect
	// Changes says what became of invocations, for whoever reports that. It
	// asks for nothing.
	Changes []Change
}

// Reset empties o for the next event and keeps its memory.
func (o *Output) Reset(seq ident.Seq) {
	clear(o.Writes)
	clear(o.Now)
	clear(o.Gated)
	clear(o.Changes)
	o.Seq, o.Writes, o.Now, o.Gated, o.Changes = seq, o.Writes[:0], o.Now[:0], o.Gated[:0], o.Changes[:0]
}

// Need asks for rows: the one under From when To is the zero Key, else at most
// Limit rows of [From, To) in key order.
type Need struct {
	From, To Key
	Limit    int
	// slice marks the rows of one step of a chore, which belong to nothing in
	// memory.
	slice bool
}

// Point reports whether n asks for a single row.
func (n Need) Point() bool { return n.To == Key{} }

// Effect is something for the shell to do. The set is closed.
type Effect interface{ effect() }

// StartAttempt starts an attempt of an invocation. The shell waits for the
// code of earlier attempts of the same invocation, and for an exclusive one of
// the same key, to end first.
type StartAttempt struct {
	// Of the record, at this moment.
	Birth          ident.Seq
	ID, Alias      ident.InvocationID
	Target         ident.Target
	IdempotencyKey string
	RandomSeed     uint64
	Allocated      journal.Allocated
	Retry          Retry
	// Due is when it could have started first, RunningAt when it did.
	Due, RunningAt int64

	Epoch ident.Seq
	// The journal is the Stored first entries, which are durable, followed by
	// Tail.
	Stored uint32
	Tail   []journal.Entry
	// State holds the values in memory; StateComplete says that there are no
	// others. Both are empty for handlers of plain services.
	State         []StateValue
	StateComplete bool
	// From is the status that the invocation leaves: 0 for one that is new,
	// StatusReady for one that a former process has left.
	From Status
	// Alone delays the attempt until every other recovered one has started: it
	// may be the one that ends the process.
	Alone bool
}

// StopAttempt ends an attempt: its handler is unwound at its next operation.
type StopAttempt struct {
	Birth, Epoch ident.Seq
	Reason       StopReason
}

// StopReason says why an attempt is stopped.
type StopReason uint8

// Reasons.
const (
	// StopSuspended unloads a handler whose suspension is durable.
	StopSuspended StopReason = iota + 1
	// StopKilled ends code whose invocation was killed.
	StopKilled
)

// Notify hands an attempt the notification that became entry Index.
type Notify struct {
	Birth, Epoch ident.Seq
	Index        uint32
	Entry        journal.Entry
}

// KeepWaiting tells an attempt that its park was refused, because what it
// waits for is on its way.
type KeepWaiting struct{ Birth, Epoch ident.Seq }

// PauseAttempt asks an attempt to suspend at its next wait, or at once when it
// waits; without Wanted it takes that back.
type PauseAttempt struct {
	Birth, Epoch ident.Seq
	Wanted       bool
}

// CancelRuns cancels the closures in flight of an attempt: a cancel signal is
// stored.
type CancelRuns struct{ Birth, Epoch ident.Seq }

// StateRead answers ReadState.
type StateRead struct {
	Birth, Epoch ident.Seq
	Name         string
	Value        []byte
	Found        bool
	Keys         []string
}

// Watch makes a request wait for the result of an invocation.
type Watch struct {
	Token Token
	Birth ident.Seq
	ID    ident.InvocationID
}

// Finished answers every request that watches an invocation.
type Finished struct {
	Birth  ident.Seq
	ID     ident.InvocationID
	Result journal.Result
	// Took is how long the invocation has existed, in ms.
	Took int64
}

// Answer answers one request.
type Answer struct {
	Token Token
	Kind  AnswerKind
	// ID is the invocation that was found or made.
	ID ident.InvocationID
	// Result and ExpiresAt (ms since the epoch) accompany AnswerResult.
	Result    journal.Result
	ExpiresAt int64
	// StartAt accompanies AnswerAccepted and AnswerPreviouslyAccepted while
	// the invocation is scheduled.
	StartAt int64
	// Status is the status that an operation met.
	Status Status
}

// AnswerKind tells answers apart.
type AnswerKind uint8

// Answers.
const (
	// AnswerResult: the invocation had completed before; here is its result.
	AnswerResult AnswerKind = iota + 1
	AnswerAccepted
	AnswerPreviouslyAccepted
	// AnswerNotReady: output of an invocation that has not completed.
	AnswerNotReady
	// AnswerUnknown: no such invocation.
	AnswerUnknown
	// AnswerApplied, AnswerDuplicate, AnswerCompleted: a signal was stored, had
	// been stored before, or came after the end.
	AnswerApplied
	AnswerDuplicate
	AnswerCompleted
	// AnswerDone and AnswerStored: an operation has taken effect, or will.
	AnswerDone
	AnswerStored
	// AnswerConflict and AnswerTooEarly: the status does not allow it.
	AnswerConflict
	AnswerTooEarly
	// AnswerUnread: too many signals wait for the handler; nothing is stored.
	AnswerUnread
)

// Deliver hands an outbox row to its receiver.
type Deliver struct{ Row *OutboxRow }

// SetTimer makes a timer known to the timer service.
type SetTimer struct{ Timer TimerRow }

// AttemptFailed tells whoever watches the process that an attempt has failed,
// and what became of the invocation: it is backing off, paused or completed.
type AttemptFailed struct {
	ID       ident.InvocationID
	Target   ident.Target
	Status   Status
	Attempts uint32
	// NextAt is when the next attempt starts while it is backing off, in ms
	// since the epoch.
	NextAt  int64
	Failure FailureEvent
}

// Suspected says that an invocation may be the one that ends the process: it
// stays as it is until a Recover says that its turn has come.
type Suspected struct{ Active ActiveRow }

// Continue asks for the next slice of a chore.
type Continue struct{ Chore ChoreRow }

func (*StartAttempt) effect()  {}
func (*StopAttempt) effect()   {}
func (*Notify) effect()        {}
func (*KeepWaiting) effect()   {}
func (*PauseAttempt) effect()  {}
func (*CancelRuns) effect()    {}
func (*StateRead) effect()     {}
func (*Watch) effect()         {}
func (*Finished) effect()      {}
func (*Answer) effect()        {}
func (*Deliver) effect()       {}
func (*SetTimer) effect()      {}
func (*AttemptFailed) effect() {}
func (*Suspected) effect()     {}
func (*Continue) effect()      {}
