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

// TableName names a table in findings.
func TableName(t machine.Table) string {
	name, _ := tableName(t)
	return name
}

// tableName names a table, and reports whether it is one of the machine.
func tableName(t machine.Table) (name string, known bool) {
	switch t {
	case machine.TableHead:
		return "head", true
	case machine.TableState:
		return "state", true
	case machine.TableInbox:
		return "inbox", true
	case machine.TableID:
		return "id", true
	case machine.TableInvocation:
		return "invocation", true
	case machine.TableJournal:
		return "journal", true
	case machine.TableSignal:
		return "signal", true
	case machine.TablePending:
		return "pending", true
	case machine.TableWaiter:
		return "waiter", true
	case machine.TableTimer:
		return "timer", true
	case machine.TableOutbox:
		return "outbox", true
	case machine.TableActive:
		return "active", true
	case machine.TableStatus:
		return "status", true
	case machine.TableExpiry:
		return "expiry", true
	case machine.TableMarker:
		return "marker", true
	case machine.TablePromise:
		return "promise", true
	case machine.TableListener:
		return "listener", true
	case machine.TableChore:
		return "chore", true
	case machine.TablePatch:
		return "patch", true
	case machine.TableAlias:
		return "alias", true
	default:
		return fmt.Sprintf("%q", byte(t)), false
	}
}
