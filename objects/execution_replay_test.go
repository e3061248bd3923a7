package objects

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/internal/journal"
)

// storyHandler uses every kind of operation, and reports what each attempt was
// told.
func storyHandler(report func(told []string)) Handler {
	return NewObjectHandler(func(ctx ObjectContext, _ string) (string, error) {
		var told []string
		defer func() { report(told) }()
		note := func(what ...any) { told = append(told, fmt.Sprint(what...)) }

		count, err := Get[int](ctx, "count")
		note("get ", count, err)
		Set(ctx, "count", count+1)
		note("uuid ", UUID(ctx), Rand(ctx).IntN(1000))
		mailed, err := Run(ctx, func(RunContext) (string, error) { return "mailed", nil }, WithName("mail"))
		note("run ", mailed, err)

		answer, other := Awakeable[string](ctx), Awakeable[string](ctx)
		timer := After(ctx, time.Second)
		first, err := WaitFirst(ctx, answer, timer, other)
		note("first ", first == answer, first == timer, err)
		text, err := answer.Result()
		note("answer ", text, err)

		sum, err := Object[int](ctx, "Counter", "k", "add").Request(1)
		note("call ", sum, err)
		note("send ", ObjectSend(ctx, "Counter", "k", "note").Send("x", WithDelay(time.Hour)).GetInvocationId())
		ResolveSignal(ctx, ctx.Request().ID, "go", 5)
		five, err := Signal[int](ctx, "go").Result()
		note("signal ", five, err)
		ResolveAwakeable(ctx, other.Id(), "self")
		CancelInvocation(ctx, calleeID("add"))

		open := []Future{other, timer, RunAsync(ctx, func(RunContext) (int, error) { return 8, nil })}
		for f, err := range Wait(ctx, open...) {
			note("wait ", slices.Index(open, f), err)
		}
		names, err := Keys(ctx)
		note("keys ", names, err)
		ClearAll(ctx)
		Set(ctx, "a", 1)
		Set(ctx, "b", 2)
		Clear(ctx, "a")
		names, err = Keys(ctx)
		note("keys ", names, err)
		_, err = AttachInvocation[int](ctx, calleeID("other")).Response()
		note("attach ", err)
		note("sleep ", Sleep(ctx, time.Minute))
		_, err = Run(ctx, func(RunContext) (int, error) { return 0, TerminalErrorf("no") })
		note("failed run ", err)
		b, err := Get[int](ctx, "b")
		note("get ", b, err)
		return strings.Join(told, "\n"), nil
	})
}

// storyEngine has the world that storyHandler needs.
func storyEngine(t *testing.T, report func([]string)) *engine {
	e := newEngine(t, storyHandler(report))
	e.state["count"] = []byte("41")
	e.results = map[string]journal.Result{
		"add": journal.ValueOf([]byte("3")), calleeID("other"): journal.FailureOf(404, "unknown"),
	}
	e.world = func(e *engine) bool {
		if !e.answered(journal.SignalID(17)) {
			e.answer(17, `"yes"`)
			return true
		}
		return e.fireTimer()
	}
	return e
}

// TestEveryCutGivesTheSameStory ends the first attempt at each of its calls,
// with and without suspension at every wait, and demands the same journal, byte
// for byte, and that no attempt was told anything else.
func TestEveryCutGivesTheSameStory(t *testing.T) {
	t.Parallel()
	for _, lazy := range []bool{false, true} {
		for _, eager := range []bool{false, true} {
			var want []string
			base := storyEngine(t, func(told []string) { want = told })
			base.lazy, base.eager = lazy, eager
			output := base.finish(0)
			if output.Kind != journal.ResultValue || len(base.outcomes) != 1 {
				t.Fatalf("the story does not end at once: %+v, %d attempts", output, len(base.outcomes))
			}
			for cut := range base.calls + 1 {
				for _, suspends := range []bool{false, true} {
					e := storyEngine(t, func(told []string) {
						if !slices.Equal(told, want[:min(len(told), len(want))]) {
							t.Errorf("cut %d: an attempt was told %q, want a prefix of %q", cut, told, want)
						}
					})
					e.lazy, e.eager, e.suspends = lazy, eager, suspends
					if got := e.finish(cut); !reflect.DeepEqual(got, output) {
						t.Errorf("cut %d: output %q, want %q", cut, got.Value, output.Value)
					}
					sameJournal(t, cut, e.journal, base.journal)
					if suspends && e.parks < 3 {
						t.Errorf("cut %d: suspended %d times only", cut, e.parks)
					}
				}
			}
		}
	}
}

// sameJournal compares type, body and sidecar of all entries. A sleep and a send
// carry times, which are the same here because the clock stands still.
func sameJournal(t *testing.T, cut int, got, want []journal.Entry) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("cut %d: journal of %d entries differs from one of %d", cut, len(got), len(want))
		for i := range min(len(got), len(want)) {
			if !reflect.DeepEqual(got[i], want[i]) {
				t.Fatalf("entry %d: %v %q %+v, want %v %q %+v", i, got[i].Type, got[i].Body, got[i].Sidecar, want[i].Type, want[i].Body, want[i].Sidecar)
			}
		}
	}
}

// operations are one of each command, for mismatches.
func operations() map[string]func(ctx ObjectContext) {
	id := calleeID("x")
	awakeable := "sign_1UWTHdWSNIRv8Gw4RmRzJSSCRgkORT61gAAAAEQ"
	return map[string]func(ctx ObjectContext){
		"get":         func(ctx ObjectContext) { _, _ = Get[int](ctx, "a") },
		"get other":   func(ctx ObjectContext) { _, _ = Get[int](ctx, "b") },
		"keys":        func(ctx ObjectContext) { _, _ = Keys(ctx) },
		"set":         func(ctx ObjectContext) { Set(ctx, "a", 1) },
		"set key":     func(ctx ObjectContext) { Set(ctx, "b", 1) },
		"set value":   func(ctx ObjectContext) { Set(ctx, "a", 2) },
		"clear":       func(ctx ObjectContext) { Clear(ctx, "a") },
		"clear other": func(ctx ObjectContext) { Clear(ctx, "b") },
		"clear all":   func(ctx ObjectContext) { ClearAll(ctx) },
		"run":         func(ctx ObjectContext) { RunAsync(ctx, func(RunContext) (int, error) { return 1, nil }) },
		"run name": func(ctx ObjectContext) {
			RunAsync(ctx, func(RunContext) (int, error) { return 1, nil }, WithName("n"))
		},
		"sleep":      func(ctx ObjectContext) { After(ctx, time.Second) },
		"sleep name": func(ctx ObjectContext) { After(ctx, time.Second, WithName("n")) },
		"call":       func(ctx ObjectContext) { Object[int](ctx, "S", "k", "h").RequestFuture(1) },
		"call input": func(ctx ObjectContext) { Object[int](ctx, "S", "k", "h").RequestFuture(2) },
		"call headers": func(ctx ObjectContext) {
			Object[int](ctx, "S", "k", "h").RequestFuture(1, WithHeaders(map[string]string{"a": "b"}))
		},
		"call service": func(ctx ObjectContext) { Service[int](ctx, "Keyless", "h").RequestFuture(1) },
		"send":         func(ctx ObjectContext) { ObjectSend(ctx, "S", "k", "h").Send(1) },
		"send key": func(ctx ObjectContext) {
			ObjectSend(ctx, "S", "k", "h").Send(1, WithIdempotencyKey("i"))
		},
		"signal":         func(ctx ObjectContext) { ResolveSignal(ctx, id, "n", 1) },
		"signal name":    func(ctx ObjectContext) { ResolveSignal(ctx, id, "m", 1) },
		"signal reject":  func(ctx ObjectContext) { RejectSignal(ctx, id, "n", TerminalErrorf("no")) },
		"cancel":         func(ctx ObjectContext) { CancelInvocation(ctx, id) },
		"attach":         func(ctx ObjectContext) { AttachInvocation[int](ctx, id) },
		"attach other":   func(ctx ObjectContext) { AttachInvocation[int](ctx, calleeID("y")) },
		"resolve":        func(ctx ObjectContext) { ResolveAwakeable(ctx, awakeable, 1) },
		"resolve value":  func(ctx ObjectContext) { ResolveAwakeable(ctx, awakeable, 2) },
		"reject":         func(ctx ObjectContext) { RejectAwakeable(ctx, awakeable, TerminalErrorf("no")) },
		"one awakeable":  func(ctx ObjectContext) { Awakeable[int](ctx); Set(ctx, "a", 1) },
		"awakeable type": func(ctx ObjectContext) { Awakeable[string](ctx); Set(ctx, "a", 1) },
		"one draw":       func(ctx ObjectContext) { Rand(ctx).Uint64(); Set(ctx, "a", 1) },
		"end":            func(ObjectContext) {},
	}
}

// TestOtherCodeOnReplayIs570 runs one operation, crashes, and replays with each
// other operation: all but the same one fail, and append nothing.
func TestOtherCodeOnReplayIs570(t *testing.T) {
	t.Parallel()
	ops := operations()
	for first, one := range ops {
		if first == "end" {
			continue
		}
		for second, other := range ops {
			op := one
			e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (Void, error) {
				op(ctx)
				_, err := Signal[int](ctx, "never").Result()
				return Void{}, err
			}))
			e.suspends = true
			if o := e.attempt(0); o.Kind != OutcomeUnwound {
				t.Fatalf("%s: %+v", first, o)
			}
			stored := len(e.journal)
			op = other
			if second == "end" {
				e.handler = NewObjectHandler(func(ObjectContext, string) (Void, error) { return Void{}, nil })
			}
			o := e.attempt(0)
			if len(e.journal) != stored {
				t.Errorf("%s, then %s: %d entries were appended", first, second, len(e.journal)-stored)
			}
			switch {
			case first == second && o.Kind != OutcomeUnwound:
				t.Errorf("%s again: %+v", first, o)
			case first != second && (o.Kind != OutcomeFailed || o.Failure.Code != 570 || o.Failure.CommandIndex != 1):
				t.Errorf("%s, then %s: %+v, want failure 570 at command 1", first, second, o)
			}
		}
	}
}

// TestOneMoreAwakeableBeforeASuspensionIs570 is the case that no command shows:
// a waiting answer would be delivered to another question.
func TestOneMoreAwakeableBeforeASuspensionIs570(t *testing.T) {
	t.Parallel()
	more := false
	e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (string, error) {
		if more {
			Awakeable[string](ctx)
		}
		return Awakeable[string](ctx).Result()
	}))
	e.suspends = true
	e.attempt(0)
	e.mu.Lock()
	e.answer(17, `"manager"`)
	e.mu.Unlock()
	more = true
	o := e.attempt(0)
	if o.Kind != OutcomeFailed || o.Failure.Code != 570 || !strings.Contains(o.Failure.Message, "1 awakeables") || !strings.Contains(o.Failure.Message, "2 awakeables") {
		t.Fatalf("%+v, want 570 naming both counts", o)
	}
	more = false
	if got := e.finish(0); string(got.Value) != `"manager"` {
		t.Fatalf("the old code got %q", got.Value)
	}
}

// TestJournalThatCannotBeReadIs571 must not run the handler.
func TestJournalThatCannotBeReadIs571(t *testing.T) {
	t.Parallel()
	e := newEngine(t, NewObjectHandler(func(ObjectContext, string) (Void, error) {
		t.Error("the handler ran")
		return Void{}, nil
	}))
	e.journal = nil
	if o := e.attempt(0); o.Kind != OutcomeFailed || o.Failure.Code != 571 {
		t.Fatalf("%+v, want failure 571", o)
	}
}
