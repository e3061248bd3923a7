package objects

import (
	"strings"
	"testing"
)

// TestEveryOperationOnAnotherGoroutineFailsByName, also while the handler is in
// none, and nothing is written.
func TestEveryOperationOnAnotherGoroutineFailsByName(t *testing.T) {
	t.Parallel()
	for name := range everyOperation(&execution{random: &drawn{rand: Rand(&execution{attempt: &Attempt{}})}}, nil, nil) {
		e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (string, error) {
			future, sent := Awakeable[string](ctx), ObjectSend(ctx, "S", "k", "h").Send(1)
			op, other := everyOperation(ctx, future, sent)[name], make(chan struct{})
			go func() {
				defer close(other)
				op()
				t.Errorf("%s the goroutine went on", name)
			}()
			select {
			case <-other:
				t.Errorf("%s the goroutine was ended while the handler runs", name)
			case <-ctx.inner().host.Context().Done():
			}
			return "", nil
		}))
		o := e.attempt(0)
		if o.Kind != OutcomeFailed || !strings.HasPrefix(o.Failure.Message, name+" the handler's context was used inside a Run closure or on another goroutine: use") {
			t.Errorf("%s %+v", name, o)
		}
		if len(e.commands()) != 1 { // the send
			t.Errorf("%s commands %+v", name, e.commands())
		}
	}
}

// TestTheHandlerIsAtHomeHoweverDeepItCalls: its stack grows, moves and shrinks.
func TestTheHandlerIsAtHomeHoweverDeepItCalls(t *testing.T) {
	t.Parallel()
	e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (Void, error) {
		for _, depth := range []int{0, 10, 1000, 3, 10_000, 0, 500} {
			deeper(depth, func() { Set(ctx, "a", depth) })
		}
		return Void{}, nil
	}))
	if o := e.attempt(0); o.Kind != OutcomeEnded || len(e.commands()) != 8 {
		t.Errorf("%+v, %d commands", o, len(e.commands()))
	}
}

func deeper(depth int, fn func()) {
	if depth == 0 {
		fn()
		return
	}
	var frame [64]byte
	frame[depth%64] = 1
	deeper(depth-1+int(frame[(depth+1)%64]), fn)
}

// TestWhatComesTooLateIsLoggedAndHasNoEffect: a deferred function while the
// attempt is unwound, and a goroutine that outlives its handler.
func TestWhatComesTooLateIsLoggedAndHasNoEffect(t *testing.T) {
	t.Parallel()
	e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (Void, error) {
		defer func() { _ = Sleep(ctx, 1) }()
		defer Clear(ctx, "a")
		_, err := Awakeable[int](ctx).Result()
		return Void{}, err
	}))
	e.suspends = true
	if o := e.attempt(0); o.Kind != OutcomeUnwound || len(e.journal) != 1 {
		t.Errorf("%+v, %d entries", o, len(e.journal))
	}
	if text := e.logs.String(); strings.Count(text, "level=DEBUG msg=\"the handler's context was used by a deferred function while the attempt was unwound") != 1 || !strings.Contains(text, "operation=Clear") {
		t.Errorf("the log is %s", text)
	}

	leave, left := make(chan struct{}), make(chan struct{})
	e = newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (Void, error) {
		go func() {
			defer close(left)
			<-leave
			Set(ctx, "a", 1)
			t.Error("the goroutine went on")
		}()
		return Void{}, nil
	}))
	o := e.attempt(0)
	close(leave)
	<-left
	if o.Kind != OutcomeEnded || len(e.journal) != 2 || len(e.state) != 0 {
		t.Errorf("%+v, %d entries, state %q", o, len(e.journal), e.state)
	}
	if text := e.logs.String(); !strings.Contains(text, "on another goroutine after the handler had ended") || !strings.Contains(text, "operation=Set") {
		t.Errorf("the log is %s", text)
	}
}

// TestNoTwoGoroutinesHaveOneNumber as long as both live.
func TestNoTwoGoroutinesHaveOneNumber(t *testing.T) {
	t.Parallel()
	const goroutines = 1000
	numbers, release := make(chan uintptr), make(chan struct{})
	for range goroutines {
		go func() {
			n := current()
			deeper(1000, func() {
				if current() != n {
					t.Error("a goroutine has two numbers")
				}
			})
			numbers <- n
			<-release
		}()
	}
	seen := map[uintptr]bool{current(): true}
	for range goroutines {
		seen[<-numbers] = true
	}
	close(release)
	if len(seen) != goroutines+1 {
		t.Errorf("%d numbers of %d goroutines", len(seen), goroutines+1)
	}
}
