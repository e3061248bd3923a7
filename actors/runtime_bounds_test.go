package actors

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/persistence"
)

// TestManyWaitersOfAMiddleSizedResultAreAnswered: all the copies of the result
// do not fit one output.
func TestManyWaitersOfAMiddleSizedResultAreAnswered(t *testing.T) {
	t.Parallel()
	const waiters, size = 250, 7000
	w := &world{}
	reader := restate.NewService("Reader").Handler("read", restate.NewServiceHandler(func(ctx restate.Context, id string) (int, error) {
		s, err := restate.AttachInvocation[string](ctx, id).Response()
		return len(s), err
	}))
	inBubble(t, Options{Services: append(w.services(), reader)}, func(t *testing.T, b *bench) {
		id := send(b, ask("Desk", "x", "ask", "x"))
		var readers []ident.InvocationID
		for range waiters {
			readers = append(readers, send(b, ask("Reader", "", "read", id.String())))
		}
		synctest.Wait()
		b.resolve(w, "x", strings.Repeat("x", size))
		synctest.Wait()
		for _, r := range readers {
			if got := b.status(r); got != "completed" {
				t.Fatalf("a waiter is %s; %d keys are quarantined", got, b.rt.Stats().Quarantined)
			}
		}
	})
}

// TestALongErrorMessageDoesNotCostTheKey fails with messages that fit no row.
func TestALongErrorMessageDoesNotCostTheKey(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 2<<20)
	var attempts atomic.Int32
	def := restate.NewObject("Wordy").
		Handler("fail", restate.NewObjectHandler(func(restate.ObjectContext, restate.Void) (string, error) {
			return "", restate.TerminalErrorf("%s", long)
		})).
		Handler("retry", restate.NewObjectHandler(func(restate.ObjectContext, restate.Void) (string, error) {
			if attempts.Add(1) < 30 {
				return "", errors.New(long)
			}
			return "ok", nil
		})).
		Handler("run", restate.NewObjectHandler(func(ctx restate.ObjectContext, _ restate.Void) (string, error) {
			err := restate.RunVoid(ctx, func(restate.RunContext) error { return restate.TerminalErrorf("%s", long) })
			return fmt.Sprint(len(err.Message()) > 1000), nil
		}))
	inBubble(t, Options{Services: []restate.ServiceDefinition{def}}, func(t *testing.T, b *bench) {
		wantFailure(t, call(b, ask("Wordy", "x", "fail", nil)).Result, 500)
		wantValue(t, call(b, ask("Wordy", "x", "run", nil)).Result, `"true"`)
		wantValue(t, call(b, ask("Wordy", "x", "retry", nil)).Result, `"ok"`)
	})
}

// TestHotWaitersComeDownToTheBoundAfterABurst holds the disk while many begin to
// wait: the oldest cannot be unloaded meanwhile.
func TestHotWaitersComeDownToTheBoundAfterABurst(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services(), MaxHotWaiters: 2, InactivityTimeout: time.Hour}, func(t *testing.T, b *bench) {
		disk := make(chan struct{})
		b.store.SetHooks(persistence.Hooks{BeforeCommit: func([]*persistence.Batch, persistence.Marks) error { <-disk; return nil }})
		ids := make([]ident.InvocationID, 20)
		var sent sync.WaitGroup
		for i := range ids {
			sent.Go(func() { ids[i] = send(b, ask("Desk", fmt.Sprint(i), "nap", 1800)) })
		}
		synctest.Wait()
		close(disk)
		sent.Wait()
		advance(10 * time.Second)
		if n := b.rt.Stats().HotWaiters; n > 2 {
			t.Errorf("%d handlers wait in memory", n)
		}
		for _, id := range ids {
			wantValue(t, attach(b, id), "1800")
		}
	})
}

// TestRecoveryGoesOnAlthoughKeysInMemoryCannotLeave: closures of invocations that
// were brought back wait for one that was not yet.
func TestRecoveryGoesOnAlthoughKeysInMemoryCannotLeave(t *testing.T) {
	t.Parallel()
	var rt atomic.Pointer[Runtime]
	var last atomic.Pointer[ident.InvocationID]
	var up atomic.Bool
	def := restate.NewService("S").
		Handler("depend", restate.NewServiceHandler(func(ctx restate.Context, _ restate.Void) (string, error) {
			return restate.Run(ctx, func(rc restate.RunContext) (string, error) {
				for !up.Load() {
					if rc.Err() != nil {
						return "", rc.Err()
					}
					advance(time.Second)
				}
				r, err := rt.Load().Attach(rc, *last.Load())
				return string(r.Result.Value), err
			})
		})).
		Handler("serve", restate.NewServiceHandler(func(restate.Context, restate.Void) (string, error) {
			for !up.Load() {
				advance(time.Second)
			}
			return "served", nil
		}))
	o := Options{Services: []restate.ServiceDefinition{def}, MaxLiveActors: 1, CloseGrace: 5 * time.Second}
	inBubble(t, o, func(t *testing.T, b *bench) {
		var ids []ident.InvocationID
		for range 30 {
			ids = append(ids, send(b, ask("S", "", "depend", nil)))
		}
		id := send(b, ask("S", "", "serve", nil))
		last.Store(&id)
		synctest.Wait()
		b.crash()
		rt.Store(b.rt)
		up.Store(true)
		advance(time.Hour)
		for _, id := range append(ids, id) {
			if got := b.status(id); got != "completed" {
				t.Fatalf("an hour after the start an invocation is %s", got)
			}
		}
	})
}

// TestAHandlerThatIsHeldHoldsNoSlot: under pressure others that were accepted
// may end.
func TestAHandlerThatIsHeldHoldsNoSlot(t *testing.T) {
	t.Parallel()
	w := &world{}
	release := make(chan struct{})
	def := restate.NewObject("W").Handler("write", restate.NewObjectHandler(func(ctx restate.ObjectContext, _ restate.Void) (string, error) {
		<-release
		restate.Set(ctx, "x", "y")
		return "ok", nil
	}))
	inBubble(t, Options{Services: append(w.services(), def), MaxRunningHandlers: 1}, func(t *testing.T, b *bench) {
		release = make(chan struct{})
		waits := send(b, ask("Desk", "x", "ask", "x"))
		synctest.Wait()
		writes := send(b, ask("W", "x", "write", nil))
		synctest.Wait()
		var pressed atomic.Bool
		pressed.Store(true)
		b.store.SetHooks(persistence.Hooks{Health: func() persistence.Health {
			if pressed.Load() {
				return persistence.Health{Pressure: persistence.PressureSoft, Reason: "a test"}
			}
			return persistence.Health{}
		}})
		advance(2 * time.Second)
		close(release)
		synctest.Wait()
		b.resolve(w, "x", "yes")
		advance(10 * time.Second)
		if got := b.status(waits); got != "completed" {
			t.Errorf("under pressure an invocation with its answer is %s", got)
		}
		pressed.Store(false)
		wantValue(t, attach(b, writes), `"ok"`)
	})
}

// TestCloseUnderPressureEndsAHandlerThatIsHeld: pressure must not come back
// while the runtime drains.
func TestCloseUnderPressureEndsAHandlerThatIsHeld(t *testing.T) {
	t.Parallel()
	def := restate.NewObject("W").Handler("write", restate.NewObjectHandler(func(ctx restate.ObjectContext, _ restate.Void) (string, error) {
		for range 100 {
			advance(500 * time.Millisecond)
			restate.Set(ctx, "x", "y")
		}
		return "ok", nil
	}))
	inBubble(t, Options{Services: []restate.ServiceDefinition{def}, CloseGrace: 100 * time.Second}, func(t *testing.T, b *bench) {
		send(b, ask("W", "x", "write", nil))
		b.store.SetHooks(persistence.Hooks{Health: func() persistence.Health {
			return persistence.Health{Pressure: persistence.PressureSoft, Reason: "a test"}
		}})
		advance(10 * time.Second)
		start := time.Now()
		b.close()
		if d := time.Since(start); d > 60*time.Second {
			t.Errorf("close took %v", d)
		}
	})
}

// TestAServiceInvocationLeavesNothingBehindItsEnd: its key is not used again, so
// it does not wait for a sweep. One that waits for an answer stays, as keys do.
func TestAServiceInvocationLeavesNothingBehindItsEnd(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		resp := call(b, ask("Echo", "", "echo", "x"))
		synctest.Wait()
		if n := b.rt.Stats().LiveActors; n != 0 {
			t.Errorf("%d actors are live behind the end of a service invocation", n)
		}
		wantValue(t, attach(b, resp.ID), `"x"`)
		id := send(b, ask("Echo", "", "relay", "d"))
		synctest.Wait()
		if n := b.rt.Stats().LiveActors; n != 3 { // with the one that was asked again, and the desk
			t.Errorf("%d actors are live while a service invocation waits", n)
		}
		b.resolve(w, "d", "yes")
		wantValue(t, attach(b, id), `"yes"`)
	})
}
