package actors

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
)

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
				advance(5 * time.Minute)
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
		advance(30 * time.Second)
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
		advance(time.Minute)
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
