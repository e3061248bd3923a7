package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/internal/query"
)

const listPath = "/introspection/invocations"

func TestEveryParameterOfTheInvocationListReachesItsFilter(t *testing.T) {
	t.Parallel()
	key, empty := "a/b ü", ""
	status := func(words ...string) (set query.Statuses) {
		for _, s := range query.EachStatus() {
			if slices.Contains(words, s.String()) {
				set |= s
			}
		}
		return set
	}
	for _, row := range []struct {
		query string
		want  query.InvocationFilter
	}{
		{"", query.InvocationFilter{}},
		{"service=Obj&handler=Add&key=a%2Fb+%C3%BC", query.InvocationFilter{Service: "Obj", Handler: "Add", Key: &key}},
		{"key=", query.InvocationFilter{Key: &empty}},
		{"status=paused", query.InvocationFilter{Statuses: status("paused")}},
		{"status=running&status=backing-off&status=running", query.InvocationFilter{Statuses: status("running", "backing-off")}},
		{"result=failure", query.InvocationFilter{Result: journal.ResultFailure}},
		{"result=success&idempotency_key=k-1", query.InvocationFilter{Result: journal.ResultValue, IdempotencyKey: "k-1"}},
		{"invoked_by=restart_as_new", query.InvocationFilter{InvokedBy: machine.ByRestart}},
		{"caller_id=" + testID.String(), query.InvocationFilter{CallerID: testID}},
		{"created_after=2026-11-23T08:30:00.250Z&created_before=2026-11-23T09:30:00%2B01:00", query.InvocationFilter{CreatedAfter: 1795422600250, CreatedBefore: 1795422600000}},
		{"min_age_ms=1500&order=oldest&limit=1000&cursor=abc", query.InvocationFilter{MinAge: 1500 * time.Millisecond, OldestFirst: true, Limit: 1000, Cursor: "abc"}},
		{"order=newest&limit=1&min_age_ms=0", query.InvocationFilter{Limit: 1}},
	} {
		var got *query.InvocationFilter
		f := &fakeRuntime{list: func(f query.InvocationFilter) (query.Page[query.Invocation], error) {
			got = &f
			return query.Page[query.Invocation]{Examined: 7}, nil
		}}
		w := ask(testServer(t, f, Options{}).AdminHandler(), "GET", listPath+"?"+row.query, "")
		if w.Code != 200 || w.Body.String() != `{"items":[],"next_cursor":null,"examined":7}` {
			t.Errorf("%s: got %d %s", row.query, w.Code, w.Body)
		}
		if row.want.Limit == 0 {
			row.want.Limit = query.DefaultLimit
		}
		if got == nil || !reflect.DeepEqual(*got, row.want) {
			t.Errorf("%s: asked for %+v", row.query, got)
		}
	}
}

func TestWrongParametersOfTheInvocationListAreNamed(t *testing.T) {
	t.Parallel()
	for parameters, text := range map[string]string{
		"stauts=paused":                       "'stauts': there are",
		"Status=paused":                       "'Status'",
		"status=":                             "status",
		"status=sleeping":                     "scheduled, pending, ready, running, backing-off, suspended, paused",
		"status=paused,ready":                 "status",
		"service=":                            "service",
		"service=a&service=b":                 "service",
		"handler=" + strings.Repeat("x", 256): "handler",
		"idempotency_key=":                    "idempotency_key",
		"idempotency_key=" + strings.Repeat("x", 1025): "idempotency_key",
		"key=%FF":                          "key",
		"key=" + strings.Repeat("x", 1025): "key",
		"result=ok":                        "success",
		"invoked_by=cron":                  "in_process",
		"caller_id=inv_1":                  "inv_1",
		"caller_id=inv_1000000000000000000000000000000000": "caller_id",
		"created_after=yesterday":                          "created_after",
		"created_before=2026-11-23":                        "created_before",
		"created_before=1960-11-23T08:30:00Z":              "created_before",
		"min_age_ms=-1":                                    "min_age_ms",
		"min_age_ms=1.5":                                   "min_age_ms",
		"min_age_ms=99999999999999999999":                  "min_age_ms",
		"order=age":                                        "newest",
		"limit=0":                                          "1000",
		"limit=1001":                                       "1000",
		"limit=ten":                                        "limit",
		"limit=":                                           "limit",
		"max_value_bytes=5":                                "max_value_bytes",
	} {
		f := &fakeRuntime{list: func(query.InvocationFilter) (query.Page[query.Invocation], error) {
			t.Errorf("%s: was asked", parameters)
			return query.Page[query.Invocation]{}, nil
		}}
		w := ask(testServer(t, f, Options{}).AdminHandler(), "GET", listPath+"?"+parameters, "")
		if w.Code != 400 || !strings.Contains(w.Body.String(), text) {
			t.Errorf("%.60s: got %d %s, want %q in it", parameters, w.Code, w.Body, text)
		}
		checkAdminError(t, w)
	}
}

func TestErrorsOfTheInvocationListHaveTheirStatus(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		err    error
		status int
	}{
		{query.ErrCursor, 400}, {query.ErrForeignCursor, 400}, {query.ErrLimit, 400}, {actors.ErrStopped, 503}, {machine.ErrInconsistent, 500},
	} {
		f := &fakeRuntime{list: func(query.InvocationFilter) (query.Page[query.Invocation], error) {
			return query.Page[query.Invocation]{}, fmt.Errorf("list invocations: %w", row.err)
		}}
		w := ask(testServer(t, f, Options{}).AdminHandler(), "GET", listPath, "")
		if w.Code != row.status {
			t.Errorf("%v: got %d %s", row.err, w.Code, w.Body)
		}
		checkAdminError(t, w)
	}
	if w := ask(testServer(t, &fakeRuntime{}, Options{}).AdminHandler(), "POST", listPath, ""); w.Code != 405 {
		t.Errorf("POST: got %d %s", w.Code, w.Body)
	}
}

// TestAnItemOfTheListIsTheInvocationWithoutItsDetails compares an item with what
// is shown of the same invocation alone.
func TestAnItemOfTheListIsTheInvocationWithoutItsDetails(t *testing.T) {
	t.Parallel()
	row := machine.InvocationRow{
		ID: testID, Target: ident.Target{Service: "Obj", Key: "b1", Handler: "Wait", Kind: ident.KindExclusive}, Status: machine.StatusPending,
		CreatedAt: 1795422600000, ModifiedAt: 1795422600808, InvokedBy: machine.ByService, IdempotencyKey: "k",
		Caller:        machine.Caller{ID: testID, Target: ident.Target{Service: "Greeter", Handler: "Greet", Kind: ident.KindService}},
		JournalLength: 2, Commands: 2, Retry: machine.Retry{Attempts: 1, NextAt: 1795422601000},
		Failures: []machine.FailureEvent{{At: 1795422600100, Code: 500, Message: "old", CommandIndex: -1}, {At: 1795422600200, Code: 500, Message: "boom", CommandIndex: 1, CommandType: journal.TypeRun, CommandName: "charge"}},
		Await:    &journal.Future{Combinator: journal.FirstCompleted, Signals: []uint32{17, 1}},
	}
	place := query.Place{QueuedAt: 1795422600001, Position: 3}
	f := &fakeRuntime{
		list: func(query.InvocationFilter) (query.Page[query.Invocation], error) {
			return query.Page[query.Invocation]{Items: []query.Invocation{{Row: row, Place: place}}, Next: "more", Examined: 70}, nil
		},
		look: func(ident.InvocationID, actors.InspectOptions) (*actors.Inspection, error) {
			return &actors.Inspection{Invocation: row, Place: place}, nil
		},
	}
	h := testServer(t, f, Options{}).AdminHandler()
	var list struct {
		Items []map[string]any `json:"items"`
		Next  string           `json:"next_cursor"`
	}
	w := ask(h, "GET", listPath, "")
	if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil || len(list.Items) != 1 || list.Next != "more" {
		t.Fatalf("%v: %s", err, w.Body)
	}
	var alone map[string]any
	if err := json.Unmarshal(ask(h, "GET", listPath+"/"+testID.String()+"?journal=false", "").Body.Bytes(), &alone); err != nil {
		t.Fatal(err)
	}
	if alone["failures"] == nil {
		t.Error("alone it has no failures")
	}
	delete(alone, "failures")
	if !reflect.DeepEqual(list.Items[0], alone) {
		t.Errorf("in the list %v\nalone       %v", list.Items[0], alone)
	}
	for name, want := range map[string]any{
		"id": testID.String(), "target": "Obj/b1/Wait", "key": "b1", "handler_type": "exclusive", "status": "pending", "invoked_by": "service",
		"queued_at": "2026-11-23T08:30:00.001Z", "queue_position": 3.0, "created_at": "2026-11-23T08:30:00.000Z", "caller_target": "Greeter/Greet",
		"journal_length": 2.0, "retry_count": 1.0, "idempotency_key": "k",
	} {
		if got := list.Items[0][name]; got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if last, _ := list.Items[0]["last_failure"].(map[string]any); last["message"] != "boom" {
		t.Errorf("last_failure is %v", last)
	}
}

func FuzzInvocationListParameters(f *testing.F) {
	f.Add("service=Obj&status=paused&limit=5")
	f.Add("created_after=2026-11-23T08:30:00Z&key=%FF&order=oldest")
	f.Fuzz(func(t *testing.T, raw string) {
		values, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		p := newParams(values)
		_ = invocationFilter(p)
		var f *failure
		if err := p.end(); err != nil && (!errors.As(err, &f) || f.status != 400) {
			t.Fatalf("%q: %v", raw, err)
		}
	})
}
