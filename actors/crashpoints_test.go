package actors

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dormouse-run/dormouse/internal/machine"
	restate "github.com/dormouse-run/dormouse/objects"
)

// crashAtEach tells a story once for each of its first commits and for each side of
// the disk: the process ends before the commit is durable, and before anyone hears
// of it.
func crashAtEach(t *testing.T, commits int, story func(t *testing.T, n int, durable bool)) {
	t.Helper()
	for n := range commits {
		for _, durable := range []bool{false, true} {
			t.Run(fmt.Sprintf("commit %d, durable %t", n, durable), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) { story(t, n, durable) })
			})
		}
	}
}

// trip does one of everything that owes something to somebody.
func trip(w *world) restate.ServiceDefinition {
	return restate.NewObject("Trip").Handler("go", restate.NewObjectHandler(func(ctx restate.ObjectContext, _ restate.Void) (string, error) {
		restate.Set(ctx, "at", "start")
		first, err := restate.Run(ctx, func(restate.RunContext) (int32, error) { return w.runs.Add(1), nil })
		if err != nil {
			return "", err
		}
		restate.ObjectSend(ctx, "Counter", "c", "add").Send(10)
		sum, err := restate.Object[int](ctx, "Counter", "d", "add").Request(1)
		if err != nil {
			return "", err
		}
		if err := restate.Sleep(ctx, time.Second); err != nil {
			return "", err
		}
		restate.Clear(ctx, "at")
		at, err := restate.Get[string](ctx, "at")
		w.note("%d", first)
		return fmt.Sprintf("%d%s", sum, at), err
	}))
}

// TestACrashAtAnyCommitLosesNothingAndDoesNothingTwice ends the process at each
// commit of a story, once before it is durable and once before anyone hears of
// it. What was accepted or not is then asked for again under the same key.
func TestACrashAtAnyCommitLosesNothingAndDoesNothingTwice(t *testing.T) {
	t.Parallel()
	crashAtEach(t, 20, crashAtCommit)
}

func crashAtCommit(t *testing.T, n int, durable bool) {
	w := &world{}
	o := Options{Services: append(w.services(), trip(w)), Linger: -1, InactivityTimeout: -1}
	b := newBench(t, o)
	h, r := b.hold(), &replies{b: b}
	q := ask("Trip", "t", "go", nil)
	q.IdempotencyKey = "k"
	r.ask("trip", func() (string, error) { return r.send(q) })
	for range n {
		h.try(h.before)
		h.try(h.after)
	}
	if durable {
		h.try(h.before)
	}
	b.crashHeld(h, nil)
	wantValue(t, call(b, q).Result, `"1"`)
	advance(time.Minute)
	wantValue(t, call(b, ask("Counter", "c", "get", nil)).Result, "10")
	wantValue(t, call(b, ask("Counter", "d", "get", nil)).Result, "1")
	if again := w.runs.Load(); again > 2 {
		t.Errorf("the closure was executed %d times, with one crash", again)
	}
	advance(time.Minute)
	for _, table := range []machine.Table{machine.TableActive, machine.TableOutbox, machine.TableTimer, machine.TableInbox, machine.TablePending} {
		if left := rowsOf(t, b.store, table); left != 0 {
			t.Errorf("%d rows of table %q are left", left, table)
		}
	}
	r.wait()
	b.close()
}

// try gives a token to the commit that waits for it, if there is one or time
// brings one.
func (h *held) try(token chan struct{}) {
	synctest.Wait()
	select {
	case token <- struct{}{}:
	case <-time.After(5 * time.Second):
	}
	synctest.Wait()
}
