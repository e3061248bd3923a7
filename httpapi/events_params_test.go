package httpapi

import (
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/internal/stream"
)

func TestParametersOfTheStreamBecomeAFilter(t *testing.T) {
	t.Parallel()
	key, empty := "a b", ""
	rows := []struct {
		query, last string
		want        actors.EventOptions
	}{
		{"", "", actors.EventOptions{}},
		{"topics=object,promise", "", actors.EventOptions{Filter: stream.Filter{Topics: stream.TopicObject | stream.TopicPromise}}},
		{"topics=invocation,awakeable&service=Obj&handler=Add&key=a%20b", "", actors.EventOptions{Filter: stream.Filter{
			Topics: stream.TopicInvocation | stream.TopicAwakeable, Service: "Obj", Handler: "Add", Key: &key}}},
		{"key=", "", actors.EventOptions{Filter: stream.Filter{Key: &empty}}},
		{"status=paused&status=backing-off", "", actors.EventOptions{Filter: stream.Filter{Statuses: []string{"paused", "backing-off"}}}},
		{"invocation_id=" + testID.String(), "", actors.EventOptions{Filter: stream.Filter{Invocation: testID}}},
		{"after=3-17", "", actors.EventOptions{After: &stream.Position{Boot: 3, N: 17}}},
		{"after=3-17", "4-1", actors.EventOptions{After: &stream.Position{Boot: 4, N: 1}}},
	}
	for _, row := range rows {
		var got actors.EventOptions
		s := testServer(t, &fakeRuntime{stream: func(o actors.EventOptions, emit func(actors.EventBatch) error) error {
			got = o
			return emit(actors.EventBatch{Position: stream.Position{Boot: 1, N: 5}})
		}}, Options{})
		var headers []string
		if row.last != "" {
			headers = []string{"Last-Event-ID", row.last}
		}
		w := ask(s.AdminHandler(), "GET", "/introspection/events?"+row.query, "", headers...)
		if w.Code != 200 || w.Body.String() != ": alive\nid: 1-5\n\n" {
			t.Errorf("%q: %d %q", row.query, w.Code, w.Body)
		}
		if !reflect.DeepEqual(got, row.want) {
			t.Errorf("%q: the options are %+v, want %+v", row.query, got, row.want)
		}
		if h := w.Header(); h.Get("Content-Type") != "text/event-stream" || h.Get("Cache-Control") != "no-store" {
			t.Errorf("%q: the headers are %v", row.query, h)
		}
	}
}

func TestWrongParametersOfTheStreamAreRefused(t *testing.T) {
	t.Parallel()
	s := testServer(t, &fakeRuntime{}, Options{})
	for query, want := range map[string]string{
		"topic=object":                 "unknown parameter 'topic'",
		"topics=objects":               "parameter topics cannot be 'objects'",
		"topics=":                      "parameter topics cannot be ''",
		"topics=object,":               "parameter topics cannot be 'object,'",
		"service=":                     "parameter service cannot be '': it takes a name",
		"service=a&service=b":          "given twice",
		"status=done":                  "cannot be 'done'",
		"invocation_id=inv_1":          "the id of an invocation",
		"after=17":                     "like 3-17",
		"after=3-017":                  "like 3-17",
		"after=-1-1":                   "like 3-17",
		"limit=5":                      "unknown parameter",
		"topics=object&handler=Add":    "no handler",
		"topics=promise&status=paused": "no status",
		"topics=object&invocation_id=" + testID.String(): "no invocation_id",
	} {
		w := ask(s.AdminHandler(), "GET", "/introspection/events?"+query, "")
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%q: %d %s, want 400 with %q", query, w.Code, w.Body, want)
		}
	}
	if w := ask(s.AdminHandler(), "GET", "/introspection/events", "", "Last-Event-ID", "x"); w.Code != http.StatusBadRequest {
		t.Errorf("a malformed Last-Event-ID: %d %s", w.Code, w.Body)
	}
	if w := ask(s.AdminHandler(), "POST", "/introspection/events", ""); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d %s", w.Code, w.Body)
	}
}

func TestARefusedStreamIsAnErrorInJSON(t *testing.T) {
	t.Parallel()
	for want, err := range map[int]error{429: &actors.OverloadedError{Requests: true}, 503: actors.ErrStopped} {
		s := testServer(t, &fakeRuntime{stream: func(actors.EventOptions, func(actors.EventBatch) error) error { return err }}, Options{})
		w := ask(s.AdminHandler(), "GET", "/introspection/events", "")
		if w.Code != want || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), `"message"`) {
			t.Errorf("%v: %d %v %s", err, w.Code, w.Header(), w.Body)
		}
	}
}

func TestEveryEventHasTheShapeOfItsList(t *testing.T) {
	t.Parallel()
	const made = int64(1_700_000_000_000)
	row := &machine.InvocationRow{
		ID: testID, Birth: 7, Status: machine.StatusSuspended, CreatedAt: made, ModifiedAt: made + 1, RunningAt: made,
		Target:    ident.Target{Service: "Obj", Key: "k", Handler: "Wait", Kind: ident.KindExclusive},
		InvokedBy: machine.ByIngress, JournalLength: 2, Commands: 2,
		Await: &journal.Future{Combinator: journal.FirstCompleted, Signals: []uint32{17, 1}},
	}
	signal := journal.Notification{Type: journal.TypeSignal, ID: journal.SignalID(17), Result: journal.ValueOf([]byte("1"))}
	awakeable := ident.AwakeableID{Invocation: testID, Index: 17}.String()
	head := `{"id":"` + testID.String() + `","target":"Obj/k/Wait","service":"Obj","key":"k","handler":"Wait","handler_type":"exclusive",`
	rows := []struct {
		event      *stream.Event
		name, data string
	}{
		{&stream.Event{Kind: stream.InvocationStatus, Invocation: row, Previous: "running"}, "invocation.status",
			head + `"status":"suspended","invoked_by":"ingress","created_at":"2023-11-14T22:13:20.000Z","modified_at":"2023-11-14T22:13:20.001Z",` +
				`"running_at":"2023-11-14T22:13:20.000Z","journal_length":2,"command_count":2,"retry_count":0,` +
				`"awaiting":{"type":"first_completed","signals":[17,1]},"previous_status":"running"}`},
		{&stream.Event{Kind: stream.InvocationRemoved, Invocation: row, Previous: "completed"}, "invocation.removed",
			`{"id":"` + testID.String() + `","previous_status":"completed"}`},
		{&stream.Event{Kind: stream.InvocationJournal, Invocation: row, Index: 2, Entry: signal.Entry(made)}, "invocation.journal",
			`{"index":2,"kind":"notification","type":"Signal","type_code":"0xFBFF","appended_at":"2023-11-14T22:13:20.000Z","size":7,"signal_index":17,"value":{"size":1,"json":1}}`},
		{&stream.Event{Kind: stream.ObjectChanged, Object: ident.ObjectKey{Service: "Obj", Key: "k"},
			Key: stream.KeyStanding{Status: "suspended", HolderID: testID, Queued: 2}}, "object.changed",
			`{"service":"Obj","key":"k","status":"suspended","holder_id":"` + testID.String() + `","queue_depth":2}`},
		{&stream.Event{Kind: stream.ObjectChanged, Object: ident.ObjectKey{Service: "Obj"}, Key: stream.KeyStanding{Status: "idle"}}, "object.changed",
			`{"service":"Obj","key":"","status":"idle","queue_depth":0}`},
		{&stream.Event{Kind: stream.AwakeablePending, Invocation: row, Awakeable: stream.Awakeable{Index: 17, State: stream.AwakeableAwaited, Since: made}}, "awakeable.pending",
			`{"awakeable_id":"` + awakeable + `","invocation_id":"` + testID.String() + `","index":17,"service":"Obj","key":"k","handler":"Wait","state":"awaited","since":"2023-11-14T22:13:20.000Z","age_ms":0,"invocation_status":"suspended"}`},
		{&stream.Event{Kind: stream.PromiseCompleted, Object: ident.ObjectKey{Service: "Wf", Key: "w"},
			Promise: &machine.PromiseRow{Name: "p", Result: journal.ValueOf([]byte(`"v"`))}}, "promise.completed",
			`{"service":"Wf","key":"w","name":"p","completed":true,"waiters":[],"value":{"size":3,"json":"v"}}`},
		{&stream.Event{Kind: stream.PromiseCompleted, Object: ident.ObjectKey{Service: "Wf", Key: "w"},
			Promise: &machine.PromiseRow{Name: "p", Result: journal.FailureOf(500, "no")}}, "promise.completed",
			`{"service":"Wf","key":"w","name":"p","completed":true,"waiters":[],"failure":{"code":500,"message":"no"}}`},
	}
	for _, row := range rows {
		row.event.At = stream.Position{Boot: 3, N: 17}
		got, err := row.event.Frame(frameOf)
		want := "id: 3-17\nevent: " + row.name + "\ndata: " + row.data + "\n\n"
		if err != nil || string(got) != want {
			t.Errorf("got  %s\nwant %s (%v)", got, want, err)
		}
	}
}

func TestAResetSaysWhyAndWhereTheStreamGoesOn(t *testing.T) {
	t.Parallel()
	s := testServer(t, &fakeRuntime{stream: func(_ actors.EventOptions, emit func(actors.EventBatch) error) error {
		return emit(actors.EventBatch{Reset: actors.ResetTooOld, Position: stream.Position{Boot: 1, N: 9}})
	}}, Options{})
	w := ask(s.AdminHandler(), "GET", "/introspection/events?after=1-2", "")
	if want := "id: 1-9\nevent: reset\ndata: {\"reason\":\"too_old\"}\n\n"; w.Body.String() != want {
		t.Errorf("got %q, want %q", w.Body, want)
	}
}
