package conformance_test

import (
	"slices"
	"testing"

	"github.com/dormouse-run/dormouse/examples/testservices/services"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

const interpreter = "VirtualObjectCommandInterpreter"

// Commands of the interpreter.

func commands(all ...services.Command) services.InterpretRequest {
	return services.InterpretRequest{Commands: all}
}

func await(how string, what ...services.Awaitable) services.InterpretRequest {
	return commands(services.Command{Type: how, Commands: what})
}

func awakeable(name string) services.Awaitable {
	return services.Awaitable{Type: "createAwakeable", AwakeableKey: name}
}

func named(name string) services.Awaitable {
	return services.Awaitable{Type: "createSignal", SignalName: name}
}

func sleep(millis int64) services.Awaitable {
	return services.Awaitable{Type: "sleep", TimeoutMillis: millis}
}

func runReturns(value string) services.Awaitable {
	return services.Awaitable{Type: "runReturns", Value: value}
}

func runThrows(reason string) services.Awaitable {
	return services.Awaitable{Type: "runThrowTerminalException", Reason: reason}
}

// interpret sends commands to an interpreter and returns the handle of what they
// come to.
func (w *world) interpret(r services.InterpretRequest) ingress.SendResponse[string] {
	w.t.Helper()
	return send[string](w, interpreter, "i", "interpretCommands", r)
}

func (w *world) resolveSignal(id, name, value string) {
	w.t.Helper()
	callService[none](w, "TestUtilsService", "resolveSignal", services.ResolveSignalRequest{InvocationID: id, SignalName: name, Value: value})
}

func (w *world) rejectSignal(id, name, reason string) {
	w.t.Helper()
	callService[none](w, "TestUtilsService", "rejectSignal", services.RejectSignalRequest{InvocationID: id, SignalName: name, Reason: reason})
}

// results checks what the interpreter has kept.
func (w *world) results(want ...string) {
	w.t.Helper()
	if got := call[[]string](w, interpreter, "i", "getResults", none{}); !slices.Equal(got, want) {
		w.t.Errorf("the results are %q, want %q", got, want)
	}
}

func TestCombinators_awakeableOrTimeoutUsingAwaitAny(t *testing.T) {
	inModes(t, func(t *testing.T, w *world) {
		got := call[string](w, interpreter, "i", "interpretCommands", await("awaitAny", awakeable("a"), sleep(100)))
		equal(t, "the first", got, "sleep")
		w.results("sleep")
	})
}

func TestCombinators_awakeableOrTimeoutUsingAwakeableTimeoutCommand(t *testing.T) {
	inModes(t, func(t *testing.T, w *world) {
		r := commands(services.Command{Type: "awaitAwakeableOrTimeout", AwakeableKey: "a", TimeoutMillis: 100})
		failure := fails(w, interpreter, "i", "interpretCommands", r)
		equal(t, "the message", failure.Message(), "await-timeout")
	})
}

func TestCombinators_firstSuccessfulCompletedAwakeable(t *testing.T) {
	inModes(t, func(t *testing.T, w *world) {
		sent := w.interpret(await("awaitAnySuccessful",
			awakeable("a0"), awakeable("a1"), awakeable("a2"), runThrows("r0"), runThrows("r1"), runThrows("r2")))
		for _, name := range []string{"a0", "a1", "a2"} {
			w.eventually("the awakeable "+name, func() bool { return call[bool](w, interpreter, "i", "hasAwakeable", name) })
		}
		call[none](w, interpreter, "i", "rejectAwakeable", services.RejectAwakeable{AwakeableKey: "a2", Reason: "no"})
		call[none](w, interpreter, "i", "resolveAwakeable", services.ResolveAwakeable{AwakeableKey: "a1", Value: "yes"})
		equal(t, "the first success", attach(w, sent), "yes")
		w.results("yes")
	})
}

func TestCombinators_signalFirstSuccessfulOrAllFailed(t *testing.T) {
	inModes(t, func(t *testing.T, w *world) {
		sent := w.interpret(await("awaitFirstSucceededOrAllFailed", named("s0"), named("s1"), named("s2")))
		w.rejectSignal(sent.Id(), "s0", "no")
		w.rejectSignal(sent.Id(), "s2", "neither")
		w.resolveSignal(sent.Id(), "s1", "yes")
		equal(t, "the first success", attach(w, ingress.InvocationById[string](w.c, sent.Id())), "yes")
		w.results("yes")
	})
}

func TestCombinators_signalAllSuccessfulOrFirstFailed(t *testing.T) {
	inModes(t, func(t *testing.T, w *world) {
		sent := w.interpret(await("awaitAllSucceededOrFirstFailed", named("s0"), named("s1"), named("s2")))
		w.resolveSignal(sent.Id(), "s2", "c")
		w.resolveSignal(sent.Id(), "s0", "a")
		w.resolveSignal(sent.Id(), "s1", "b")
		equal(t, "all values", attach(w, sent), "a|b|c")
	})
}

func TestCombinators_signalAllCompleted(t *testing.T) {
	inModes(t, func(t *testing.T, w *world) {
		sent := w.interpret(await("awaitAllCompleted", named("s0"), named("s1"), named("s2")))
		w.resolveSignal(sent.Id(), "s0", "a")
		w.rejectSignal(sent.Id(), "s1", "no")
		w.resolveSignal(sent.Id(), "s2", "c")
		equal(t, "all of them", attach(w, sent), "ok:a|err:no|ok:c")
	})
}

func TestCombinators_signalFirstCompleted(t *testing.T) {
	inModes(t, func(t *testing.T, w *world) {
		sent := w.interpret(await("awaitFirstCompleted", named("s0"), named("s1"), named("s2")))
		w.resolveSignal(sent.Id(), "s1", "yes")
		equal(t, "the first", attach(w, sent), "yes")
	})
}

func TestCombinators_mixedRunWinsRaceAgainstSignal(t *testing.T) {
	inModes(t, func(t *testing.T, w *world) {
		sent := w.interpret(await("awaitFirstCompleted", named("never"), runReturns("run")))
		equal(t, "the first", attach(w, sent), "run")
	})
}

func TestCombinators_mixedSignalWinsAfterRunFails(t *testing.T) {
	inModes(t, func(t *testing.T, w *world) {
		sent := w.interpret(await("awaitFirstSucceededOrAllFailed", named("s"), runThrows("no")))
		w.resolveSignal(sent.Id(), "s", "signal")
		equal(t, "the first success", attach(w, sent), "signal")
	})
}

func TestCombinators_mixedAllSucceededRunAndSignal(t *testing.T) {
	inModes(t, func(t *testing.T, w *world) {
		sent := w.interpret(await("awaitAllSucceededOrFirstFailed", runReturns("run"), named("s")))
		w.resolveSignal(sent.Id(), "s", "signal")
		equal(t, "all values", attach(w, sent), "run|signal")
	})
}

func TestCombinators_mixedAllCompletedRunSignalAndFailedRun(t *testing.T) {
	inModes(t, func(t *testing.T, w *world) {
		sent := w.interpret(await("awaitAllCompleted", runReturns("run"), named("s"), runThrows("no")))
		w.resolveSignal(sent.Id(), "s", "signal")
		equal(t, "all of them", attach(w, sent), "ok:run|ok:signal|err:no")
	})
}
