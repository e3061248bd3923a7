package actors

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/internal/stream"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/persistence"
)

func TestAnAwakeableThatIsAnsweredEarlyIsNotToldToBePending(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		send(b, ask("Desk", "x", "ask", "1"))
		second := send(b, ask("Desk", "x", "ask", "2"))
		f := follow(b, EventOptions{Filter: stream.Filter{Topics: stream.TopicAwakeable, Invocation: second}})
		if _, err := b.rt.Signal(t.Context(), second, journal.SignalID(17), valueOf("early")); err != nil {
			t.Fatal(err)
		}
		b.resolve(w, "1", "yes")
		wantValue(t, attach(b, second), `"early"`)
		synctest.Wait()
		wantLines(t, f.got(), "awakeable.completed Desk/x/ask 17 completed pending")
	})
}

// pair issues two awakeables and does a step between their answers.
func pair(w *world) restate.ServiceDefinition {
	step := func(restate.RunContext) error { return nil }
	return restate.NewService("Pair").Handler("ask", restate.NewServiceHandler(func(ctx restate.Context, _ restate.Void) (string, error) {
		one, two := restate.Awakeable[string](ctx), restate.Awakeable[string](ctx)
		w.put("one", one.Id())
		w.put("two", two.Id())
		a, err := one.Result()
		if err != nil {
			return "", err
		}
		if err := restate.RunVoid(ctx, step); err != nil {
			return "", err
		}
		b, err := two.Result()
		return a + b, err
	}))
}

func TestWhetherAnAwakeableIsAnsweredIsReadFromTheStore(t *testing.T) {
	t.Parallel()
	for name, answered := range map[string]bool{"answered": true, "open": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &world{}
			o := Options{Services: []restate.ServiceDefinition{pair(w)}, InactivityTimeout: -1, Linger: -1}
			inBubble(t, o, func(t *testing.T, b *bench) {
				send(b, ask("Pair", "", "ask", nil))
				advance(time.Minute)
				if answered {
					b.resolve(w, "two", "b")
					advance(time.Minute)
				}
				f := follow(b, EventOptions{Filter: stream.Filter{Topics: stream.TopicAwakeable}})
				b.resolve(w, "one", "a")
				advance(time.Minute)
				want := []string{"awakeable.completed Pair/ask 17 completed ready"}
				if !answered {
					want = append(want, "awakeable.pending Pair/ask 18 created running", "awakeable.pending Pair/ask 18 awaited running")
				}
				wantLines(t, f.got(), want...)
			})
		})
	}
}

func TestTheStartOfAnAttemptThatIsOverIsNotTold(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		f := follow(b, EventOptions{})
		id := send(b, ask("Desk", "x", "ask", "1"))
		synctest.Wait()
		late := b.rt.attempts.all()[0]
		if _, err := b.rt.Operate(t.Context(), machine.OpKill, id); err != nil {
			t.Fatal(err)
		}
		b.rt.registry.deliver(late.entry.key, late.entry.partition, &beginning{attempt: late})
		b.rt.registry.deliver(late.entry.key, late.entry.partition, &waiting{attempt: late, allocated: journal.Allocated{Signals: 1}})
		synctest.Wait()
		wantLines(t, f.got(), "invocation.created Desk/x/ask >ready", "invocation.status Desk/x/ask ready>running",
			"invocation.completed Desk/x/ask running>completed")
	})
}

func TestAKeyThatChangedUnseenIsToldAgain(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services(), InactivityTimeout: 10 * time.Minute, Linger: time.Hour}, func(t *testing.T, b *bench) {
		o := EventOptions{Filter: stream.Filter{Topics: stream.TopicObject}}
		f := follow(b, o)
		send(b, ask("Desk", "x", "ask", "1"))
		synctest.Wait()
		wantLines(t, f.got(), "object.changed Desk/x running queued=0")
		_ = f.leave()
		advance(20 * time.Minute) // it is suspended, and nobody is told
		if n := b.rt.Stats().LiveActors; n != 1 {
			t.Fatalf("%d actors are in memory", n)
		}
		f = follow(b, o)
		b.resolve(w, "1", "yes")
		synctest.Wait()
		wantLines(t, f.got(), "object.changed Desk/x running queued=0", "object.changed Desk/x idle queued=0")
	})
}

func TestStatusAndKeyChooseEvents(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services(), InactivityTimeout: -1}, func(t *testing.T, b *bench) {
		key := "x"
		f := follow(b, EventOptions{Filter: stream.Filter{Service: "Desk", Key: &key, Handler: "ask", Statuses: []string{"suspended"}}})
		for _, k := range []string{"x", "y"} {
			id := send(b, ask("Desk", k, "ask", k))
			synctest.Wait()
			b.resolve(w, k, "yes")
			attach(b, id)
		}
		synctest.Wait()
		wantLines(t, f.got(), "invocation.status Desk/x/ask running>suspended", "invocation.status Desk/x/ask suspended>ready")
	})
}

// TestSixtyFourSubscribersUnderLoad follows calls on many keys with as many
// streams as there may be. Each has to get every event, or a reset.
func TestSixtyFourSubscribersUnderLoad(t *testing.T) {
	t.Parallel()
	w := &world{}
	store, err := persistence.Open(t.TempDir(), persistence.Options{})
	if err != nil {
		t.Fatal(err)
	}
	rt, err := Open(t.Context(), Options{Store: store, Services: w.services()})
	if err != nil {
		t.Fatal(err)
	}
	const streams, callers, each = 64, 16, 40
	var begun, all sync.WaitGroup
	var completed [streams]map[ident.InvocationID]bool
	var resets atomic.Int32
	begun.Add(streams)
	for n := range streams {
		completed[n] = map[ident.InvocationID]bool{}
		all.Go(func() {
			first := true
			err := rt.Events(t.Context(), EventOptions{}, func(batch EventBatch) error {
				if first {
					first = false
					begun.Done()
				}
				if batch.Reset != 0 {
					resets.Add(1)
				}
				for _, e := range batch.Events {
					if e.Kind == stream.InvocationCompleted {
						if completed[n][e.Invocation.ID] {
							t.Errorf("stream %d is told twice of %s", n, e.Invocation.ID)
						}
						completed[n][e.Invocation.ID] = true
					}
				}
				return nil
			})
			if err != nil {
				t.Errorf("stream %d ended with %v", n, err)
			}
		})
	}
	begun.Wait()
	var calls sync.WaitGroup
	for n := range callers {
		calls.Go(func() {
			for range each {
				if _, err := rt.Call(t.Context(), ask("Counter", fmt.Sprint(n), "add", 1)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	calls.Wait()
	if err := rt.Close(); err != nil { // which ends the streams when they have everything
		t.Error(err)
	}
	all.Wait()
	for n := range streams {
		if got := len(completed[n]); got != callers*each && resets.Load() == 0 {
			t.Errorf("stream %d was told of %d ends of %d, and of no reset", n, got, callers*each)
		}
	}
	t.Logf("%d resets", resets.Load())
}
