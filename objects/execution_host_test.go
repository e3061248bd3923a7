package objects

import (
	"bytes"
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
)

// engine is an invocation in memory and the Host of its attempts. It appends
// entries, answers what an engine answers at once, and can end an attempt at any
// of its calls, as a crash does, or suspend it whenever it waits.
type engine struct {
	t       *testing.T
	handler Handler
	target  ident.Target
	lazy    bool
	// keyed gives keys to the service that has none.
	keyed bool
	// suspends parks the handler at each wait that allows it.
	suspends bool
	// eager hands over all state at the start of an attempt.
	eager bool
	// world is called when the handler waits for something and nothing is on
	// its way; it makes the next thing happen and reports whether it could.
	world func(e *engine) bool
	// results answers calls by handler name; others stay open.
	results map[string]journal.Result
	// definitions are those of the build, beside what Handler knows.
	definitions map[string]ServiceDefinition
	// abort is the attempt's AbortTimeout, limit its MaxPayload.
	abort time.Duration
	limit int
	logs  bytes.Buffer

	mu        sync.Mutex
	changed   *sync.Cond
	journal   []journal.Entry
	state     map[string][]byte
	allocated journal.Allocated
	await     *journal.Future
	now       time.Time
	attempts  uint32
	failing   time.Duration

	// Of the attempt: how many entries were taken, whether Wake was called,
	// after how many calls it is ended (0: never), and how many were made.
	taken  int
	woken  bool
	dies   int
	calls  int
	dead   bool
	ctx    context.Context
	cancel context.CancelCauseFunc
	runs   sync.WaitGroup
	// parks counts suspensions, outcomes those of all attempts.
	parks    int
	outcomes []Outcome
}

func newEngine(t *testing.T, h Handler) *engine {
	e := &engine{
		t: t, handler: h, eager: true,
		target: ident.Target{Service: "Test", Key: "k", Handler: "handle", Kind: h.Kind()},
		state:  map[string][]byte{}, now: time.UnixMilli(1_000_000),
	}
	e.changed = sync.NewCond(&e.mu)
	e.journal = []journal.Entry{journal.NewEntry(&journal.Input{Value: []byte(`"in"`)}, 0, journal.Sidecar{})}
	return e
}

// id is the invocation's.
func (e *engine) id() ident.InvocationID {
	return ident.RandomID(e.target, 0, [16]byte{1, 2, 3})
}

// attempt runs one attempt to its outcome. It ends after dies calls of the host,
// 0 for never.
func (e *engine) attempt(dies int) Outcome {
	e.mu.Lock()
	e.dies, e.calls, e.dead, e.woken = dies, 0, false, false
	e.taken, e.await = len(e.journal), nil
	e.ctx, e.cancel = context.WithCancelCause(e.t.Context())
	a := &Attempt{
		ID: e.id(), Birth: 7, Target: e.target, RandomSeed: 42,
		Journal: append([]journal.Entry(nil), e.journal...), Allocated: e.allocated,
		Attempts: e.attempts, Failing: e.failing, LazyState: e.lazy,
		MaxPayload: e.limit, AbortTimeout: e.abort,
		Logger: slog.New(slog.NewTextHandler(&e.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if e.eager {
		a.StateComplete = true
		for _, name := range e.names() {
			a.State = append(a.State, StateValue{Name: name, Value: e.state[name]})
		}
	}
	e.mu.Unlock()
	outcomes := make(chan Outcome, 2)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		Execute(e, a, e.handler, func(o Outcome) { outcomes <- o; e.kill() })
	}()
	<-ended
	e.runs.Wait()
	o := <-outcomes
	if len(outcomes) != 0 {
		e.t.Errorf("done was called twice: %+v, then %+v", o, <-outcomes)
	}
	e.outcomes = append(e.outcomes, o)
	return o
}

// kill ends the attempt: its later calls change nothing.
func (e *engine) kill() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.dead = true
	e.cancel(context.Canceled)
	e.changed.Broadcast()
}

// finish runs attempts until the invocation has ended, the first one with the
// given death, and returns its output.
func (e *engine) finish(dies int) journal.Result {
	e.t.Helper()
	for range 200 {
		switch o := e.attempt(dies); o.Kind {
		case OutcomeEnded:
			return e.output()
		case OutcomeFailed:
			e.attempts++
		}
		dies = 0
		e.mu.Lock()
		for e.await != nil && !e.decided() {
			if !e.step() {
				e.t.Fatalf("suspended on %v for ever", e.await)
			}
		}
		e.mu.Unlock()
	}
	e.t.Fatalf("not ended after 200 attempts: %+v", e.outcomes[len(e.outcomes)-1])
	return journal.Result{}
}

// output is the stored result of the handler.
func (e *engine) output() journal.Result {
	last := e.commands()
	out, ok := last[len(last)-1].(*journal.Output)
	if !ok {
		e.t.Fatalf("ended with %T", last[len(last)-1])
	}
	return out.Result
}

// commands are the stored commands behind the Input.
func (e *engine) commands() []journal.Command {
	var list []journal.Command
	for _, entry := range e.journal[1:] {
		if entry.Type.IsCommand() {
			c, err := journal.DecodeCommand(entry.Type, entry.Body)
			if err != nil {
				e.t.Fatal(err)
			}
			list = append(list, c)
		}
	}
	return list
}

// decided reports whether what came since the attempt began satisfies await.
func (e *engine) decided() bool {
	tree := e.await
	for _, entry := range e.journal[e.taken:] {
		if !entry.Type.IsNotification() {
			continue
		}
		n, err := journal.DecodeNotification(entry.Type, entry.Body)
		if err != nil {
			e.t.Fatal(err)
		}
		reduced, satisfied := tree.Reduce(n.ID, n.Result.Kind == journal.ResultFailure)
		if satisfied {
			return true
		}
		tree = reduced
	}
	return false
}

// step lets the world move; e.mu is held.
func (e *engine) step() bool { return e.world != nil && e.world(e) }

// arrive appends a notification; e.mu is held.
func (e *engine) arrive(t journal.Type, id journal.NotificationID, r journal.Result) {
	n := journal.Notification{Type: t, ID: id, Result: r}
	e.journal = append(e.journal, n.Entry(0))
	e.changed.Broadcast()
}

// dying counts a call of the attempt and reports whether it is over; e.mu is
// held.
func (e *engine) dying() bool {
	e.calls++
	if e.dies > 0 && e.calls >= e.dies {
		e.dead = true
		e.changed.Broadcast()
	}
	return e.dead
}

func (e *engine) Context() context.Context {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.ctx
}

func (e *engine) Now() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.now
}

// Handler knows every service but Unknown; all have keys but Keyless.
func (e *engine) Handler(service, _ string) (ident.Kind, bool) {
	if service == "Keyless" && !e.keyed {
		return ident.KindService, true
	}
	return ident.KindExclusive, service != "Unknown"
}

func (e *engine) Definition(service string) ServiceDefinition { return e.definitions[service] }

func (e *engine) Append(c journal.Command, allocated journal.Allocated) Verdict {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.dying() {
		return Unwind
	}
	e.journal = append(e.journal, journal.NewEntry(c, 0, journal.Sidecar{Allocated: allocated}))
	e.attempts = 0
	e.apply(c)
	return Proceed
}

func (e *engine) apply(c journal.Command) {
	switch c := c.(type) {
	case *journal.SetState:
		e.state[c.Key] = c.Value
	case *journal.ClearState:
		delete(e.state, c.Key)
	case *journal.ClearAllState:
		clear(e.state)
	case *journal.GetLazyState:
		r := journal.VoidResult()
		if v, ok := e.state[c.Key]; ok {
			r = journal.ValueOf(v)
		}
		e.arrive(journal.TypeLazyStateCompletion, journal.CompletionID(c.Completion), r)
	case *journal.GetLazyStateKeys:
		r := journal.Result{Kind: journal.ResultStateKeys, StateKeys: e.names()}
		e.arrive(journal.TypeLazyStateKeysCompletion, journal.CompletionID(c.Completion), r)
	case *journal.Call:
		e.called(c.InvocationIDCompletion, c.Handler)
		if r, ok := e.results[c.Handler]; ok {
			e.arrive(journal.TypeCallCompletion, journal.CompletionID(c.Completion), r)
		}
	case *journal.OneWayCall:
		e.called(c.InvocationIDCompletion, c.Handler)
	case *journal.AttachInvocation:
		if r, ok := e.results[c.Target.InvocationID]; ok {
			e.arrive(journal.TypeAttachCompletion, journal.CompletionID(c.Completion), r)
		}
	case *journal.SendSignal:
		if c.Target == e.id().String() {
			e.arrive(journal.TypeSignal, journal.NamedSignalID(c.Signal), c.Result)
		}
	case *journal.CompleteAwakeable:
		if id, err := ident.ParseAwakeableID(c.AwakeableID); err == nil && id.Invocation == e.id() {
			e.arrive(journal.TypeSignal, journal.SignalID(id.Index), c.Result)
		}
	}
}

func (e *engine) called(completion uint32, handler string) {
	r := journal.Result{Kind: journal.ResultInvocationID, InvocationID: calleeID(handler)}
	e.arrive(journal.TypeCallInvocationID, journal.CompletionID(completion), r)
}

// calleeID is the id of every callee of this handler name.
func calleeID(handler string) string {
	var uuid [16]byte
	copy(uuid[:], handler)
	return ident.NewInvocationID(1, uuid).String()
}

func (e *engine) names() []string {
	return slices.Sorted(maps.Keys(e.state))
}

func (e *engine) Unread(uint32) {}

func (e *engine) Take() []journal.Notification {
	e.mu.Lock()
	defer e.mu.Unlock()
	var list []journal.Notification
	for ; e.taken < len(e.journal); e.taken++ {
		entry := e.journal[e.taken]
		if !entry.Type.IsNotification() {
			continue
		}
		n, err := journal.DecodeNotification(entry.Type, entry.Body)
		if err != nil {
			e.t.Error(err)
		}
		list = append(list, n)
	}
	return list
}

func (e *engine) Wait(parkable bool, wait func() (*journal.Future, journal.Allocated)) Verdict {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.dying() {
		return Unwind
	}
	if parkable && e.suspends && !e.arrived() {
		e.await, e.allocated = wait()
		e.parks++
		e.dead = true
		return Unwind
	}
	for !e.dead && !e.woken && !e.arrived() {
		if (!parkable || !e.step()) && !e.woken && !e.dead && !e.arrived() {
			e.changed.Wait()
		}
	}
	e.woken = false
	if e.dead {
		return Unwind
	}
	return Proceed
}

func (e *engine) arrived() bool {
	for _, entry := range e.journal[e.taken:] {
		if entry.Type.IsNotification() {
			return true
		}
	}
	return false
}

func (e *engine) Wake() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.woken = true
	e.changed.Broadcast()
}

func (e *engine) ReadState(name string) ([]byte, bool, Verdict) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.dying() {
		return nil, false, Unwind
	}
	v, found := e.state[name]
	return v, found, Proceed
}

func (e *engine) ReadStateKeys() ([]string, Verdict) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.dying() {
		return nil, Unwind
	}
	return e.names(), Proceed
}

func (e *engine) Barrier() Verdict {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.dying() {
		return Unwind
	}
	return Proceed
}

func (e *engine) Propose(completion uint32, r journal.Result) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.dying() {
		e.attempts = 0
		e.arrive(journal.TypeRunCompletion, journal.CompletionID(completion), r)
	}
}

func (e *engine) Go(_ string, fn func()) {
	e.runs.Add(1)
	go func() {
		defer e.runs.Done()
		fn()
	}()
}

func (e *engine) Signal() HostSignal { return make(channelSignal, 1) }

func (e *engine) AfterFunc(d time.Duration, fn func()) (stop func() bool) {
	return time.AfterFunc(d, fn).Stop
}

// The events of the world.

// answer resolves an awakeable.
func (e *engine) answer(index uint32, value string) {
	e.arrive(journal.TypeSignal, journal.SignalID(index), journal.ValueOf([]byte(value)))
}

// cancelInvocation stores a cancel and tells the closures in flight.
func (e *engine) cancelInvocation() {
	e.cancel(ErrCancelled)
	e.ctx, e.cancel = context.WithCancelCause(e.t.Context())
	e.arrive(journal.TypeSignal, journal.SignalID(ident.CancelSignal), journal.VoidResult())
}

// answered reports whether a notification with this id is stored; e.mu is held.
func (e *engine) answered(id journal.NotificationID) bool {
	for _, entry := range e.journal {
		if entry.Type.IsNotification() {
			if n, err := journal.DecodeNotification(entry.Type, entry.Body); err == nil && n.ID == id {
				return true
			}
		}
	}
	return false
}

// fireTimer completes the earliest open sleep; e.mu is held.
func (e *engine) fireTimer() bool {
	var next *journal.Sleep
	for _, c := range e.commands() {
		s, ok := c.(*journal.Sleep)
		if ok && !e.answered(journal.CompletionID(s.Completion)) && (next == nil || s.WakeUpAt < next.WakeUpAt) {
			next = s
		}
	}
	if next == nil {
		return false
	}
	e.arrive(journal.TypeSleepCompletion, journal.CompletionID(next.Completion), journal.VoidResult())
	return true
}
