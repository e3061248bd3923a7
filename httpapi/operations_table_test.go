package httpapi_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/httpapi"
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
	restate "github.com/dormouse-run/dormouse/objects"
)

// cell is what an operation does to an invocation in some status: the status of
// the answer, the status of the invocation right after it and some minutes later,
// when every handler has been given what it needs to go on, and what the one got by
// then who waits for the invocation. gone is an invocation that there is no more.
type cell struct {
	answer      int
	now, later  string
	whoWaitsHas string
}

const gone, waits = "gone", "nothing"

// operationsTable is the table "operations by state" of the contract, every cell
// of it. The column of statuses that are at work has a row for each of them.
func operationsTable() map[string]map[string]cell {
	return map[string]map[string]cell{
		"scheduled": {
			"cancel": {200, gone, gone, "409 cancelled"}, "kill": {200, gone, gone, "409 killed"}, "pause": {409, "scheduled", "suspended", waits},
			"resume": {425, "scheduled", "suspended", waits}, "purge": {409, "scheduled", "suspended", waits},
			"purge-journal": {409, "scheduled", "suspended", waits}, "restart-as-new": {425, "scheduled", "suspended", waits},
		},
		"scheduled with an idempotency key": {
			"cancel": {200, "completed", "completed", "409 cancelled"}, "kill": {200, "completed", "completed", "409 killed"},
		},
		"scheduled run of a workflow": {
			"cancel": {200, "completed", "completed", "409 cancelled"}, "kill": {200, "completed", "completed", "409 killed"},
		},
		"pending": {
			"cancel": {200, gone, gone, "409 cancelled"}, "kill": {200, gone, gone, "409 killed"}, "pause": {409, "pending", "pending", waits},
			"resume": {425, "pending", "pending", waits}, "purge": {409, "pending", "pending", waits},
			"purge-journal": {409, "pending", "pending", waits}, "restart-as-new": {425, "pending", "pending", waits},
		},
		"pending with an idempotency key": {
			"cancel": {200, "completed", "completed", "409 cancelled"}, "kill": {200, "completed", "completed", "409 killed"},
		},
		"ready": {
			"cancel": {202, "ready", "completed", "409 cancelled"}, "kill": {200, "completed", "completed", "409 killed"}, "pause": {202, "ready", "paused", waits},
			"resume": {200, "ready", "suspended", waits}, "purge": {409, "ready", "suspended", waits},
			"purge-journal": {409, "ready", "suspended", waits}, "restart-as-new": {409, "ready", "suspended", waits},
		},
		"running and busy": {
			"cancel": {202, "completed", "completed", "409 cancelled"}, "kill": {200, "completed", "completed", "409 killed"}, "pause": {202, "running", "paused", waits},
			"resume": {200, "running", "suspended", waits}, "purge": {409, "running", "suspended", waits},
			"purge-journal": {409, "running", "suspended", waits}, "restart-as-new": {409, "running", "suspended", waits},
		},
		"running and waiting": {
			"cancel": {202, "completed", "completed", "409 cancelled"}, "kill": {200, "completed", "completed", "409 killed"}, "pause": {202, "paused", "paused", waits},
			"resume": {200, "running", "suspended", waits}, "purge": {409, "running", "suspended", waits},
			"purge-journal": {409, "running", "suspended", waits}, "restart-as-new": {409, "running", "suspended", waits},
		},
		"backing-off": {
			"cancel": {202, "backing-off", "backing-off", waits}, "kill": {200, "completed", "completed", "409 killed"}, "pause": {202, "paused", "paused", waits},
			"resume": {200, "backing-off", "backing-off", waits}, "purge": {409, "backing-off", "backing-off", waits},
			"purge-journal": {409, "backing-off", "backing-off", waits}, "restart-as-new": {409, "backing-off", "backing-off", waits},
		},
		"suspended": {
			"cancel": {202, "completed", "completed", "409 cancelled"}, "kill": {200, "completed", "completed", "409 killed"}, "pause": {200, "paused", "paused", waits},
			"resume": {200, "running", "suspended", waits}, "purge": {409, "suspended", "suspended", waits},
			"purge-journal": {409, "suspended", "suspended", waits}, "restart-as-new": {409, "suspended", "suspended", waits},
		},
		"paused": {
			"cancel": {202, "completed", "completed", "409 cancelled"}, "kill": {200, "completed", "completed", "409 killed"}, "pause": {200, "paused", "paused", waits},
			"resume": {200, "running", "suspended", waits}, "purge": {409, "paused", "paused", waits},
			"purge-journal": {409, "paused", "paused", waits}, "restart-as-new": {409, "paused", "paused", waits},
		},
		"completed": {
			"cancel": {409, "completed", "completed", `"done"`}, "kill": {409, "completed", "completed", `"done"`}, "pause": {409, "completed", "completed", `"done"`},
			"resume": {409, "completed", "completed", `"done"`}, "purge": {200, gone, gone, `"done"`},
			"purge-journal": {200, "completed", "completed", `"done"`}, "restart-as-new": {200, "completed", "completed", `"done"`},
		},
		"completed run of a workflow": {
			"purge": {200, gone, gone, `"done"`}, "purge-journal": {200, "completed", "completed", `"done"`}, "restart-as-new": {422, "completed", "completed", `"done"`},
		},
		"completed without a journal": {
			"purge": {200, gone, gone, `"done"`}, "purge-journal": {200, "completed", "completed", `"done"`}, "restart-as-new": {410, "completed", "completed", `"done"`},
			"restart-as-new?from=1": {410, "completed", "completed", `"done"`}, "kill": {409, "completed", "completed", `"done"`},
		},
		"completed after a run": {
			"restart-as-new?from=0": {200, "completed", "completed", `"done"`}, "restart-as-new?from=1": {400, "completed", "completed", `"done"`},
			"restart-as-new?from=2": {200, "completed", "completed", `"done"`}, "restart-as-new?from=3": {400, "completed", "completed", `"done"`},
			"restart-as-new?from=4": {400, "completed", "completed", `"done"`}, "restart-as-new?from=2&deployment=latest": {200, "completed", "completed", `"done"`},
		},
		"unknown": {
			"cancel": {404, gone, gone, "404"}, "kill": {404, gone, gone, "404"}, "pause": {404, gone, gone, "404"}, "resume": {404, gone, gone, "404"},
			"purge": {404, gone, gone, "404"}, "purge-journal": {404, gone, gone, "404"}, "restart-as-new": {404, gone, gone, "404"},
		},
	}
}

func TestEveryOperationInEveryStatus(t *testing.T) {
	t.Parallel()
	for status, row := range operationsTable() {
		for op, want := range row {
			t.Run(status+"/"+op, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) { checkCell(t, status, op, want) })
			})
		}
	}
}

func checkCell(t *testing.T, status, op string, want cell) {
	y := openYard(t, status)
	id := y.bring(status)
	if word, _, _ := strings.Cut(status, " "); word != "unknown" && y.status(id) != word {
		t.Fatalf("before the operation it is %s", y.status(id))
	}
	has := y.wait(id)
	w := y.admin("PATCH", "/invocations/"+id.String()+"/"+op, "")
	if w.Code != want.answer {
		t.Errorf("the answer is %d %s", w.Code, w.Body)
	}
	y.checkBody(w, op, status)
	synctest.Wait()
	if got := y.status(id); got != want.now {
		t.Errorf("right after it the invocation is %s", got)
	}
	y.open()
	<-time.After(5 * time.Minute)
	synctest.Wait()
	if got := y.status(id); got != want.later {
		t.Errorf("later the invocation is %s", got)
	}
	if got := has(); !strings.HasPrefix(got, want.whoWaitsHas) {
		t.Errorf("who waits has %s", got)
	}
	if want.now == "completed" && op == "purge-journal" && y.entries(id) != 0 {
		t.Error("the journal is still there")
	}
	y.next(status, want.later)
	if err := y.rt.Close(); err != nil {
		t.Error(err)
	}
}

// yard is a runtime in a bubble, with an object whose handlers go where a test
// wants them.
type yard struct {
	t     *testing.T
	rt    *actors.Runtime
	h     *httpapi.Server
	gate  chan struct{}
	opens sync.Once
	hogs  bool
}

func openYard(t *testing.T, status string) *yard {
	y := &yard{t: t, gate: make(chan struct{}), hogs: status == "ready"}
	o := actors.Options{Services: y.services(), Logger: slog.New(slog.DiscardHandler), HogTimeout: time.Hour}
	if y.hogs {
		o.MaxRunningHandlers = 1
	}
	rt, err := actors.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if y.h, err = httpapi.New(rt, httpapi.Options{Logger: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	y.rt = rt
	return y
}

// open lets every handler go on that waits for the gate.
func (y *yard) open() { y.opens.Do(func() { close(y.gate) }) }

func (y *yard) services() []restate.ServiceDefinition {
	ask := func(ctx restate.ObjectContext, _ restate.Void) (string, error) {
		return restate.Awakeable[string](ctx).Result()
	}
	busy := func(ctx restate.ObjectContext, _ restate.Void) (string, error) {
		err := restate.RunVoid(ctx, func(run restate.RunContext) error {
			select {
			case <-y.gate:
			case <-run.Done():
			}
			return nil
		})
		if err != nil {
			return "", err
		}
		return restate.Awakeable[string](ctx).Result()
	}
	fail := func(restate.ObjectContext, restate.Void) (string, error) { return "", errors.New("not today") }
	done := func(ctx restate.ObjectContext, _ restate.Void) (string, error) { return "done", nil }
	ran := func(ctx restate.ObjectContext, _ restate.Void) (string, error) {
		return restate.Run(ctx, func(restate.RunContext) (string, error) { return "done", nil })
	}
	hog := func(restate.Context, restate.Void) (string, error) { <-y.gate; return "", nil }
	run := func(restate.WorkflowContext, restate.Void) (string, error) { return "done", nil }
	return []restate.ServiceDefinition{
		restate.NewObject("Yard").
			Handler("ask", restate.NewObjectHandler(ask)).
			Handler("busy", restate.NewObjectHandler(busy)).
			Handler("fail", restate.NewObjectHandler(fail, restate.WithInvocationRetryPolicy(restate.WithInitialRetryInterval(10*time.Hour), restate.WithMaxRetryInterval(20*time.Hour)))).
			Handler("done", restate.NewObjectHandler(done)).
			Handler("ran", restate.NewObjectHandler(ran)),
		restate.NewService("Hog").Handler("hog", restate.NewServiceHandler(hog)),
		restate.NewWorkflow("Flow").Handler("run", restate.NewWorkflowHandler(run)),
	}
}

// bring makes an invocation and brings it into a status.
func (y *yard) bring(status string) ident.InvocationID {
	y.t.Helper()
	r := actors.Request{Service: "Yard", Key: "k", Handler: "ask", Origin: machine.ByIngress}
	if strings.Contains(status, "idempotency") {
		r.IdempotencyKey = "once"
	}
	if strings.Contains(status, "workflow") {
		r.Service, r.Handler = "Flow", "run"
	}
	word, _, _ := strings.Cut(status, " ")
	switch {
	case word == "unknown":
		return ident.NewInvocationID(3, [16]byte{1})
	case word == "scheduled":
		r.Delay = new(time.Minute)
	case word == "pending":
		y.send(actors.Request{Service: "Yard", Key: "k", Handler: "ask", Origin: machine.ByIngress})
	case word == "ready":
		y.send(actors.Request{Service: "Hog", Handler: "hog", Origin: machine.ByIngress})
	case status == "running and busy":
		r.Handler = "busy"
	case word == "backing-off":
		r.Handler = "fail"
	case status == "completed after a run":
		r.Handler = "ran"
	case word == "completed" && r.Service == "Yard":
		r.Handler = "done"
	}
	id := y.send(r)
	if word == "suspended" || word == "paused" {
		<-time.After(3 * time.Minute)
	}
	synctest.Wait()
	if word == "paused" {
		y.admin("PATCH", "/invocations/"+id.String()+"/pause", "")
	}
	if status == "completed without a journal" {
		y.admin("PATCH", "/invocations/"+id.String()+"/purge-journal", "")
	}
	return id
}

func (y *yard) send(r actors.Request) ident.InvocationID {
	y.t.Helper()
	a, err := y.rt.Send(y.t.Context(), r)
	if err != nil {
		y.t.Fatal(err)
	}
	synctest.Wait()
	return a.ID
}

// wait waits for the result of an invocation on a goroutine of its own, and
// returns a function that says what it has got.
func (y *yard) wait(id ident.InvocationID) func() string {
	var mu sync.Mutex
	got := waits
	go func() {
		r, err := y.rt.Attach(y.t.Context(), id)
		mu.Lock()
		defer mu.Unlock()
		switch {
		case errors.Is(err, actors.ErrUnknownInvocation):
			got = "404"
		case err != nil:
			got = err.Error()
		case r.Result.Kind == journal.ResultFailure:
			got = fmt.Sprint(r.Result.Failure.Code, " ", r.Result.Failure.Message)
		default:
			got = string(r.Result.Value)
		}
	}()
	synctest.Wait()
	return func() string {
		mu.Lock()
		defer mu.Unlock()
		return got
	}
}

func (y *yard) admin(method, path, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	y.h.AdminHandler().ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	return w
}

// status returns the word of introspection.
func (y *yard) status(id ident.InvocationID) string {
	var view struct{ Status string }
	w := y.admin("GET", "/introspection/invocations/"+id.String(), "")
	if w.Code == 404 {
		return gone
	}
	if err := json.Unmarshal(w.Body.Bytes(), &view); err != nil {
		y.t.Fatal(err)
	}
	return view.Status
}

func (y *yard) entries(id ident.InvocationID) int {
	var view struct{ Journal struct{ Entries []any } }
	if err := json.Unmarshal(y.admin("GET", "/introspection/invocations/"+id.String(), "").Body.Bytes(), &view); err != nil {
		y.t.Fatal(err)
	}
	return len(view.Journal.Entries)
}

// checkBody checks that an answer has the body of its status.
func (y *yard) checkBody(w *httptest.ResponseRecorder, op, status string) {
	var made struct {
		New           string `json:"new_invocation_id"`
		RestartedFrom string `json:"restarted_from"`
		InvokedBy     string `json:"invoked_by"`
		Message       string
	}
	if err := json.Unmarshal(w.Body.Bytes(), &made); w.Body.Len() > 0 && err != nil {
		y.t.Fatalf("%v: %s", err, w.Body)
	}
	switch {
	case w.Code >= 400:
		word, _, _ := strings.Cut(status, " ")
		if made.Message == "" || (w.Code == 409 || w.Code == 425) && !strings.HasSuffix(made.Message, "it is "+word) {
			y.t.Errorf("got %s", w.Body)
		}
	case !strings.HasPrefix(op, "restart"):
		if w.Body.Len() > 0 {
			y.t.Errorf("got %s", w.Body)
		}
	default:
		y.checkMade(made.New)
	}
}

// checkMade checks an invocation that a restart has made.
func (y *yard) checkMade(made string) {
	id, err := ident.ParseInvocationID(made)
	if err != nil {
		y.t.Fatal(err)
	}
	r, err := y.rt.Attach(y.t.Context(), id)
	if err != nil || string(r.Result.Value) != `"done"` {
		y.t.Errorf("the new invocation has %s, %v", r.Result.Value, err)
	}
	shown := y.admin("GET", "/introspection/invocations/"+made, "").Body.String()
	if !strings.Contains(shown, `"invoked_by":"restart_as_new"`) || !strings.Contains(shown, `"restarted_from":"inv_1`) {
		y.t.Errorf("got %s", shown)
	}
}

// next checks that the key goes to the next one when the invocation is over.
func (y *yard) next(status, later string) {
	y.t.Helper()
	if strings.HasPrefix(status, "pending") || later != "completed" && later != gone {
		return // somebody holds the key
	}
	r, err := y.rt.Call(y.t.Context(), actors.Request{Service: "Yard", Key: "k", Handler: "done", Origin: machine.ByIngress})
	if err != nil || string(r.Result.Value) != `"done"` {
		y.t.Errorf("the next one on the key has %s, %v", r.Result.Value, err)
	}
}
