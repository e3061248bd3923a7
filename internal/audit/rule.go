package audit

import (
	"fmt"

	"github.com/dormouse-run/dormouse/internal/machine"
)

// Rule is what a finding has found broken.
type Rule uint8

// Rules.
const (
	// RuleReadable: every row is read as it was written.
	RuleReadable Rule = iota + 1
	// RuleOwner: every row belongs to a live head, record, generation or birth, or
	// to work that is about to remove it.
	RuleOwner
	// RuleCount: counts in owners equal rows.
	RuleCount
	// RuleJournal: indexes are contiguous, counters are exact, every completion
	// and every awakeable is answered once, and no completion comes before its
	// command.
	RuleJournal
	// RuleReason: an unfinished invocation has exactly one reason to go on.
	RuleReason
	// RuleTimer: timers and those who wait for them name each other, and none
	// lies below the mark.
	RuleTimer
	// RuleHandover: what one key owes another is a row of one of the two.
	RuleHandover
	// RuleHolder: the head of a key and the one invocation that holds it name each
	// other.
	RuleHolder
	// RuleQueue: the places in the queue and those who stand there name each
	// other.
	RuleQueue
	// RuleState: a value of the state is stored once.
	RuleState
	// RuleWorkflow: the head of a workflow knows its run and what is unfinished.
	RuleWorkflow
	// RulePromise: promises and those who listen name each other.
	RulePromise
	// RuleName: ids and aliases lead to their invocations and back.
	RuleName
	// RuleStatus: the lists by status have exactly those that they should have.
	RuleStatus
	// RuleExpiry: what has a retention is removed when that is over.
	RuleExpiry
)

// String returns the word of the rule.
func (r Rule) String() string {
	switch r {
	case RuleReadable:
		return "readable"
	case RuleOwner:
		return "owner"
	case RuleCount:
		return "count"
	case RuleJournal:
		return "journal"
	case RuleReason:
		return "reason"
	case RuleTimer:
		return "timer"
	case RuleHandover:
		return "handover"
	case RuleHolder:
		return "holder"
	case RuleQueue:
		return "queue"
	case RuleState:
		return "state"
	case RuleWorkflow:
		return "workflow"
	case RulePromise:
		return "promise"
	case RuleName:
		return "name"
	case RuleStatus:
		return "status"
	case RuleExpiry:
		return "expiry"
	default:
		return "unknown"
	}
}

// Finding is one thing that is wrong.
type Finding struct {
	Rule Rule
	// Key is what it is about: Service/Key, an id, or the name of a row.
	Key string
	// Text says what is wrong, in one sentence.
	Text string
}

// String returns the finding as one line.
func (f Finding) String() string { return f.Rule.String() + ": " + f.Key + ": " + f.Text }

// tableName names a table in findings.
func tableName(t machine.Table) string {
	switch t {
	case machine.TableHead:
		return "head"
	case machine.TableState:
		return "state"
	case machine.TableInbox:
		return "inbox"
	case machine.TableID:
		return "id"
	case machine.TableInvocation:
		return "invocation"
	case machine.TableJournal:
		return "journal"
	case machine.TableSignal:
		return "signal"
	case machine.TablePending:
		return "pending"
	case machine.TableWaiter:
		return "waiter"
	case machine.TableTimer:
		return "timer"
	case machine.TableOutbox:
		return "outbox"
	case machine.TableActive:
		return "active"
	case machine.TableStatus:
		return "status"
	case machine.TableExpiry:
		return "expiry"
	case machine.TableMarker:
		return "marker"
	case machine.TablePromise:
		return "promise"
	case machine.TableListener:
		return "listener"
	case machine.TableChore:
		return "chore"
	case machine.TablePatch:
		return "patch"
	case machine.TableAlias:
		return "alias"
	default:
		return fmt.Sprintf("%q", byte(t))
	}
}
