package objects

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
)

// TestStateIsWhatTheHandlerHasMadeOfIt: Keys is exact, writes are visible, and
// stored commands are not applied twice.
func TestStateIsWhatTheHandlerHasMadeOfIt(t *testing.T) {
	t.Parallel()
	steps := []func(ctx ObjectContext){
		func(ctx ObjectContext) { Set(ctx, "c", 3) },
		func(ctx ObjectContext) { Clear(ctx, "a") },
		func(ctx ObjectContext) { Set(ctx, "a", 9); Clear(ctx, "missing") },
		func(ctx ObjectContext) { ClearAll(ctx) },
		func(ctx ObjectContext) { Set(ctx, "b", 8) },
	}
	const want = "a=1 b=2 [a b]; a=1 b=2 [a b c]; a=0 b=2 [b c]; a=9 b=2 [a b c]; a=0 b=0 []; a=0 b=8 [b]"
	for _, eager := range []bool{false, true} {
		for _, suspends := range []bool{false, true} {
			e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (string, error) {
				var told []string
				look := func() {
					a, _ := Get[int](ctx, "a")
					b, _ := Get[int](ctx, "b")
					names, _ := Keys(ctx)
					told = append(told, fmt.Sprintf("a=%d b=%d %v", a, b, names))
				}
				look()
				for _, step := range steps {
					step(ctx)
					if err := Sleep(ctx, time.Second); err != nil {
						return "", err
					}
					look()
				}
				return strings.Join(told, "; "), nil
			}))
			e.state = map[string][]byte{"a": []byte("1"), "b": []byte("2")}
			e.eager, e.suspends, e.world = eager, suspends, (*engine).fireTimer
			if got := e.finish(0); string(got.Value) != `"`+want+`"` {
				t.Errorf("eager %t, suspends %t:\n%s, want\n%s", eager, suspends, got.Value, want)
			}
			if len(e.state) != 1 || string(e.state["b"]) != "8" {
				t.Errorf("state %q", e.state)
			}
		}
	}
}

// TestSharedHandlersReadWhatIsThereNow, and on replay what they read first.
func TestSharedHandlersReadWhatIsThereNow(t *testing.T) {
	t.Parallel()
	e := newEngine(t, NewObjectSharedHandler(func(ctx ObjectSharedContext, _ string) (string, error) {
		before, _ := Get[int](ctx, "a")
		if err := Sleep(ctx, time.Second); err != nil {
			return "", err
		}
		after, _ := Get[int](ctx, "a")
		absent, _ := Get[*int](ctx, "b")
		names, _ := Keys(ctx)
		return fmt.Sprint(before, after, absent == nil, names), nil
	}))
	e.state["a"] = []byte("1")
	e.suspends, e.eager = true, false
	e.world = func(e *engine) bool {
		e.state["a"] = []byte("2")
		return e.fireTimer()
	}
	if got := e.finish(0); string(got.Value) != `"1 2 true [a]"` {
		t.Fatalf("%s", got.Value)
	}
}

// TestStateThatDoesNotDecodeIsRetryable: a new build can read it.
func TestStateThatDoesNotDecodeIsRetryable(t *testing.T) {
	t.Parallel()
	e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (int, error) { return Get[int](ctx, "a") }))
	e.state["a"] = []byte(`"text"`)
	if o := e.attempt(0); o.Kind != OutcomeFailed || !strings.Contains(o.Failure.Message, `state "a"`) {
		t.Fatalf("%+v", o)
	}
}

// TestLazyGetSeesACancel, because it waits for a completion.
func TestLazyGetSeesACancel(t *testing.T) {
	t.Parallel()
	e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (Void, error) {
		_, err := Get[int](ctx, "a")
		if err == nil || err.Code() != 409 {
			t.Errorf("%v, want 409", err)
		}
		_, err = Get[int](ctx, "a")
		return Void{}, err
	}))
	e.lazy = true
	e.arrive(journal.TypeSignal, journal.SignalID(ident.CancelSignal), journal.VoidResult())
	if got := e.finish(0); got.Kind != journal.ResultValue {
		t.Fatalf("%+v", got)
	}
}

// TestRandomNumbersAreThoseOfTheContract: users store what they derive from
// them.
func TestRandomNumbersAreThoseOfTheContract(t *testing.T) {
	t.Parallel()
	e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (string, error) {
		s := RandSource(ctx)
		id := UUID(ctx)
		if ctx.inner().story.Allocated().Draws != 2 {
			t.Errorf("%d draws counted, want those of the UUID", ctx.inner().story.Allocated().Draws)
		}
		return fmt.Sprint(s.Uint64(), s.Uint64(), id, Rand(ctx).Uint64() == s.Uint64()), nil
	}))
	const want = `"15021278609987233951 5881210131331364753 9f687644-4f4d-46d0-9137-6f5774419e51 true"`
	if got := e.finish(0); string(got.Value) != want {
		t.Fatalf("%s, want %s", got.Value, want)
	}
}

// TestTimersAreNeverEarly: the due time is rounded up to ms, and never lies in
// the past.
func TestTimersAreNeverEarly(t *testing.T) {
	t.Parallel()
	ex := &execution{host: &engine{now: time.UnixMilli(1000).Add(time.Microsecond)}}
	for d, want := range map[time.Duration]uint64{
		0: 1001, -time.Hour: 1001, time.Millisecond: 1002, time.Millisecond - time.Microsecond: 1001, 1024 * 24 * time.Hour: 88473601001,
	} {
		if got := ex.due(d); got != want {
			t.Errorf("due in %v: %d, want %d", d, got, want)
		}
	}
}

// TestLogIsSilentWhileTheJournalIsReplayed.
func TestLogIsSilentWhileTheJournalIsReplayed(t *testing.T) {
	t.Parallel()
	e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (Void, error) {
		log := ctx.Log().With("a", 1).WithGroup("g")
		log.Info("before", "x", 1)
		if err := Sleep(ctx, time.Second); err != nil {
			return Void{}, err
		}
		log.Info("between")
		Set(ctx, "a", 1)
		if err := Sleep(ctx, time.Second); err != nil {
			return Void{}, err
		}
		log.Info("after")
		if !log.Enabled(ctx, slog.LevelInfo) {
			t.Error("the log is off behind the replay")
		}
		return Void{}, nil
	}))
	e.suspends, e.world = true, (*engine).fireTimer
	e.finish(0)
	text := e.logs.String()
	for line, want := range map[string]int{"before": 1, "after": 1, "a=1": 3, "g.x=1": 1} {
		if got := strings.Count(text, line); got != want {
			t.Errorf("%q is logged %d times, want %d:\n%s", line, got, want, text)
		}
	}
}

// TestRequestTellsWhatWasAskedFor.
func TestRequestTellsWhatWasAskedFor(t *testing.T) {
	t.Parallel()
	e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, in string) (string, error) {
		r := ctx.Request()
		id := ctx.inner().attempt.ID.String()
		return fmt.Sprintf("%s %t %s %s %s %t", in, r.ID == id, r.Headers.Get("h"), r.Body[:3], Key(ctx), r == ctx.Request()), nil
	}))
	e.journal[0] = journal.NewEntry(&journal.Input{Value: []byte(`"in"`), Headers: []journal.Header{{Key: "h", Value: "v"}}}, 0, journal.Sidecar{})
	if got := e.finish(0); string(got.Value) != `"in true v \"in k true"` {
		t.Fatalf("%s", got.Value)
	}
}

// TestWithRequestTypeKeepsTheTarget.
func TestWithRequestTypeKeepsTheTarget(t *testing.T) {
	t.Parallel()
	e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (int, error) {
		return WithRequestType[string](Workflow[int](ctx, "W", "id", "h")).Request("x", WithHeaders(map[string]string{"b": "2", "a": "1"}), WithIdempotencyKey("i"))
	}))
	e.results = map[string]journal.Result{"h": journal.ValueOf([]byte("3"))}
	if got := e.finish(0); string(got.Value) != "3" {
		t.Fatalf("%+v", got)
	}
	c, ok := e.commands()[0].(*journal.Call)
	if !ok || c.Service != "W" || c.Key != "id" || c.Handler != "h" || string(c.Parameter) != `"x"` || *c.IdempotencyKey != "i" || c.Headers[0].Key != "a" {
		t.Fatalf("%+v", c)
	}
}

// BenchmarkExecuteWithoutOperations is the cost of an attempt itself.
func BenchmarkExecuteWithoutOperations(b *testing.B) {
	e := &engine{state: map[string][]byte{}}
	h := NewObjectHandler(func(ObjectContext, Void) (Void, error) { return Void{}, nil })
	a := &Attempt{Target: ident.Target{Kind: ident.KindExclusive}, StateComplete: true}
	a.Journal = []journal.Entry{journal.NewEntry(&journal.Input{}, 0, journal.Sidecar{})}
	b.ReportAllocs()
	for b.Loop() {
		e.journal = e.journal[:0]
		ended := make(chan Outcome, 1)
		go Execute(e, a, h, func(o Outcome) { ended <- o })
		if o := <-ended; o.Kind != OutcomeEnded {
			b.Fatalf("%+v", o)
		}
	}
}

// TestAServiceHasNoState, although an assertion finds a context that reads.
func TestAServiceHasNoState(t *testing.T) {
	t.Parallel()
	for name, read := range map[string]func(ObjectSharedContext) error{
		"Get":  func(ctx ObjectSharedContext) error { _, err := Get[string](ctx, "a"); return err },
		"Keys": func(ctx ObjectSharedContext) error { _, err := Keys(ctx); return err },
	} {
		e := newEngine(t, NewServiceHandler(func(ctx Context, _ string) (string, error) {
			return "read", read(ctx.(ObjectSharedContext))
		}))
		o := e.attempt(0)
		if f := e.output().Failure; o.Kind != OutcomeEnded || f == nil || f.Code != 400 || !strings.Contains(f.Message, "has no state") {
			t.Errorf("%s: %+v, %+v", name, o, f)
		}
	}
}

// TestASharedHandlerCannotWrite, although all contexts are one type and an
// assertion finds the one that writes.
func TestASharedHandlerCannotWrite(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]func(ObjectContext){
		"Set":      func(ctx ObjectContext) { Set(ctx, "a", 1) },
		"Clear":    func(ctx ObjectContext) { Clear(ctx, "a") },
		"ClearAll": ClearAll,
	} {
		e := newEngine(t, NewObjectSharedHandler(func(ctx ObjectSharedContext, _ string) (string, error) {
			write(ctx.(ObjectContext))
			return "written", nil
		}))
		o := e.attempt(0)
		if f := e.output().Failure; o.Kind != OutcomeEnded || f == nil || f.Code != 400 || !strings.Contains(f.Message, "only reads") || len(e.state) != 0 {
			t.Errorf("%s: %+v, %+v", name, o, f)
		}
	}
}
