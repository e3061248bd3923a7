package actors

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/persistence"
)

// reopen closes the runtime and starts another one on what it has stored.
func (b *bench) reopen() {
	b.t.Helper()
	b.close()
	b.store = b.store.Crash()
	b.open()
}

func TestCloseSuspendsWhoWaitsAndTheNextStartGoesOn(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		id := send(b, ask("Desk", "x", "ask", "x"))
		synctest.Wait()
		b.reopen()
		if got := b.status(id); got != "suspended" {
			t.Errorf("after a clean stop the invocation is %s", got)
		}
		b.resolve(w, "x", "yes")
		wantValue(t, attach(b, id), `"yes"`)
	})
}

func TestARequestThatWaitsWhenTheRuntimeStopsHasAnUnknownOutcome(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		got := make(chan error, 1)
		go func() {
			_, err := b.rt.Call(t.Context(), ask("Desk", "x", "ask", "x"))
			got <- err
		}()
		synctest.Wait()
		b.reopen()
		var unknown *OutcomeUnknownError
		if err := <-got; !errors.As(err, &unknown) {
			t.Fatalf("the call gives %v", err)
		}
		b.resolve(w, "x", "yes")
		wantValue(t, attach(b, unknown.ID), `"yes"`)
	})
}

func TestAStoppedRuntimeRefusesRequests(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		if err := b.rt.Drain(t.Context()); err != nil {
			t.Fatalf("drain: %v", err)
		}
		if _, err := b.rt.Call(t.Context(), ask("Echo", "", "echo", "x")); !errors.Is(err, ErrStopped) {
			t.Errorf("a call while draining gives %v", err)
		}
		b.close()
		b.close() // closing twice is fine
		if _, err := b.rt.Send(t.Context(), ask("Echo", "", "echo", "x")); !errors.Is(err, ErrStopped) {
			t.Errorf("a send after Close gives %v", err)
		}
		select {
		case <-b.rt.Done():
		default:
			t.Error("Done is open after Close")
		}
	})
}

// runner is an object whose one handler executes a closure of the test.
func runner(name string, run func(rc restate.RunContext) (string, error), opts ...restate.RunOption) restate.ServiceDefinition {
	return restate.NewObject(name).Handler("run", restate.NewObjectHandler(func(ctx restate.ObjectContext, _ restate.Void) (string, error) {
		return restate.Run(ctx, run, opts...)
	}))
}

func TestShutdownInterruptsARunWithoutStoringAFailure(t *testing.T) {
	t.Parallel()
	calls := 0
	var cause error
	def := runner("R", func(rc restate.RunContext) (string, error) {
		if calls++; calls > 1 {
			return "done", nil
		}
		<-rc.Done()
		cause = context.Cause(rc)
		return "", rc.Err()
	}, restate.WithMaxRetryAttempts(1))
	inBubble(t, Options{Services: []restate.ServiceDefinition{def}}, func(t *testing.T, b *bench) {
		id := send(b, ask("R", "x", "run", nil))
		synctest.Wait()
		b.reopen()
		wantValue(t, attach(b, id), `"done"`)
		if !errors.Is(cause, ErrShutdown) {
			t.Errorf("the cause was %v", cause)
		}
	})
}

func TestCodeThatDoesNotEndIsAbandonedAndNamed(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	def := runner("R", func(restate.RunContext) (string, error) { <-release; return "", nil })
	synctest.Test(t, func(t *testing.T) {
		release = make(chan struct{})
		rt, err := Open(t.Context(), Options{Services: []restate.ServiceDefinition{def}})
		if err != nil {
			t.Fatal(err)
		}
		a, err := rt.Send(t.Context(), ask("R", "x", "run", nil))
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		start := time.Now()
		err = rt.Close()
		if err == nil || !strings.Contains(err.Error(), a.ID.String()) || !strings.Contains(err.Error(), "goroutine") {
			t.Errorf("Close gives %v", err)
		}
		if d := time.Since(start); d < 10*time.Second || d > 15*time.Second {
			t.Errorf("Close took %v", d)
		}
		close(release)
		synctest.Wait()
	})
}

func TestAKilledInvocationHandsItsKeyOnWhenItsCodeHasEnded(t *testing.T) {
	t.Parallel()
	w := &world{}
	for name, ends := range map[string]bool{"code that listens": true, "code that does not": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			release := make(chan struct{})
			calls := 0
			def := runner("R", func(rc restate.RunContext) (string, error) {
				if calls++; calls > 1 {
					return "second", nil
				}
				if ends {
					<-rc.Done()
					advance(time.Second)
				} else {
					<-release
				}
				return "", nil
			})
			inBubble(t, Options{Services: append(w.services(), def)}, func(t *testing.T, b *bench) {
				release = make(chan struct{})
				first := send(b, ask("R", "x", "run", nil))
				second := send(b, ask("R", "x", "run", nil))
				synctest.Wait()
				start := time.Now()
				if _, err := b.rt.Operate(t.Context(), machine.OpKill, first); err != nil {
					t.Fatal(err)
				}
				wantFailure(t, attach(b, first), 409)
				wantValue(t, attach(b, second), `"second"`)
				d, abandoned := time.Since(start), b.rt.Stats().Abandoned
				switch {
				case ends && (d < time.Second || d > 2*time.Second || abandoned != 0):
					t.Errorf("the key was handed on after %v, %d attempts abandoned", d, abandoned)
				case !ends && (d < 10*time.Second || d > 15*time.Second || abandoned != 1):
					t.Errorf("the key was handed on after %v, %d attempts abandoned", d, abandoned)
				}
				close(release)
			})
		})
	}
}

func TestAFailedCommitStopsTheRuntimeAndAnswersNothing(t *testing.T) {
	t.Parallel()
	w := &world{}
	synctest.Test(t, func(t *testing.T) {
		store := persistence.NewMemory().(*persistence.Memory)
		rt, err := Open(t.Context(), Options{Store: store, Services: w.services()})
		if err != nil {
			t.Fatal(err)
		}
		broken := errors.New("input/output error")
		store.SetHooks(persistence.Hooks{BeforeCommit: func([]*persistence.Batch, persistence.Marks) error { return broken }})
		r := ask("Counter", "a", "add", 1)
		var unknown *OutcomeUnknownError
		if _, err := rt.Call(t.Context(), r); !errors.As(err, &unknown) {
			t.Errorf("a call whose commit fails gives %v", err)
		}
		<-rt.Done()
		if !errors.Is(rt.Err(), broken) {
			t.Errorf("Err is %v", rt.Err())
		}
		if _, err := rt.Call(t.Context(), r); !errors.Is(err, ErrStopped) {
			t.Errorf("a call afterwards gives %v", err)
		}
		_ = rt.Close() // the store has failed
		synctest.Wait()
	})
}

func TestTwoRuntimesLiveInOneProcess(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		other := &bench{t: t, options: b.options, store: persistence.NewMemory().(*persistence.Memory)}
		other.open()
		wantValue(t, call(b, ask("Counter", "a", "add", 1)).Result, "1")
		wantValue(t, call(other, ask("Counter", "a", "add", 5)).Result, "5")
		other.close()
		wantValue(t, call(b, ask("Counter", "a", "add", 1)).Result, "2")
	})
}

func TestAHandlerThatIsNotBoundWaitsForTheNextBuild(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		id := send(b, ask("Desk", "x", "ask", "x"))
		synctest.Wait()
		b.options.Services = nil
		b.crash()
		advance(time.Hour)
		synctest.Wait()
		in, err := b.rt.Inspect(t.Context(), id, InspectOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if f := in.Invocation.Failures; in.Invocation.Status != machine.StatusBackingOff || !strings.Contains(f[len(f)-1].Message, "not bound in this build") {
			t.Fatalf("the invocation is %s, its failures are %+v", in.Invocation.Status, f)
		}
		b.options.Services = w.services()
		b.crash()
		b.resolve(w, "x", "yes")
		wantValue(t, attach(b, id), `"yes"`)
	})
}

func TestTheOldestWaiterIsSuspendedWhenTooManyWait(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services(), MaxHotWaiters: 2}, func(t *testing.T, b *bench) {
		var ids []ident.InvocationID
		for _, key := range []string{"1", "2", "3"} {
			ids = append(ids, send(b, ask("Desk", key, "ask", key)))
			advance(time.Second)
		}
		if got := []string{b.status(ids[0]), b.status(ids[1]), b.status(ids[2])}; got[0] != "suspended" || got[1] != "ready" || got[2] != "ready" {
			t.Errorf("statuses are %v", got)
		}
		if n := b.rt.Stats().HotWaiters; n != 2 {
			t.Errorf("%d handlers wait in memory", n)
		}
	})
}

// TestRunsHoldNoSlot would never end if a handler kept its slot while its
// closure waits for another handler.
func TestRunsHoldNoSlot(t *testing.T) {
	t.Parallel()
	w := &world{}
	var rt *Runtime
	def := runner("R", func(rc restate.RunContext) (string, error) {
		r, err := rt.Call(rc, ask("Echo", "", "echo", "inner"))
		return string(r.Result.Value), err
	})
	inBubble(t, Options{Services: append(w.services(), def), MaxRunningHandlers: 1}, func(t *testing.T, b *bench) {
		rt = b.rt
		wantValue(t, call(b, ask("R", "x", "run", nil)).Result, `"\"inner\""`)
	})
}

func TestAHandlerThatHogsItsSlotLosesIt(t *testing.T) {
	t.Parallel()
	w := &world{}
	def := restate.NewService("Hog").Handler("hog", restate.NewServiceHandler(func(restate.Context, restate.Void) (string, error) {
		advance(3 * time.Minute)
		return "fed", nil
	}))
	inBubble(t, Options{Services: append(w.services(), def), MaxRunningHandlers: 1}, func(t *testing.T, b *bench) {
		hog := send(b, ask("Hog", "", "hog", nil))
		synctest.Wait()
		start := time.Now()
		wantValue(t, call(b, ask("Echo", "", "echo", "hi")).Result, `"hi"`)
		if d := time.Since(start); d < time.Minute || d > 2*time.Minute {
			t.Errorf("the slot was free after %v", d)
		}
		wantValue(t, attach(b, hog), `"fed"`)
	})
}

func TestASignalRightBehindASendFindsItsInvocation(t *testing.T) {
	t.Parallel()
	var w world
	receiver := restate.NewObject("Receiver").Handler("wait", restate.NewObjectHandler(func(ctx restate.ObjectContext, _ restate.Void) (string, error) {
		return restate.Signal[string](ctx, "go").Result()
	}))
	sender := restate.NewService("Sender").Handler("send", restate.NewServiceHandler(func(ctx restate.Context, _ restate.Void) (string, error) {
		id := restate.ObjectSend(ctx, "Receiver", "r", "wait").Send(restate.Void{}).GetInvocationId()
		restate.ResolveSignal(ctx, id, "go", "went")
		return restate.AttachInvocation[string](ctx, id).Response()
	}))
	inBubble(t, Options{Services: append(w.services(), receiver, sender)}, func(t *testing.T, b *bench) {
		wantValue(t, call(b, ask("Sender", "", "send", nil)).Result, `"went"`)
	})
}

// TestASignalBehindASendIsNotLostWhenTheRuntimeStops between the two: what the send
// owes waits for the next start, and so must what is owed to its invocation.
func TestASignalBehindASendIsNotLostWhenTheRuntimeStops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		receiver := restate.NewObject("Receiver").Handler("wait", restate.NewObjectHandler(func(ctx restate.ObjectContext, _ restate.Void) (string, error) {
			return restate.Signal[string](ctx, "go").Result()
		}))
		var sent string
		sender := restate.NewService("Sender").Handler("send", restate.NewServiceHandler(func(ctx restate.Context, _ restate.Void) (string, error) {
			sent = restate.ObjectSend(ctx, "Receiver", "r", "wait").Send(restate.Void{}).GetInvocationId()
			restate.ResolveSignal(ctx, sent, "go", "went")
			return "", nil
		}))
		b := newBench(t, Options{Services: []restate.ServiceDefinition{receiver, sender}})
		h := b.hold()
		r := &replies{b: b}
		r.ask("send", func() (string, error) { return r.send(ask("Sender", "", "send", nil)) })
		closed := make(chan error)
		go func() { closed <- b.rt.Close() }()
		synctest.Wait() // no key takes anything any more
		h.release()
		if err := <-closed; err != nil {
			t.Errorf("close: %v", err)
		}
		b.store = b.store.Crash()
		b.open()
		id, err := ident.ParseInvocationID(sent)
		if err != nil {
			t.Fatal(err)
		}
		wantValue(t, attach(b, id), `"went"`)
		b.close()
	})
}

func TestWhatIsOwedToNobodyIsAnsweredAndRemoved(t *testing.T) {
	t.Parallel()
	unknown := ident.RandomID(ident.Target{Service: "Echo", Handler: "echo", Kind: ident.KindService}, 1, [16]byte{1}).String()
	def := restate.NewService("S").Handler("attach", restate.NewServiceHandler(func(ctx restate.Context, _ restate.Void) (string, error) {
		restate.CancelInvocation(ctx, unknown)
		return restate.AttachInvocation[string](ctx, unknown).Response()
	}))
	inBubble(t, Options{Services: []restate.ServiceDefinition{def}}, func(t *testing.T, b *bench) {
		wantFailure(t, call(b, ask("S", "", "attach", nil)).Result, 404)
		synctest.Wait()
		if n := rows(t, b, machine.TableOutbox); n != 0 {
			t.Errorf("%d outbox rows are left", n)
		}
	})
}

// TestWhatIsOwedToNobodyIsAnsweredWhileSomebodyWatches: the output that answers
// is of no key, and says nothing to those who watch.
func TestWhatIsOwedToNobodyIsAnsweredWhileSomebodyWatches(t *testing.T) {
	t.Parallel()
	unknown := ident.RandomID(ident.Target{Service: "Echo", Handler: "echo", Kind: ident.KindService}, 1, [16]byte{1}).String()
	def := restate.NewService("S").Handler("attach", restate.NewServiceHandler(func(ctx restate.Context, _ restate.Void) (string, error) {
		return restate.AttachInvocation[string](ctx, unknown).Response()
	}))
	inBubble(t, Options{Services: []restate.ServiceDefinition{def}}, func(t *testing.T, b *bench) {
		f := follow(b, EventOptions{})
		wantFailure(t, call(b, ask("S", "", "attach", nil)).Result, 404)
		synctest.Wait()
		if n := rows(t, b, machine.TableOutbox); n != 0 {
			t.Errorf("%d outbox rows are left", n)
		}
		f.leave()
	})
}

// rows counts the rows of a table.
func rows(t *testing.T, b *bench, table machine.Table) (n int) {
	t.Helper()
	for p := range ident.Partition(ident.Partitions) {
		from, to := machine.Key{Partition: p, Table: table}, machine.Key{Partition: p, Table: table, A: 1<<64 - 1}
		if err := b.rt.scan(from, to, func(machine.Row) bool { n++; return true }); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

func TestNothingIsLeftWhenRetentionIsOver(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		id := send(b, ask("Desk", "x", "ask", "x"))
		synctest.Wait()
		b.resolve(w, "x", "yes")
		wantValue(t, attach(b, id), `"yes"`)
		advance(26 * time.Hour)
		if _, err := b.rt.Output(t.Context(), id); !errors.Is(err, ErrUnknownInvocation) {
			t.Errorf("the output of an expired invocation gives %v", err)
		}
		if o := b.resolve(w, "x", "again"); o != SignalCompleted {
			t.Errorf("a repeated callback gives %v", o)
		}
		advance(26 * time.Hour)
		for _, table := range []machine.Table{machine.TableInvocation, machine.TableJournal, machine.TableExpiry, machine.TableOutbox, machine.TableActive, machine.TableTimer, machine.TableChore} {
			if n := rows(t, b, table); n != 0 {
				t.Errorf("%d rows of table %q are left", n, table)
			}
		}
		id2 := w.awakeable(t, "x")
		if _, err := b.rt.Signal(t.Context(), id2.Invocation, journal.SignalID(id2.Index), journal.VoidResult()); !errors.Is(err, ErrUnknownInvocation) {
			t.Errorf("a callback after the marker is gone gives %v", err)
		}
	})
}
