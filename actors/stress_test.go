package actors

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	restate "github.com/dormouse-run/dormouse/objects"
)

// stubborn asks for the opposite of every switch.
func stubborn(w *world) []restate.ServiceDefinition {
	all := w.services()
	for _, def := range all {
		for name := range def.Handlers() {
			def.ConfigureHandler(name, restate.WithInactivityTimeout(time.Hour), restate.WithEnableLazyState(false))
		}
	}
	return all
}

func TestSuspendAtEveryWaitWinsOverDefinitions(t *testing.T) {
	t.Parallel()
	w := &world{}
	o := Options{Services: stubborn(w), Linger: -1, Stress: Stress{SuspendAtEveryWait: true}}
	inBubble(t, o, func(t *testing.T, b *bench) {
		id := send(b, ask("Desk", "x", "ask", "x"))
		advance(time.Minute)
		if s := b.rt.Stats(); s.Attempts != 0 || s.LiveActors != 0 {
			t.Errorf("a waiting handler is in memory: %+v", s)
		}
		b.resolve(w, "x", "yes")
		wantValue(t, attach(b, id), `"yes"`)
		if n := w.runs.Load(); n != 1 {
			t.Errorf("the closure was executed %d times", n)
		}
	})
}

func TestLazyStateWinsOverDefinitions(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: stubborn(w), Stress: Stress{LazyState: true}}, func(t *testing.T, b *bench) {
		id := send(b, ask("Counter", "c", "add", 2))
		wantValue(t, attach(b, id), "2")
		in, err := b.rt.Inspect(t.Context(), id, InspectOptions{Journal: true})
		if err != nil {
			t.Fatal(err)
		}
		var types []string
		for _, e := range in.Journal {
			types = append(types, e.Type.String())
		}
		if !slices.Contains(types, "GetLazyState") || slices.Contains(types, "GetEagerState") {
			t.Errorf("the journal is %v", types)
		}
	})
}

func TestEvictedTimersFireOnTimeAndInOrder(t *testing.T) {
	t.Parallel()
	w := &world{}
	o := Options{Services: w.services(), Linger: -1, Stress: Stress{EvictTimers: true, SuspendAtEveryWait: true}}
	inBubble(t, o, func(t *testing.T, b *bench) {
		const most = 2 // one, and the one that was just set
		start := time.Now()
		naps := []int{7200, 3, 50, 50, 1, 900, 901, 80_000}
		got := make(chan int, len(naps))
		for i, seconds := range naps {
			id := send(b, ask("Desk", string(rune('a'+i)), "nap", seconds))
			go func() {
				attach(b, id)
				if late := time.Since(start) - time.Duration(seconds)*time.Second; late < 0 || late > time.Second {
					t.Errorf("a nap of %d s ended %v after it was due", seconds, late)
				}
				got <- seconds
			}()
		}
		synctest.Wait()
		for range naps {
			if n := b.rt.Stats().TimersInMemory; n > most {
				t.Errorf("%d timers are in memory", n)
			}
			<-got
		}
	})
}

// TestCrashLosesWhatIsNotDurableAndTellsNobodyOtherwise ends the runtime while a
// commit is held.
func TestCrashLosesWhatIsNotDurableAndTellsNobodyOtherwise(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		wantValue(t, call(b, ask("Counter", "c", "add", 1)).Result, "1")
		h, answered := b.hold(), make(chan error, 1)
		go func() {
			_, err := b.rt.Call(t.Context(), ask("Counter", "c", "add", 10))
			answered <- err
		}()
		synctest.Wait()
		next := b.store.Crash()
		b.rt.Crash()
		b.rt.Crash()
		var unknown *OutcomeUnknownError
		if err := <-answered; !errors.As(err, &unknown) {
			t.Errorf("the call that waited got %v", err)
		}
		h.release()
		if err := b.rt.Close(); err != nil {
			t.Logf("close: %v", err)
		}
		b.store = next
		b.open()
		wantValue(t, call(b, ask("Counter", "c", "get", nil)).Result, "1")
	})
}
