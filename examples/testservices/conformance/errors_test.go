package conformance_test

import (
	"encoding/json"
	"testing"

	"github.com/dormouse-run/dormouse/examples/testservices/services"
)

// failure is what the handlers of Failing are to fail with.
func failure() services.FailureToPropagate {
	return services.FailureToPropagate{ErrorMessage: "my error", Metadata: map[string]string{"key1": "value1", "key2": "value2"}}
}

func withoutMetadata() services.FailureToPropagate {
	return services.FailureToPropagate{ErrorMessage: "my error"}
}

// failsTyped calls a handler of Failing through the typed client.
func failsTyped(t *testing.T, handler string, times int) {
	inModes(t, func(t *testing.T, w *world) {
		for range times {
			got := fails(w, "Failing", "f", handler, withoutMetadata())
			equal(t, "the message", got.Message(), "my error")
			equal(t, "the code", got.Code(), 500)
		}
	})
}

// failsRaw calls a handler of Failing by plain HTTP, and reads the answer.
func failsRaw(t *testing.T, handler string, times int) {
	inModes(t, func(t *testing.T, w *world) {
		body, err := json.Marshal(failure())
		if err != nil {
			t.Fatal(err)
		}
		for range times {
			a := w.post("/Failing/f/"+handler, body, "Content-Type", "application/json")
			var got struct {
				Message  string            `json:"message"`
				Metadata map[string]string `json:"metadata"`
			}
			if err := json.Unmarshal(a.body, &got); err != nil || a.status < 400 {
				t.Fatalf("answered %d %s (%v)", a.status, a.body, err)
			}
			equal(t, "the message", got.Message, "my error")
			equal(t, "the size of the metadata", len(got.Metadata), 2)
			equal(t, "key1", got.Metadata["key1"], "value1")
			equal(t, "key2", got.Metadata["key2"], "value2")
		}
	})
}

func TestUserErrors_invokeTerminallyFailingCall(t *testing.T) {
	failsTyped(t, "terminallyFailingCall", 1)
}

func TestUserErrors_failSeveralTimes(t *testing.T) { failsTyped(t, "terminallyFailingCall", 3) }

func TestUserErrors_internalCallFailurePropagation(t *testing.T) {
	failsTyped(t, "callTerminallyFailingCall", 1)
}

func TestUserErrors_sideEffectWithTerminalError(t *testing.T) {
	failsTyped(t, "terminallyFailingSideEffect", 1)
}

func TestUserErrors_invokeTerminallyFailingCallWithMetadata(t *testing.T) {
	failsRaw(t, "terminallyFailingCall", 1)
}

func TestUserErrors_failSeveralTimesWithMetadata(t *testing.T) {
	failsRaw(t, "terminallyFailingCall", 3)
}

func TestUserErrors_internalCallFailurePropagationWithMetadata(t *testing.T) {
	failsRaw(t, "callTerminallyFailingCall", 1)
}

func TestUserErrors_sideEffectWithTerminalErrorWithMetadata(t *testing.T) {
	failsRaw(t, "terminallyFailingSideEffect", 1)
}

func TestUserErrors_setStateThenFailShouldPersistState(t *testing.T) {
	inModes(t, func(t *testing.T, w *world) {
		equal(t, "the message", fails(w, "Counter", "my-failing-counter", "addThenFail", int64(1)).Message(), "my-failing-counter")
		equal(t, "the counter", w.counted("my-failing-counter"), 1)
	})
}

func TestUserErrors_invocationWithEventualSuccess(t *testing.T) {
	inModes(t, func(t *testing.T, w *world) {
		equal(t, "the attempt", call[int](w, "Failing", "f", "failingCallWithEventualSuccess", none{}), 4)
	})
}
