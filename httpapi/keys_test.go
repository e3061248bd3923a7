package httpapi

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/internal/query"
)

// testHolder is an invocation that holds the key b1.
func testHolder() *machine.InvocationRow {
	return &machine.InvocationRow{
		ID: testID, Target: ident.Target{Service: "Obj", Key: "b1", Handler: "Wait", Kind: ident.KindExclusive},
		Status: machine.StatusSuspended, InvokedBy: machine.ByIngress, CreatedAt: 1_700_000_000_000, ModifiedAt: 1_700_000_001_000,
		Await:    &journal.Future{Combinator: journal.FirstCompleted, Signals: []uint32{17, 1}},
		Failures: []machine.FailureEvent{{At: 1_700_000_000_500, Code: 500, Message: "once", CommandIndex: -1}},
	}
}

const (
	testIDText     = "inv_105k1wlNFHb201SZwviYzes2mjOamuMJWw"
	testHolderJSON = `{"id":"` + testIDText + `","target":"Obj/b1/Wait","service":"Obj","key":"b1","handler":"Wait","handler_type":"exclusive","status":"suspended","invoked_by":"ingress",` +
		`"created_at":"2023-11-14T22:13:20.000Z","modified_at":"2023-11-14T22:13:21.000Z","journal_length":0,"command_count":0,"retry_count":0,` +
		`"last_failure":{"code":500,"message":"once","at":"2023-11-14T22:13:20.500Z"},"awaiting":{"type":"first_completed","signals":[17,1]}}`
)

func TestKeysAreShownAsTheContractSays(t *testing.T) {
	t.Parallel()
	held := query.KeyItem{
		Key: "b1", Status: query.KeySuspended, Holder: testHolder(), HeldMs: 64210, QueueDepth: 2,
		OldestQueuedAt: 1_700_000_000_000, OldestQueuedMs: 61180, StateEntries: 1, StateBytes: 46, Measured: true,
	}
	f := &fakeRuntime{keyed: fakeKeys{
		keys: func(query.KeyFilter, query.Paging) (query.Page[query.KeyItem], error) {
			large := query.KeyItem{Key: "", StateEntries: 3}
			return query.Page[query.KeyItem]{Items: []query.KeyItem{held, large}, Next: "c", Examined: 9, Partial: true}, nil
		},
		key: func(key ident.ObjectKey, _ query.KeyOptions) (*query.Key, error) {
			k := &query.Key{
				KeyItem: held, Exists: true, SharedRunning: 1, StateVersion: "v", State: []machine.StateValue{{Name: "count", Value: []byte("42")}},
				Inbox: []query.InboxPlace{
					{Position: 1, ID: testID, Handler: "Add", QueuedAt: 1_700_000_000_000},
					{Position: 2, Kind: machine.InboxPatch, QueuedAt: 1_700_000_000_000},
				},
			}
			if key.Service == "Wf" {
				k = &query.Key{
					StateTruncated: true, StateNext: "z", PromisesTruncated: true,
					Promises: []query.PromiseItem{{Service: "Wf", Key: "w", Name: "p", Waiters: []ident.InvocationID{testID}}},
				}
			}
			return k, nil
		},
		awakeables: func(query.AwakeableFilter, query.Paging) (query.Page[query.AwakeableItem], error) {
			id := ident.AwakeableID{Invocation: testID, Index: 17}
			a := query.AwakeableItem{ID: id, Invocation: testHolder(), State: query.AwakeableAwaited, Since: 1_700_000_000_000, AgeMs: 64210, Exclusive: true}
			b := a
			b.State, b.Running, b.Exclusive = query.AwakeableEarly, true, false
			b.Invocation = &machine.InvocationRow{ID: testID, Target: ident.Target{Service: "Greeter", Handler: "Greet", Kind: ident.KindService}}
			return query.Page[query.AwakeableItem]{Items: []query.AwakeableItem{a, b}}, nil
		},
		promises: func(query.PromiseFilter, query.Paging) (query.Page[query.PromiseItem], error) {
			return query.Page[query.PromiseItem]{Items: []query.PromiseItem{
				{Service: "Wf", Key: "w1", Name: "p", Waiters: []ident.InvocationID{testID}, WaitersTruncated: true, CreatedAt: 1_700_000_000_000},
				{Service: "Wf", Key: "", Name: "q", Result: journal.ValueOf([]byte("1")), CompletedAt: 1_700_000_000_000},
				{Service: "Wf", Key: "", Name: "r", Result: journal.FailureOf(500, "no")},
				{Service: "Wf", Key: "", Name: "s", Result: journal.VoidResult()},
			}}, nil
		},
	}}
	admin := testServer(t, f, Options{}).AdminHandler()
	for target, want := range map[string]string{
		"/introspection/objects/Obj": `{"items":[{"key":"b1","status":"suspended","holder_id":"` + testIDText + `","holder_handler":"Wait","held_ms":64210,"queue_depth":2,` +
			`"oldest_queued_at":"2023-11-14T22:13:20.000Z","oldest_queued_age_ms":61180,"state_entries":1,"state_bytes":46},` +
			`{"key":"","status":"idle","queue_depth":0,"state_entries":3}],"next_cursor":"c","examined":9,"partial":true}`,
		"/introspection/objects/Obj/b1": `{"service":"Obj","key":"b1","status":"suspended","holder":` + testHolderJSON + `,"held_ms":64210,"queue_depth":2,` +
			`"inbox":[{"position":1,"kind":"invocation","id":"` + testIDText + `","handler":"Add","queued_at":"2023-11-14T22:13:20.000Z"},` +
			`{"position":2,"kind":"state_patch","queued_at":"2023-11-14T22:13:20.000Z"}],"shared_running":1,"state_version":"v","state_entries":1,` +
			`"state":[{"name":"count","value":{"size":2,"json":42}}]}`,
		"/introspection/objects/Wf/w": `{"service":"Wf","key":"w","status":"idle","queue_depth":0,"inbox":[],"shared_running":0,"state_entries":0,"state":[],` +
			`"state_truncated":true,"state_next_after":"z","promises":[{"name":"p","completed":false,"waiters":["` + testIDText + `"]}],"promises_truncated":true}`,
		"/introspection/awakeables": `{"items":[{"awakeable_id":"sign_1AAAAAAAAAAEAAAAAAAAAAAAAAAAAAAABAAAAEQ","invocation_id":"` + testIDText + `","index":17,"service":"Obj","key":"b1","handler":"Wait",` +
			`"state":"awaited","since":"2023-11-14T22:13:20.000Z","age_ms":64210,"invocation_status":"suspended","queue_depth":0},` +
			`{"awakeable_id":"sign_1AAAAAAAAAAEAAAAAAAAAAAAAAAAAAAABAAAAEQ","invocation_id":"` + testIDText + `","index":17,"service":"Greeter","handler":"Greet",` +
			`"state":"early","since":"2023-11-14T22:13:20.000Z","age_ms":64210,"invocation_status":"running"}],"next_cursor":null,"examined":0}`,
		"/introspection/promises": `{"items":[{"service":"Wf","key":"w1","name":"p","completed":false,"created_at":"2023-11-14T22:13:20.000Z","waiters":["` + testIDText + `"],"waiters_truncated":true},` +
			`{"service":"Wf","key":"","name":"q","completed":true,"completed_at":"2023-11-14T22:13:20.000Z","waiters":[],"value":{"size":1,"json":1}},` +
			`{"service":"Wf","key":"","name":"r","completed":true,"waiters":[],"failure":{"code":500,"message":"no"}},` +
			`{"service":"Wf","key":"","name":"s","completed":true,"waiters":[],"value":{"size":0,"utf8":""}}],"next_cursor":null,"examined":0}`,
	} {
		w := ask(admin, "GET", target, "")
		if w.Code != 200 || w.Header().Get("Content-Type") != asJSON || strings.TrimSpace(w.Body.String()) != want {
			t.Errorf("%s gives %d\n%s\nwant\n%s", target, w.Code, w.Body, want)
		}
	}
}

func TestParametersOfKeysReachTheRuntime(t *testing.T) {
	t.Parallel()
	var asked any
	f := &fakeRuntime{keyed: fakeKeys{
		keys: func(f query.KeyFilter, p query.Paging) (query.Page[query.KeyItem], error) {
			asked = []any{f, p}
			return query.Page[query.KeyItem]{}, nil
		},
		key: func(key ident.ObjectKey, o query.KeyOptions) (*query.Key, error) {
			asked = []any{key, o}
			return &query.Key{}, nil
		},
		awakeables: func(f query.AwakeableFilter, p query.Paging) (query.Page[query.AwakeableItem], error) {
			asked = []any{f, p}
			return query.Page[query.AwakeableItem]{}, nil
		},
		promises: func(f query.PromiseFilter, p query.Paging) (query.Page[query.PromiseItem], error) {
			asked = []any{f, p}
			return query.Page[query.PromiseItem]{}, nil
		},
	}}
	admin := testServer(t, f, Options{}).AdminHandler()
	first := query.Paging{Limit: 100}
	for target, want := range map[string][]any{
		"objects/Obj": {query.KeyFilter{Service: "Obj"}, first},
		"objects/Obj?prefix=a/b&status=idle&status=backing-off&min_queue_depth=3&min_age_ms=4&order=queue_depth&limit=7&cursor=x": {query.KeyFilter{
			Service: "Obj", Prefix: "a/b", Statuses: []query.KeyStatus{query.KeyIdle, query.KeyBackingOff}, MinQueueDepth: 3, MinAgeMs: 4, Order: query.ByQueueDepth,
		}, query.Paging{Limit: 7, Cursor: "x"}},
		"objects/Obj/": {ident.ObjectKey{Service: "Obj"}, query.KeyOptions{InboxLimit: 100}},
		"objects/Obj/a%2Fb+c%20%C3%A4?inbox_limit=0":   {ident.ObjectKey{Service: "Obj", Key: "a/b+c ä"}, query.KeyOptions{}},
		"objects/Obj/..?state_after=&max_value_bytes=": nil,
		"objects/Obj/..?state_after=":                  {ident.ObjectKey{Service: "Obj", Key: ".."}, query.KeyOptions{InboxLimit: 100, StateAfter: new("")}},
		"awakeables":                                   {query.AwakeableFilter{}, first},
		"awakeables?service=Obj&key=&handler=Wait&state=early&state=awaited&min_age_ms=9&invocation_id=" + testIDText: {query.AwakeableFilter{
			Service: "Obj", HasKey: true, Handler: "Wait", Invocation: testID, MinAgeMs: 9,
			States: []query.AwakeableState{query.AwakeableEarly, query.AwakeableAwaited},
		}, first},
		"promises": {query.PromiseFilter{}, first},
		"promises?service=Wf&key=&name=p&completed=false&max_value_bytes=0": {query.PromiseFilter{
			Services: []string{"Wf"}, Key: new(""), Name: new("p"), Completed: new(false),
		}, first},
	} {
		asked = nil
		w := ask(admin, "GET", "/introspection/"+target, "")
		if want == nil {
			if w.Code != 400 || asked != nil {
				t.Errorf("%s gives %d %s", target, w.Code, w.Body)
			}
			continue
		}
		if w.Code != 200 || !reflect.DeepEqual(asked, any(want)) {
			t.Errorf("%s gives %d and asks %+v, want %+v", target, w.Code, asked, want)
		}
	}
}

func TestParametersOfListsAreStrict(t *testing.T) {
	t.Parallel()
	admin := testServer(t, &fakeRuntime{}, Options{}).AdminHandler()
	long, key := strings.Repeat("x", 256), strings.Repeat("x", 1025)
	for target, want := range map[string]string{
		"objects/Obj?color=red":            "unknown parameter 'color': there are prefix, status, min_queue_depth, min_age_ms, order, limit, cursor",
		"objects/Obj?status=ready":         "parameter status cannot be 'ready': it takes idle, running, backing-off, suspended or paused",
		"objects/Obj?order=size":           "parameter order cannot be 'size': it takes key, queue_depth or age",
		"objects/Obj?order=key&order=age":  "parameter order is given twice",
		"objects/Obj?limit=0":              "parameter limit cannot be '0': it takes a number from 1 to 1000",
		"objects/Obj?limit=1001":           "parameter limit cannot be '1001'",
		"objects/Obj?limit=":               "parameter limit cannot be ''",
		"objects/Obj?min_age_ms=-1":        "parameter min_age_ms cannot be '-1'",
		"objects/Obj?min_queue_depth=1e3":  "parameter min_queue_depth cannot be '1e3'",
		"objects/Obj?cursor=":              "parameter cursor cannot be '': it takes the next_cursor of the page before",
		"objects/Obj?limit=1&limit=2":      "parameter limit is given twice",
		"objects/Obj?prefix=%FF":           "parameter prefix takes UTF-8",
		"objects/Obj?prefix=" + key:        "parameter prefix takes UTF-8 of at most 1024 bytes",
		"objects/Obj/k?limit=1":            "unknown parameter 'limit': there are inbox_limit, max_value_bytes, state_after",
		"objects/Obj/k?inbox_limit=1001":   "parameter inbox_limit cannot be '1001'",
		"objects/Obj/k?max_value_bytes=-1": "parameter max_value_bytes cannot be '-1'",
		"objects/Obj/a/b":                  "a slash of the key is written as %2F",
		"objects/Obj/%FF":                  "not valid UTF-8",
		"objects/Obj/" + key:               "longer than 1024 bytes",
		"objects/":                         "name a service",
		"objects/" + long:                  "longer than 255 bytes",
		"awakeables?state=open":            "parameter state cannot be 'open': it takes awaited, created or early",
		"awakeables?service=":              "parameter service cannot be ''",
		"awakeables?handler=" + long:       "parameter handler takes a name of 1 to 255 bytes",
		"awakeables?invocation_id=inv_1x":  "parameter invocation_id cannot be 'inv_1x'",
		"awakeables?" + long + "=":         "unknown parameter '…'",
		"promises?completed=yes":           "parameter completed cannot be 'yes': it takes true or false",
		"promises?waiters=1":               "unknown parameter 'waiters': there are service, key, name, completed, max_value_bytes, limit, cursor",
		"promises?service=Wf&service=Obj":  "parameter service is given twice",
	} {
		w := ask(admin, "GET", "/introspection/"+target, "")
		if w.Code != 400 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s gives %d %s, want %q", target, w.Code, w.Body, want)
		}
		checkAdminError(t, w)
	}
	for _, target := range []string{"objects/Obj", "objects/Obj/k", "awakeables", "promises"} {
		w := ask(admin, "POST", "/introspection/"+target, "")
		if w.Code != 405 {
			t.Errorf("POST %s gives %d %s", target, w.Code, w.Body)
		}
		checkAdminError(t, w)
	}
}

func TestErrorsOfKeysHaveTheirStatus(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		err    error
		status int
		want   string
	}{
		{actors.ErrUnknownService, 404, "no service named 'obj': names are case-sensitive, and there is 'Obj'"},
		{query.ErrCursor, 400, "malformed cursor"},
		{query.ErrForeignCursor, 400, "another question"},
		{query.ErrNoPages, 400, "one page"},
		{actors.ErrInvalid, 400, "invalid"},
		{actors.ErrStopped, 503, "stopped"},
		{errors.New("damage"), 500, "internal error"},
	} {
		err := fmt.Errorf("list: %w", row.err)
		f := &fakeRuntime{keyed: fakeKeys{
			keys: func(query.KeyFilter, query.Paging) (query.Page[query.KeyItem], error) {
				return query.Page[query.KeyItem]{}, err
			},
			key: func(ident.ObjectKey, query.KeyOptions) (*query.Key, error) { return nil, err },
		}}
		for _, target := range []string{"obj", "obj/k"} {
			w := ask(testServer(t, f, Options{}).AdminHandler(), "GET", "/introspection/objects/"+target, "")
			if w.Code != row.status || !strings.Contains(w.Body.String(), row.want) {
				t.Errorf("%v gives %d %s", row.err, w.Code, w.Body)
			}
		}
	}
}

func TestWhatAnInvocationWaitsForIsShown(t *testing.T) {
	t.Parallel()
	target := ident.Target{Service: "Desk", Key: "x", Handler: "ask", Kind: ident.KindExclusive}
	f := &fakeRuntime{look: func(_ ident.InvocationID, o actors.InspectOptions) (*actors.Inspection, error) {
		row := *testHolder()
		row.Await = nil
		in := &actors.Inspection{Invocation: row, Running: true, Awaiting: testHolder().Await}
		if o.Waits {
			in.Waits = []query.Wait{
				{ID: journal.SignalID(17)}, {ID: journal.SignalID(1)}, {ID: journal.NamedSignalID("go")}, {ID: journal.CompletionID(4)},
				{ID: journal.CompletionID(1), Command: journal.TypeSleep, WakeUpAt: 1_700_000_000_000},
				{ID: journal.CompletionID(2), Command: journal.TypeCall, Callee: testID, Target: target},
				{ID: journal.CompletionID(3), Command: journal.TypeGetPromise, Promise: "p"},
			}
		}
		return in, nil
	}}
	w := ask(testServer(t, f, Options{}).AdminHandler(), "GET", "/introspection/invocations/"+testIDText, "")
	want := `"awaiting":{"type":"first_completed","signals":[17,1]},"waits_for":[{"type":"awakeable","awakeable_id":"sign_1AAAAAAAAAAEAAAAAAAAAAAAAAAAAAAABAAAAEQ"},` +
		`{"type":"cancel"},{"type":"signal","signal_name":"go"},{"type":"completion","completion_id":4},` +
		`{"type":"Sleep","completion_id":1,"wake_up_at":"2023-11-14T22:13:20.000Z"},{"type":"Call","completion_id":2,"callee_id":"` + testIDText + `","callee_target":"Desk/x/ask"},` +
		`{"type":"GetPromise","completion_id":3,"promise":"p"}]`
	if w.Code != 200 || !strings.Contains(w.Body.String(), want) {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}
