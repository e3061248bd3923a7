package client

import (
	"errors"
	"testing"

	"github.com/dormouse-run/dormouse/examples/internal/exampletest"
	restate "github.com/restatedev/sdk-go"
	"github.com/restatedev/sdk-go/ingress"
)

const workflowName = "BlockAndWaitWorkflow"

func run(w *world, id string) ingress.Requester[string, string] {
	return ingress.Workflow[string, string](w.client, workflowName, id, "run")
}

func unblock(w *world, id, value string) error {
	_, err := ingress.Workflow[string, restate.Void](w.client, workflowName, id, "unblock").Request(w.ctx, value)
	return err
}

func TestAWorkflowIsSubmittedToldAndRead(t *testing.T) {
	inModes(t, func(t *testing.T, w *world) {
		sent, err := run(w, "w").Send(w.ctx, "input")
		equal(t, "status", must(t, sent, err).Status(), "Accepted")
		state := ingress.Workflow[restate.Void, *string](w.client, workflowName, "w", "getState")
		exampletest.Eventually(t, "the state of the run", func() bool {
			s, err := state.Request(w.ctx, restate.Void{})
			return must(t, s, err) != nil && *s == "input"
		})
		handle := ingress.WorkflowHandle[string](w.client, workflowName, "w")
		_, err = handle.Output(w.ctx)
		var notReady *ingress.InvocationNotReadyError
		if !errors.As(err, &notReady) || notReady.Code() != 470 || notReady.IsInvocationError() {
			t.Errorf("output before the end is %v", err)
		}
		if err := unblock(w, "w", "told"); err != nil {
			t.Fatal(err)
		}
		for _, h := range []ingress.InvocationHandle[string]{handle, sent, ingress.InvocationById[string](w.client, sent.Id())} {
			got, err := h.Attach(w.ctx)
			equal(t, "attach", must(t, got, err), "told")
			got, err = h.Output(w.ctx)
			equal(t, "output", must(t, got, err), "told")
		}
	})
}

func TestAWorkflowRunsOnce(t *testing.T) {
	inModes(t, func(t *testing.T, w *world) {
		first, err := run(w, "w").Send(w.ctx, "one")
		must(t, first, err)
		second, err := ingress.WorkflowSend[string](w.client, workflowName, "w", "run").Send(w.ctx, "two")
		equal(t, "status", must(t, second, err).Status(), "PreviouslyAccepted")
		equal(t, "id", second.Id(), first.Id())
		_, err = run(w, "w").Request(w.ctx, "three")
		fails(t, err, 409, true)
		if err := unblock(w, "w", "x"); err != nil {
			t.Fatal(err)
		}
		fails(t, unblock(w, "w", "y"), 409, true)
		_, err = run(w, "v").Request(w.ctx, "x", restate.WithIdempotencyKey("k"))
		fails(t, err, 400, false)
	})
}
