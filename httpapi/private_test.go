package httpapi_test

import (
	"context"
	"strings"
	"testing"

	"github.com/dormouse-run/dormouse/actors"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
	"github.com/dormouse-run/dormouse/persistence"
)

// TestAPrivateHandlerIsReachedByHandlersAndByNothingElse tries every way in.
func TestAPrivateHandlerIsReachedByHandlersAndByNothingElse(t *testing.T) {
	t.Parallel()
	type void = restate.Void
	gold := func(restate.ObjectContext, void) (string, error) { return "gold", nil }
	run := func(restate.WorkflowContext, void) (string, error) { return "ran", nil }
	fetch := func(ctx restate.Context, _ void) (string, error) {
		return restate.Object[string](ctx, "Safe", "k", "open").Request(void{})
	}
	h := openHouse(t, t.TempDir(), actors.Options{Services: []restate.ServiceDefinition{
		restate.NewObject("Safe", restate.WithIngressPrivate(true)).Handler("open", restate.NewObjectHandler(gold, restate.WithIngressPrivate(false))),
		restate.NewWorkflow("Plan").Handler("run", restate.NewWorkflowHandler(run, restate.WithIngressPrivate(true))),
		restate.NewService("Clerk").Handler("fetch", restate.NewServiceHandler(fetch)),
	}}, persistence.Options{})
	for _, path := range []string{"/Safe/k/open", "/restate/call/Safe/k/open", "/Safe/k/open/send", "/restate/send/Safe/k/open", "/Safe/k/open/send?delay=1h", "/Plan/w/run", "/Plan/w/run/send"} {
		for _, method := range []string{"GET", "POST"} {
			want(t, ask(h.client, method, h.ingress+path, ""), 400, "may be called by other handlers only")
			want(t, ask(h.client, method, h.ingress+path, "", "Idempotency-Key", "k"), 400, "may be called by other handlers only")
		}
	}
	c := h.rt.Client()
	if _, err := ingress.Object[void, string](c, "Safe", "k", "open").Request(context.Background(), void{}); err == nil || !strings.Contains(err.Error(), "private") {
		t.Errorf("a call of this process: %v", err)
	}
	if _, err := ingress.ObjectSend[void](c, "Safe", "k", "open").Send(context.Background(), void{}); err == nil || !strings.Contains(err.Error(), "private") {
		t.Errorf("a send of this process: %v", err)
	}
	want(t, h.call("/Clerk/fetch", ""), 200, `"gold"`)
}
