package httpapi

import (
	"bytes"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/stream"
)

// frameOf encodes an event as one frame of text/event-stream.
func frameOf(e *stream.Event) ([]byte, error) {
	data, err := encodeJSON(viewOf(e))
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.Grow(len(data) + 64)
	b.WriteString("id: " + e.At.String() + "\nevent: " + e.Kind.String() + "\ndata: ")
	b.Write(data)
	b.WriteString("\n\n")
	return b.Bytes(), nil
}

// viewOf returns the data of an event.
func viewOf(e *stream.Event) any {
	switch e.Kind {
	case stream.InvocationRemoved:
		return removedEventView{ID: e.Invocation.ID.String(), PreviousStatus: e.Previous}
	case stream.InvocationJournal:
		return newEntryView(e.Index, &e.Entry, defaultValueBytes, completionSet{})
	case stream.ObjectChanged:
		return newObjectEventView(e)
	case stream.AwakeablePending, stream.AwakeableCompleted:
		return newAwakeableEventView(e)
	case stream.PromiseCompleted:
		return newPromiseEventView(e)
	default:
		return newInvocationEventView(e)
	}
}

// invocationEventView is an item of the list of invocations, and what its status
// was before.
type invocationEventView struct {
	*invocationView
	PreviousStatus string `json:"previous_status,omitempty"`
}

func newInvocationEventView(e *stream.Event) invocationEventView {
	v := newInvocationView(&actors.Inspection{Invocation: *e.Invocation, Running: e.Running})
	v.Failures = nil // the item has the last one
	return invocationEventView{invocationView: v, PreviousStatus: e.Previous}
}

// removedEventView says that an invocation is not known any more.
type removedEventView struct {
	ID             string `json:"id"`
	PreviousStatus string `json:"previous_status"`
}

// objectEventView is the standing of a key.
type objectEventView struct {
	Service    string `json:"service"`
	Key        string `json:"key"`
	Status     string `json:"status"`
	HolderID   string `json:"holder_id,omitempty"`
	QueueDepth uint64 `json:"queue_depth"`
}

func newObjectEventView(e *stream.Event) objectEventView {
	v := objectEventView{Service: e.Object.Service, Key: e.Object.Key, Status: e.Key.Status, QueueDepth: e.Key.Queued}
	if !e.Key.HolderID.IsZero() {
		v.HolderID = e.Key.HolderID.String()
	}
	return v
}

// awakeableEventView is an item of the list of awakeables, or one that has left
// that list.
type awakeableEventView struct {
	AwakeableID      string  `json:"awakeable_id"`
	InvocationID     string  `json:"invocation_id"`
	Index            uint32  `json:"index"`
	Service          string  `json:"service"`
	Key              *string `json:"key,omitempty"`
	Handler          string  `json:"handler"`
	State            string  `json:"state"`
	Since            string  `json:"since"`
	AgeMS            int64   `json:"age_ms"` // 0: it is news
	InvocationStatus string  `json:"invocation_status"`
}

func newAwakeableEventView(e *stream.Event) awakeableEventView {
	row := e.Invocation
	v := awakeableEventView{
		AwakeableID:  row.Awakeable(e.Awakeable.Index).String(),
		InvocationID: row.ID.String(), Index: e.Awakeable.Index,
		Service: row.Target.Service, Handler: row.Target.Handler,
		State: e.Awakeable.State.String(), Since: instant(e.Awakeable.Since), InvocationStatus: e.Status(),
	}
	if row.Target.Keyed() {
		v.Key = &row.Target.Key
	}
	return v
}

// promiseEventView is an item of the list of promises.
type promiseEventView struct {
	Service   string       `json:"service"`
	Key       string       `json:"key"`
	Name      string       `json:"name"`
	Completed bool         `json:"completed"`
	Waiters   []string     `json:"waiters"` // nobody waits any more
	Value     *payload     `json:"value,omitempty"`
	Failure   *failureBody `json:"failure,omitempty"`
}

func newPromiseEventView(e *stream.Event) promiseEventView {
	v := promiseEventView{Service: e.Object.Service, Key: e.Object.Key, Name: e.Promise.Name, Completed: true, Waiters: []string{}}
	switch r := &e.Promise.Result; {
	case r.Kind == journal.ResultFailure && r.Failure != nil:
		v.Failure = &failureBody{Code: r.Failure.Code, Message: r.Failure.Message, Metadata: pairsOf(r.Failure.Metadata)}
	default:
		v.Value = payloadOf(r.Value, defaultValueBytes)
	}
	return v
}
