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
	o.Store, o.Scheduler, o.Logger = b.store, b.sched, slog.New(slog.NewTextHandler(b.t.Output(), nil))
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

func call(b *bench, r Request) Response {
	b.t.Helper()
	resp, err := b.rt.Call(b.t.Context(), r)
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
	resp, err := b.rt.Attach(b.t.Context(), id)
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

func TestACallGivesTheResult(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		wantValue(t, call(b, ask("Echo", "", "echo", "hi")).Result, `"hi"`)
		for i := 1; i <= 3; i++ {
			wantValue(t, call(b, ask("Counter", "a", "add", 2)).Result, fmt.Sprint(2*i))
		}
		wantValue(t, call(b, ask("Counter", "a", "get", nil)).Result, "6")
		wantValue(t, call(b, ask("Counter", "b", "get", nil)).Result, "0")
	})
}

func TestResolveReachesAHandlerThatWaitsInMemory(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		id := send(b, ask("Desk", "x", "ask", "x"))
		synctest.Wait()
		if o := b.resolve(w, "x", "yes"); o != SignalApplied {
			t.Errorf("outcome is %v", o)
		}
		if o := b.resolve(w, "x", "no"); o == SignalApplied {
			t.Errorf("a second answer was applied")
		}
		wantValue(t, attach(b, id), `"yes"`)
		if got := w.noted(); got != "start:x end:x" {
			t.Errorf("events are %q: the handler was started more than once", got)
		}
	})
}

func TestResolveWakesASuspendedHandler(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]Options{
		"after the timeout":    {},
		"suspended at once":    {InactivityTimeout: -1},
		"the actor passivates": {InactivityTimeout: -1, Linger: -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &world{}
			o.Services = w.services()
			inBubble(t, o, func(t *testing.T, b *bench) {
				id := send(b, ask("Desk", "x", "ask", "x"))
				time.Sleep(5 * time.Minute)
				synctest.Wait()
				if got := b.status(id); got != "suspended" {
					t.Fatalf("the invocation is %s", got)
				}
				s := b.rt.Stats()
				if s.LiveActors != 0 || s.Attempts != 0 {
					t.Errorf("a suspended invocation keeps %d actors and %d attempts in memory", s.LiveActors, s.Attempts)
				}
				b.resolve(w, "x", "yes")
				wantValue(t, attach(b, id), `"yes"`)
				if n := w.runs.Load(); n != 1 {
					t.Errorf("the closure was executed %d times", n)
				}
			})
		})
	}
}

func TestExclusiveHandlersRunInTheOrderOfAcceptance(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		var ids []ident.InvocationID
		for _, what := range []string{"1", "2", "3"} {
			ids = append(ids, send(b, ask("Desk", "x", "ask", what)))
		}
		synctest.Wait()
		if got := w.noted(); got != "start:1" {
			t.Fatalf("events are %q", got)
		}
		wantValue(t, call(b, ask("Desk", "x", "peek", nil)).Result, `"1"`)
		for i, what := range []string{"1", "2", "3"} {
			b.resolve(w, what, "ok")
			wantValue(t, attach(b, ids[i]), `"ok"`)
			synctest.Wait()
		}
		if got := w.noted(); got != "start:1 end:1 start:2 end:2 start:3 end:3" {
			t.Errorf("events are %q", got)
		}
	})
}

func TestACrashLosesNothingAndRepeatsNoRun(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		id := send(b, ask("Desk", "x", "ask", "x"))
		queued := send(b, ask("Desk", "x", "ask", "y"))
		synctest.Wait()
		b.crash()
		synctest.Wait()
		b.resolve(w, "x", "yes")
		wantValue(t, attach(b, id), `"yes"`)
		synctest.Wait()
		b.crash()
		b.resolve(w, "y", "also")
		wantValue(t, attach(b, queued), `"also"`)
		if n := w.runs.Load(); n != 2 {
			t.Errorf("%d closures were executed for two runs", n)
		}
	})
}

func TestASleepSurvivesACrashAndDoesNotEndEarly(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		start := time.Now()
		id := send(b, ask("Desk", "x", "nap", 90))
		synctest.Wait()
		time.Sleep(30 * time.Second)
		b.crash()
		wantValue(t, attach(b, id), "90")
		if d := time.Since(start); d < 90*time.Second || d > 91*time.Second {
			t.Errorf("a sleep of 90 s took %v", d)
		}
	})
}

func TestOneKeyCallsAnother(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services(), InactivityTimeout: -1}, func(t *testing.T, b *bench) {
		id := send(b, ask("Echo", "", "relay", "x"))
		synctest.Wait()
		b.crash()
		b.resolve(w, "x", "pong")
		wantValue(t, attach(b, id), `"pong"`)
	})
}

func TestCancelEndsAWaitAndItsCallees(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		id := send(b, ask("Echo", "", "relay", "x"))
		synctest.Wait()
		stored, err := b.rt.Operate(t.Context(), machine.OpCancel, id)
		if err != nil || !stored {
			t.Fatalf("cancel: stored %v, %v", stored, err)
		}
		wantFailure(t, attach(b, id), 409)
		synctest.Wait()
		if got := w.noted(); got != "start:x failed:x" {
			t.Errorf("events are %q: the callee was not cancelled", got)
		}
	})
}

func TestKillFreesTheKey(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		first := send(b, ask("Desk", "x", "ask", "1"))
		second := send(b, ask("Desk", "x", "ask", "2"))
		synctest.Wait()
		if _, err := b.rt.Operate(t.Context(), machine.OpKill, first); err != nil {
			t.Fatalf("kill: %v", err)
		}
		wantFailure(t, attach(b, first), 409)
		synctest.Wait()
		b.resolve(w, "2", "ok")
		wantValue(t, attach(b, second), `"ok"`)
		if got := w.noted(); got != "start:1 start:2 end:2" {
			t.Errorf("events are %q: code of a killed invocation went on", got)
		}
		_, err := b.rt.Operate(t.Context(), machine.OpKill, first)
		var status *StatusError
		if !errors.As(err, &status) || status.Status != machine.StatusCompleted {
			t.Errorf("a second kill gives %v", err)
		}
	})
}

func TestFailedAttemptsAreRepeated(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		start := time.Now()
		wantValue(t, call(b, ask("Desk", "x", "flaky", nil)).Result, `"at last"`)
		if d := time.Since(start); d < time.Second || d > 3*time.Second {
			t.Errorf("two retries took %v", d)
		}
	})
}

func TestPauseAndResume(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services(), InactivityTimeout: -1}, func(t *testing.T, b *bench) {
		id := send(b, ask("Desk", "x", "ask", "x"))
		synctest.Wait()
		if _, err := b.rt.Operate(t.Context(), machine.OpPause, id); err != nil {
			t.Fatalf("pause: %v", err)
		}
		b.resolve(w, "x", "yes")
		time.Sleep(time.Minute)
		if got := b.status(id); got != "paused" {
			t.Fatalf("the invocation is %s", got)
		}
		if _, err := b.rt.Operate(t.Context(), machine.OpResume, id); err != nil {
			t.Fatalf("resume: %v", err)
		}
		wantValue(t, attach(b, id), `"yes"`)
	})
}

func TestAnIdempotentRequestIsDoneOnce(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		r := ask("Counter", "a", "add", 1)
		r.IdempotencyKey = "k"
		first := call(b, r)
		again := call(b, r)
		if first.ID != again.ID || again.ExpiresAt.IsZero() {
			t.Errorf("ids %s and %s, expires %v", first.ID, again.ID, again.ExpiresAt)
		}
		wantValue(t, again.Result, "1")
		a, err := b.rt.Send(t.Context(), r)
		if err != nil || !a.Previously {
			t.Errorf("send with the same key: %+v, %v", a, err)
		}
	})
}

func TestADelayedSendStartsWhenItIsDue(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		delay := 10 * time.Second
		r := ask("Counter", "a", "add", 1)
		r.Delay = &delay
		id := send(b, r)
		start := time.Now()
		wantValue(t, attach(b, id), "1")
		if d := time.Since(start); d < delay || d > delay+time.Second {
			t.Errorf("it was done after %v", d)
		}
	})
}

func TestRequestsAreRefusedByName(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services(), MaxPayload: 1000}, func(t *testing.T, b *bench) {
		long := strings.Repeat("k", 2000)
		for _, tc := range []struct {
			request Request
			want    error
		}{
			{ask("Nope", "", "echo", "x"), ErrUnknownService},
			{ask("Echo", "", "nope", "x"), ErrUnknownHandler},
			{ask("Counter", long, "get", nil), ErrInvalid},
			{ask("Counter", "\xff", "get", nil), ErrInvalid},
			{ask("Echo", "", "echo", long), ErrTooLarge},
		} {
			if _, err := b.rt.Call(t.Context(), tc.request); !errors.Is(err, tc.want) {
				t.Errorf("%s/%s gives %v, want %v", tc.request.Service, tc.request.Handler, err, tc.want)
			}
		}
		unknown := ident.RandomID(ident.Target{Service: "Echo", Handler: "echo", Kind: ident.KindService}, 1, [16]byte{1})
		if _, err := b.rt.Attach(t.Context(), unknown); !errors.Is(err, ErrUnknownInvocation) {
			t.Errorf("attach to an unknown invocation gives %v", err)
		}
		if _, err := b.rt.Signal(t.Context(), unknown, journal.SignalID(17), journal.VoidResult()); !errors.Is(err, ErrUnknownInvocation) {
			t.Errorf("a signal to an unknown invocation gives %v", err)
		}
		id := send(b, ask("Desk", "x", "ask", "x"))
		if _, err := b.rt.Output(t.Context(), id); !errors.Is(err, ErrNotReady) {
			t.Errorf("the output of a waiting invocation gives %v", err)
		}
	})
}

func TestAClientThatLeavesChangesNothing(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		ctx, leave := context.WithTimeout(t.Context(), time.Second)
		defer leave()
		r := ask("Desk", "x", "ask", "x")
		r.IdempotencyKey = "k"
		if _, err := b.rt.Call(ctx, r); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("the call gives %v", err)
		}
		if n := b.rt.Stats().Requests; n != 0 {
			t.Errorf("%d requests wait", n)
		}
		b.resolve(w, "x", "yes")
		wantValue(t, call(b, r).Result, `"yes"`)
	})
}

func signalOf(id ident.AwakeableID) journal.NotificationID { return journal.SignalID(id.Index) }

func valueOf(v any) journal.Result {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return journal.ValueOf(body)
}
