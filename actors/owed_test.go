package actors

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/dormouse-run/dormouse/internal/machine"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/persistence"
)

// The tests of this file are rules R7 and R8: what one key owes another is
// handed over once, in order, whenever the process ends.

// post is an object that writes letters when the test says so, and one that
// gets them.
func post(w *world, gates map[string]chan struct{}, started func()) []restate.ServiceDefinition {
	write := func(ctx restate.ObjectSharedContext, letters []string) (string, error) {
		started()
		for _, l := range letters {
			<-gates[l]
			restate.ObjectSend(ctx, "Box", "b", "put").Send(l)
		}
		return "", nil
	}
	return []restate.ServiceDefinition{
		restate.NewObject("Pen").
			Handler("write", restate.NewObjectSharedHandler(write)),
		restate.NewObject("Box").
			Handler("put", restate.NewObjectHandler(func(_ restate.ObjectContext, l string) (string, error) {
				w.note("%s", l)
				return "", nil
			})),
	}
}

// TestWhatASenderWroteLaterArrivesLaterAlsoAfterACrash sends from two handlers,
// the younger one first.
func TestWhatASenderWroteLaterArrivesLaterAlsoAfterACrash(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, gates := &world{}, map[string]chan struct{}{"1": make(chan struct{}), "2": make(chan struct{})}
		b := newBench(t, Options{Services: post(w, gates, func() {})})
		send(b, ask("Pen", "p", "write", []string{"2"}))
		send(b, ask("Pen", "p", "write", []string{"1"}))
		synctest.Wait()
		h, r := b.hold(), replies{b: b}
		r.ask("another", func() (string, error) { return r.send(ask("Pen", "other", "write", []string{})) })
		close(gates["1"])
		synctest.Wait()
		close(gates["2"])
		synctest.Wait()
		h.commit()
		h.write() // both letters are on disk, and nobody has posted them
		if got := w.noted(); got != "" {
			t.Fatalf("letters are %q", got)
		}
		b.crashHeld(h, nil)
		advance(time.Minute)
		if got := w.noted(); got != "1 2" {
			t.Errorf("letters are %q", got)
		}
		r.wait()
		b.close()
	})
}

// TestNoAttemptStartsBeforeOldDebtsArePaid crashes between two letters of one
// handler. Every commit of the next process takes a while, so that whatever may
// overtake does.
func TestNoAttemptStartsBeforeOldDebtsArePaid(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, gates := &world{}, map[string]chan struct{}{"1": make(chan struct{}), "2": make(chan struct{})}
		var store *persistence.Memory
		owed := -1
		b := newBench(t, Options{Services: post(w, gates, func() {
			if store != nil {
				owed = rowsOf(t, store, machine.TableOutbox)
			}
		})})
		id := send(b, ask("Pen", "p", "write", []string{"1", "2"}))
		synctest.Wait()
		h := b.hold()
		close(gates["1"])
		synctest.Wait()
		h.write()
		close(gates["2"])
		b.crashHeld(h, func(next *persistence.Memory) {
			store = next
			if n := rowsOf(t, next, machine.TableOutbox); n != 1 {
				t.Fatalf("%d letters are owed after the crash, want 1", n)
			}
			next.SetHooks(persistence.Hooks{BeforeCommit: func([]*persistence.Batch, persistence.Marks) error {
				advance(time.Millisecond)
				return nil
			}})
		})
		_ = attach(b, id)
		advance(time.Minute)
		if owed != 0 {
			t.Errorf("%d old letters were owed when the handler started again", owed)
		}
		if got := w.noted(); got != "1 2" {
			t.Errorf("letters are %q", got)
		}
		b.close()
	})
}

// TestAResultThatNobodyHasHandedOverReachesItsCallerAfterACrash is rule R8.
func TestAResultThatNobodyHasHandedOverReachesItsCallerAfterACrash(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services(), InactivityTimeout: -1, Linger: -1}, func(t *testing.T, b *bench) {
		id := send(b, ask("Echo", "", "relay", "x"))
		advance(time.Minute)
		h, r, answer := b.hold(), replies{b: b}, w.awakeable(t, "x")
		r.ask("answer", func() (string, error) { return r.signal(answer, "pong") })
		for rowsOf(t, b.store, machine.TableOutbox) == 0 {
			h.write()
			if rowsOf(t, b.store, machine.TableOutbox) == 0 {
				h.after <- struct{}{}
				synctest.Wait()
			}
		}
		b.crashHeld(h, nil)
		wantValue(t, attach(b, id), `"pong"`)
		r.wait()
	})
}
