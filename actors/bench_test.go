package actors

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/persistence"
)

// bench is a runtime in a bubble, on a store that may crash.
type bench struct {
	t       *testing.T
	rt      *Runtime
	store   *persistence.Memory
	options Options
	sched   *Goroutines
	// damaged says that the test damages rows itself: they need not fit each other.
	damaged bool
}

// inBubble runs a test with a runtime, under synthetic time, and checks that
// nothing of the runtime is left at the end.
func inBubble(t *testing.T, o Options, test func(t *testing.T, b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bench{t: t, options: o}
		b.store = persistence.NewMemory().(*persistence.Memory)
		b.open()
		test(t, b)
		b.close()
	})
}

func (b *bench) open() {
	b.t.Helper()
	b.sched = new(Goroutines)
	o := b.options
	o.Store, o.Scheduler = b.store, b.sched
	if !b.damaged {
		auditStore(b.t, b.store)
		o.Store = &audited{Memory: b.store, t: b.t}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(b.t.Output(), nil))
	}
	rt, err := Open(b.t.Context(), o)
	if err != nil {
		b.t.Fatalf("open: %v", err)
	}
	b.rt = rt
}

func (b *bench) close() {
	b.t.Helper()
	if err := b.rt.Close(); err != nil {
		b.t.Errorf("close: %v", err)
	}
	synctest.Wait()
	if live := b.sched.Live(); len(live) > 0 {
		b.t.Errorf("goroutines are left after Close: %v", live)
	}
}

// crash ends the process, as far as the store can tell, and starts another one.
func (b *bench) crash() {
	b.t.Helper()
	next := b.store.Crash()
	if err := b.rt.Close(); err != nil && !errors.Is(err, persistence.ErrClosed) {
		b.t.Logf("close after the crash: %v", err)
	}
	b.store = next
	b.open()
}

// patience is how long a request of a test waits, on the clock of its bubble,
// before it fails: what is stuck shall not end all tests.
const patience = 24 * time.Hour

func call(b *bench, r Request) Response {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), patience)
	defer cancel()
	resp, err := b.rt.Call(ctx, r)
	if err != nil {
		b.t.Fatalf("call %s/%s: %v", r.Service, r.Handler, err)
	}
	return resp
}

func send(b *bench, r Request) ident.InvocationID {
	b.t.Helper()
	a, err := b.rt.Send(b.t.Context(), r)
	if err != nil {
		b.t.Fatalf("send %s/%s: %v", r.Service, r.Handler, err)
	}
	return a.ID
}

func attach(b *bench, id ident.InvocationID) journal.Result {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), patience)
	defer cancel()
	resp, err := b.rt.Attach(ctx, id)
	if err != nil {
		b.t.Fatalf("attach %s: %v", id, err)
	}
	return resp.Result
}

func ask(service, key, handler string, input any) Request {
	body, err := json.Marshal(input)
	if err != nil {
		panic(err)
	}
	if input == nil {
		body = nil
	}
	return Request{Service: service, Key: key, Handler: handler, Body: body, Origin: machine.ByProcess}
}

// heavy makes a request whose input is more than the record of an invocation
// keeps, so that its journal has a row of its own.
func heavy(r Request) Request {
	r.Headers = append(r.Headers, journal.Header{Key: "x-weight", Value: strings.Repeat("w", 2*machine.MaxTailBytes)})
	return r
}

func wantValue(t *testing.T, r journal.Result, want string) {
	t.Helper()
	if r.Kind != journal.ResultValue || string(r.Value) != want {
		t.Fatalf("result is %+v %q (%+v), want the value %q", r.Kind, r.Value, r.Failure, want)
	}
}

func wantFailure(t *testing.T, r journal.Result, code uint32) {
	t.Helper()
	if r.Kind != journal.ResultFailure || r.Failure.Code != code {
		t.Fatalf("result is %+v %q (%+v), want a failure with code %d", r.Kind, r.Value, r.Failure, code)
	}
}

func (b *bench) status(id ident.InvocationID) string {
	b.t.Helper()
	in, err := b.rt.Inspect(b.t.Context(), id, InspectOptions{})
	if err != nil {
		b.t.Fatalf("inspect: %v", err)
	}
	return in.Invocation.Status.String()
}

// world is what handlers of the tests share with them.
type world struct {
	mu     sync.Mutex
	ids    map[string]string
	events []string
	runs   atomic.Int32
}

func (w *world) note(format string, a ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, fmt.Sprintf(format, a...))
}

func (w *world) noted() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.events, " ")
}

func (w *world) put(key, id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ids == nil {
		w.ids = map[string]string{}
	}
	w.ids[key] = id
}

func (w *world) awakeable(t *testing.T, key string) ident.AwakeableID {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	id, err := ident.ParseAwakeableID(w.ids[key])
	if err != nil {
		t.Fatalf("awakeable of %s: %v", key, err)
	}
	return id
}

// services of the tests.
func (w *world) services() []restate.ServiceDefinition {
	return []restate.ServiceDefinition{
		restate.NewService("Echo").
			Handler("echo", restate.NewServiceHandler(func(_ restate.Context, s string) (string, error) { return s, nil })).
			Handler("relay", restate.NewServiceHandler(func(ctx restate.Context, s string) (string, error) {
				return restate.Object[string](ctx, "Desk", s, "ask").Request(s)
			})),
		restate.NewObject("Counter").
			Handler("add", restate.NewObjectHandler(func(ctx restate.ObjectContext, n int) (int, error) {
				old, err := restate.Get[int](ctx, "n")
				if err != nil {
					return 0, err
				}
				restate.Set(ctx, "n", old+n)
				return old + n, nil
			})).
			Handler("get", restate.NewObjectSharedHandler(func(ctx restate.ObjectSharedContext, _ restate.Void) (int, error) {
				return restate.Get[int](ctx, "n")
			})),
		restate.NewObject("Desk").
			Handler("ask", restate.NewObjectHandler(w.ask)).
			Handler("nap", restate.NewObjectHandler(w.nap)).
			Handler("flaky", restate.NewObjectHandler(w.flaky)).
			Handler("peek", restate.NewObjectSharedHandler(func(ctx restate.ObjectSharedContext, _ restate.Void) (string, error) {
				return restate.Get[string](ctx, "asked")
			})),
	}
}

// ask waits for an awakeable, whose id it hands out in a Run.
func (w *world) ask(ctx restate.ObjectContext, what string) (string, error) {
	w.note("start:%s", what)
	restate.Set(ctx, "asked", what)
	a := restate.Awakeable[string](ctx)
	if err := restate.RunVoid(ctx, func(restate.RunContext) error {
		w.runs.Add(1)
		w.put(what, a.Id())
		return nil
	}); err != nil {
		return "", err
	}
	answer, err := a.Result()
	if err != nil {
		w.note("failed:%s", what)
		return "", err
	}
	w.note("end:%s", what)
	return answer, nil
}

func (w *world) nap(ctx restate.ObjectContext, seconds int) (int, error) {
	if err := restate.Sleep(ctx, time.Duration(seconds)*time.Second); err != nil {
		return 0, err
	}
	return seconds, nil
}

// flaky fails twice.
func (w *world) flaky(restate.ObjectContext, restate.Void) (string, error) {
	if w.runs.Add(1) < 3 {
		return "", errors.New("not yet")
	}
	return "at last", nil
}

func (b *bench) resolve(w *world, key, value string) SignalOutcome {
	b.t.Helper()
	id := w.awakeable(b.t, key)
	body, err := json.Marshal(value)
	if err != nil {
		b.t.Fatal(err)
	}
	o, err := b.rt.Signal(b.t.Context(), id.Invocation, journal.SignalID(id.Index), journal.ValueOf(body))
	if err != nil {
		b.t.Fatalf("resolve %s: %v", key, err)
	}
	return o
}

func signalOf(id ident.AwakeableID) journal.NotificationID { return journal.SignalID(id.Index) }

func valueOf(v any) journal.Result {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return journal.ValueOf(body)
}
