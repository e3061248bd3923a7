package httpapi

import (
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/internal/query"
)

// keyItemView is one key of a list.
type keyItemView struct {
	Key             string `json:"key"`
	Status          string `json:"status"`
	HolderID        string `json:"holder_id,omitempty"`
	HolderHandler   string `json:"holder_handler,omitempty"`
	HeldMs          *int64 `json:"held_ms,omitempty"`
	QueueDepth      uint64 `json:"queue_depth"`
	OldestQueuedAt  string `json:"oldest_queued_at,omitempty"`
	OldestQueuedAge *int64 `json:"oldest_queued_age_ms,omitempty"`
	StateEntries    int    `json:"state_entries"`
	StateBytes      *int   `json:"state_bytes,omitempty"`
}

func newKeyItemView(k *query.KeyItem) keyItemView {
	v := keyItemView{Key: k.Key, Status: k.Status.String(), QueueDepth: k.QueueDepth, StateEntries: k.StateEntries}
	if k.Holder != nil {
		v.HolderID, v.HolderHandler, v.HeldMs = k.Holder.ID.String(), k.Holder.Target.Handler, &k.HeldMs
	}
	if k.OldestQueuedAt != 0 {
		v.OldestQueuedAt, v.OldestQueuedAge = instant(k.OldestQueuedAt), &k.OldestQueuedMs
	}
	if k.Measured {
		v.StateBytes = &k.StateBytes
	}
	return v
}

// keyView is one key.
type keyView struct {
	Service       string          `json:"service"`
	Key           string          `json:"key"`
	Status        string          `json:"status"`
	Holder        *invocationView `json:"holder,omitempty"`
	HeldMs        *int64          `json:"held_ms,omitempty"`
	QueueDepth    uint64          `json:"queue_depth"`
	Inbox         []placeView     `json:"inbox"`
	SharedRunning int             `json:"shared_running"`
	StateVersion  string          `json:"state_version,omitempty"`
	StateEntries  int             `json:"state_entries"`
	State         []valueView     `json:"state"`
	// Truncated says that state goes on behind NextAfter.
	Truncated         bool           `json:"state_truncated,omitempty"`
	NextAfter         *string        `json:"state_next_after,omitempty"`
	Promises          *[]promiseView `json:"promises,omitempty"`
	PromisesTruncated bool           `json:"promises_truncated,omitempty"`
}

// placeView is one place of a queue.
type placeView struct {
	Position int    `json:"position"`
	Kind     string `json:"kind"`
	ID       string `json:"id,omitempty"`
	Handler  string `json:"handler,omitempty"`
	QueuedAt string `json:"queued_at"`
}

// valueView is one value of a state.
type valueView struct {
	Name  string   `json:"name"`
	Value *payload `json:"value"`
}

func newKeyView(key ident.ObjectKey, k *query.Key, workflow bool, valueBytes int) *keyView {
	v := &keyView{
		Service: key.Service, Key: key.Key, Status: k.Status.String(), QueueDepth: k.QueueDepth, SharedRunning: k.SharedRunning,
		Inbox: make([]placeView, len(k.Inbox)), State: make([]valueView, len(k.State)),
		StateVersion: k.StateVersion, StateEntries: k.StateEntries, Truncated: k.StateTruncated, PromisesTruncated: k.PromisesTruncated,
	}
	if k.Holder != nil {
		v.Holder = newInvocationItem(&query.Invocation{Row: *k.Holder, Live: k.HolderLive})
		v.HeldMs = &k.HeldMs
	}
	for i := range k.Inbox {
		p := &k.Inbox[i]
		v.Inbox[i] = placeView{Position: p.Position, Kind: p.Kind.String(), Handler: p.Handler, QueuedAt: instant(p.QueuedAt)}
		if p.Kind == machine.InboxInvocation {
			v.Inbox[i].ID = p.ID.String()
		}
	}
	for i := range k.State {
		v.State[i] = valueView{Name: k.State[i].Name, Value: payloadOf(k.State[i].Value, valueBytes)}
	}
	if k.StateTruncated {
		v.NextAfter = &k.StateNext
	}
	if workflow {
		views := make([]promiseView, len(k.Promises))
		for i := range k.Promises {
			views[i] = newPromiseView(&k.Promises[i], valueBytes)
		}
		v.Promises = &views
	}
	return v
}

// awakeableView is one awakeable that is not done.
type awakeableView struct {
	AwakeableID      string  `json:"awakeable_id"`
	InvocationID     string  `json:"invocation_id"`
	Index            uint32  `json:"index"`
	Service          string  `json:"service"`
	Key              *string `json:"key,omitempty"`
	Handler          string  `json:"handler"`
	State            string  `json:"state"`
	Since            string  `json:"since"`
	AgeMs            int64   `json:"age_ms"`
	InvocationStatus string  `json:"invocation_status"`
	// QueueDepth is how many invocations wait behind the one that waits, when that
	// holds a key.
	QueueDepth *uint64 `json:"queue_depth,omitempty"`
}

func newAwakeableView(a *query.AwakeableItem) awakeableView {
	t := &a.Invocation.Target
	v := awakeableView{
		AwakeableID: a.ID.String(), InvocationID: a.Invocation.ID.String(), Index: a.ID.Index,
		Service: t.Service, Handler: t.Handler, State: a.State.String(), Since: instant(a.Since), AgeMs: a.AgeMs,
		InvocationStatus: a.Invocation.Status.String(),
	}
	if a.Running {
		v.InvocationStatus = "running"
	}
	if t.Keyed() {
		v.Key = &t.Key
	}
	if a.Exclusive {
		v.QueueDepth = &a.QueueDepth
	}
	return v
}

// promiseView is one promise. Service and key are left out where the promise is
// shown with its key.
type promiseView struct {
	Service          string       `json:"service,omitempty"`
	Key              *string      `json:"key,omitempty"`
	Name             string       `json:"name"`
	Completed        bool         `json:"completed"`
	CreatedAt        string       `json:"created_at,omitempty"`
	CompletedAt      string       `json:"completed_at,omitempty"`
	Waiters          []string     `json:"waiters"`
	WaitersTruncated bool         `json:"waiters_truncated,omitempty"`
	Value            *payload     `json:"value,omitempty"`
	Failure          *failureBody `json:"failure,omitempty"`
}

func newPromiseView(p *query.PromiseItem, valueBytes int) promiseView {
	v := promiseView{
		Name: p.Name, Completed: p.Completed(), CreatedAt: instant(p.CreatedAt), CompletedAt: instant(p.CompletedAt),
		Waiters: make([]string, len(p.Waiters)), WaitersTruncated: p.WaitersTruncated,
	}
	for i, id := range p.Waiters {
		v.Waiters[i] = id.String()
	}
	switch f := p.Result.Failure; {
	case p.Result.Kind == journal.ResultFailure && f != nil:
		v.Failure = &failureBody{Code: f.Code, Message: f.Message, Metadata: pairsOf(f.Metadata)}
	case v.Completed:
		v.Value = payloadOf(p.Result.Value, valueBytes)
	}
	return v
}

// waitView explains one thing that an invocation waits for. Which fields there are
// depends on what ends the wait.
type waitView struct {
	// Type is cancel, awakeable, signal, or the type of the command whose result
	// is missing; completion when that is not known.
	Type         string `json:"type"`
	CompletionID uint32 `json:"completion_id,omitempty"`
	AwakeableID  string `json:"awakeable_id,omitempty"`
	SignalName   string `json:"signal_name,omitempty"`
	WakeUpAt     string `json:"wake_up_at,omitempty"`
	CalleeID     string `json:"callee_id,omitempty"`
	CalleeTarget string `json:"callee_target,omitempty"`
	Promise      string `json:"promise,omitempty"`
}

func newWaitViews(row *machine.InvocationRow, waits []query.Wait) (views []waitView) {
	for i := range waits {
		views = append(views, newWaitView(row, &waits[i]))
	}
	return views
}

func newWaitView(row *machine.InvocationRow, w *query.Wait) waitView {
	switch n := w.ID; {
	case n.Signal == ident.CancelSignal:
		return waitView{Type: "cancel"}
	case n.Signal != 0:
		return waitView{Type: "awakeable", AwakeableID: row.Awakeable(n.Signal).String()}
	case n.Completion == 0:
		return waitView{Type: "signal", SignalName: n.Name}
	}
	v := waitView{Type: "completion", CompletionID: w.ID.Completion, WakeUpAt: instant(w.WakeUpAt), Promise: w.Promise}
	if w.Command != 0 {
		v.Type = w.Command.String()
	}
	if w.Callee != (ident.InvocationID{}) {
		v.CalleeID = w.Callee.String()
	}
	if w.Target != (ident.Target{}) {
		v.CalleeTarget = w.Target.String()
	}
	return v
}
