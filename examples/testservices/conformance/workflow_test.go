package conformance_test

import (
	"testing"

	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

// TestWorkflowAPI_setAndResolve is the one case that needs promises, and calls
// the service of workflow.go.
func TestWorkflowAPI_setAndResolve(t *testing.T) {
	inModes(t, func(t *testing.T, w *world) {
		const workflow = "BlockAndWaitWorkflow"
		run := ingress.Workflow[string, string](w.c, workflow, "w", "run")
		first, err := run.Send(w.ctx, "Francesco")
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "the status of the first send", first.Status(), "Accepted")
		state := ingress.Workflow[none, *string](w.c, workflow, "w", "getState")
		w.eventually("the state is set", func() bool {
			got, err := state.Request(w.ctx, none{})
			if err != nil {
				t.Fatal(err)
			}
			return got != nil && *got == "Francesco"
		})
		if _, err := ingress.Workflow[string, none](w.c, workflow, "w", "unblock").Request(w.ctx, "Till"); err != nil {
			t.Fatal(err)
		}
		handle := ingress.WorkflowHandle[string](w.c, workflow, "w")
		equal(t, "the result", attach(w, handle), "Till")
		output, err := handle.Output(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "the output", output, "Till")

		again, err := run.Send(w.ctx, "Francesco")
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "the status of the second send", again.Status(), "PreviouslyAccepted")
		equal(t, "the id of the second send", again.Id(), first.Id())
		_, err = run.Request(w.ctx, "Francesco")
		if failure := restate.AsTerminalError(err); failure == nil || failure.Code() != 409 {
			t.Errorf("a second call ends with %v, want code 409", err)
		}
	})
}
