package conformance_test

import (
	"strings"
	"testing"

	"github.com/dormouse-run/dormouse/objects/ingress"
)

// TestRunFlush_flush executes three closures, each of which counts in a variable
// of the handler. The suite wants 0 when every wait is a suspension: there the
// attempt ends behind each closure, and the one that returns has executed none.
// Here a Run is no place to suspend: the attempt goes on as soon as the result
// is durable, in every mode, and has executed all three. What the case is about
// is seen in the journal: no closure starts before the result of the one before
// is stored. See docs/decisions/0014.
func TestRunFlush_flush(t *testing.T) {
	inModes(t, func(t *testing.T, w *world) {
		sent, err := ingress.Service[int, int](w.c, "TestUtilsService", "countExecutedSideEffects").Send(w.ctx, 3)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "executed closures", attach(w, sent), 3)
		var types []string
		for _, e := range w.view(sent.Id()).Journal.Entries {
			types = append(types, e.Type)
		}
		equal(t, "the journal", strings.Join(types, " "),
			"Input Run RunCompletion Run RunCompletion Run RunCompletion Output")
	})
}

func TestRunRetry_withSuccess(t *testing.T) {
	inModes(t, func(t *testing.T, w *world) {
		equal(t, "attempts", call[int](w, "Failing", "f", "sideEffectSucceedsAfterGivenAttempts", 3), 3)
	})
}

func TestRunRetry_executedOnlyOnce(t *testing.T) {
	inModes(t, func(t *testing.T, w *world) {
		equal(t, "attempts", call[int](w, "Failing", "f", "sideEffectFailsAfterGivenAttempts", 1), 1)
	})
}

func TestRunRetry_withExhaustedAttempts(t *testing.T) {
	inModes(t, func(t *testing.T, w *world) {
		equal(t, "attempts", call[int](w, "Failing", "f", "sideEffectFailsAfterGivenAttempts", 3), 3)
	})
}
