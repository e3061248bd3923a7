package httpapi

import (
	"cmp"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
)

// invocationView is one invocation as introspection shows it.
type invocationView struct {
	ID             string        `json:"id"`
	Target         string        `json:"target"`
	Service        string        `json:"service"`
	Key            *string       `json:"key,omitempty"`
	Handler        string        `json:"handler"`
	HandlerType    string        `json:"handler_type"`
	Status         string        `json:"status"`
	InvokedBy      string        `json:"invoked_by"`
	CallerID       string        `json:"caller_id,omitempty"`
	CallerTarget   string        `json:"caller_target,omitempty"`
	RestartedFrom  string        `json:"restarted_from,omitempty"`
	IdempotencyKey string        `json:"idempotency_key,omitempty"`
	CreatedAt      string        `json:"created_at"`
	ModifiedAt     string        `json:"modified_at"`
	ScheduledFor   string        `json:"scheduled_for,omitempty"`
	QueuedAt       string        `json:"queued_at,omitempty"`
	QueuePosition  int           `json:"queue_position,omitempty"`
	RunningAt      string        `json:"running_at,omitempty"`
	JournalLength  uint32        `json:"journal_length"`
	CommandCount   uint32        `json:"command_count"`
	RetryCount     uint32        `json:"retry_count"`
	NextRetryAt    string        `json:"next_retry_at,omitempty"`
	LastFailure    *failureView  `json:"last_failure,omitempty"`
	Awaiting       *awaitView    `json:"awaiting,omitempty"`
	WaitsFor       []waitView    `json:"waits_for,omitempty"`
	Deadlock       []string      `json:"deadlock,omitempty"`
	CompletedAt    string        `json:"completed_at,omitempty"`
	Completion     *resultView   `json:"completion,omitempty"`
	ExpiresAt      string        `json:"expires_at,omitempty"`
	Headers        *orderedPairs `json:"headers,omitempty"`
	Input          *payload      `json:"input,omitempty"`
	Output         *payload      `json:"output,omitempty"`
	Failures       []failureView `json:"failures,omitempty"`
	exportedInvocation
	Journal *journalView `json:"journal,omitempty"`
}

// failureView is one failed attempt.
type failureView struct {
	Code    uint32       `json:"code"`
	Message string       `json:"message"`
	At      string       `json:"at"`
	Command *commandView `json:"command,omitempty"`
}

// commandView names the command at which an attempt failed.
type commandView struct {
	Index int32  `json:"index"`
	Type  string `json:"type"`
	Name  string `json:"name,omitempty"`
}

// awaitView is what a suspended invocation waits for.
type awaitView struct {
	Type        string       `json:"type"`
	Completions []uint32     `json:"completions,omitempty"`
	Signals     []uint32     `json:"signals,omitempty"`
	Named       []string     `json:"signal_names,omitempty"`
	Nested      []*awaitView `json:"nested,omitempty"`
}

// resultView says how an invocation ended.
type resultView struct {
	Result  string `json:"result"`
	Code    uint32 `json:"code,omitempty"`
	Message string `json:"message,omitempty"`
}

func newInvocationView(found *actors.Inspection) *invocationView {
	row := &found.Invocation
	v := &invocationView{
		ID: row.ID.String(), Target: row.Target.String(), Service: row.Target.Service, Handler: row.Target.Handler,
		HandlerType: row.Target.Kind.String(), Status: row.Status.String(), InvokedBy: row.InvokedBy.String(),
		IdempotencyKey: row.IdempotencyKey,
		CreatedAt:      instant(row.CreatedAt), ModifiedAt: instant(row.ModifiedAt), ScheduledFor: instant(row.ScheduledFor),
		RunningAt: instant(row.RunningAt), CompletedAt: instant(row.CompletedAt), ExpiresAt: instant(row.ExpiresAt),
		QueuedAt: instant(found.Place.QueuedAt), QueuePosition: found.Place.Position,
		NextRetryAt:   instant(row.Retry.NextAt),
		JournalLength: row.JournalLength, CommandCount: row.Commands, RetryCount: row.Retry.Attempts,
		Awaiting: newAwaitView(cmp.Or(found.Awaiting, row.Await)), WaitsFor: newWaitViews(row, found.Waits), Completion: newResultView(row.Result),
	}
	if row.Target.Keyed() {
		v.Key = &row.Target.Key
	}
	if found.Running {
		v.Status = "running"
	}
	if row.Caller.ID != (ident.InvocationID{}) {
		v.CallerID, v.CallerTarget = row.Caller.ID.String(), row.Caller.Target.String()
	}
	if !row.RestartedFrom.IsZero() {
		v.RestartedFrom = row.RestartedFrom.String()
	}
	for i := len(row.Failures) - 1; i >= 0; i-- {
		e := &row.Failures[i]
		f := failureView{Code: e.Code, Message: e.Message, At: instant(e.At)}
		if e.CommandIndex >= 0 {
			f.Command = &commandView{Index: e.CommandIndex, Type: e.CommandType.String(), Name: e.CommandName}
		}
		v.Failures = append(v.Failures, f)
	}
	for _, id := range found.Deadlock {
		v.Deadlock = append(v.Deadlock, id.String())
	}
	if len(v.Failures) > 0 {
		v.LastFailure = &v.Failures[0]
	}
	return v
}

// addInput shows what the invocation was started with, when the journal is
// still kept.
func (v *invocationView) addInput(entries []journal.Entry, limit int) {
	if len(entries) == 0 || entries[0].Type != journal.TypeInput {
		return
	}
	command, err := journal.DecodeCommand(entries[0].Type, entries[0].Body)
	if err != nil {
		return
	}
	if input, ok := command.(*journal.Input); ok {
		v.Input, v.Headers = payloadOf(input.Value, limit), pairsOf(input.Headers)
	}
}

func (v *invocationView) addOutput(r journal.Result, limit int) {
	if r.Kind == journal.ResultValue || r.Kind == journal.ResultVoid {
		v.Output = payloadOf(r.Value, limit)
	}
}

func newAwaitView(f *journal.Future) *awaitView {
	if f == nil {
		return nil
	}
	v := &awaitView{Type: awaitType(f.Combinator), Completions: f.Completions, Signals: f.Signals, Named: f.Named}
	for _, nested := range f.Nested {
		v.Nested = append(v.Nested, newAwaitView(nested))
	}
	return v
}

// awaitType returns the word of introspection for a combinator.
func awaitType(c journal.Combinator) string {
	switch c {
	case journal.FirstCompleted:
		return "first_completed"
	case journal.AllCompleted:
		return "all_completed"
	case journal.FirstSucceededOrAllFailed:
		return "first_succeeded_or_all_failed"
	case journal.AllSucceededOrFirstFailed:
		return "all_succeeded_or_first_failed"
	default:
		return "unknown"
	}
}

func newResultView(r journal.Result) *resultView {
	switch {
	case r.Kind == journal.ResultNone:
		return nil
	case r.Kind == journal.ResultFailure && r.Failure != nil:
		return &resultView{Result: "failure", Code: r.Failure.Code, Message: r.Failure.Message}
	default:
		return &resultView{Result: "success"}
	}
}

// instant formats milliseconds since the epoch, "" for none.
func instant(ms int64) string {
	if ms == 0 {
		return ""
	}
	return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z")
}
