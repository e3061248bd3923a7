package objects

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dormouse-run/dormouse/internal/journal"
)

// runHandler runs closures given by the test.
func runHandler(fn *func(RunContext) (any, error), opts ...RunOption) Handler {
	return NewObjectHandler(func(ctx ObjectContext, _ string) (any, error) {
		return Run(ctx, func(rc RunContext) (any, error) { return (*fn)(rc) }, opts...)
	})
}

// TestRunResultIsNeverComputedAgain once it is durable, in any attempt; before
// that it may be.
func TestRunResultIsNeverComputedAgain(t *testing.T) {
	t.Parallel()
	executed := 0
	e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (int, error) {
		n, err := Run(ctx, func(RunContext) (int, error) { executed++; return executed, nil })
		if err != nil {
			return 0, err
		}
		if err := Sleep(ctx, time.Second); err != nil {
			return 0, err
		}
		return n, nil
	}))
	e.attempt(4) // Append, Barrier and Wait; the fourth call is the proposal
	if executed != 1 || len(e.journal) != 2 {
		t.Fatalf("executed %d times, %d entries: want a result that was lost", executed, len(e.journal))
	}
	e.suspends = true
	for range 3 {
		if o := e.attempt(0); o.Kind != OutcomeUnwound {
			t.Fatalf("%+v", o)
		}
	}
	e.world = (*engine).fireTimer
	if got := e.finish(0); string(got.Value) != "2" || executed != 2 {
		t.Fatalf("output %s after %d executions", got.Value, executed)
	}
}

// TestRetryableErrorOfARunFailsTheAttempt when there is no policy of its own.
func TestRetryableErrorOfARunFailsTheAttempt(t *testing.T) {
	t.Parallel()
	fn := func(RunContext) (any, error) {
		return nil, ToRetryableError(errors.New("busy"), WithErrorCode(503), WithRetryAfter(time.Hour))
	}
	e := newEngine(t, runHandler(&fn, WithName("pay")))
	o := e.attempt(0)
	f := o.Failure
	if o.Kind != OutcomeFailed || f.Code != 503 || f.Message != "busy" || f.Unlimited || *f.RetryAfter != time.Hour {
		t.Fatalf("%+v", o)
	}
	if f.CommandIndex != 1 || f.CommandType != journal.TypeRun || f.CommandName != "pay" {
		t.Fatalf("at command %d %v %q", f.CommandIndex, f.CommandType, f.CommandName)
	}
	fn = func(RunContext) (any, error) { return "paid", nil }
	if got := e.finish(0); string(got.Value) != `"paid"` {
		t.Fatalf("output %q", got.Value)
	}
}

// TestRunWithAPolicyCountsOverAttempts: the n-th delay is min(max,
// initial·factor^(n−1)), and the last error becomes terminal.
func TestRunWithAPolicyCountsOverAttempts(t *testing.T) {
	t.Parallel()
	fn := func(RunContext) (any, error) {
		return nil, ToRetryableError(errors.New("busy"), WithErrorCode(503))
	}
	e := newEngine(t, runHandler(&fn, WithMaxRetryAttempts(4), WithInitialRetryInterval(time.Second), WithMaxRetryInterval(3*time.Second)))
	for i, delay := range []time.Duration{1, 2, 3} {
		o := e.attempt(0)
		if o.Kind != OutcomeFailed || !o.Failure.Unlimited || *o.Failure.RetryAfter != delay*time.Second {
			t.Fatalf("attempt %d: %+v", i, o)
		}
		e.attempts++
	}
	f := e.finish(0).Failure
	if f == nil || f.Code != 503 || f.Message != "busy" || len(f.Metadata) != 0 || len(e.outcomes) != 4 {
		t.Fatalf("%+v after %d attempts", f, len(e.outcomes))
	}
}

// TestRunWithoutABoundOfItsDelay is what a bound of 0 means, as for handlers.
func TestRunWithoutABoundOfItsDelay(t *testing.T) {
	t.Parallel()
	fn := func(RunContext) (any, error) { return nil, errors.New("busy") }
	e := newEngine(t, runHandler(&fn, WithMaxRetryAttempts(4), WithInitialRetryInterval(time.Second), WithRetryIntervalFactor(100), WithMaxRetryInterval(0)))
	for i, delay := range []time.Duration{1, 100, 10_000} {
		if o := e.attempt(0); o.Kind != OutcomeFailed || *o.Failure.RetryAfter != delay*time.Second {
			t.Fatalf("attempt %d: %+v", i, o)
		}
		e.attempts++
	}
}

// TestRunIsGivenUpAfterItsDuration, counted from the first failure.
func TestRunIsGivenUpAfterItsDuration(t *testing.T) {
	t.Parallel()
	fn := func(RunContext) (any, error) { return nil, errors.New("busy") }
	e := newEngine(t, runHandler(&fn, WithMaxRetryDuration(time.Minute)))
	if o := e.attempt(0); o.Kind != OutcomeFailed {
		t.Fatalf("%+v", o)
	}
	e.attempts, e.failing = 1, time.Minute-1
	if o := e.attempt(0); o.Kind != OutcomeFailed {
		t.Fatalf("%+v before the time is over", o)
	}
	e.attempts, e.failing = 2, time.Minute
	if f := e.finish(0).Failure; f == nil || f.Code != 500 {
		t.Fatalf("%+v", f)
	}
}

// TestFailuresOfBeforeCountOnlyForTheFirstNewRun: a run that comes behind
// something new in this attempt begins its own count.
func TestFailuresOfBeforeCountOnlyForTheFirstNewRun(t *testing.T) {
	t.Parallel()
	e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (Void, error) {
		Set(ctx, "a", 1)
		return Void{}, RunVoid(ctx, func(RunContext) error { return errors.New("busy") }, WithMaxRetryAttempts(2))
	}))
	e.attempts = 60
	if o := e.attempt(0); o.Kind != OutcomeFailed {
		t.Fatalf("%+v, want a first failure", o)
	}
}

// TestClosureThatDoesNotReturnIsARetryableFailure: panic and Goexit.
func TestClosureThatDoesNotReturnIsARetryableFailure(t *testing.T) {
	t.Parallel()
	for want, fn := range map[string]func(RunContext) (any, error){
		"panic: boom": func(RunContext) (any, error) { panic(TerminalErrorf("boom")) },
		"Goexit":      func(RunContext) (any, error) { runtime.Goexit(); return nil, nil },
	} {
		e := newEngine(t, runHandler(&fn))
		o := e.attempt(0)
		if o.Kind != OutcomeFailed || !strings.Contains(o.Failure.Message, want) || o.Failure.CommandType != journal.TypeRun {
			t.Errorf("%s: %+v", want, o)
		}
		if hasStack := strings.Contains(o.Failure.Stack, "execution_run_test.go"); hasStack != strings.HasPrefix(want, "panic") {
			t.Errorf("%s: stack %q", want, o.Failure.Stack)
		}
	}
}

// TestRunResultThatCannotBeStoredIsTerminal instead of a failure that repeats
// its effect for ever.
func TestRunResultThatCannotBeStoredIsTerminal(t *testing.T) {
	t.Parallel()
	fn := func(RunContext) (any, error) { return make(chan int), nil }
	e := newEngine(t, runHandler(&fn, WithName("pay")))
	f := e.finish(0).Failure
	if f == nil || f.Code != 500 || !strings.Contains(f.Message, `"pay"`) || !strings.Contains(f.Message, "chan int") {
		t.Errorf("%+v", f)
	}
	fn = func(RunContext) (any, error) { return strings.Repeat("x", 99), nil }
	e = newEngine(t, runHandler(&fn))
	e.limit = 64
	if f := e.finish(0).Failure; f == nil || f.Code != 413 {
		t.Errorf("%+v", f)
	}
}

// TestStoredRunResultThatDoesNotDecodeIsRetryable: a new build can read it.
func TestStoredRunResultThatDoesNotDecodeIsRetryable(t *testing.T) {
	t.Parallel()
	fn := func(RunContext) (any, error) { return "text", nil }
	e := newEngine(t, runHandler(&fn))
	e.attempt(5)
	e.handler = NewObjectHandler(func(ctx ObjectContext, _ string) (int, error) {
		return Run(ctx, func(RunContext) (int, error) { return 0, errors.New("executed again") })
	})
	o := e.attempt(0)
	if o.Kind != OutcomeFailed || !strings.Contains(o.Failure.Message, "decode the result") {
		t.Fatalf("%+v", o)
	}
}

// TestErrorAfterShutdownIsNoResult: a deploy must not become a business failure.
func TestErrorAfterShutdownIsNoResult(t *testing.T) {
	t.Parallel()
	var e *engine
	stopping := errors.New("the runtime stops")
	fn := func(rc RunContext) (any, error) {
		e.cancel(stopping)
		<-rc.Done()
		return nil, TerminalErrorf("interrupted: %v", context.Cause(rc))
	}
	e = newEngine(t, runHandler(&fn, WithMaxRetryAttempts(1)))
	o := e.attempt(0)
	if o.Kind != OutcomeFailed || !o.Failure.Unlimited || !strings.Contains(o.Failure.Message, stopping.Error()) || len(e.journal) != 2 {
		t.Fatalf("%+v, %d entries", o, len(e.journal))
	}
	fn = func(RunContext) (any, error) { return "paid", nil }
	if got := e.finish(0); string(got.Value) != `"paid"` {
		t.Fatalf("output %q", got.Value)
	}
}

// TestSuccessAfterShutdownIsStored when the attempt still lives.
func TestSuccessAfterShutdownIsStored(t *testing.T) {
	t.Parallel()
	var e *engine
	fn := func(rc RunContext) (any, error) {
		e.cancel(errors.New("the runtime stops"))
		<-rc.Done()
		return "paid", nil
	}
	e = newEngine(t, runHandler(&fn))
	if got := e.finish(0); string(got.Value) != `"paid"` || len(e.outcomes) != 1 {
		t.Fatalf("output %q after %d attempts", got.Value, len(e.outcomes))
	}
}

// TestRunAsyncStartsAtTheFirstWait, together with the others of that wait, and
// one that is never waited for never runs.
func TestRunAsyncStartsAtTheFirstWait(t *testing.T) {
	t.Parallel()
	started := make(chan string, 3)
	both := make(chan struct{})
	e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (int, error) {
		closure := func(name string) func(RunContext) (int, error) {
			return func(RunContext) (int, error) {
				started <- name
				<-both // nobody gets further before the other has started
				return 1, nil
			}
		}
		a, b := RunAsync(ctx, closure("a")), RunAsync(ctx, closure("b"))
		RunAsync(ctx, closure("never"))
		if len(started) != 0 {
			t.Error("a closure started before a wait")
		}
		n := 0
		for range Wait(ctx, a, b) {
			n++
		}
		return n, nil
	}))
	go func() {
		<-started
		<-started
		close(both)
	}()
	if got := e.finish(0); string(got.Value) != "2" || len(started) != 0 {
		t.Fatalf("output %q, %d more started", got.Value, len(started))
	}
}

// TestRunKeyNamesTheVeryRun: the same in every attempt, another for every other.
func TestRunKeyNamesTheVeryRun(t *testing.T) {
	t.Parallel()
	var keys []string
	e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (Void, error) {
		for range 2 {
			fail := len(keys) == 0
			err := RunVoid(ctx, func(rc RunContext) error {
				keys = append(keys, RunKey(rc))
				if fail {
					return errors.New("again")
				}
				return nil
			})
			if err != nil {
				return Void{}, err
			}
		}
		if RunKey(ctx) != "" {
			t.Error("the handler's context has a run key")
		}
		return Void{}, nil
	}))
	e.finish(0)
	if len(keys) != 3 || keys[0] != keys[1] || keys[1] == keys[2] || keys[0] != e.id().String()+"-7-1" {
		t.Fatalf("%q", keys)
	}
}

// TestClosureSeesTheValuesOfTheHandlersContext and its own cancellation.
func TestClosureSeesTheValuesOfTheHandlersContext(t *testing.T) {
	t.Parallel()
	type key string
	e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (string, error) {
		ctx = WithValue(ctx, key("a"), "outer")
		ctx = WithValue(ctx, key("b"), "inner")
		if ctx.Err() != nil || ctx.Done() != nil {
			t.Error("the handler's context can be cancelled")
		}
		return Run(ctx, func(rc RunContext) (string, error) {
			child, cancel := context.WithCancel(rc)
			cancel()
			<-child.Done()
			return rc.Value(key("a")).(string) + rc.Value(key("b")).(string) + rc.Request().ID, nil
		})
	}))
	if got := e.finish(0); string(got.Value) != `"outerinner`+e.id().String()+`"` {
		t.Fatalf("output %q", got.Value)
	}
}

// TestCompensationWaitsForClosuresOfBefore: a charge that ignores its context
// must not arrive after the refund.
func TestCompensationWaitsForClosuresOfBefore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var order []string
		e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (Void, error) {
			_, err := Run(ctx, func(RunContext) (int, error) {
				<-time.After(time.Minute)
				order = append(order, "charged")
				return 1, nil
			})
			if err == nil || err.Code() != 409 {
				t.Errorf("%v, want a cancellation", err)
			}
			return Void{}, RunVoid(ctx, func(rc RunContext) error {
				order = append(order, "refunded")
				return rc.Err()
			})
		}))
		e.abort = time.Hour
		go func() {
			<-time.After(time.Second)
			e.mu.Lock()
			defer e.mu.Unlock()
			e.cancelInvocation()
		}()
		if got := e.finish(0); got.Kind != journal.ResultValue || strings.Join(order, ", ") != "charged, refunded" {
			t.Fatalf("%+v, %q", got, order)
		}
	})
}

// TestCompensationDoesNotWaitBeyondTheAbortTimeout for code that never ends.
func TestCompensationDoesNotWaitBeyondTheAbortTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var refunded time.Duration
		e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (Void, error) {
			_ = RunVoid(ctx, func(RunContext) error { <-time.After(time.Hour); return nil })
			return Void{}, RunVoid(ctx, func(RunContext) error { refunded = time.Since(start); return nil })
		}))
		e.abort = time.Minute
		go func() {
			<-time.After(time.Second)
			e.mu.Lock()
			defer e.mu.Unlock()
			e.cancelInvocation()
		}()
		if got := e.finish(0); got.Kind != journal.ResultValue || refunded != time.Minute+time.Second {
			t.Fatalf("%+v, refunded after %v", got, refunded)
		}
	})
}

// TestCompensationThatIsCancelledWhileItWaitsDoesNotStart: it would run beside what it
// waits for. The next one waits for all of them.
func TestCompensationThatIsCancelledWhileItWaitsDoesNotStart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var order []string
		e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (Void, error) {
			_ = RunVoid(ctx, func(RunContext) error {
				<-time.After(time.Minute)
				order = append(order, "charged")
				return nil
			})
			refund := func(rc RunContext) error {
				order = append(order, "refunded")
				return rc.Err()
			}
			if err := RunVoid(ctx, refund); err == nil || err.Code() != 409 {
				t.Errorf("%v, want the second cancellation", err)
			}
			return Void{}, RunVoid(ctx, refund)
		}))
		e.abort = time.Hour
		go func() {
			for range 2 {
				<-time.After(time.Second)
				e.mu.Lock()
				e.cancelInvocation()
				e.mu.Unlock()
			}
		}()
		if got := e.finish(0); got.Kind != journal.ResultValue || strings.Join(order, ", ") != "charged, refunded" {
			t.Fatalf("%+v, %q", got, order)
		}
	})
}
