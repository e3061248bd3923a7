package objects

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/internal/journal"
)

// TestWaitFirstFollowsTheArgumentsAmongWhatIsDone, and the order of arrival
// among what is not. A future that is done already counts without a look at the
// feed.
func TestWaitFirstFollowsTheArgumentsAmongWhatIsDone(t *testing.T) {
	t.Parallel()
	e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) ([]int, error) {
		all := []Future{Awakeable[int](ctx), Awakeable[int](ctx), Awakeable[int](ctx)}
		for _, i := range []int{2, 1, 0} {
			ResolveAwakeable(ctx, all[i].(AwakeableFuture[int]).Id(), i)
		}
		var got []int
		first := func(futs ...Future) {
			f, err := WaitFirst(ctx, futs...)
			if err != nil {
				t.Error(err)
			}
			got = append(got, slices.Index(all, f))
		}
		first(all...)         // 2 arrived first
		first(all[0], all[1]) // then 1
		first(all[0], all[2]) // 2 is done, and 0 has not been looked at
		first(all[0], Future(all[0]))
		first(all...)         // all are done now: the first argument
		first(all[1], all[0]) // likewise
		return got, nil
	}))
	if got := e.finish(0); string(got.Value) != "[2,1,2,0,0,1]" {
		t.Fatalf("%s", got.Value)
	}
}

// TestWaitYieldsInTheOrderOfArrival, also what was done before, and stops when
// the loop does.
func TestWaitYieldsInTheOrderOfArrival(t *testing.T) {
	t.Parallel()
	h := func() Handler {
		return NewObjectHandler(func(ctx ObjectContext, _ string) ([]int, error) {
			all := []Future{After(ctx, 3*time.Second), After(ctx, time.Second), After(ctx, 2*time.Second)}
			var got []int
			for f, err := range Wait(ctx, all...) {
				if err != nil {
					return nil, err
				}
				if got = append(got, slices.Index(all, f)); len(got) == 2 {
					break
				}
			}
			for it := WaitIter(ctx, all...); it.Next(); {
				got = append(got, slices.Index(all, it.Value()))
			}
			return got, nil
		})
	}
	everyMode(t, func(t *testing.T, e *engine) {
		if got := e.finish(0); string(got.Value) != "[1,2,1,2,0]" {
			t.Fatalf("%s", got.Value)
		}
	}, h, (*engine).fireTimer)
}

// TestSuspensionNamesWhatIsMissing: what is done already is not waited for.
func TestSuspensionNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (Void, error) {
		_, err := WaitFirst(ctx, Awakeable[int](ctx), After(ctx, time.Second), Signal[int](ctx, "go"), Awakeable[string](ctx))
		return Void{}, err
	}))
	e.suspends = true
	if o := e.attempt(0); o.Kind != OutcomeUnwound || e.await.String() != `first(completion 1, signal 1, signal 17, signal 18, signal "go")` {
		t.Fatalf("%+v, %v", o, e.await)
	}
	if e.allocated.Signals != 2 {
		t.Fatalf("%+v, want two signals", e.allocated)
	}
}

// TestHandlerIsNotSuspendedWhileAClosureRuns: its result would be lost.
func TestHandlerIsNotSuspendedWhileAClosureRuns(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (string, error) {
		a := Awakeable[string](ctx)
		slow := RunAsync(ctx, func(RunContext) (string, error) { <-release; return "slow", nil })
		f, err := WaitFirst(ctx, a, slow)
		if err != nil || f != slow {
			t.Errorf("%v, %v", f, err)
		}
		return slow.Result()
	}))
	e.suspends = true
	go func() {
		e.mu.Lock()
		for e.calls < 3 { // Append, Barrier and Wait
			e.mu.Unlock()
			e.mu.Lock()
		}
		e.mu.Unlock()
		close(release)
	}()
	if got := e.finish(0); string(got.Value) != `"slow"` || e.parks != 0 {
		t.Fatalf("%s after %d suspensions", got.Value, e.parks)
	}
}

// TestClosureDoesNotStartOnceTheRuntimeStops.
func TestClosureDoesNotStartOnceTheRuntimeStops(t *testing.T) {
	t.Parallel()
	var e *engine
	e = newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (Void, error) {
		e.cancel(errors.New("the runtime stops"))
		return Void{}, RunVoid(ctx, func(RunContext) error { t.Error("the closure ran"); return nil })
	}))
	if o := e.attempt(0); o.Kind != OutcomeFailed || !o.Failure.Unlimited || !strings.Contains(o.Failure.Message, "the runtime stops") {
		t.Fatalf("%+v", o)
	}
}

// TestLazyAndEagerReadsAnswerEachOther when the option changes between attempts.
func TestLazyAndEagerReadsAnswerEachOther(t *testing.T) {
	t.Parallel()
	for _, lazy := range []bool{false, true} {
		e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (string, error) {
			v, err := Get[string](ctx, "a")
			if err != nil {
				return "", err
			}
			names, err := Keys(ctx)
			if err != nil {
				return "", err
			}
			if err := Sleep(ctx, time.Second); err != nil {
				return "", err
			}
			return v + strings.Join(names, ""), nil
		}))
		e.state["a"] = []byte(`"v"`)
		e.suspends, e.world, e.lazy = true, (*engine).fireTimer, lazy
		if o := e.attempt(0); o.Kind != OutcomeUnwound || e.parks != 1 {
			t.Fatalf("%+v", o)
		}
		e.mu.Lock()
		e.fireTimer()
		e.mu.Unlock()
		e.lazy, e.state = !lazy, map[string][]byte{"b": []byte(`"changed"`)}
		if got := e.finish(0); string(got.Value) != `"va"` {
			t.Errorf("first lazy %t: %s", lazy, got.Value)
		}
	}
}

// TestEndWithATerminalErrorFromAnotherGoroutineWritesNothing: the handler still
// runs, so the invocation must not end behind its back.
func TestEndWithATerminalErrorFromAnotherGoroutineWritesNothing(t *testing.T) {
	t.Parallel()
	failed := make(chan Outcome, 1)
	e := newEngine(t, idle())
	e.cancel = func(error) {}
	h := NewObjectHandler(func(ctx ObjectContext, _ string) (Void, error) {
		go CancelInvocation(ctx, "malformed")
		<-failed
		return Void{}, nil
	})
	Execute(e, &Attempt{ID: e.id(), Target: e.target, Journal: e.journal}, h, func(o Outcome) { failed <- o })
	if len(e.journal) != 1 || len(failed) != 0 {
		t.Fatalf("%d entries, %d more outcomes, first command %v", len(e.journal), len(failed), e.journal[len(e.journal)-1].Type)
	}
}

func idle() Handler {
	return NewObjectHandler(func(ObjectContext, string) (Void, error) { return Void{}, nil })
}

// TestAttachOfAMalformedIdIsAnsweredByTheEngine, so that a replay agrees.
func TestAttachOfAMalformedIdIsAnsweredByTheEngine(t *testing.T) {
	t.Parallel()
	e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (Void, error) {
		_, err := AttachInvocation[int](ctx, "x").Response()
		return Void{}, err
	}))
	e.results = map[string]journal.Result{"x": journal.FailureOf(400, "malformed")}
	if f := e.finish(0).Failure; f == nil || f.Code != 400 {
		t.Fatalf("%+v", f)
	}
}
