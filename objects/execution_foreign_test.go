package objects

import (
	"strings"
	"sync"
	"testing"
	"time"
)

const foreignText = "the handler's context was used inside a Run closure or on another goroutine while the handler waits"

// everyOperation is every operation of a context, by the name that a failure
// gives it.
func everyOperation(ctx ObjectContext, future AwakeableFuture[string], sent Invocation) map[string]func() {
	rng := Rand(ctx)
	return map[string]func(){
		"Set:":                func() { Set(ctx, "a", 1) },
		"Get:":                func() { _, _ = Get[int](ctx, "a") },
		"Keys:":               func() { _, _ = Keys(ctx) },
		"Clear:":              func() { Clear(ctx, "a") },
		"ClearAll:":           func() { ClearAll(ctx) },
		"a call:":             func() { _, _ = Object[string](ctx, "S", "k", "h").Request(1) },
		"Send:":               func() { ObjectSend(ctx, "S", "k", "h").Send(1) },
		"Awakeable:":          func() { Awakeable[string](ctx) },
		"Result of a future:": func() { _, _ = future.Result() },
		"WaitFirst:":          func() { _, _ = WaitFirst(ctx, future) },
		"Sleep:":              func() { _ = Sleep(ctx, time.Second) },
		"Run:":                func() { _ = RunVoid(ctx, func(RunContext) error { return nil }) },
		"Rand:":               func() { rng.IntN(10) },
		"UUID:":               func() { UUID(ctx) },
		"Signal:":             func() { Signal[string](ctx, "s") },
		"a resolution:":       func() { ResolveAwakeable(ctx, future.Id(), "x") },
		"a rejection:":        func() { RejectSignal(ctx, calleeID("x"), "s", nil) },
		"CancelInvocation:":   func() { CancelInvocation(ctx, calleeID("x")) },
		"AttachInvocation:":   func() { AttachInvocation[string](ctx, calleeID("x")) },
		"GetInvocationId:":    func() { sent.GetInvocationId() },
	}
}

// TestOuterContextInARunClosureFailsTheAttemptByName: the closure would consume
// what the handler waits for, and the handler would be handed zero values.
func TestOuterContextInARunClosureFailsTheAttemptByName(t *testing.T) {
	t.Parallel()
	for name := range everyOperation(&execution{random: &drawn{rand: Rand(&execution{attempt: &Attempt{}})}}, nil, nil) {
		e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (string, error) {
			future, sent := Awakeable[string](ctx), ObjectSend(ctx, "S", "k", "h").Send(1)
			op := everyOperation(ctx, future, sent)[name]
			_, err := Run(ctx, func(RunContext) (string, error) {
				op()
				t.Errorf("%s the closure went on", name)
				return "from the closure", nil
			})
			t.Errorf("%s the handler went on with %v", name, err)
			return "", err
		}))
		e.world = (*engine).fireTimer
		o := e.attempt(0)
		if o.Kind != OutcomeFailed || !strings.HasPrefix(o.Failure.Message, name+" "+foreignText) || o.Failure.Code != 500 {
			t.Errorf("%s %+v", name, o)
		}
		if len(e.commands()) != 2 { // the send and the run
			t.Errorf("%s commands %+v, want the send and the run alone", name, e.commands())
		}
	}
}

// TestOperationInsideOfAnOperationFailsByName: it would be written before the one
// that it belongs to.
func TestOperationInsideOfAnOperationFailsByName(t *testing.T) {
	t.Parallel()
	e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (string, error) {
		Set(ctx, "a", askingValue{ctx})
		t.Error("the handler went on")
		return "", nil
	}))
	o := e.attempt(0)
	if o.Kind != OutcomeFailed || !strings.HasPrefix(o.Failure.Message, "Get inside of Set, for example in a method that encodes a value") || len(e.commands()) != 0 {
		t.Errorf("%+v, commands %+v", o, e.commands())
	}
}

// askingValue reads a state value while it is being encoded.
type askingValue struct{ ctx ObjectContext }

func (v askingValue) MarshalJSON() ([]byte, error) {
	_, err := Get[int](v.ctx, "b")
	return nil, err
}

// TestWaitOnAnotherGoroutineFailsAtOnce and not only in the attempt that the
// host suspends there.
func TestWaitOnAnotherGoroutineFailsAtOnce(t *testing.T) {
	t.Parallel()
	e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (string, error) {
		other := make(chan struct{})
		go func() { defer close(other); _ = Sleep(ctx, time.Second) }()
		select {
		case <-other:
			t.Error("the goroutine went on")
		case <-ctx.inner().host.Context().Done():
		}
		return "", nil
	}))
	e.world = (*engine).fireTimer
	if o := e.attempt(0); o.Kind != OutcomeFailed || !strings.HasPrefix(o.Failure.Message, "Sleep: ") || !strings.Contains(o.Failure.Message, "another goroutine: use") {
		t.Errorf("%+v", o)
	}
}

// TestWhatMayBeUsedAnywhereStaysUsableInClosures, by several at a time.
func TestWhatMayBeUsedAnywhereStaysUsableInClosures(t *testing.T) {
	t.Parallel()
	e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (string, error) {
		answer := Awakeable[string](ctx)
		var all sync.WaitGroup
		all.Add(2)
		closure := func(RunContext) (string, error) {
			all.Done()
			all.Wait() // so that two are under way
			id := answer.Id()
			ctx.Log().Info("hello")
			if ctx.Err() != nil || ctx.Done() != nil || ctx.Value("x") != nil {
				t.Error("the context has changed")
			}
			return Key(ctx) + ctx.Request().ID + id, nil
		}
		a, b := RunAsync(ctx, closure), RunAsync(ctx, closure)
		for _, err := range Wait(ctx, a, b) {
			if err != nil {
				return "", err
			}
		}
		return a.Result()
	}))
	if o := e.attempt(0); o.Kind != OutcomeEnded || e.output().Failure != nil {
		t.Errorf("%+v", o)
	}
}

// TestPanicInsideAnOperationLeavesIt: a handler may recover and go on.
func TestPanicInsideAnOperationLeavesIt(t *testing.T) {
	t.Parallel()
	e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (string, error) {
		func() {
			defer func() { _ = recover() }()
			Set(ctx, "a", panickyValue{})
		}()
		Set(ctx, "b", 1)
		return "fine", nil
	}))
	if o := e.attempt(0); o.Kind != OutcomeEnded || len(e.commands()) != 2 {
		t.Errorf("%+v, commands %+v", o, e.commands())
	}
}

type panickyValue struct{}

func (panickyValue) MarshalJSON() ([]byte, error) { panic("no") }

// TestFutureOfAnotherInvocationFailsByName, whether that one is over or waits;
// one that waits fails as well, because its future was touched.
func TestFutureOfAnotherInvocationFailsByName(t *testing.T) {
	t.Parallel()
	futures := make(chan AwakeableFuture[string], 1)
	keeper := NewObjectHandler(func(ctx ObjectContext, _ string) (string, error) {
		a := Awakeable[string](ctx)
		futures <- a
		_, err := Awakeable[string](ctx).Result()
		return "", err
	})
	for _, over := range []bool{true, false} {
		var kept Outcome
		ended := make(chan struct{})
		e := newEngine(t, keeper)
		e.suspends = over
		go func() { defer close(ended); kept = e.attempt(0) }()
		future := <-futures
		if over {
			<-ended
		}
		taker := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (string, error) {
			got, err := future.Result()
			t.Errorf("over %t: %q, %v", over, got, err)
			return got, err
		}))
		o := taker.attempt(0)
		if o.Kind != OutcomeFailed || !strings.Contains(o.Failure.Message, "this future belongs to another invocation") || len(taker.commands()) != 0 {
			t.Errorf("over %t: %+v", over, o)
		}
		<-ended
		if want := map[bool]OutcomeKind{true: OutcomeUnwound, false: OutcomeFailed}[over]; kept.Kind != want {
			t.Errorf("over %t: the other invocation: %+v, want %v", over, kept, want)
		}
	}
}

// TestContextOfAnotherInvocationFailsByName, in a handler and in a closure.
func TestContextOfAnotherInvocationFailsByName(t *testing.T) {
	t.Parallel()
	var other ObjectContext
	newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (string, error) { other = ctx; return "", nil })).attempt(0)
	for name, h := range map[string]ObjectHandlerFn[string, string]{
		"handler": func(ObjectContext, string) (string, error) { Set(other, "a", 1); return "", nil },
		"closure": func(ctx ObjectContext, _ string) (string, error) {
			return "", RunVoid(ctx, func(RunContext) error { Set(other, "a", 1); return nil })
		},
	} {
		if o := newEngine(t, NewObjectHandler(h)).attempt(0); o.Kind != OutcomeFailed || !strings.Contains(o.Failure.Message, "this context belongs to another invocation") {
			t.Errorf("%s: %+v", name, o)
		}
	}
}
