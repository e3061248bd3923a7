package objects

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/internal/journal"
)

// told is what a combinator has returned, as a text.
func told(v any, i int, err TerminalError) string {
	if err != nil {
		return fmt.Sprintf("%d %d %s", i, err.Code(), err.Message())
	}
	return fmt.Sprintf("%v %d", v, i)
}

// combined is a handler that gives futures of all kinds to a combinator.
func combined(combine func(ctx Context, f ...TypedFuture[string]) string) func() Handler {
	return func() Handler {
		return NewObjectHandler(func(ctx ObjectContext, _ string) (string, error) {
			return combine(ctx,
				Awakeable[string](ctx),
				ResultOf(CallFuture(ctx, OnService[keyless](), keyless.Greet, "x")),
				DoneAs(After(ctx, time.Second), "time"),
				ResultOf(AttachInvocation[string](ctx, calleeID("other"))),
				Signal[string](ctx, "go"),
				RunAsync(ctx, func(RunContext) (string, error) { return "run", nil }),
			), nil
		})
	}
}

// arrives is a world in which awakeable 17, the call, the timer, the attach and
// the signal are answered in the given order; a text that starts with ! is a
// failure, whose code is its length.
func arrives(order ...string) func(e *engine) bool {
	return func(e *engine) bool {
		for _, what := range order {
			name, value, _ := strings.Cut(what, "=")
			r := journal.ValueOf([]byte(`"` + value + `"`))
			if reason, failed := strings.CutPrefix(value, "!"); failed {
				r = failedWith(terminalf(Code(400+len(reason)), "%s", reason))
			}
			typ, id := e.source(name)
			if id == (journal.NotificationID{}) || e.answered(id) {
				continue
			}
			if name == "timer" {
				r = journal.VoidResult()
			}
			e.arrive(typ, id, r)
			return true
		}
		return false
	}
}

// source is where the answer to the future of this name arrives.
func (e *engine) source(name string) (journal.Type, journal.NotificationID) {
	switch name {
	case "awakeable":
		return journal.TypeSignal, journal.SignalID(17)
	case "signal":
		return journal.TypeSignal, journal.NamedSignalID("go")
	}
	for _, c := range e.commands() {
		switch c := c.(type) {
		case *journal.Call:
			if name == "call" {
				return journal.TypeCallCompletion, journal.CompletionID(c.Completion)
			}
		case *journal.Sleep:
			if name == "timer" {
				return journal.TypeSleepCompletion, journal.CompletionID(c.Completion)
			}
		case *journal.AttachInvocation:
			if name == "attach" {
				return journal.TypeAttachCompletion, journal.CompletionID(c.Completion)
			}
		}
	}
	return 0, journal.NotificationID{}
}

func all(ctx Context, f ...TypedFuture[string]) string {
	values, err := All(ctx, f...)
	return told(values, 0, err)
}

func race(ctx Context, f ...TypedFuture[string]) string { return told(Race(ctx, f...)) }

func anyOf(ctx Context, f ...TypedFuture[string]) string { return told(Any(ctx, f...)) }

// withoutRun leaves the RunAsync out, which is done before the world moves.
func withoutRun(combine func(Context, ...TypedFuture[string]) string) func(Context, ...TypedFuture[string]) string {
	return func(ctx Context, f ...TypedFuture[string]) string { return combine(ctx, f[:5]...) }
}

type combinatorRow struct {
	name    string
	combine func(ctx Context, f ...TypedFuture[string]) string
	order   []string
	want    string
}

func combinatorRows() []combinatorRow {
	return []combinatorRow{
		{"all succeed", all, []string{"signal=s", "attach=at", "timer=", "call=c", "awakeable=a"}, "[a c time at s run] 0"},
		{"the first failure ends all", all, []string{"signal=s", "attach=!no", "call=!never"}, "0 402 no"},
		{"a race is won by what arrives first", withoutRun(race), []string{"attach=at", "awakeable=a"}, "at 3"},
		{"a race is won by time", withoutRun(race), []string{"timer="}, "time 2"},
		{"a race is won by a failure", withoutRun(race), []string{"call=!lost"}, "1 404 lost"},
		{"a race is won by a run", race, nil, "run 5"},
		{"any skips failures", withoutRun(anyOf), []string{"call=!no", "signal=!nope", "awakeable=a"}, "a 0"},
		{"any fails with all", withoutRun(func(ctx Context, f ...TypedFuture[string]) string { return anyOf(ctx, f[0], f[1], f[4]) }),
			[]string{"signal=!nope", "call=!no", "awakeable=!a"}, "-1 500 none of 3 has succeeded: a; no; nope"},
		{"any keeps a code that all share", withoutRun(func(ctx Context, f ...TypedFuture[string]) string { return anyOf(ctx, f[1], f[4]) }),
			[]string{"signal=!ab", "call=!cd"}, "-1 402 none of 2 has succeeded: cd; ab"},
		{"any of one keeps its error", func(ctx Context, f ...TypedFuture[string]) string { return anyOf(ctx, f[4]) },
			[]string{"signal=!nope"}, "-1 404 nope"},
	}
}

// TestCombinatorsEndAlikeHoweverTheyAreCut: in memory, suspended at every wait,
// and with a first attempt that ends at each of its calls.
func TestCombinatorsEndAlikeHoweverTheyAreCut(t *testing.T) {
	t.Parallel()
	for _, row := range combinatorRows() {
		for _, suspends := range []bool{false, true} {
			cuts := 0
			for cut := 0; cut <= cuts; cut++ {
				e := newEngine(t, combined(row.combine)())
				e.suspends, e.world = suspends, arrives(row.order...)
				if got := e.finish(cut); string(got.Value) != `"`+row.want+`"` {
					t.Errorf("%s, cut %d, suspends %v: %+v %s, want %s", row.name, cut, suspends, got.Failure, got.Value, row.want)
				}
				if cut == 0 {
					cuts = e.calls
				}
				if suspends && cut == 0 && len(row.order) > 0 && e.parks == 0 {
					t.Errorf("%s: never suspended", row.name)
				}
			}
		}
	}
}

// TestCombinatorsFollowTheArgumentsAmongWhatIsDone, like WaitFirst.
func TestCombinatorsFollowTheArgumentsAmongWhatIsDone(t *testing.T) {
	t.Parallel()
	everyMode(t, func(t *testing.T, e *engine) {
		if got := e.finish(0); string(got.Value) != `["c 1","b 0","c 0","b 1","[b b c] 0"]` {
			t.Errorf("%s", got.Value)
		}
	}, func() Handler {
		return NewObjectHandler(func(ctx ObjectContext, _ string) ([]string, error) {
			b, c := Awakeable[string](ctx), Awakeable[string](ctx)
			ResolveAwakeable(ctx, c.Id(), "c")
			ResolveAwakeable(ctx, b.Id(), "b")
			got := []string{race(ctx, b, c)} // c arrived first
			_, _ = b.Result()
			failed := Awakeable[string](ctx)
			RejectAwakeable(ctx, failed.Id(), errors.New("no"))
			return append(got, race(ctx, b, c), race(ctx, c, b), anyOf(ctx, failed, b), all(ctx, b, b, c)), nil
		})
	}, nil)
}

// TestACancellationEndsACombinatorOnce: 409, and the next one works. The call
// that was under way is cancelled first.
func TestACancellationEndsACombinatorOnce(t *testing.T) {
	t.Parallel()
	for name, combine := range map[string]func(ctx Context, f ...TypedFuture[string]) string{"all": all, "race": race, "any": anyOf} {
		h := combined(withoutRun(func(ctx Context, f ...TypedFuture[string]) string {
			return combine(ctx, f...) + ", " + combine(ctx, f[0], f[4])
		}))
		want := map[string]string{"all": "0 409 cancelled, [a s] 0", "race": "-1 409 cancelled, s 1", "any": "-1 409 cancelled, s 1"}[name]
		everyMode(t, func(t *testing.T, e *engine) {
			if got := e.finish(0); string(got.Value) != `"`+want+`"` {
				t.Errorf("%s: %s, want %s", name, got.Value, want)
			}
			signals := slices.ContainsFunc(e.commands(), func(c journal.Command) bool { return c.Type() == journal.TypeSendSignal })
			if !signals {
				t.Errorf("%s: the call was not cancelled", name)
			}
		}, h, cancels(1, arrives("signal=s", "awakeable=a")))
	}
}

// TestAFutureThatSawACancelIsDoneForCombinators: it keeps to 409, so nothing
// waits for its answer.
func TestAFutureThatSawACancelIsDoneForCombinators(t *testing.T) {
	t.Parallel()
	everyMode(t, func(t *testing.T, e *engine) {
		if got := e.finish(0); string(got.Value) != `["0 409 cancelled","0 409 cancelled","s 1"]` {
			t.Errorf("%s", got.Value)
		}
	}, func() Handler {
		return NewObjectHandler(func(ctx ObjectContext, _ string) ([]string, error) {
			never, s := Awakeable[string](ctx), Signal[string](ctx, "go")
			_, _ = never.Result() // sees the cancel
			return []string{all(ctx, s, never), race(ctx, never, s), anyOf(ctx, never, s)}, nil
		})
	}, cancels(1, arrives("signal=s")))
}

// TestCombinatorsOfNothing: All has all values; the others have nothing to wait
// for, and say so.
func TestCombinatorsOfNothing(t *testing.T) {
	t.Parallel()
	e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) ([]string, error) {
		values, err := All[string](ctx)
		if values == nil || err != nil {
			t.Errorf("All: %v, %v", values, err)
		}
		return []string{
			race(ctx), anyOf(ctx), all(ctx, nil), race(ctx, Awakeable[string](ctx), nil),
			anyOf(ctx, ResultOf[string](nil)), anyOf(ctx, DoneAs(nil, "")),
		}, nil
	}))
	want := `["-1 400 Race needs at least one future","-1 400 Any needs at least one future",` +
		`"0 400 All, future 0: it is nil","-1 400 Race, future 1: it is nil","-1 400 Any, future 0: it is nil","-1 400 Any, future 0: it is nil"]`
	if got := e.finish(0); string(got.Value) != want {
		t.Errorf("%s", got.Value)
	}
}

// TestACombinatorNamesItselfWhenAFutureIsOfAnotherInvocation.
func TestACombinatorNamesItselfWhenAFutureIsOfAnotherInvocation(t *testing.T) {
	t.Parallel()
	var kept TypedFuture[string]
	keep := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (Void, error) {
		kept = Awakeable[string](ctx)
		return Void{}, nil
	}))
	keep.finish(0)
	for name, combine := range map[string]func(ctx Context, f ...TypedFuture[string]) string{"All": all, "Race": race, "Any": anyOf} {
		e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (string, error) { return combine(ctx, kept), nil }))
		if o := e.attempt(0); o.Kind != OutcomeFailed || !strings.Contains(o.Failure.Message, name+", future 0: this future belongs to another invocation") {
			t.Errorf("%s: %+v", name, o)
		}
	}
}

// TestAdaptersKeepWhatTypeAssertionsTell: calls and attaches have a Response and
// no Result, timers Done; an adapter has only a Result, and WaitFirst hands it
// back.
func TestAdaptersKeepWhatTypeAssertionsTell(t *testing.T) {
	t.Parallel()
	e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (bool, error) {
		call, timer := CallFuture(ctx, OnService[keyless](), keyless.Greet, "x"), After(ctx, time.Second)
		for _, f := range []Future{call, AttachInvocation[string](ctx, calleeID("x")), timer} {
			if _, has := f.(TypedFuture[string]); has {
				t.Errorf("%T has a Result", f)
			}
		}
		result, done := ResultOf(call), DoneAs(timer, "late")
		for _, f := range []Future{result, done} {
			_, response := f.(Responder[string])
			_, id := f.(interface{ Id() string })
			_, over := f.(AfterFuture)
			if response || id || over {
				t.Errorf("%T: Response %v, Id %v, Done %v", f, response, id, over)
			}
		}
		if result != ResultOf(call) || Future(result) == Future(call) {
			t.Error("two adapters of one call are equal, and none is the call")
		}
		first, err := WaitFirst(ctx, done, result)
		return first == result, err
	}))
	e.results = map[string]journal.Result{"Greet": journal.ValueOf([]byte(`"me"`))}
	if got := e.finish(0); string(got.Value) != "true" {
		t.Errorf("%+v", got)
	}
}

// TestTheJoinedErrorKeepsMetadata, the first argument's where names are equal.
func TestTheJoinedErrorKeepsMetadata(t *testing.T) {
	t.Parallel()
	err := joined([]TerminalError{
		ToTerminalError(errors.New("a"), WithMetadata("k", "1"), WithErrorCode(404)),
		ToTerminalError(errors.New("b"), WithMetadata("k", "2"), WithMetadata("l", "3"), WithErrorCode(404)),
	})
	if want := map[string]string{"k": "1", "l": "3"}; err.Code() != 404 || !reflect.DeepEqual(err.Metadata().ToMap(), want) {
		t.Errorf("%v %v", err.Code(), err.Metadata().ToMap())
	}
}
