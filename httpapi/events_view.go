package httpapi

import (
	"bytes"

	"github.com/dormouse-run/dormouse/internal/query"
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
	item := newInvocationItem(&query.Invocation{Row: *e.Invocation, Live: query.LiveAttempt{Running: e.Running}})
	return invocationEventView{invocationView: item, PreviousStatus: e.Previous}
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

// newAwakeableEventView is an item of the list of awakeables, or one that has left
// that list. It is news, so its age is 0.
func newAwakeableEventView(e *stream.Event) awakeableView {
	v := newAwakeableView(e.Invocation.Awakeable(e.Awakeable.Index), e.Invocation)
	v.State, v.Since, v.InvocationStatus = e.Awakeable.State.String(), instant(e.Awakeable.Since), e.Status()
	return v
}

// newPromiseEventView is an item of the list of promises. Nobody waits for it any
// more.
func newPromiseEventView(e *stream.Event) promiseView {
	return newPromiseItem(&query.PromiseItem{
		Service: e.Object.Service, Key: e.Object.Key, Name: e.Promise.Name, Result: e.Promise.Result,
		CreatedAt: e.Promise.CreatedAt, CompletedAt: e.Promise.CompletedAt,
	}, defaultValueBytes)
}
