package conformance_test

import (
	"testing"

	"github.com/dormouse-run/dormouse/examples/testservices/services"
	restate "github.com/dormouse-run/dormouse/objects"
)

func awaitOneSignal() services.InterpretRequest {
	return commands(services.Command{Type: "awaitOne", Command: new(named("s"))})
}

func TestSignals_resolve(t *testing.T) {
	inModes(t, func(t *testing.T, w *world) {
		sent := w.interpret(awaitOneSignal())
		w.resolveSignal(sent.Id(), "s", "yes")
		equal(t, "the signal", attach(w, sent), "yes")
		w.results("yes")
	})
}

func TestSignals_reject(t *testing.T) {
	inModes(t, func(t *testing.T, w *world) {
		sent := w.interpret(awaitOneSignal())
		w.rejectSignal(sent.Id(), "s", "my bad")
		_, err := sent.Attach(w.ctx)
		failure := restate.AsTerminalError(err)
		if failure == nil || failure.Message() != "my bad" {
			t.Errorf("got %v, want the reason of the rejection", err)
		}
	})
}
