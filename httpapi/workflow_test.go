package httpapi_test

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/persistence"
)

// blockAndWait is the workflow of the conformance row WorkflowAPI, with a few
// handlers more.
func blockAndWait() restate.ServiceDefinition {
	const promise, state = "durable-promise", "my-state"
	return restate.NewWorkflow("BlockAndWaitWorkflow").
		Handler("run", restate.NewWorkflowHandler(func(ctx restate.WorkflowContext, input string) (string, error) {
			restate.Set(ctx, state, input)
			p := restate.Promise[string](ctx, promise)
			value, err := p.Result()
			if err != nil {
				return "", err
			}
			peeked, err := p.Peek()
			if err != nil {
				return "", err
			}
			if peeked != value {
				return "", restate.TerminalErrorf("the promise is %q and %q", value, peeked)
			}
			return value, nil
		})).
		Handler("unblock", restate.NewWorkflowSharedHandler(func(ctx restate.WorkflowSharedContext, value string) (restate.Void, error) {
			return restate.Void{}, restate.Promise[string](ctx, promise).Resolve(value)
		})).
		Handler("refuse", restate.NewWorkflowSharedHandler(func(ctx restate.WorkflowSharedContext, why string) (restate.Void, error) {
			reason := restate.ToTerminalError(restate.TerminalErrorf("%s", why), restate.WithErrorCode(418))
			return restate.Void{}, restate.Promise[string](ctx, promise).Reject(reason)
		})).
		Handler("peek", restate.NewWorkflowSharedHandler(func(ctx restate.WorkflowSharedContext, _ restate.Void) (*string, error) {
			value, err := restate.Promise[*string](ctx, promise).Peek()
			return value, err
		})).
		Handler("await", restate.NewWorkflowSharedHandler(func(ctx restate.WorkflowSharedContext, name string) (string, error) {
			value, err := restate.Promise[string](ctx, name).Result()
			return value, err
		})).
		Handler("getState", restate.NewWorkflowSharedHandler(func(ctx restate.WorkflowSharedContext, _ restate.Void) (*string, error) {
			value, err := restate.Get[*string](ctx, state)
			return value, err
		}))
}

// get asks the ingress with GET.
func (h *house) get(path string) reply { return ask(h.client, "GET", h.ingress+path, "") }

const blocked = "/BlockAndWaitWorkflow/"

// TestWorkflowAPI is row 61 of the conformance list, as it is and suspended at
// every wait.
func TestWorkflowAPI(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]actors.Options{
		"default":                 {},
		"suspended at every wait": {InactivityTimeout: -1, Linger: -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o.Services = []restate.ServiceDefinition{blockAndWait()}
			h := openHouse(t, filepath.Join(t.TempDir(), "data"), o, persistence.Options{})
			r := h.call(blocked+"w1/run/send", `"input"`)
			want(t, r, 202, `"status":"Accepted"`)
			id := r.header.Get("X-Restate-Id")
			eventually(t, "that the state is set", func() bool { return h.call(blocked+"w1/getState", "").body == `"input"` })
			want(t, h.call(blocked+"w1/peek", ""), 200, "null")
			want(t, h.get("/restate/workflow/BlockAndWaitWorkflow/w1/output"), 470, "not completed")
			attached := make(chan reply, 1)
			go func() { attached <- h.get("/restate/workflow/BlockAndWaitWorkflow/w1/attach") }()
			want(t, h.call(blocked+"w1/unblock", `"go"`), 200, "")
			want(t, receive(t, attached), 200, `"go"`)
			want(t, h.get("/restate/workflow/BlockAndWaitWorkflow/w1/output"), 200, `"go"`)
			r = h.call(blocked+"w1/run/send", `"other"`)
			want(t, r, 202, `"status":"PreviouslyAccepted"`)
			if again := r.header.Get("X-Restate-Id"); again != id {
				t.Errorf("the second send has the id %s, the first %s", again, id)
			}
			r = h.call(blocked+"w1/run", `"other"`)
			want(t, r, 409, "has been started before")
			if source := r.header.Get("X-Restate-Error-Source"); source != "invocation" {
				t.Errorf("the second call fails with source %q", source)
			}
			want(t, h.call(blocked+"w1/unblock", `"twice"`), 409, "has been completed before")
			want(t, h.call(blocked+"w1/refuse", `"twice"`), 409, "has been completed before")
			want(t, h.call(blocked+"w1/peek", ""), 200, `"go"`)
			want(t, h.call(blocked+"w1/getState", ""), 200, `"input"`)
			want(t, h.call(blocked+"w2/getState", ""), 200, "null")
		})
	}
}

func TestAPromiseMayBeCompletedBeforeTheRunStarts(t *testing.T) {
	t.Parallel()
	h := openHouse(t, filepath.Join(t.TempDir(), "data"), actors.Options{Services: []restate.ServiceDefinition{blockAndWait()}}, persistence.Options{})
	want(t, h.call(blocked+"early/unblock", `"before"`), 200, "")
	want(t, h.call(blocked+"early/run", `"x"`), 200, `"before"`)
	want(t, h.call(blocked+"no/refuse", `"I am a teapot"`), 200, "")
	want(t, h.call(blocked+"no/run", `"x"`), 418, "I am a teapot")
	want(t, h.call(blocked+"no/peek", ""), 418, "I am a teapot")
	large := strconv.Quote(strings.Repeat("x", 700<<10)) // more than a row takes
	want(t, h.call(blocked+"large/unblock", large), 200, "")
	want(t, h.call(blocked+"large/run", `"x"`), 200, large)
	want(t, h.call(blocked+"large/peek", ""), 200, large)
}

func TestThePromisesOfAWorkflowGoWithAPurge(t *testing.T) {
	t.Parallel()
	h := openHouse(t, filepath.Join(t.TempDir(), "data"), actors.Options{Services: []restate.ServiceDefinition{blockAndWait()}}, persistence.Options{})
	want(t, h.call(blocked+"w/unblock", `"old"`), 200, "")
	r := h.call(blocked+"w/run", `"x"`)
	want(t, r, 200, `"old"`)
	run := r.header.Get("X-Restate-Id")
	waiter := h.send(blocked+"w/await", `"other"`)
	admin := func(op, id string) reply { return ask(h.client, "PATCH", h.admin+"/invocations/"+id+"/"+op, "") }
	want(t, admin("purge", run), 409, "shared handlers")
	want(t, admin("kill", waiter), 200, "")
	want(t, admin("purge", run), 200, "")
	want(t, h.call(blocked+"w/peek", ""), 200, "null")
	want(t, h.call(blocked+"w/getState", ""), 200, "null")
	again := h.send(blocked+"w/run", `"y"`)
	if again != run {
		t.Errorf("the next life has the id %s, the first %s", again, run)
	}
	want(t, h.call(blocked+"w/unblock", `"new"`), 200, "")
	want(t, h.attach(again), 200, `"new"`)
}

// TestAWorkflowSurvivesKillWhileItWaits kills the process while a run and a
// shared handler are suspended on a promise, and again after it was completed.
func TestAWorkflowSurvivesKillWhileItWaits(t *testing.T) {
	t.Parallel()
	c := startChild(t, t.TempDir())
	run := c.send(blocked+"w/run", `"input"`)
	shared := c.send(blocked+"w/await", `"durable-promise"`)
	eventually(t, "that both are suspended", func() bool {
		return strings.Contains(c.view(run), `"status":"suspended"`) && strings.Contains(c.view(shared), `"status":"suspended"`)
	})
	c = c.killed()
	want(t, c.call(blocked+"w/peek", ""), 200, "null")
	want(t, c.call(blocked+"w/getState", ""), 200, `"input"`)
	want(t, c.call(blocked+"w/unblock", `"go"`), 200, "")
	c = c.killed()
	want(t, c.attach(run), 200, `"go"`)
	want(t, c.attach(shared), 200, `"go"`)
	want(t, c.call(blocked+"w/unblock", `"no"`), 409, "has been completed before")
	want(t, c.call(blocked+"w/peek", ""), 200, `"go"`)
}

// TestTheJournalShowsPromises looks at the entries of a workflow that waits, and
// again when it has ended.
func TestTheJournalShowsPromises(t *testing.T) {
	t.Parallel()
	h := openHouse(t, filepath.Join(t.TempDir(), "data"), actors.Options{
		Services: []restate.ServiceDefinition{blockAndWait()}, InactivityTimeout: time.Millisecond,
	}, persistence.Options{})
	run := h.send(blocked+"w/run", `"input"`)
	eventually(t, "that it is suspended", func() bool { return strings.Contains(h.view(run), `"status":"suspended"`) })
	entry := func(id, kind string) map[string]any {
		t.Helper()
		r := ask(h.client, "GET", h.admin+"/introspection/invocations/"+id+"?journal=true", "")
		var view struct {
			Journal struct{ Entries []map[string]any }
		}
		if err := json.Unmarshal([]byte(r.body), &view); err != nil || r.status != http.StatusOK {
			t.Fatalf("%v: %v", r, err)
		}
		for _, e := range view.Journal.Entries {
			if e["type"] == kind {
				return e
			}
		}
		t.Fatalf("no %s in %s", kind, r.body)
		return nil
	}
	fields := func(e map[string]any, want map[string]any) {
		t.Helper()
		for name, value := range want {
			if e[name] != value {
				t.Errorf("%s of %v is %v, want %v", name, e["type"], e[name], value)
			}
		}
	}
	fields(entry(run, "GetPromise"), map[string]any{"type_code": "0x0409", "promise": "durable-promise", "result_completion_id": 1.0, "completed": false})
	unblock := h.call(blocked+"w/unblock", `"go"`).header.Get("X-Restate-Id")
	want(t, h.attach(run), 200, `"go"`)
	fields(entry(run, "GetPromise"), map[string]any{"completed": true})
	fields(entry(run, "PeekPromise"), map[string]any{"type_code": "0x040A", "promise": "durable-promise", "completed": true})
	complete := entry(unblock, "CompletePromise")
	fields(complete, map[string]any{"type_code": "0x040B", "promise": "durable-promise", "completed": true})
	if value, _ := complete["value"].(map[string]any); value["json"] != "go" {
		t.Errorf("the value of the completion is %v", complete["value"])
	}
	fields(entry(unblock, "CompletePromiseCompletion"), map[string]any{"void": true, "completion_id": 2.0})
	late := h.call(blocked+"w/unblock", `"no"`).header.Get("X-Restate-Id")
	failure, _ := entry(late, "CompletePromiseCompletion")["failure"].(map[string]any)
	if failure["code"] != 409.0 {
		t.Errorf("the second completion shows %v", failure)
	}
}
