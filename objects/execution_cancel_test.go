package objects

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
)

// cancels is a world that cancels n times, each time the handler waits, and then
// goes on with next.
func cancels(n int, next func(e *engine) bool) func(e *engine) bool {
	return func(e *engine) bool {
		stored := 0
		for _, entry := range e.journal {
			if entry.Type == journal.TypeSignal {
				if s, _ := journal.DecodeNotification(entry.Type, entry.Body); s.ID.Signal == ident.CancelSignal {
					stored++
				}
			}
		}
		if stored < n {
			e.cancelInvocation()
			return true
		}
		return next != nil && next(e)
	}
}

// everyMode runs a test in memory and with a suspension at every wait.
func everyMode(t *testing.T, run func(t *testing.T, e *engine), h func() Handler, world func(e *engine) bool) {
	t.Helper()
	for _, suspends := range []bool{false, true} {
		e := newEngine(t, h())
		e.suspends, e.world = suspends, world
		run(t, e)
	}
}

// TestCancelReachesTheChildrenFirst: calls that were made are sent a cancel
// before the handler sees its own; sends are not, and a later cancel reaches
// only what was called since.
func TestCancelReachesTheChildrenFirst(t *testing.T) {
	t.Parallel()
	h := func() Handler {
		return NewObjectHandler(func(ctx ObjectContext, _ string) (string, error) {
			Object[int](ctx, "S", "k", "one").RequestFuture(1)
			ObjectSend(ctx, "S", "k", "sent").Send(1)
			_, err := Service[int](ctx, "Keyless", "two").Request(1)
			Set(ctx, "seen", err.Error())
			_, again := Service[int](ctx, "Keyless", "three").Request(1)
			return again.Message(), nil
		})
	}
	everyMode(t, func(t *testing.T, e *engine) {
		if got := e.finish(0); string(got.Value) != `"cancelled"` {
			t.Fatalf("%+v", got)
		}
		var types []journal.Type
		var targets []string
		for _, c := range e.commands() {
			types = append(types, c.Type())
			if s, ok := c.(*journal.SendSignal); ok && s.Index == ident.CancelSignal && s.Result.Kind == journal.ResultVoid {
				targets = append(targets, s.Target)
			}
		}
		if want := []string{calleeID("one"), calleeID("two"), calleeID("three")}; !slices.Equal(targets, want) {
			t.Errorf("cancelled %q, want %q", targets, want)
		}
		if want := []journal.Type{
			journal.TypeCall, journal.TypeOneWayCall, journal.TypeCall, journal.TypeSendSignal, journal.TypeSendSignal,
			journal.TypeSetState, journal.TypeCall, journal.TypeSendSignal, journal.TypeOutput,
		}; !slices.Equal(types, want) {
			t.Errorf("commands %v, want %v", types, want)
		}
	}, h, cancels(2, nil))
}

// TestTheFutureThatSawACancelKeepsAnswering409, and all other waits work.
func TestTheFutureThatSawACancelKeepsAnswering409(t *testing.T) {
	t.Parallel()
	h := func() Handler {
		return NewObjectHandler(func(ctx ObjectContext, _ string) (string, error) {
			a := Awakeable[string](ctx)
			for range 2 {
				if _, err := a.Result(); err == nil || err.Code() != 409 || err.Message() != "cancelled" {
					t.Errorf("%v, want 409 cancelled", err)
				}
			}
			if ctx.Err() != nil {
				t.Error("the handler's context is cancelled")
			}
			if err := Sleep(ctx, time.Second); err != nil {
				t.Errorf("the next wait: %v", err)
			}
			_, err := a.Result()
			return err.Message(), nil
		})
	}
	everyMode(t, func(t *testing.T, e *engine) {
		if got := e.finish(0); string(got.Value) != `"cancelled"` {
			t.Fatalf("%+v", got)
		}
	}, h, cancels(1, (*engine).fireTimer))
}

// TestCancelEndsWaitsOverSeveralFutures: WaitFirst, Wait and WaitIter report it
// once, and the futures can be waited for again.
func TestCancelEndsWaitsOverSeveralFutures(t *testing.T) {
	t.Parallel()
	h := func() Handler {
		return NewObjectHandler(func(ctx ObjectContext, _ string) (int, error) {
			a, timer := Awakeable[string](ctx), After(ctx, time.Second)
			if f, err := WaitFirst(ctx, a, timer); f != nil || err == nil || err.Code() != 409 {
				t.Errorf("WaitFirst: %v, %v", f, err)
			}
			n := 0
			for f, err := range Wait(ctx, a, timer) {
				n++
				if f != nil || err == nil {
					t.Errorf("Wait: %v, %v", f, err)
				}
			}
			it := WaitIter(ctx, a, timer)
			if it.Next() || it.Err() == nil || it.Value() != nil || it.Next() {
				t.Errorf("WaitIter: %v, %v", it.Err(), it.Value())
			}
			if f, err := WaitFirst(ctx, a, timer); f != timer || err != nil {
				t.Errorf("WaitFirst after three cancels: %v, %v", f, err)
			}
			return n, nil
		})
	}
	everyMode(t, func(t *testing.T, e *engine) {
		if got := e.finish(0); string(got.Value) != "1" {
			t.Fatalf("%+v", got)
		}
	}, h, cancels(3, (*engine).fireTimer))
}

// TestGetInvocationIdSeesNoCancel: it consumes nothing.
func TestGetInvocationIdSeesNoCancel(t *testing.T) {
	t.Parallel()
	e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (string, error) {
		id := ObjectSend(ctx, "S", "k", "h").Send(1).GetInvocationId()
		_, err := Awakeable[int](ctx).Result()
		return id, errors.Join(nil, onlyIf(err == nil || err.Code() != 409, err))
	}))
	e.arrive(journal.TypeSignal, journal.SignalID(ident.CancelSignal), journal.VoidResult())
	if got := e.finish(0); string(got.Value) != `"`+calleeID("h")+`"` {
		t.Fatalf("%+v", got)
	}
}

func onlyIf(unexpected bool, err TerminalError) error {
	if unexpected {
		return TerminalErrorf("the awakeable answers %v, want 409", err)
	}
	return nil
}

// TestCancelWithARunInFlightReturnsAtOnce: the closure is told, and its error is
// no result. Awaited again, it is executed again.
func TestCancelWithARunInFlightReturnsAtOnce(t *testing.T) {
	t.Parallel()
	executed, told := 0, make(chan error, 1)
	e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (string, error) {
		charge := RunAsync(ctx, func(rc RunContext) (string, error) {
			executed++
			if executed == 1 {
				<-rc.Done()
				told <- context.Cause(rc)
				return "", rc.Err()
			}
			return "charged", nil
		}, WithMaxRetryAttempts(1))
		if _, err := WaitFirst(ctx, charge); err == nil || err.Code() != 409 {
			t.Errorf("%v, want 409", err)
		}
		return charge.Result()
	}))
	e.abort = time.Minute
	go func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		for executing := false; !executing; executing = len(e.commands()) > 0 && e.calls >= 3 {
			e.mu.Unlock()
			e.mu.Lock()
		}
		e.cancelInvocation()
	}()
	got := e.finish(0)
	if cause := <-told; !errors.Is(cause, ErrCancelled) {
		t.Errorf("cause %v", cause)
	}
	if string(got.Value) != `"charged"` || executed != 2 || len(e.outcomes) != 1 {
		t.Fatalf("%q after %d executions in %d attempts", got.Value, executed, len(e.outcomes))
	}
}

// TestRejectionsKeepCodeAndMetadata on their way between handlers.
func TestRejectionsKeepCodeAndMetadata(t *testing.T) {
	t.Parallel()
	e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (string, error) {
		self := ctx.Request().ID
		a, b := Awakeable[int](ctx), Awakeable[int](ctx)
		RejectAwakeable(ctx, a.Id(), ToTerminalError(errors.New("no"), WithErrorCode(418), WithMetadata("k", "v")))
		RejectAwakeable(ctx, a.Id(), errors.New("too late"))
		RejectAwakeable(ctx, b.Id(), errors.New("plain"))
		RejectSignal(ctx, self, "s", errors.New("signal"))
		_, first := a.Result()
		_, second := b.Result()
		_, third := Signal[int](ctx, "s").Result()
		if first.Code() != 418 || first.Metadata().Get("k") != "v" || second.Code() != 500 || third.Code() != 500 {
			t.Errorf("%v %v, %v, %v", first.Code(), first.Metadata(), second.Code(), third.Code())
		}
		return strings.Join([]string{first.Message(), second.Message(), third.Message()}, " "), nil
	}))
	if got := e.finish(0); string(got.Value) != `"no plain signal"` {
		t.Fatalf("%q", got.Value)
	}
}

// TestValuesThatDoNotDecodeEndTheWaitWith400 and name their source and the type.
func TestValuesThatDoNotDecodeEndTheWaitWith400(t *testing.T) {
	t.Parallel()
	e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (Void, error) {
		a := Awakeable[int](ctx)
		ResolveAwakeable(ctx, a.Id(), "text")
		ResolveSignal(ctx, ctx.Request().ID, "go", "text")
		check := func(err TerminalError, source string) {
			if err == nil || err.Code() != 400 || !strings.Contains(err.Message(), source) || !strings.Contains(err.Message(), "as int") {
				t.Errorf("%s: %v", source, err)
			}
		}
		_, err := a.Result()
		check(err, a.Id())
		_, err = Signal[int](ctx, "go").Result()
		check(err, `signal "go"`)
		_, err = Service[int](ctx, "Keyless", "h").Request(1)
		check(err, "Keyless/h")
		_, err = AttachInvocation[int](ctx, calleeID("x")).Response()
		check(err, calleeID("x"))
		return Void{}, nil
	}))
	e.results = map[string]journal.Result{"h": journal.ValueOf([]byte(`"text"`)), calleeID("x"): journal.ValueOf([]byte(`"text"`))}
	if got := e.finish(0); got.Kind != journal.ResultValue {
		t.Fatalf("%+v", got)
	}
}

// TestSignalsOfOneNameQueue, also when they come before anybody waits.
func TestSignalsOfOneNameQueue(t *testing.T) {
	t.Parallel()
	e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) ([]int, error) {
		var got []int
		first, second := Signal[int](ctx, "n"), Signal[int](ctx, "n")
		for i := range 2 {
			ResolveSignal(ctx, ctx.Request().ID, "n", i)
		}
		for _, s := range []SignalFuture[int]{second, first, second} {
			v, err := s.Result()
			if err != nil {
				return nil, err
			}
			got = append(got, v)
		}
		return got, nil
	}))
	if got := e.finish(0); string(got.Value) != "[0,1,0]" {
		t.Fatalf("%s", got.Value)
	}
}

// TestWaitMisuseIsNamed: without futures, with those of somebody else, and a
// value that is not there.
func TestWaitMisuseIsNamed(t *testing.T) {
	t.Parallel()
	var kept Future
	for want, op := range map[string]func(ctx Context){
		"at least one future":           func(ctx Context) { _, _ = WaitFirst(ctx) },
		"belongs to another invocation": func(ctx Context) { _, _ = WaitFirst(ctx, kept) },
		"without a value":               func(ctx Context) { WaitIter(ctx).Value() },
		"without a value: cal":          func(ctx Context) { it := WaitIter(ctx); it.Next(); it.Value() },
	} {
		keep := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (Void, error) {
			kept = Awakeable[int](ctx)
			return Void{}, nil
		}))
		keep.finish(0)
		e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (Void, error) { op(ctx); return Void{}, nil }))
		if o := e.attempt(0); o.Kind != OutcomeFailed || !strings.Contains(o.Failure.Message, want) {
			t.Errorf("%s: %+v", want, o)
		}
	}
}
