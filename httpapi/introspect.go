package httpapi

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
)

// Bounds of the parameters of introspection.
const (
	defaultJournalLimit = 100
	maxJournalLimit     = 1000
	defaultValueBytes   = 4096
	maxValueBytes       = 1 << 20
	// maxExamined bounds the entries that one request looks at.
	maxExamined = 5000
)

// inspectParams are the parameters of GET /introspection/invocations/{id}.
type inspectParams struct {
	journal    bool
	from       uint32
	limit      uint32
	valueBytes int
	// export adds what a replay of the journal needs.
	export bool
}

// parseInspectParams reads the parameters; an unknown one is an error, because
// a misspelt filter that is ignored answers another question.
func parseInspectParams(q url.Values) (inspectParams, *failure) {
	p := inspectParams{journal: true, limit: defaultJournalLimit, valueBytes: defaultValueBytes}
	if q.Get("export") == "true" {
		p.limit, p.valueBytes, p.export = maxJournalLimit, maxValueBytes, true
	}
	for name, values := range q {
		text, ok, takes := values[0], true, "true or false"
		switch name {
		case "journal":
			p.journal, ok = text == "true", text == "true" || text == "false"
		case "from":
			var n int
			n, ok = number(text, 0, 1<<31-1)
			takes = "the index of an entry"
			p.from = uint32(n)
		case "journal_limit":
			var n int
			n, ok = number(text, 1, maxJournalLimit)
			takes = fmt.Sprintf("a number from 1 to %d", maxJournalLimit)
			p.limit = uint32(n)
		case "max_value_bytes":
			p.valueBytes, ok = number(text, 0, maxValueBytes)
			takes = fmt.Sprintf("a number from 0 to %d", maxValueBytes)
		case "export":
			ok = text == "true" || text == "false"
		default:
			return p, badRequest("unknown parameter '" + name + "': there are journal, from, journal_limit, max_value_bytes and export")
		}
		if !ok {
			return p, badRequest("parameter " + name + " cannot be '" + text + "': it takes " + takes)
		}
	}
	return p, nil
}

func number(text string, low, high int) (int, bool) {
	n, err := strconv.Atoi(text)
	return n, err == nil && low <= n && n <= high
}

// inspect serves GET /introspection/invocations/{id}.
func (s *Server) inspect(c echo.Context) error {
	id, err := ident.ParseInvocationID(c.Param("id"))
	if err != nil {
		return err
	}
	p, f := parseInspectParams(c.QueryParams())
	if f != nil {
		return f
	}
	view, err := s.viewInvocation(c, id, p)
	if err != nil {
		return err
	}
	body, err := encodeJSON(view)
	if err != nil {
		return err
	}
	return s.writeJSON(c.Response(), http.StatusOK, body)
}

// viewInvocation reads the record, the Input for what came in, and the asked
// part of the journal.
func (s *Server) viewInvocation(c echo.Context, id ident.InvocationID, p inspectParams) (*invocationView, error) {
	ctx := c.Request().Context()
	found, err := s.rt.Inspect(ctx, id, actors.InspectOptions{Journal: true, Limit: max(1, p.firstLimit()), Deadlock: true, Waits: true})
	if err != nil {
		return nil, err
	}
	view := newInvocationView(found)
	view.addInput(found.Journal, p.valueBytes)
	view.addOutput(found.Invocation.Result, p.valueBytes)
	if !p.journal {
		return view, nil
	}
	page := found
	if p.from > 0 {
		if page, err = s.rt.Inspect(ctx, id, actors.InspectOptions{Journal: true, From: p.from, Limit: p.limit}); err != nil {
			return nil, err
		}
	}
	done, exact, err := s.completions(ctx, id, page)
	if err != nil {
		return nil, err
	}
	view.Journal = newJournalView(page, p, completionSet{ids: done, exact: exact})
	if p.export {
		view.addExport(&found.Invocation, page.Journal, p.from)
	}
	return view, nil
}

// firstLimit is how many entries the first look takes: the page when it starts
// at the Input, which is needed in any case, else the Input alone.
func (p inspectParams) firstLimit() uint32 {
	if p.journal && p.from == 0 {
		return p.limit
	}
	return 1
}

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
