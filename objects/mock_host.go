package objects

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
)

// WithMockContext returns a context for a handler that is called by a test,
// without a runtime:
//
//	mock := &restate.MockContext{ObjectKey: "alice"}
//	total, err := Counter{}.Add(restate.WithMockContext(mock), 5)
//
// It fits every kind of handler, and has no journal: nothing is replayed, nothing
// is stored. Futures, waits, errors, codecs and limits are those of a runtime.
// The test may use the context as well, to set the state before and to look at
// it afterwards.
//
// Closures of Run are executed on the goroutine of the handler, when it waits for
// them. Time is that of the mock: a timer ends when nothing else is left to wait
// for, and in the order of the others. An operation after which a runtime would
// not go on with the handler panics with a *MockFailure.
func WithMockContext(ctx MockableContext) WorkflowContext {
	asked := Request{}
	if r := ctx.Request(); r != nil {
		asked = *r
	}
	target := ident.Target{Service: "Mock", Key: ctx.Key(), Handler: "mock", Kind: ident.KindWorkflow}
	id, err := ident.ParseInvocationID(asked.ID)
	if err != nil {
		id = ident.RandomID(target, 0, [16]byte([]byte("mocked by a test")))
	}
	if asked.ID == "" {
		asked.ID = id.String()
	}
	if asked.Headers == nil {
		asked.Headers = newStringMap(nil)
	}
	h := &mockHost{mock: ctx, now: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)}
	input := journal.NewEntry(&journal.Input{Value: asked.Body}, 0, journal.Sidecar{})
	ex, err := newExecution(h, &Attempt{
		ID: id, Birth: 1, Target: target, RandomSeed: 42, Logger: ctx.Log(), Journal: []journal.Entry{input},
	}, nil)
	if err != nil {
		panic(fmt.Sprintf("objects: the journal of a mock cannot be read: %v", err)) // it is our own
	}
	ex.mock, h.ex = h, ex
	ex.state.through = true
	ex.requestOnce.Do(func() { ex.request = &asked })
	return ex
}

// mockHost is the Host of a MockableContext. Everything happens on the goroutine
// of the handler.
type mockHost struct {
	ex   *execution
	mock MockableContext
	now  time.Time
	// feed has arrived and was not taken.
	feed []journal.Notification
	// timers are set and will end; asked holds the awakeables and completions
	// that have been answered, promises and attached what is open.
	timers []mockTimer
	asked  map[journal.NotificationID]bool
	open   map[uint32]MockSource
	// made counts the invocations that the handler has made.
	made   uint64
	woken  bool
	output journal.Result
}

type mockTimer struct {
	due        uint64
	completion uint32
}

func (h *mockHost) Context() context.Context { return h.mock }
func (h *mockHost) Now() time.Time           { return h.now }

// Handler knows every target, of no kind.
func (h *mockHost) Handler(string, string) (ident.Kind, bool) { return 0, true }

// Definition knows none: typed calls use JSON, or the codec that they are given.
func (h *mockHost) Definition(string) ServiceDefinition { return nil }

// Unread implements Host.
func (h *mockHost) Unread(uint32) {}

// Take implements Host.
func (h *mockHost) Take() []journal.Notification {
	arrived := h.feed
	h.feed = nil
	return arrived
}

func (h *mockHost) Wake()            { h.woken = true }
func (h *mockHost) Barrier() Verdict { return Proceed }

func (h *mockHost) ReadState(name string) ([]byte, bool, Verdict) {
	value, found := h.mock.GetState(name)
	return value, found, Proceed
}

func (h *mockHost) ReadStateKeys() ([]string, Verdict) { return h.mock.StateKeys(), Proceed }

func (h *mockHost) Propose(completion uint32, r journal.Result) {
	h.arrive(journal.TypeRunCompletion, journal.CompletionID(completion), r)
}

// Go runs fn at once: the handler is waiting for it.
func (h *mockHost) Go(_ string, fn func()) { fn() }

// Signal implements Host.
func (h *mockHost) Signal() HostSignal { return make(channelSignal, 1) }

// AfterFunc implements Host.
func (h *mockHost) AfterFunc(d time.Duration, fn func()) (stop func() bool) {
	return time.AfterFunc(d, fn).Stop
}

// channelSignal is a HostSignal outside of a runtime. Its channel has room for one.
type channelSignal chan struct{}

// Notify implements HostSignal.
func (s channelSignal) Notify() {
	select {
	case s <- struct{}{}:
	default:
	}
}

// WaitOr implements HostSignal.
func (s channelSignal) WaitOr(done <-chan struct{}) {
	select {
	case <-s:
	case <-done:
	}
}

// run executes a closure. It reports whether that has ended.
func (h *mockHost) run(r *run, rc RunContext) (result journal.Result, err error, ended bool) {
	a := h.mock.Run(r.options.name, func() (a MockAnswer) {
		defer a.recovered()
		a.result, a.err = r.call(rc)
		return a
	})
	if a.cancelled {
		h.cancel()
	}
	return a.result, a.err, !a.open() && !a.cancelled
}

// recovered makes an operation that has failed inside of a closure the failure of
// the closure. It is deferred.
func (a *MockAnswer) recovered() {
	switch p := recover().(type) {
	case nil:
	case *MockFailure:
		a.err = p.Err
	default:
		panic(p)
	}
}

func (h *mockHost) arrive(t journal.Type, id journal.NotificationID, r journal.Result) {
	h.feed = append(h.feed, journal.Notification{Type: t, ID: id, Result: r})
}

func (h *mockHost) cancel() {
	h.arrive(journal.TypeSignal, journal.SignalID(ident.CancelSignal), journal.VoidResult())
}

// answer brings a to the wait for id, and reports whether the handler goes on.
func (h *mockHost) answer(t journal.Type, id journal.NotificationID, a MockAnswer) bool {
	switch {
	case a.open():
		return false
	case a.cancelled:
		h.cancel()
	default:
		h.arrive(t, id, a.outcome())
	}
	return true
}

// Append tells the mock what the handler does, and brings the answers that are
// there at once.
func (h *mockHost) Append(c journal.Command, _ journal.Allocated) Verdict {
	switch c := c.(type) {
	case *journal.Output:
		h.output = c.Result
	case *journal.SetState:
		h.mock.SetState(c.Key, c.Value)
	case *journal.ClearState:
		h.mock.ClearState(c.Key)
	case *journal.ClearAllState:
		for _, name := range h.mock.StateKeys() {
			h.mock.ClearState(name)
		}
	case *journal.Sleep:
		h.sleep(c)
	case *journal.Call:
		m := MockCall{Service: c.Service, Key: c.Key, Handler: c.Handler, Input: c.Parameter}
		h.call(&m, c.InvocationIDCompletion, c.Headers, c.IdempotencyKey)
		h.answer(journal.TypeCallCompletion, journal.CompletionID(c.Completion), h.mock.Call(m))
	case *journal.OneWayCall:
		m := MockCall{Service: c.Service, Key: c.Key, Handler: c.Handler, Input: c.Parameter, Delay: h.until(c.InvokeAt)}
		h.call(&m, c.InvocationIDCompletion, c.Headers, c.IdempotencyKey)
		h.mock.Send(m)
	case *journal.AttachInvocation:
		h.attach(c)
	case *journal.GetPromise:
		h.await(c.Completion, MockSource{Promise: c.Key})
	case *journal.PeekPromise:
		if a := h.mock.Await(MockSource{Promise: c.Key}); !h.answer(journal.TypePeekPromiseCompletion, journal.CompletionID(c.Completion), a) {
			h.arrive(journal.TypePeekPromiseCompletion, journal.CompletionID(c.Completion), journal.VoidResult())
		}
	case *journal.SendSignal, *journal.CompleteAwakeable, *journal.CompletePromise:
		h.complete(c)
	}
	return Proceed
}

func (h *mockHost) sleep(c *journal.Sleep) {
	a := h.mock.Sleep(c.Name, h.until(c.WakeUpAt))
	if a.result.Kind == journal.ResultVoid {
		h.timers = append(h.timers, mockTimer{c.WakeUpAt, c.Completion})
		return
	}
	h.answer(journal.TypeSleepCompletion, journal.CompletionID(c.Completion), a)
}

// until is the time from now to at, in ms since the epoch; 0 when it has come.
func (h *mockHost) until(at uint64) time.Duration {
	return max(time.UnixMilli(int64(at)).Sub(h.now), 0)
}

// call completes m, and gives the handler the id of the invocation.
func (h *mockHost) call(m *MockCall, completion uint32, headers []journal.Header, idempotencyKey *string) {
	h.made++
	m.InvocationID = ident.NewInvocationID(ident.PartitionKey(h.made), [16]byte([]byte("called in a test"))).String()
	if len(headers) > 0 {
		m.Headers = newStringMap(headers).ToMap()
	}
	if idempotencyKey != nil {
		m.IdempotencyKey = *idempotencyKey
	}
	h.arrive(journal.TypeCallInvocationID, journal.CompletionID(completion),
		journal.Result{Kind: journal.ResultInvocationID, InvocationID: m.InvocationID})
}

func (h *mockHost) attach(c *journal.AttachInvocation) {
	if _, err := ident.ParseInvocationID(c.Target.InvocationID); err != nil {
		h.arrive(journal.TypeAttachCompletion, journal.CompletionID(c.Completion),
			failedWith(terminalf(codeBadRequest, "attach to invocation %q: %w", c.Target.InvocationID, err)))
		return
	}
	h.await(c.Completion, MockSource{Invocation: c.Target.InvocationID})
}

// await notes what is asked for when the handler waits for it.
func (h *mockHost) await(completion uint32, s MockSource) {
	if h.open == nil {
		h.open = map[uint32]MockSource{}
	}
	h.open[completion] = s
}

// complete tells the mock of a completion. One that is addressed to the handler
// itself reaches it.
func (h *mockHost) complete(c journal.Command) {
	own := h.ex.attempt.ID
	switch c := c.(type) {
	case *journal.SendSignal:
		if !c.Named {
			h.mock.Cancel(c.Target)
			return
		}
		h.mock.Complete(completionOf(MockSource{Signal: c.Signal, Invocation: c.Target}, c.Result))
		if c.Target == own.String() {
			h.arrive(journal.TypeSignal, journal.NamedSignalID(c.Signal), c.Result)
		}
	case *journal.CompleteAwakeable:
		h.mock.Complete(completionOf(MockSource{Awakeable: c.AwakeableID}, c.Result))
		if id, err := ident.ParseAwakeableID(c.AwakeableID); err == nil && id.Invocation == own {
			h.once(journal.SignalID(id.Index), MockAnswer{result: c.Result})
		}
	case *journal.CompletePromise:
		a := h.mock.Complete(completionOf(MockSource{Promise: c.Key}, c.Result))
		h.answer(journal.TypeCompletePromiseCompletion, journal.CompletionID(c.Completion), a)
	}
}

func completionOf(s MockSource, r journal.Result) MockCompletion {
	return MockCompletion{MockSource: s, Value: r.Value, Err: TerminalErrorFrom(r.Failure)}
}

// answer is what a wait for c ends with.
func (c MockCompletion) answer() MockAnswer {
	if c.Err != nil {
		return MockAnswer{err: c.Err}
	}
	return MockAnswer{result: journal.ValueOf(c.Value)}
}

// once answers an awakeable that has no answer yet.
func (h *mockHost) once(id journal.NotificationID, a MockAnswer) bool {
	if h.asked[id] || !h.answer(journal.TypeSignal, id, a) {
		return false
	}
	if h.asked == nil {
		h.asked = map[journal.NotificationID]bool{}
	}
	h.asked[id] = !a.cancelled
	return true
}

// Wait asks the mock for what the handler waits for, in the order of its
// futures, and lets the next timer end when nothing is answered.
func (h *mockHost) Wait(bool, func() (*journal.Future, journal.Allocated)) Verdict {
	woken := h.woken
	h.woken = false
	if woken || len(h.feed) > 0 {
		return Proceed
	}
	for _, id := range h.ex.awaiting {
		if h.ask(id) {
			return Proceed
		}
	}
	if h.fire() {
		return Proceed
	}
	panic(&MockFailure{Err: fmt.Errorf("%w, for %s: let the mock answer it", errMockOpen, h.describe())})
}

// ask asks the mock for an answer to id.
func (h *mockHost) ask(id journal.NotificationID) bool {
	switch s, open := h.open[id.Completion]; {
	case id.Name != "":
		return h.answer(journal.TypeSignal, id, h.mock.Await(MockSource{Signal: id.Name}))
	case id.Signal != 0:
		return !h.asked[id] && h.once(id, h.mock.Await(h.source(id)))
	case open:
		t := journal.TypeGetPromiseCompletion
		if s.Invocation != "" {
			t = journal.TypeAttachCompletion
		}
		return h.answer(t, id, h.mock.Await(s))
	default:
		return false
	}
}

func (h *mockHost) source(id journal.NotificationID) MockSource {
	if id.Name != "" {
		return MockSource{Signal: id.Name}
	}
	return MockSource{Awakeable: h.ex.attempt.awakeable(id.Signal)}
}

// fire ends the timer that is due first, and moves the clock there.
func (h *mockHost) fire() bool {
	if len(h.timers) == 0 {
		return false
	}
	first := 0
	for i, t := range h.timers {
		if t.due < h.timers[first].due {
			first = i
		}
	}
	t := h.timers[first]
	h.timers = append(h.timers[:first], h.timers[first+1:]...)
	if at := time.UnixMilli(int64(t.due)).UTC(); at.After(h.now) {
		h.now = at
	}
	h.arrive(journal.TypeSleepCompletion, journal.CompletionID(t.completion), journal.VoidResult())
	return true
}

// describe names what the handler waits for.
func (h *mockHost) describe() string {
	var names []string
	for _, id := range h.ex.awaiting {
		s, open := h.open[id.Completion]
		switch {
		case id.Completion != 0 && open:
			names = append(names, s.String())
		case id.Completion != 0:
			names = append(names, "a call, a run or a timer")
		default:
			names = append(names, h.source(id).String())
		}
	}
	return strings.Join(names, ", ")
}

// ended panics with what a runtime would make of the handler.
func (h *mockHost) ended(o Outcome) {
	if o.Kind == OutcomeEnded {
		panic(&MockFailure{Err: TerminalErrorFrom(h.output.Failure)})
	}
	panic(&MockFailure{Err: ToRetryableError(errors.New(o.Failure.Message), WithErrorCode(Code(o.Failure.Code)))})
}
