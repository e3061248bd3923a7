package objects

import (
	"errors"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/dormouse-run/dormouse/internal/journal"
)

// TestUnwindingRunsDeferredFunctionsAndWritesNothing: user code cannot swallow
// the end, and what deferred functions do through the context has no effect.
func TestUnwindingRunsDeferredFunctionsAndWritesNothing(t *testing.T) {
	t.Parallel()
	var deferred, recovered, after int
	e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (Void, error) {
		defer func() { deferred++ }()
		defer func() {
			if recover() != nil {
				recovered++
			}
			Set(ctx, "a", 1)
			after++
		}()
		defer func() { _, _ = Awakeable[int](ctx).Result(); after++ }()
		_, _ = Awakeable[int](ctx).Result()
		after++
		return Void{}, nil
	}))
	e.suspends = true
	if o := e.attempt(0); o.Kind != OutcomeUnwound {
		t.Fatalf("%+v, want unwound", o)
	}
	if deferred != 1 || recovered != 0 || after != 0 || len(e.journal) != 1 || e.parks != 1 {
		t.Fatalf("deferred %d, recovered %d, after %d, entries %d, parks %d", deferred, recovered, after, len(e.journal), e.parks)
	}
}

// TestPanicWhileUnwindingStillCountsAsUnwound, and is logged.
func TestPanicWhileUnwindingStillCountsAsUnwound(t *testing.T) {
	t.Parallel()
	e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (Void, error) {
		defer func() {
			var closed chan int
			close(closed)
		}()
		_, err := Awakeable[int](ctx).Result()
		return Void{}, err
	}))
	e.suspends = true
	if o := e.attempt(0); o.Kind != OutcomeUnwound || !strings.Contains(e.logs.String(), "close of nil channel") {
		t.Fatalf("%+v, want unwound; log: %s", o, &e.logs)
	}
}

// TestWaitOnAnotherGoroutineFailsByName: ending that goroutine would let the
// handler go on with zero values.
func TestWaitOnAnotherGoroutineFailsByName(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	var returned, deferred atomic.Bool
	other := make(chan struct{})
	h := NewObjectHandler(func(ctx ObjectContext, _ string) (string, error) {
		go func() {
			defer close(other)
			defer func() { deferred.Store(true) }()
			_, _ = Awakeable[string](ctx).Result()
			returned.Store(true)
		}()
		select {
		case <-other:
			return "wrong", nil
		case <-release:
			Set(ctx, "a", 1)
			return "wrong as well", nil
		}
	})
	e := newEngine(t, h)
	e.suspends = true
	outcomes, ended := make(chan Outcome, 2), make(chan struct{})
	e.cancel = func(error) {}
	go func() {
		defer close(ended)
		Execute(e, &Attempt{ID: e.id(), Target: e.target, Journal: e.journal, StateComplete: true}, h, func(o Outcome) { outcomes <- o })
	}()
	o := <-outcomes
	if o.Kind != OutcomeFailed || !strings.Contains(o.Failure.Message, "another goroutine") {
		t.Errorf("%+v, want a failure that names the goroutine", o)
	}
	if deferred.Load() {
		t.Error("the goroutine was ended while the handler ran")
	}
	close(release)
	<-ended
	<-other
	if returned.Load() || len(outcomes) != 0 || len(e.journal) != 1 {
		t.Errorf("returned %t, %d more outcomes, %d entries", returned.Load(), len(outcomes), len(e.journal))
	}
}

// TestGoexitOfTheHandlerIsAFailure: nobody may take it for an end.
func TestGoexitOfTheHandlerIsAFailure(t *testing.T) {
	t.Parallel()
	e := newEngine(t, NewObjectHandler(func(ObjectContext, string) (Void, error) {
		runtime.Goexit()
		return Void{}, nil
	}))
	if o := e.attempt(0); o.Kind != OutcomeFailed || !strings.Contains(o.Failure.Message, "Goexit") || len(e.journal) != 1 {
		t.Fatalf("%+v", o)
	}
}

// TestPanicOfTheHandlerIsAFailureWithAStack, also with a terminal error.
func TestPanicOfTheHandlerIsAFailureWithAStack(t *testing.T) {
	t.Parallel()
	for _, p := range []any{"boom", TerminalErrorf("boom"), errors.New("boom")} {
		e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (Void, error) {
			Set(ctx, "a", 1)
			panic(p)
		}))
		o := e.attempt(0)
		if o.Kind != OutcomeFailed || !strings.Contains(o.Failure.Message, "boom") || !strings.Contains(o.Failure.Stack, "execution_unwind_test.go") {
			t.Errorf("%v: %+v", p, o)
		}
		if o.Failure.CommandIndex != 1 || o.Failure.CommandType != journal.TypeSetState {
			t.Errorf("%v: at command %d, %v", p, o.Failure.CommandIndex, o.Failure.CommandType)
		}
	}
}

// TestErrorsOfTheHandler: a terminal one is the output, others keep code and
// delay for the retry policy.
func TestErrorsOfTheHandler(t *testing.T) {
	t.Parallel()
	var err error
	e := newEngine(t, NewObjectHandler(func(ObjectContext, string) (Void, error) { return Void{}, err }))
	err = ToRetryableError(errors.New("later"), WithErrorCode(503), WithRetryAfter(9))
	o := e.attempt(0)
	if o.Kind != OutcomeFailed || o.Failure.Code != 503 || o.Failure.Message != "later" || *o.Failure.RetryAfter != 9 || o.Failure.Unlimited {
		t.Errorf("%+v", o)
	}
	err = errors.Join(errors.New("wrapped"), ToTerminalError(errors.New("no"), WithErrorCode(418), WithMetadata("k", "v")))
	f := e.finish(0).Failure
	if f == nil || f.Code != 418 || f.Message != "no" || len(f.Metadata) != 1 {
		t.Errorf("%+v", f)
	}
}

// TestWhatHasNoErrorResultEndsTheInvocation: the handler is unwound, deferred
// functions run, and the invocation ends with the terminal error.
func TestWhatHasNoErrorResultEndsTheInvocation(t *testing.T) {
	t.Parallel()
	reserved := "sign_1UWTHdWSNIRv8Gw4RmRzJSSCRgkORT61gAAAAAQ"
	long := strings.Repeat("x", 256)
	for name, tc := range map[string]struct {
		code uint32
		op   func(ctx ObjectContext)
	}{
		"send to an unknown service":       {404, func(ctx ObjectContext) { ObjectSend(ctx, "Unknown", "k", "h").Send(1) }},
		"resolve a malformed awakeable":    {400, func(ctx ObjectContext) { ResolveAwakeable(ctx, "x", 1) }},
		"resolve a reserved signal":        {400, func(ctx ObjectContext) { ResolveAwakeable(ctx, reserved, 1) }},
		"reject a malformed awakeable":     {400, func(ctx ObjectContext) { RejectAwakeable(ctx, "x", errors.New("no")) }},
		"signal a malformed invocation":    {400, func(ctx ObjectContext) { ResolveSignal(ctx, "x", "n", 1) }},
		"reject signal of a malformed one": {400, func(ctx ObjectContext) { RejectSignal(ctx, "x", "n", nil) }},
		"cancel a malformed invocation":    {400, func(ctx ObjectContext) { CancelInvocation(ctx, "x") }},
		"signal without a name":            {400, func(ctx ObjectContext) { ResolveSignal(ctx, calleeID("x"), "", 1) }},
		"long state name":                  {400, func(ctx ObjectContext) { Set(ctx, long, 1) }},
		"clear of a long state name":       {400, func(ctx ObjectContext) { Clear(ctx, long) }},
		"state name that is no text":       {400, func(ctx ObjectContext) { Set(ctx, "\xff", 1) }},
		"large state value":                {413, func(ctx ObjectContext) { Set(ctx, "a", strings.Repeat("x", 99)) }},
		"large answer":                     {413, func(ctx ObjectContext) { ResolveAwakeable(ctx, reserved, strings.Repeat("x", 99)) }},
		"large input of a send":            {413, func(ctx ObjectContext) { ObjectSend(ctx, "S", "k", "h").Send(strings.Repeat("x", 99)) }},
		"send with a scope":                {400, func(ctx ObjectContext) { ObjectSend(ctx, "S", "k", "h", WithScope("s")).Send(1) }},
		"send to a long key":               {400, func(ctx ObjectContext) { ObjectSend(ctx, "S", strings.Repeat("x", 1025), "h").Send(1) }},
	} {
		deferred := false
		e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (Void, error) {
			defer func() { deferred = true }()
			defer func() { Set(ctx, "late", 1) }()
			tc.op(ctx)
			t.Errorf("%s: the handler went on", name)
			return Void{}, nil
		}))
		e.limit = 64
		o := e.attempt(0)
		if f := e.output().Failure; o.Kind != OutcomeEnded || f == nil || f.Code != tc.code || !deferred || len(e.journal) != 2 {
			t.Errorf("%s: %+v, failure %+v, %d entries", name, o, f, len(e.journal))
		}
	}
}

// TestWhatHasAnErrorResultReturnsLimits: limits inside a handler are terminal
// errors of the operation, and nothing is written.
func TestWhatHasAnErrorResultReturnsLimits(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 256)
	for name, tc := range map[string]struct {
		code Code
		op   func(ctx ObjectContext) error
	}{
		"get":        {400, func(ctx ObjectContext) error { _, err := Get[int](ctx, long); return err }},
		"run":        {400, func(ctx ObjectContext) error { return RunVoid(ctx, nil, WithName(long)) }},
		"sleep":      {400, func(ctx ObjectContext) error { return Sleep(ctx, 1, WithName(long)) }},
		"signal":     {400, func(ctx ObjectContext) error { _, err := Signal[int](ctx, long).Result(); return err }},
		"call input": {413, func(ctx ObjectContext) error { return request(ctx, "k", strings.Repeat("x", 99)) }},
		"call key":   {400, func(ctx ObjectContext) error { return request(ctx, strings.Repeat("x", 1025), 1) }},
		"idempotency key": {400, func(ctx ObjectContext) error {
			return request(ctx, "k", 1, WithIdempotencyKey(strings.Repeat("x", 1025)))
		}},
		"limit key": {400, func(ctx ObjectContext) error { return request(ctx, "k", 1, WithLimitKey("l")) }},
		"headers": {400, func(ctx ObjectContext) error {
			return request(ctx, "k", 1, WithHeaders(map[string]string{"h": strings.Repeat("x", 64<<10)}))
		}},
	} {
		e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (Void, error) { return Void{}, tc.op(ctx) }))
		e.limit = 64
		if f := e.finish(0).Failure; f == nil || f.Code != uint32(tc.code) || len(e.journal) != 2 {
			t.Errorf("%s: %+v, %d entries", name, f, len(e.journal))
		}
	}
}

func request(ctx Context, key string, input any, opts ...RequestOption) error {
	future := Object[int](ctx, "S", key, "h").RequestFuture(input, opts...)
	if id := future.GetInvocationId(); id != "" {
		return errors.New("a refused call has the id " + id)
	}
	_, err := future.Response()
	return err
}

// TestOutputOverTheLimitIsTerminal413 instead of a failure that repeats.
func TestOutputOverTheLimitIsTerminal413(t *testing.T) {
	t.Parallel()
	e := newEngine(t, NewObjectHandler(func(ObjectContext, string) (string, error) { return strings.Repeat("x", 99), nil }))
	e.limit = 64
	if f := e.finish(0).Failure; f == nil || f.Code != 413 {
		t.Fatalf("%+v", f)
	}
}
