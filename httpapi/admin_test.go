package httpapi

import (
	"encoding/json"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
)

func TestAWrongParameterOfOneInvocationIsToldWhatItTakes(t *testing.T) {
	t.Parallel()
	h := testServer(t, &fakeRuntime{}, Options{}).AdminHandler()
	for query, want := range map[string]string{
		"journal=maybe":        "parameter journal cannot be 'maybe': it takes true or false",
		"export=1":             "parameter export cannot be '1': it takes true or false",
		"from=-1":              "parameter from cannot be '-1': it takes a number from 0 to 2147483647",
		"journal_limit=0":      "parameter journal_limit cannot be '0': it takes a number from 1 to 1000",
		"max_value_bytes=many": "parameter max_value_bytes cannot be 'many': it takes a number from 0 to 1048576",
	} {
		w := ask(h, "GET", "/introspection/invocations/"+testID.String()+"?"+query, "")
		if w.Code != 400 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %s, want %s", query, w.Code, w.Body, want)
		}
	}
}

func TestAdminRoutes(t *testing.T) {
	t.Parallel()
	id := testID.String()
	rows := []struct {
		method, target string
		err            error
		stored         bool
		status         int
		body           string
	}{
		{"GET", "/health", nil, false, 200, ""},
		{"GET", "/version", nil, false, 200, `{"version":"0.1.0","min_admin_api_version":2,"max_admin_api_version":4,"ingress_endpoint":"http://127.0.0.1:8080/","features":{}}`},
		{"PATCH", "/invocations/" + id + "/cancel", nil, true, 202, ""},
		{"PATCH", "/invocations/" + id + "/kill", nil, false, 200, ""},
		{"PATCH", "/invocations/" + id + "/pause", nil, true, 202, ""},
		{"PATCH", "/invocations/" + id + "/resume", nil, false, 200, ""},
		{"PATCH", "/invocations/" + id + "/resume?deployment=latest", nil, false, 200, ""},
		{"PATCH", "/invocations/" + id + "/resume?deployment=dp_1", nil, false, 400, "message"},
		{"PATCH", "/invocations/" + id + "/purge", nil, false, 200, ""},
		{"PATCH", "/invocations/nonsense/kill", nil, false, 400, "message"},
		{"PATCH", "/invocations/" + id + "/kill", actors.ErrUnknownInvocation, false, 404, "message"},
		{"PATCH", "/invocations/" + id + "/purge", &actors.StatusError{Op: machine.OpPurge, ID: testID, Status: machine.StatusReady}, false, 409, "message"},
		{"PATCH", "/invocations/" + id + "/resume", &actors.StatusError{Op: machine.OpResume, TooEarly: true}, false, 425, "message"},
		{"PATCH", "/invocations/" + id + "/kill", actors.ErrStopped, false, 503, "message"},
		{"PATCH", "/invocations/" + id + "/kill", errors.New("odd"), false, 500, "message"},
		{"PATCH", "/invocations/" + id + "/explode", nil, false, 404, "message"},
		{"GET", "/invocations/" + id + "/kill", nil, false, 405, "message"},
		{"GET", "/invocations/" + id, nil, false, 405, "message"},
		{"DELETE", "/invocations/" + id, nil, false, 405, "message"},
		{"POST", "/health", nil, false, 405, "message"},
		{"GET", "/nope", nil, false, 404, "message"},
		{"GET", "/introspection/invocations/nonsense", nil, false, 400, "message"},
		{"GET", "/introspection/invocations/" + id + "?jurnal=true", nil, false, 400, "message"},
		{"GET", "/introspection/invocations/" + id + "?journal=yes", nil, false, 400, "message"},
		{"GET", "/introspection/invocations/" + id + "?journal_limit=1001", nil, false, 400, "message"},
		{"GET", "/introspection/invocations/" + id + "?max_value_bytes=-1", nil, false, 400, "message"},
		{"POST", "/introspection/invocations/" + id, nil, false, 405, "message"},
	}
	for _, row := range rows {
		t.Run(row.method+" "+row.target, func(t *testing.T) {
			t.Parallel()
			f := &fakeRuntime{
				operate: func(op machine.Operation, of ident.InvocationID) (bool, error) {
					if of != testID || !strings.Contains(row.target, "/"+op.String()) {
						t.Errorf("%v of %v", op, of)
					}
					return row.stored, row.err
				},
				look: func(ident.InvocationID, actors.InspectOptions) (*actors.Inspection, error) {
					return &actors.Inspection{}, nil
				},
			}
			w := ask(testServer(t, f, Options{}).AdminHandler(), row.method, row.target, "")
			if w.Code != row.status {
				t.Fatalf("got %d %s", w.Code, w.Body)
			}
			if row.body == "message" {
				checkAdminError(t, w)
			} else if w.Body.String() != row.body {
				t.Errorf("got %s", w.Body)
			}
		})
	}
}

func checkAdminError(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	var body map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Fatalf("%v: %s", err, w.Body)
	}
	code, has := body["restate_code"]
	if body["message"] == "" || !has || code != nil || len(body) != 2 || w.Header().Get("Content-Type") != asJSON {
		t.Errorf("got %s", w.Body)
	}
	if _, has := w.Header()["Allow"]; w.Code == 405 && !has {
		t.Error("a 405 without Allow")
	}
	if w.Header().Get("x-request-id") == "" {
		t.Error("no request id")
	}
}

func TestARunningInvocationIsNotMovedToAnotherDeployment(t *testing.T) {
	t.Parallel()
	f := &fakeRuntime{look: func(ident.InvocationID, actors.InspectOptions) (*actors.Inspection, error) {
		return &actors.Inspection{Running: true}, nil
	}}
	w := ask(testServer(t, f, Options{}).AdminHandler(), "PATCH", "/invocations/"+testID.String()+"/resume?deployment=keep", "")
	if w.Code != 409 {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

// testJournal is the journal of an invocation that waits for an awakeable.
func testJournal() []journal.Entry {
	at := int64(1_700_000_000_000)
	answer := journal.Notification{Type: journal.TypeRunCompletion, ID: journal.CompletionID(1), Result: journal.VoidResult()}
	signal := journal.Notification{Type: journal.TypeSignal, ID: journal.SignalID(17), Result: journal.ValueOf([]byte("v"))}
	return []journal.Entry{
		journal.NewEntry(&journal.Input{Value: []byte(`{"a": 1}`), Headers: []journal.Header{{Key: "z", Value: "1"}, {Key: "b", Value: "2"}}}, at, journal.Sidecar{}),
		journal.NewEntry(&journal.SetState{Key: "awk", Value: []byte{0xff}}, at, journal.Sidecar{}),
		journal.NewEntry(&journal.Run{Completion: 1, Name: "hand out"}, at, journal.Sidecar{}),
		answer.Entry(at),
		journal.NewEntry(&journal.Sleep{WakeUpAt: uint64(at), Completion: 2}, at, journal.Sidecar{}),
		signal.Entry(at),
	}
}

// pages serves testJournal in pages of at most two entries.
func pages(_ ident.InvocationID, o actors.InspectOptions) (*actors.Inspection, error) {
	all := testJournal()
	found := &actors.Inspection{Running: true, Invocation: machine.InvocationRow{
		ID: testID, Target: ident.Target{Service: "Obj", Key: "b1", Handler: "Wait", Kind: ident.KindExclusive},
		Status: machine.StatusReady, InvokedBy: machine.ByIngress, CreatedAt: 1_700_000_000_000, JournalLength: uint32(len(all)),
		Await:    &journal.Future{Combinator: journal.FirstCompleted, Signals: []uint32{17, 1}},
		Failures: []machine.FailureEvent{{Code: 1, Message: "old", CommandIndex: -1}, {Code: 500, Message: "new", CommandIndex: 2, CommandType: journal.TypeRun}},
	}}
	from := min(o.From, uint32(len(all)))
	to := min(from+min(o.Limit, 2), uint32(len(all)))
	found.Journal = all[from:to]
	if to < uint32(len(all)) {
		found.NextFrom = &to
	}
	return found, nil
}

func TestIntrospectionShowsOneInvocation(t *testing.T) {
	t.Parallel()
	w := ask(testServer(t, &fakeRuntime{look: pages}, Options{}).AdminHandler(), "GET",
		"/introspection/invocations/"+testID.String()+"?from=2&journal_limit=2&max_value_bytes=16", "")
	want := `{"id":"` + testID.String() + `","target":"Obj/b1/Wait","service":"Obj","key":"b1","handler":"Wait","handler_type":"exclusive",` +
		`"status":"running","invoked_by":"ingress","created_at":"2023-11-14T22:13:20.000Z","modified_at":"","journal_length":6,"command_count":0,"retry_count":0,` +
		`"last_failure":{"code":500,"message":"new","at":"","command":{"index":2,"type":"Run"}},"awaiting":{"type":"first_completed","signals":[17,1]},` +
		`"headers":{"z":"1","b":"2"},"input":{"size":8,"json":{"a":1}},` +
		`"failures":[{"code":500,"message":"new","at":"","command":{"index":2,"type":"Run"}},{"code":1,"message":"old","at":""}],` +
		`"journal":{"entries":[` +
		`{"index":2,"kind":"command","type":"Run","type_code":"0x0411","appended_at":"2023-11-14T22:13:20.000Z","size":12,"name":"hand out","result_completion_id":1,"completed":true},` +
		`{"index":3,"kind":"notification","type":"RunCompletion","type_code":"0x8011","appended_at":"2023-11-14T22:13:20.000Z","size":4,"completion_id":1,"void":true}` +
		`],"next_from":4}}`
	got := w.Body.String()
	// The size of a body is the journal's matter.
	if w.Code != 200 || eraseSizes(got) != eraseSizes(want) {
		t.Errorf("got %d\n%s\nwant\n%s", w.Code, got, want)
	}
}

// eraseSizes makes the sizes of journal entries equal.
func eraseSizes(s string) string {
	head, rest, _ := strings.Cut(s, `"journal":`)
	parts := strings.Split(rest, `"size":`)
	for i, p := range parts[1:] {
		parts[i+1] = strings.TrimLeft(p, "0123456789")
	}
	return head + strings.Join(parts, "")
}

func TestIntrospectionTellsWhetherACommandIsAnsweredBehindThePage(t *testing.T) {
	t.Parallel()
	h := testServer(t, &fakeRuntime{look: pages}, Options{}).AdminHandler()
	w := ask(h, "GET", "/introspection/invocations/"+testID.String()+"?from=4&journal_limit=1", "")
	if !strings.Contains(w.Body.String(), `"type":"Sleep"`) || !strings.Contains(w.Body.String(), `"completed":false`) {
		t.Errorf("got %s", w.Body)
	}
	w = ask(h, "GET", "/introspection/invocations/"+testID.String()+"?journal=false", "")
	if strings.Contains(w.Body.String(), `"entries"`) || !strings.Contains(w.Body.String(), `"input":`) {
		t.Errorf("got %s", w.Body)
	}
}

func TestPayloadsAreShownInTheFirstFormThatFits(t *testing.T) {
	t.Parallel()
	rows := []struct {
		value string
		limit int
		want  string
	}{
		{`{"a":1}`, 100, `{"size":7,"json":{"a":1}}`},
		{`plain`, 100, `{"size":5,"utf8":"plain"}`},
		{"\xff\x00", 100, `{"size":2,"base64":"/wA="}`},
		{``, 100, `{"size":0,"utf8":""}`},
		{`"long text"`, 5, `{"size":11,"utf8":"\"long","truncated":true}`},
		{`aäb`, 2, `{"size":4,"utf8":"a","truncated":true}`},
		{`anything`, 0, `{"size":8}`},
	}
	for _, row := range rows {
		got, err := encodeJSON(payloadOf([]byte(row.value), row.limit))
		if err != nil || string(got) != row.want {
			t.Errorf("%q at %d: %s, %v", row.value, row.limit, got, err)
		}
	}
}

func TestTheIngressEndpointWorksOnThisMachine(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		":8080": "127.0.0.1:8080", "0.0.0.0:1": "127.0.0.1:1", "[::]:1": "127.0.0.1:1", "host:80": "host:80", "[::1]:9": "[::1]:9",
	} {
		if got := reachable(address); got != want {
			t.Errorf("%s: %s", address, got)
		}
	}
}
