package httpapi

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
)

func TestRoutesToAResultNameTheInvocation(t *testing.T) {
	t.Parallel()
	keyed := ident.IdempotentID(ident.Target{Service: "Obj", Key: "a/b", Handler: "Add", Kind: ident.KindShared}, "i-1").String()
	plain := ident.IdempotentID(ident.Target{Service: "Greeter", Handler: "Greet", Kind: ident.KindService}, "i-1").String()
	workflow := ident.WorkflowID("Wf", "w1").String()
	id := testID.String()
	rows := []struct{ method, target, body, asked string }{
		{"GET", "/restate/invocation/" + id + "/attach", "", id},
		{"GET", "/restate/invocation/" + id + "/output", "", id},
		{"GET", "/restate/attach/" + id, "", id},
		{"GET", "/restate/output/" + id, "", id},
		{"GET", "/restate/invocation/Obj/a%2Fb/Add/i-1/attach", "", keyed},
		{"GET", "/restate/invocation/Greeter/Greet/i-1/output/ignored", "", plain},
		{"GET", "/restate/workflow/Wf/w1/attach", "", workflow},
		{"GET", "/restate/workflow/Nope/w1/output", "", ident.WorkflowID("Nope", "w1").String()},
		{"POST", "/restate/attach", `{"target":"invocation","invocationId":"` + id + `"}`, id},
		{"POST", "/restate/output", `{"target":"idempotentInvocation","service":"Obj","key":"a/b","handler":"Add","idempotencyKey":"i-1","scope":null}`, keyed},
		{"POST", "/restate/attach", `{"target":"idempotentInvocation","service":"Greeter","handler":"Greet","idempotencyKey":"i-1"}`, plain},
		{"POST", "/restate/output", `{"target":"workflow","workflowName":"Wf","workflowKey":"w1"}`, workflow},
	}
	for _, row := range rows {
		f := &fakeRuntime{}
		w := ask(testServer(t, f, Options{}).IngressHandler(), row.method, row.target, row.body)
		if len(f.asked) != 1 || f.asked[0].String() != row.asked {
			t.Errorf("%s: asked for %v: %d %s", row.target, f.asked, w.Code, w.Body)
			continue
		}
		attach := strings.Contains(row.target, "attach")
		if got := w.Header().Get("x-restate-error-source"); w.Code != 404 || attach != (got == "invocation") {
			t.Errorf("%s: got %d from %s", row.target, w.Code, got)
		}
		if got := w.Header().Get("x-restate-id"); attach != (got == row.asked) {
			t.Errorf("%s: x-restate-id is %q", row.target, got)
		}
	}
}

func TestRoutesToAResultRefuse(t *testing.T) {
	t.Parallel()
	id := testID.String()
	rows := []struct {
		method, target, body string
		status               int
	}{
		{"GET", "/restate/invocation/nonsense/attach", "", 400},
		{"GET", "/restate/invocation/" + id, "", 400},
		{"GET", "/restate/invocation/" + id + "/cancel", "", 404},
		{"POST", "/restate/invocation/" + id + "/attach", "", 405},
		{"GET", "/restate/invocation/Nope/h/i/attach", "", 404},
		{"GET", "/restate/invocation/Greeter/Greet/i", "", 400},
		{"GET", "/restate/invocation/Obj/k/Add/i", "", 400},
		{"GET", "/restate/invocation/Obj/k/Add/i/watch", "", 404},
		{"POST", "/restate/invocation/Obj/k/Add/i/output", "", 405},
		{"GET", "/restate/workflow/Wf/w1", "", 400},
		{"GET", "/restate/workflow/Wf/w1/watch", "", 404},
		{"GET", "/restate/attach/" + id + "/more", "", 404},
		{"POST", "/restate/attach/" + id, "", 405},
		{"GET", "/restate/attach", "", 405},
		{"GET", "/restate/lookup/" + id, "", 404},
		{"POST", "/restate/lookup", "{", 400},
		{"POST", "/restate/lookup", `{"target":"dream"}`, 400},
		{"POST", "/restate/lookup", `{"target":"workflow","workflowName":"Wf"}`, 400},
		{"POST", "/restate/lookup", `{"target":"invocation","invocationId":"` + id + `","scope":"s"}`, 400},
		{"POST", "/restate/lookup", `{"target":"idempotentInvocation","service":"Obj","handler":"Add","idempotencyKey":"i"}`, 400},
		{"POST", "/restate/lookup", `{"target":"idempotentInvocation","service":"Nope","handler":"Add","idempotencyKey":"i"}`, 404},
	}
	for _, row := range rows {
		f := &fakeRuntime{}
		w := ask(testServer(t, f, Options{}).IngressHandler(), row.method, row.target, row.body)
		if w.Code != row.status || len(f.asked) != 0 {
			t.Errorf("%s %s: got %d %s", row.method, row.target, w.Code, w.Body)
		}
	}
}

func TestLookupComputesAndDoesNotAsk(t *testing.T) {
	t.Parallel()
	f := &fakeRuntime{}
	w := ask(testServer(t, f, Options{}).IngressHandler(), "POST", "/restate/lookup",
		`{"target":"workflow","workflowName":"Wf","workflowKey":"w1"}`)
	if want := `{"invocationId":"inv_12kpUQONmeFb2WqsVOkAjH4phS34cOyIC8"}`; w.Code != 200 || w.Body.String() != want || len(f.asked) != 0 {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

func TestAResultHasTheContentTypeOfItsHandler(t *testing.T) {
	t.Parallel()
	rows := []struct {
		target ident.Target
		value  string
		want   string
	}{
		{ident.Target{Service: "Greeter", Handler: "Raw", Kind: ident.KindService}, "1", "application/octet-stream"},
		{ident.Target{Service: "Greeter", Handler: "Greet", Kind: ident.KindService}, `"x"`, asJSON},
		{ident.Target{Service: "Gone", Handler: "Away", Kind: ident.KindService}, `{"a":1}`, asJSON},
		{ident.Target{Service: "Gone", Handler: "Away", Kind: ident.KindService}, `\x00`, "application/octet-stream"},
	}
	for _, row := range rows {
		f := &fakeRuntime{
			result: func(context.Context, ident.InvocationID) (actors.Response, error) {
				return actors.Response{ID: testID, Result: journal.ValueOf([]byte(row.value)), ExpiresAt: time.UnixMilli(1)}, nil
			},
			look: func(ident.InvocationID, actors.InspectOptions) (*actors.Inspection, error) {
				found := &actors.Inspection{}
				found.Invocation.Target = row.target
				return found, nil
			},
		}
		w := ask(testServer(t, f, Options{}).IngressHandler(), "GET", "/restate/attach/"+testID.String(), "")
		if w.Code != http.StatusOK || w.Header().Get("content-type") != row.want || w.Header().Get("idempotency-expires") == "" {
			t.Errorf("%v: got %d %v", row.target, w.Code, w.Header())
		}
	}
}

func TestHealthListsTheServices(t *testing.T) {
	t.Parallel()
	h := testServer(t, &fakeRuntime{}, Options{}).IngressHandler()
	if w := ask(h, "GET", "/restate/health", ""); w.Code != 200 || w.Body.String() != `{"services":["Greeter","Obj","Wf"]}` {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	if w := ask(h, "POST", "/restate/health", ""); w.Code != 405 || w.Header().Get("Allow") != "GET" {
		t.Errorf("got %d %v", w.Code, w.Header())
	}
}
