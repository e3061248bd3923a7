package httpapi

import (
	"context"
	"fmt"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
)

// journalView is a page of a journal.
type journalView struct {
	Entries []*entryView `json:"entries"`
	// NextFrom is where the next page starts, null behind the last one.
	NextFrom *uint32 `json:"next_from"`
}

// entryView is one entry of a journal. Which fields there are depends on type.
type entryView struct {
	Index      uint32 `json:"index"`
	Kind       string `json:"kind"`
	Type       string `json:"type"`
	TypeCode   string `json:"type_code"`
	AppendedAt string `json:"appended_at"`
	Size       int    `json:"size"`
	Name       string `json:"name,omitempty"`

	CompletionID             uint32       `json:"completion_id,omitempty"`
	ResultCompletionID       uint32       `json:"result_completion_id,omitempty"`
	InvocationIDCompletionID uint32       `json:"invocation_id_completion_id,omitempty"`
	Completed                *bool        `json:"completed,omitempty"`
	StateKey                 *string      `json:"state_key,omitempty"`
	StateKeys                []string     `json:"state_keys,omitempty"`
	Promise                  *string      `json:"promise,omitempty"`
	WakeUpAt                 string       `json:"wake_up_at,omitempty"`
	CalleeTarget             string       `json:"callee_target,omitempty"`
	CalleeID                 string       `json:"callee_id,omitempty"`
	InvokeAt                 string       `json:"invoke_at,omitempty"`
	TargetID                 string       `json:"target_id,omitempty"`
	InvocationID             string       `json:"invocation_id,omitempty"`
	SignalIndex              uint32       `json:"signal_index,omitempty"`
	SignalName               *string      `json:"signal_name,omitempty"`
	Value                    *payload     `json:"value,omitempty"`
	Failure                  *failureBody `json:"failure,omitempty"`
	Void                     bool         `json:"void,omitempty"`
	// Malformed says why the body could not be read.
	Malformed string `json:"malformed,omitempty"`
	exportedEntry
}

// failureBody is a terminal error inside a journal.
type failureBody struct {
	Code     uint32        `json:"code"`
	Message  string        `json:"message"`
	Metadata *orderedPairs `json:"metadata,omitempty"`
}

// completionSet holds the completion ids that are answered. When it is not
// exact, what it does not hold may be answered or not.
type completionSet struct {
	ids   map[uint32]bool
	exact bool
}

// completions collects the answered completion ids from page on to the end of
// the journal, or to the bound on entries, or on their size, per request.
func (s *Server) completions(ctx context.Context, id ident.InvocationID, page *actors.Inspection) (ids map[uint32]bool, exact bool, err error) {
	ids = map[uint32]bool{}
	for examined, size := 0, 0; ; {
		for _, e := range page.Journal {
			size += len(e.Body)
			if !e.Type.IsNotification() || e.Type == journal.TypeSignal {
				continue
			}
			if n, err := journal.DecodeNotification(e.Type, e.Body); err == nil {
				ids[n.ID.Completion] = true
			}
		}
		examined += len(page.Journal)
		switch {
		case page.NextFrom == nil:
			return ids, true, nil
		case examined >= maxExamined, size >= maxExaminedBytes:
			return ids, false, nil
		}
		next := actors.InspectOptions{Journal: true, From: *page.NextFrom, Limit: maxJournalLimit}
		if page, err = s.rt.Inspect(ctx, id, next); err != nil {
			return nil, false, err
		}
	}
}

func newJournalView(page *actors.Inspection, p inspectParams, done completionSet) *journalView {
	v := &journalView{Entries: make([]*entryView, 0, len(page.Journal)), NextFrom: page.NextFrom}
	for i := range page.Journal {
		v.Entries = append(v.Entries, newEntryView(p.from+uint32(i), &page.Journal[i], p.valueBytes, done))
	}
	return v
}

func newEntryView(index uint32, e *journal.Entry, limit int, done completionSet) *entryView {
	v := &entryView{
		Index: index, Kind: "notification", Type: e.Type.String(), TypeCode: fmt.Sprintf("0x%04X", uint16(e.Type)),
		AppendedAt: instant(e.At), Size: len(e.Body),
	}
	if e.Type.IsCommand() {
		v.Kind = "command"
		v.addCommand(e, limit)
		v.addCompleted(done)
		return v
	}
	n, err := journal.DecodeNotification(e.Type, e.Body)
	if err != nil {
		v.Malformed = err.Error()
		return v
	}
	v.CompletionID, v.SignalIndex = n.ID.Completion, n.ID.Signal
	if e.Type == journal.TypeSignal && n.ID.Signal == 0 {
		v.SignalName = &n.ID.Name
	}
	v.addResult(n.Result, limit)
	return v
}

// addCompleted says whether the command has its result.
func (v *entryView) addCompleted(done completionSet) {
	if v.ResultCompletionID == 0 {
		return
	}
	if answered := done.ids[v.ResultCompletionID]; answered || done.exact {
		v.Completed = &answered
	}
}

func (v *entryView) addResult(r journal.Result, limit int) {
	switch r.Kind {
	case journal.ResultValue:
		v.Value = payloadOf(r.Value, limit)
	case journal.ResultVoid:
		v.Void = true
	case journal.ResultFailure:
		if r.Failure != nil {
			v.Failure = &failureBody{Code: r.Failure.Code, Message: r.Failure.Message, Metadata: pairsOf(r.Failure.Metadata)}
		}
	case journal.ResultInvocationID:
		v.InvocationID = r.InvocationID
	case journal.ResultStateKeys:
		v.StateKeys = r.StateKeys
	case journal.ResultNone:
	}
}

// addCommand shows the fields of a command.
func (v *entryView) addCommand(e *journal.Entry, limit int) {
	command, err := journal.DecodeCommand(e.Type, e.Body)
	if err != nil {
		v.Malformed = err.Error()
		return
	}
	v.Name = command.EntryName()
	switch c := command.(type) {
	case *journal.Input:
		v.Value = payloadOf(c.Value, limit)
	case *journal.Output:
		v.addResult(c.Result, limit)
	case *journal.Sleep:
		v.WakeUpAt, v.ResultCompletionID = instant(int64(c.WakeUpAt)), c.Completion
	case *journal.Call:
		v.InvocationIDCompletionID, v.ResultCompletionID = c.InvocationIDCompletion, c.Completion
		v.addCallee(e, c.Service, c.Key, c.Handler, c.Parameter, limit)
	case *journal.OneWayCall:
		v.InvocationIDCompletionID, v.InvokeAt = c.InvocationIDCompletion, instant(int64(c.InvokeAt))
		v.addCallee(e, c.Service, c.Key, c.Handler, c.Parameter, limit)
	case *journal.SendSignal:
		v.TargetID = c.Target
		if v.SignalIndex = c.Index; c.Named {
			v.SignalIndex, v.SignalName = 0, &c.Signal
		}
		v.addResult(c.Result, limit)
	case *journal.Run:
		v.ResultCompletionID = c.Completion
	case *journal.AttachInvocation:
		v.TargetID, v.ResultCompletionID = c.Target.InvocationID, c.Completion
	case *journal.GetOutput:
		v.TargetID, v.ResultCompletionID = c.Target.InvocationID, c.Completion
	case *journal.CompleteAwakeable:
		v.TargetID = c.AwakeableID
		v.addResult(c.Result, limit)
	default:
		v.addState(command, limit)
	}
}

// addState shows the fields of a command on state or promises.
func (v *entryView) addState(command journal.Command, limit int) {
	switch c := command.(type) {
	case *journal.GetLazyState:
		v.StateKey, v.ResultCompletionID = &c.Key, c.Completion
	case *journal.SetState:
		v.StateKey, v.Value = &c.Key, payloadOf(c.Value, limit)
	case *journal.ClearState:
		v.StateKey = &c.Key
	case *journal.GetLazyStateKeys:
		v.ResultCompletionID = c.Completion
	case *journal.GetEagerState:
		v.StateKey = &c.Key
		v.addResult(c.Result, limit)
	case *journal.GetEagerStateKeys:
		v.StateKeys = c.Keys
	case *journal.GetPromise:
		v.Promise, v.ResultCompletionID = &c.Key, c.Completion
	case *journal.PeekPromise:
		v.Promise, v.ResultCompletionID = &c.Key, c.Completion
	case *journal.CompletePromise:
		v.Promise, v.ResultCompletionID = &c.Key, c.Completion
		v.addResult(c.Result, limit)
	}
}

func (v *entryView) addCallee(e *journal.Entry, service, key, handler string, parameter []byte, limit int) {
	t := ident.Target{Service: service, Key: key, Handler: handler, Kind: e.Sidecar.CalleeKind}
	if t.Kind == 0 && key == "" {
		t.Kind = ident.KindService
	}
	v.CalleeTarget, v.Value = t.String(), payloadOf(parameter, limit)
	if e.Sidecar.Callee != (ident.InvocationID{}) {
		v.CalleeID = e.Sidecar.Callee.String()
	}
}
