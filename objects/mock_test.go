package objects_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/encoding"
)

// failureOf returns what a handler panics with.
func failureOf(t *testing.T, handler func()) (f *restate.MockFailure) {
	t.Helper()
	defer func() {
		if p := recover(); p != nil {
			var ok bool
			if f, ok = p.(*restate.MockFailure); !ok {
				panic(p)
			}
			return
		}
		t.Error("the handler came to its end")
	}()
	handler()
	return nil
}

func TestAMockedContextFitsEveryKindOfHandler(t *testing.T) {
	t.Parallel()
	type key struct{}
	mock := &restate.MockContext{
		ObjectKey: "k", Parent: context.WithValue(t.Context(), key{}, "v"),
		Asked: restate.Request{ID: "mine", Body: []byte("raw"), IdempotencyKey: "i"},
	}
	ctx := restate.WithMockContext(mock)
	for _, got := range []string{
		func(c restate.Context) string { return c.Request().ID }(ctx),
		func(c restate.ObjectContext) string { return restate.Key(c) + c.Request().Headers.Get("none") }(ctx),
		func(c restate.ObjectSharedContext) string { return string(c.Request().Body) }(ctx),
		func(c restate.WorkflowSharedContext) string { return c.Request().IdempotencyKey }(ctx),
		func(c restate.WorkflowContext) string { return fmt.Sprint(c.Value(key{}), c.Err()) }(ctx),
	} {
		if !strings.Contains("mine k raw i v<nil> v <nil>", got) || got == "" {
			t.Errorf("got %q", got)
		}
	}
	if restate.WithMockContext(&restate.MockContext{}).Request().ID == "" {
		t.Error("an invocation has no id")
	}
	wrapped := restate.WithValue(ctx, key{}, "w")
	v, err := restate.Run(wrapped, func(rc restate.RunContext) (any, error) { return rc.Value(key{}), nil })
	if v != "v" && v != "w" || err != nil {
		t.Errorf("a closure sees %v, %v", v, err)
	}
	if a, b := restate.UUID(ctx), restate.UUID(restate.WithMockContext(mock)); a != b {
		t.Errorf("random numbers differ between tests: %v and %v", a, b)
	}
}

func TestMockedStateIsThatOfTheMock(t *testing.T) {
	t.Parallel()
	mock := &restate.MockContext{}
	a, b := restate.WithMockContext(mock), restate.WithMockContext(mock)
	restate.Set(a, "n", 1)
	restate.Set(b, "n", 2)
	restate.Set(b, "raw", []byte("x"), restate.WithBinary)
	if n, err := restate.Get[int](a, "n"); n != 2 || err != nil {
		t.Errorf("n is %d, %v", n, err)
	}
	if keys, err := restate.Keys(a); !reflect.DeepEqual(keys, []string{"n", "raw"}) || err != nil {
		t.Errorf("keys are %q, %v", keys, err)
	}
	restate.Clear(a, "n")
	if n, err := restate.Get[*int](b, "n"); n != nil || err != nil {
		t.Errorf("a cleared value is %v, %v", n, err)
	}
	restate.ClearAll(a)
	if keys, _ := restate.Keys(b); len(keys) > 0 {
		t.Errorf("keys are %q", keys)
	}
	restate.Set(a, "n", "text")
	if f := failureOf(t, func() { _, _ = restate.Get[int](a, "n") }); restate.IsTerminalError(f) || !strings.Contains(f.Error(), `the attempt would fail here: decode state "n" as int`) {
		t.Errorf("got %v", f)
	}
}

func TestMockedCallsAreAnsweredAndRecorded(t *testing.T) {
	t.Parallel()
	mock := &restate.MockContext{OnCall: func(c restate.MockCall) restate.MockAnswer {
		switch c.Handler {
		case "double":
			return restate.MockValue("2" + string(c.Input))
		case "raw":
			return restate.MockValue([]byte("raw"), restate.WithBinary)
		default:
			return restate.MockError(restate.ToTerminalError(errors.New("no"), restate.WithErrorCode(418)))
		}
	}}
	ctx := restate.WithMockContext(mock)
	future := restate.Service[string](ctx, "S", "double").RequestFuture(1, restate.WithHeaders(map[string]string{"h": "v"}), restate.WithIdempotencyKey("i"))
	id := future.GetInvocationId()
	if v, err := future.Response(); v != "21" || err != nil {
		t.Errorf("got %q, %v", v, err)
	}
	if v, err := restate.Object[[]byte](ctx, "O", "k", "raw", restate.WithBinary).Request([]byte("in")); string(v) != "raw" || err != nil {
		t.Errorf("got %q, %v", v, err)
	}
	if _, err := restate.Workflow[int](ctx, "W", "w", "other").Request(nil); err == nil || err.Code() != 418 {
		t.Errorf("got %v", err)
	}
	sent := restate.ObjectSend(ctx, "O", "k", "later").Send(3, restate.WithDelay(time.Hour)).GetInvocationId()
	restate.CancelInvocation(ctx, sent)
	want := []restate.MockCall{
		{InvocationID: id, Service: "S", Handler: "double", Input: []byte("1"), Headers: map[string]string{"h": "v"}, IdempotencyKey: "i"},
		{Service: "O", Key: "k", Handler: "raw", Input: []byte("in")},
		{Service: "W", Key: "w", Handler: "other", Input: []byte("null")},
	}
	want[1].InvocationID, want[2].InvocationID = mock.Calls[1].InvocationID, mock.Calls[2].InvocationID
	if !reflect.DeepEqual(mock.Calls, want) || id == mock.Calls[1].InvocationID {
		t.Errorf("calls are %+v", mock.Calls)
	}
	if want := []restate.MockCall{{InvocationID: sent, Service: "O", Key: "k", Handler: "later", Input: []byte("3"), Delay: time.Hour}}; !reflect.DeepEqual(mock.Sends, want) {
		t.Errorf("sends are %+v", mock.Sends)
	}
	if !reflect.DeepEqual(mock.Cancelled, []string{sent}) {
		t.Errorf("cancelled %q", mock.Cancelled)
	}
}

func TestMockedWaitsAreAnsweredInTheOrderOfTheFutures(t *testing.T) {
	t.Parallel()
	answers := map[string]restate.MockAnswer{}
	mock := &restate.MockContext{OnAwait: func(s restate.MockSource) restate.MockAnswer { return answers[s.Signal+s.Promise+s.Invocation] }}
	ctx := restate.WithMockContext(mock)
	awakeable, nap := restate.Awakeable[string](ctx), restate.After(ctx, time.Hour)
	long, signal := restate.After(ctx, 24*time.Hour, restate.WithName("long")), restate.Signal[int](ctx, "s")
	if first, err := restate.WaitFirst(ctx, awakeable, long, nap, signal); first != nap || err != nil {
		t.Errorf("first is %T, %v: with nothing answered it is the shorter timer", first, err)
	}
	answers["s"] = restate.MockValue(7)
	if first, err := restate.WaitFirst(ctx, awakeable, long, signal); first != signal || err != nil {
		t.Errorf("first is %T, %v: a signal is there, a timer takes a day", first, err)
	}
	if v, err := signal.Result(); v != 7 || err != nil {
		t.Errorf("the signal is %d, %v", v, err)
	}
	restate.RejectAwakeable(ctx, awakeable.Id(), errors.New("no"))
	restate.ResolveAwakeable(ctx, awakeable.Id(), "too late")
	if _, err := awakeable.Result(); err == nil || err.Message() != "no" {
		t.Errorf("the awakeable is %v", err)
	}
	restate.ResolveSignal(ctx, ctx.Request().ID, "own", "hi")
	if v, err := restate.Signal[string](ctx, "own").Result(); v != "hi" || err != nil {
		t.Errorf("the own signal is %q, %v", v, err)
	}
	id := restate.ServiceSend(ctx, "S", "h").Send(1).GetInvocationId()
	answers[id] = restate.MockError(errors.New("lost"))
	if _, err := restate.AttachInvocation[int](ctx, id).Response(); err == nil || err.Code() != 500 || err.Message() != "lost" {
		t.Errorf("the attach is %v", err)
	}
	if _, err := restate.AttachInvocation[int](ctx, "bad").Response(); err == nil || err.Code() != 400 {
		t.Errorf("a malformed attach is %v", err)
	}
	if want := []time.Duration{time.Hour, 24 * time.Hour}; !reflect.DeepEqual(mock.Slept, want) {
		t.Errorf("slept %v", mock.Slept)
	}
	if got := fmt.Sprint(mock.Completions); strings.Count(got, awakeable.Id()) != 2 || !strings.Contains(got, `signal "own"`) {
		t.Errorf("completions are %s", got)
	}
}

func TestMockedPromisesAreCompletedOnce(t *testing.T) {
	t.Parallel()
	ctx := restate.WithMockContext(&restate.MockContext{})
	p := restate.Promise[string](ctx, "p")
	if v, err := p.Peek(); v != "" || err != nil {
		t.Errorf("an open promise is %q, %v", v, err)
	}
	if err := p.Resolve("yes"); err != nil {
		t.Error(err)
	}
	if err := p.Reject(errors.New("no")); err == nil || err.Code() != 409 {
		t.Errorf("a second completion gives %v", err)
	}
	for range 2 {
		if v, err := restate.Promise[string](ctx, "p").Result(); v != "yes" || err != nil {
			t.Errorf("the promise is %q, %v", v, err)
		}
	}
	if v, err := p.Peek(); v != "yes" || err != nil {
		t.Errorf("peek gives %q, %v", v, err)
	}
	if v, err := p.Result(); v != "yes" || err != nil {
		t.Errorf("the promise from before is %q, %v", v, err)
	}
}

func TestMockedRunsAreExecutedOrReplaced(t *testing.T) {
	t.Parallel()
	mock := &restate.MockContext{}
	ctx := restate.WithMockContext(mock)
	executed := 0
	run := func(name string, err error, options ...restate.RunOption) (int, restate.TerminalError) {
		return restate.Run(ctx, func(rc restate.RunContext) (int, error) {
			executed++
			if restate.RunKey(rc) == "" {
				t.Error("a run has no key")
			}
			return executed, err
		}, append(options, restate.WithName(name))...)
	}
	if v, err := run("a", nil); v != 1 || err != nil {
		t.Errorf("got %d, %v", v, err)
	}
	if _, err := run("b", restate.TerminalErrorf("no")); err == nil || err.Message() != "no" {
		t.Errorf("got %v", err)
	}
	if _, err := run("c", errors.New("no"), restate.WithMaxRetryAttempts(1)); err == nil || err.Message() != "no" {
		t.Errorf("a run that is given up is %v", err)
	}
	if f := failureOf(t, func() { _, _ = run("d", errors.New("flaky")) }); restate.IsTerminalError(f) || !strings.HasSuffix(f.Error(), "would fail here: flaky") {
		t.Errorf("got %v", f)
	}
	mock.OnRun = func(name string, fn func() restate.MockAnswer) restate.MockAnswer {
		if name == "e" {
			return restate.MockValue(42)
		}
		return restate.MockCancelled()
	}
	if v, err := run("e", nil); v != 42 || err != nil || executed != 4 {
		t.Errorf("got %d, %v after %d closures", v, err, executed)
	}
	if _, err := run("f", nil); err == nil || err.Code() != 409 {
		t.Errorf("a cancelled run gives %v", err)
	}
	mock.OnRun = nil
	if v, err := run("g", nil); v != 5 || err != nil {
		t.Errorf("the compensation gives %d, %v", v, err)
	}
	f := failureOf(t, func() {
		_ = restate.RunVoid(ctx, func(restate.RunContext) error { return restate.Sleep(ctx, time.Hour) })
	})
	if !strings.Contains(f.Error(), "Sleep: the handler's context was used inside a Run closure") {
		t.Errorf("got %v", f)
	}
}

func TestAMockedCancellationEndsOneWaitAndReachesTheCallees(t *testing.T) {
	t.Parallel()
	mock := &restate.MockContext{OnSleep: func(string, time.Duration) restate.MockAnswer { return restate.MockCancelled() }}
	ctx := restate.WithMockContext(mock)
	child := restate.Service[int](ctx, "S", "h").RequestFuture(1)
	if err := restate.Sleep(ctx, time.Hour); err == nil || err.Code() != 409 {
		t.Errorf("got %v", err)
	}
	if !reflect.DeepEqual(mock.Cancelled, []string{child.GetInvocationId()}) {
		t.Errorf("cancelled %q", mock.Cancelled)
	}
	if v, err := restate.Run(ctx, func(restate.RunContext) (int, error) { return 1, nil }); v != 1 || err != nil {
		t.Errorf("a wait of the compensation gives %v", err)
	}
}

func TestWhatAMockLeavesOpenFailsByNameInsteadOfHanging(t *testing.T) {
	t.Parallel()
	ctx := restate.WithMockContext(&restate.MockContext{})
	awakeable := restate.Awakeable[int](ctx)
	for want, wait := range map[string]func(){
		"awakeable " + awakeable.Id():   func() { _, _ = awakeable.Result() },
		`signal "s"`:                    func() { _, _ = restate.Signal[int](ctx, "s").Result() },
		`promise "p"`:                   func() { _, _ = restate.Promise[int](ctx, "p").Result() },
		"a call, a run or a timer":      func() { _, _ = restate.Service[int](ctx, "S", "h").Request(1) },
		`awakeable sign_1`:              func() { _, _ = restate.WaitFirst(ctx, awakeable, restate.Signal[int](ctx, "s")) },
		"complete awakeable \"bad\"":    func() { restate.ResolveAwakeable(ctx, "bad", 1) },
		"cancel invocation \"inv_x\"":   func() { restate.CancelInvocation(ctx, "inv_x") },
		"the name of a signal is empty": func() { restate.ResolveSignal(ctx, ctx.Request().ID, "", 1) },
	} {
		if f := failureOf(t, wait); f == nil || !strings.Contains(f.Error(), want) {
			t.Errorf("got %v, want %s", f, want)
		}
	}
	if f := failureOf(t, func() { restate.ResolveAwakeable(ctx, "bad", 1) }); restate.AsTerminalError(f).Code() != 400 {
		t.Errorf("got %v", f)
	}
	if n, err := restate.Get[int](ctx, "n"); n != 0 || err != nil {
		t.Errorf("after a failure the context gives %v", err)
	}
}

func TestAnswersOfAMockThatCannotBePanic(t *testing.T) {
	t.Parallel()
	for want, f := range map[string]func(){
		"MockValue cannot encode a chan int": func() { restate.MockValue(make(chan int)) },
		"MockError was given nil":            func() { restate.MockError(nil) },
		"cannot encode a string: encode":     func() { restate.MockValue("s", restate.WithCodec(encoding.BinaryCodec)) },
	} {
		func() {
			defer func() {
				if v, _ := recover().(string); !strings.Contains(v, want) {
					t.Errorf("panicked with %q, want %q", v, want)
				}
			}()
			f()
		}()
	}
}

// scripted is a mock of its own: it embeds the defaults and overrides one
// operation.
type scripted struct {
	restate.MockContext
	asked int
}

func (s *scripted) Await(restate.MockSource) restate.MockAnswer {
	s.asked++
	return restate.MockValue(s.asked)
}

func TestAMockMayEmbedTheDefaults(t *testing.T) {
	t.Parallel()
	ctx := restate.WithMockContext(&scripted{})
	a, b := restate.Signal[int](ctx, "s"), restate.Signal[int](ctx, "s")
	x, err1 := a.Result()
	y, err2 := b.Result()
	if x != 1 || y != 2 || err1 != nil || err2 != nil {
		t.Errorf("signals are %d, %v and %d, %v", x, err1, y, err2)
	}
}

// A handler that asks its manager, and gives up after a day.
func ExampleWithMockContext() {
	request := func(ctx restate.ObjectContext, item string) (string, error) {
		answer := restate.Awakeable[bool](ctx)
		if err := restate.RunVoid(ctx, func(restate.RunContext) error { return mail(item, answer.Id()) }); err != nil {
			return "", err
		}
		day := restate.After(ctx, 24*time.Hour)
		first, err := restate.WaitFirst(ctx, answer, day)
		if err != nil {
			return "", err
		}
		if first == day {
			return "nobody has answered about the " + item, nil
		}
		if ok, err := answer.Result(); err != nil || !ok {
			return "no " + item, err
		}
		restate.Set(ctx, "item", item)
		return "you get a " + item, nil
	}

	// Nothing answers the awakeable, so the day is over first.
	fmt.Println(request(restate.WithMockContext(&restate.MockContext{}), "bike"))

	mock := &restate.MockContext{
		OnRun:   func(string, func() restate.MockAnswer) restate.MockAnswer { return restate.MockDone() }, // no mail
		OnAwait: func(restate.MockSource) restate.MockAnswer { return restate.MockValue(true) },
	}
	ctx := restate.WithMockContext(mock)
	fmt.Println(request(ctx, "car"))
	fmt.Println(restate.Get[string](ctx, "item"))
	// Output:
	// mail about the bike
	// nobody has answered about the bike <nil>
	// you get a car <nil>
	// car <nil>
}

func mail(item, _ string) error {
	fmt.Println("mail about the", item)
	return nil
}

// Ledger is called by its methods.
type Ledger struct{}

func (Ledger) Book(restate.ObjectContext, int) (string, error) { return "", nil }

func TestMockedCallsByMethodAreAnsweredAndRecorded(t *testing.T) {
	t.Parallel()
	mock := &restate.MockContext{OnCall: func(c restate.MockCall) restate.MockAnswer {
		return restate.MockValue(c.Service + "/" + c.Key + "/" + c.Handler + " " + string(c.Input))
	}}
	ctx := restate.WithMockContext(mock)
	if v, err := restate.Call(ctx, restate.On[Ledger]("k"), Ledger.Book, 5); v != "Ledger/k/Book 5" || err != nil {
		t.Errorf("got %q, %v", v, err)
	}
	restate.Send(ctx, restate.On[Ledger]("k"), Ledger.Book, 6)
	if len(mock.Sends) != 1 || string(mock.Sends[0].Input) != "6" {
		t.Errorf("sends are %+v", mock.Sends)
	}
}
