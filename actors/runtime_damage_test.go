package actors

import (
	"errors"
	"fmt"
	"slices"
	"strings"
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

// damage removes rows behind the back of the runtime, which is closed for it.
func (b *bench) damage(keys ...machine.Key) {
	b.t.Helper()
	b.close()
	b.store = b.store.Crash()
	var writes []machine.Write
	for _, k := range keys {
		writes = append(writes, machine.Write{Delete: k})
	}
	batch, err := b.store.Encode(ident.NewSeq(b.store.Info().Boot, 1), writes)
	if err == nil {
		err = b.store.Commit([]*persistence.Batch{batch}, persistence.Marks{})
	}
	if err != nil {
		b.t.Fatal(err)
	}
	b.store = b.store.Crash()
	b.damaged = true
	if found, _ := findings(b.t, b.store); len(found) == 0 {
		b.t.Errorf("an audit finds nothing although %v are gone", keys)
	}
	b.open()
}

func TestDamageQuarantinesOneKeyByName(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		id := send(b, heavy(ask("Desk", "x", "ask", "x")))
		synctest.Wait()
		in, err := b.rt.Inspect(t.Context(), id, InspectOptions{})
		if err != nil {
			t.Fatal(err)
		}
		b.damage((&machine.JournalRow{Partition: id.Partition(), Birth: in.Invocation.Birth}).Key())
		got := make(chan error, 1)
		go func() {
			_, err := b.rt.Attach(t.Context(), id)
			got <- err
		}()
		synctest.Wait()
		b.resolve(w, "x", "yes") // it is stored before the journal is read
		var quarantined *QuarantinedError
		if err := <-got; !errors.As(err, &quarantined) || quarantined.Object.Key != "x" {
			t.Errorf("who waited gets %v", err)
		}
		if _, err := b.rt.Call(t.Context(), ask("Desk", "x", "peek", nil)); !errors.As(err, &quarantined) {
			t.Errorf("a later call gives %v", err)
		}
		wantValue(t, call(b, ask("Counter", "a", "add", 1)).Result, "1")
		if n := b.rt.Stats().Quarantined; n != 1 {
			t.Errorf("%d keys are quarantined", n)
		}
	})
}

// TestAnInvocationThatEndsTheProcessIsStartedAloneAndAtLastPaused crashes while
// a handler runs, again and again.
func TestAnInvocationThatEndsTheProcessIsStartedAloneAndAtLastPaused(t *testing.T) {
	t.Parallel()
	w := &world{}
	var started atomic.Int32
	release := make(chan struct{})
	def := restate.NewService("Poison").Handler("drink", restate.NewServiceHandler(func(restate.Context, restate.Void) (string, error) {
		started.Add(1)
		<-release
		return "", nil
	}))
	inBubble(t, Options{Services: append(w.services(), def), CloseGrace: time.Second}, func(t *testing.T, b *bench) {
		release = make(chan struct{})
		id := send(b, ask("Poison", "", "drink", nil))
		other := send(b, ask("Desk", "x", "ask", "x"))
		synctest.Wait()
		for n := 1; n <= 10; n++ {
			before := started.Load()
			b.crash()
			advance(2 * time.Minute) // back-off of an invocation that is started alone
			if in, err := b.rt.Inspect(t.Context(), id, InspectOptions{}); err != nil || in.Invocation.Retry.Deaths != uint32(n) {
				t.Fatalf("after %d crashes: %+v, %v", n, in, err)
			}
			if got := started.Load() - before; n < 10 && got != 1 {
				t.Fatalf("after %d crashes the handler was started %d times", n, got)
			}
		}
		if got := b.status(id); got != "paused" {
			t.Errorf("after ten crashes the invocation is %s", got)
		}
		close(release)
		b.resolve(w, "x", "yes")
		wantValue(t, attach(b, other), `"yes"`)
	})
}

// TestWhatWasNotReachedIsNotBlamed: of three that were running when the process
// ended, several times, the first is started alone and the process ends each time.
// The others have had no turn, so only the first is paused at last.
func TestWhatWasNotReachedIsNotBlamed(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	def := restate.NewService("Poison").Handler("drink", restate.NewServiceHandler(func(restate.Context, restate.Void) (string, error) {
		<-release
		return "", nil
	}))
	inBubble(t, Options{Services: []restate.ServiceDefinition{def}, CloseGrace: time.Second}, func(t *testing.T, b *bench) {
		release = make(chan struct{})
		var ids []ident.InvocationID
		for range 3 {
			ids = append(ids, send(b, ask("Poison", "", "drink", nil)))
		}
		synctest.Wait()
		crash := func(times int, want ...uint32) {
			t.Helper()
			for range times {
				b.crash()
				advance(time.Second)
			}
			var deaths []uint32
			for _, id := range ids {
				in, err := b.rt.Inspect(t.Context(), id, InspectOptions{})
				if err != nil {
					t.Fatal(err)
				}
				deaths = append(deaths, in.Invocation.Retry.Deaths)
			}
			slices.Sort(deaths)
			if !slices.Equal(deaths, want) {
				t.Errorf("deaths are %d, want %d", deaths, want)
			}
		}
		crash(2, 2, 2, 2)
		crash(7, 2, 2, 9)
		crash(1, 2, 3, 10)
		crash(1, 2, 4, 10)
		close(release)
	})
}

func TestAHandlerIsHeldWhileTooMuchIsNotDurable(t *testing.T) {
	t.Parallel()
	def := restate.NewObject("W").Handler("write", restate.NewObjectHandler(func(ctx restate.ObjectContext, n int) (int, error) {
		for i := range n {
			restate.Set(ctx, fmt.Sprint(i%10), strings.Repeat("x", 1000))
		}
		return n, nil
	}))
	inBubble(t, Options{Services: []restate.ServiceDefinition{def}, MaxUndurable: 4000}, func(t *testing.T, b *bench) {
		wantValue(t, call(b, ask("W", "x", "write", 300)).Result, "300")
		if s := b.rt.Stats(); s.Ops < 50 {
			t.Errorf("300 values went out in %d outputs: the handler was not held", s.Ops)
		}
	})
}

func TestPressureHoldsNewWorkAndLetsOldWorkEnd(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		id := send(b, ask("Desk", "x", "ask", "x"))
		synctest.Wait()
		var pressed atomic.Bool
		b.store.SetHooks(persistence.Hooks{Health: func() persistence.Health {
			if pressed.Load() {
				return persistence.Health{Pressure: persistence.PressureSoft, Reason: "a test"}
			}
			return persistence.Health{}
		}})
		pressed.Store(true)
		advance(2 * time.Second)
		if _, err := b.rt.Send(t.Context(), ask("Echo", "", "echo", "x")); !errors.Is(err, ErrLowSpace) {
			t.Errorf("a send under pressure gives %v", err)
		}
		b.resolve(w, "x", "yes")
		wantValue(t, attach(b, id), `"yes"`)
		pressed.Store(false)
		advance(2 * time.Second)
		wantValue(t, call(b, ask("Echo", "", "echo", "x")).Result, `"x"`)
	})
}

// TestAFeedKeepsTheOrderOfTheJournal hands a later notification over first.
func TestAFeedKeepsTheOrderOfTheJournal(t *testing.T) {
	t.Parallel()
	var f feed
	f.announce(3)
	f.put(5, 50, journal.Entry{})
	f.put(4, 40, journal.Entry{})
	if f.ready() {
		t.Fatal("the feed is ready although entry 3 is missing")
	}
	f.put(3, 30, journal.Entry{})
	f.announce(7)
	f.put(8, 80, journal.Entry{})
	got := fmt.Sprint(indexes(f.take()))
	f.put(7, 70, journal.Entry{})
	got += fmt.Sprint(indexes(f.take()))
	if want := "[3 4 5][7 8]"; got != want {
		t.Errorf("taken %s, want %s", got, want)
	}
}

func indexes(arrivals []arrival) (all []uint32) {
	for _, a := range arrivals {
		all = append(all, a.index)
	}
	return all
}
