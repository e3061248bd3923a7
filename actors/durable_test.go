package actors

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/persistence"
)

// TestAnActorStaysWhileTheStoreDoesNotHoldWhatItKnows is rule R1: the second
// answer must not be judged by a store that lacks the first one.
func TestAnActorStaysWhileTheStoreDoesNotHoldWhatItKnows(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services(), InactivityTimeout: -1, Linger: -1}, func(t *testing.T, b *bench) {
		id := send(b, ask("Desk", "x", "ask", "x"))
		synctest.Wait()
		if _, err := b.rt.Operate(t.Context(), machine.OpPause, id); err != nil {
			t.Fatal(err)
		}
		advance(time.Minute)
		if n := b.rt.Stats().LiveActors; n != 0 {
			t.Fatalf("%d actors live while nothing happens", n)
		}
		h, r, answer := b.hold(), replies{b: b}, w.awakeable(t, "x")
		r.ask("first", func() (string, error) { return r.signal(answer, "yes") })
		advance(time.Minute)
		if n := b.rt.Stats().LiveActors; n != 1 {
			t.Errorf("%d actors live while an answer is not durable", n)
		}
		r.ask("second", func() (string, error) { return r.signal(answer, "no") })
		h.release()
		if got := r.wait(); !slices.Equal(got, []reply{{"first", "applied"}, {"second", "duplicate"}}) {
			t.Errorf("answers are %v", got)
		}
		if _, err := b.rt.Operate(t.Context(), machine.OpResume, id); err != nil {
			t.Fatal(err)
		}
		wantValue(t, attach(b, id), `"yes"`)
	})
}

// TestNothingIsAnsweredBeforeWhatItRestsOnIsDurable is rule R2: the second
// request of each pair writes nothing, and rests on what the first one wrote.
func TestNothingIsAnsweredBeforeWhatItRestsOnIsDurable(t *testing.T) {
	t.Parallel()
	type request func(b *bench, w *world, r *replies, id ident.InvocationID) (string, error)
	idempotent := func(b *bench, _ *world, r *replies, _ ident.InvocationID) (string, error) {
		q := ask("Desk", "other", "ask", "other")
		q.IdempotencyKey = "k"
		return r.send(q)
	}
	answer := func(b *bench, w *world, r *replies, _ ident.InvocationID) (string, error) {
		return r.signal(w.awakeable(b.t, "x"), "yes")
	}
	operate := func(op machine.Operation) request {
		return func(b *bench, _ *world, _ *replies, id ident.InvocationID) (string, error) {
			_, err := b.rt.Operate(b.t.Context(), op, id)
			return "done", err
		}
	}
	result := func(b *bench, _ *world, _ *replies, id ident.InvocationID) (string, error) {
		resp, err := b.rt.Output(b.t.Context(), id)
		return shown(resp.Result), err
	}
	add := func(b *bench, _ *world, r *replies, _ ident.InvocationID) (string, error) {
		return r.send(ask("Counter", "c", "add", 5))
	}
	get := func(b *bench, _ *world, _ *replies, _ ident.InvocationID) (string, error) {
		resp, err := b.rt.Call(b.t.Context(), ask("Counter", "c", "get", nil))
		return shown(resp.Result), err
	}
	for name, tc := range map[string]struct {
		first, second request
		want          string
	}{
		"the same request again":              {idempotent, idempotent, "previously"},
		"a second answer":                     {answer, answer, "completed"},
		"an answer to a killed invocation":    {operate(machine.OpKill), answer, "completed"},
		"the result of a killed invocation":   {operate(machine.OpKill), result, "killed"},
		"a shared handler that reads a state": {add, get, "5"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &world{}
			inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
				id := send(b, ask("Desk", "x", "ask", "x"))
				synctest.Wait()
				h, r := b.hold(), &replies{b: b}
				r.ask("1", func() (string, error) { return tc.first(b, w, r, id) })
				r.ask("2", func() (string, error) { return tc.second(b, w, r, id) })
				advance(time.Minute)
				if early := r.early(); len(early) != 0 {
					t.Errorf("%v are answered and nothing is durable", early)
				}
				h.release()
				if got := r.wait(); got[1].result != tc.want {
					t.Errorf("answers are %v, want the second one %q", got, tc.want)
				}
			})
		})
	}
}

// TestEveryOutputIsOneBatch is what makes a crash between two commits harmless:
// no output is in both of them.
func TestEveryOutputIsOneBatch(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		batches := map[ident.Seq]int{}
		b.store.SetHooks(persistence.Hooks{BeforeCommit: func(group []*persistence.Batch, _ persistence.Marks) error {
			for _, batch := range group {
				batches[batch.Seq]++
			}
			return nil
		}})
		id := send(b, ask("Echo", "", "relay", "x"))
		send(b, ask("Desk", "other", "nap", 1))
		synctest.Wait()
		b.resolve(w, "x", "yes")
		wantValue(t, attach(b, id), `"yes"`)
		advance(time.Minute)
		if len(batches) < 8 {
			t.Errorf("only %d outputs were written", len(batches))
		}
		for seq, n := range batches {
			if n != 1 {
				t.Errorf("output %v is in %d batches", seq, n)
			}
		}
	})
}

// till is an object whose handlers act on what they have read. Two of them wait
// for the test to open a gate.
func till(w *world, price, watch chan struct{}) restate.ServiceDefinition {
	charge := func(ctx restate.ObjectSharedContext) (int, error) {
		n, err := restate.Get[int](ctx, "price")
		if err != nil {
			return 0, err
		}
		return n, restate.RunVoid(ctx, func(restate.RunContext) error { w.note("charge:%d", n); return nil })
	}
	return restate.NewObject("Till").
		Handler("price", restate.NewObjectHandler(func(ctx restate.ObjectContext, n int) (int, error) {
			<-price
			restate.Set(ctx, "price", n)
			return n, nil
		})).
		Handler("charge", restate.NewObjectHandler(func(ctx restate.ObjectContext, _ restate.Void) (int, error) { return charge(ctx) })).
		Handler("watch", restate.NewObjectSharedHandler(func(ctx restate.ObjectSharedContext, _ restate.Void) (int, error) {
			<-watch
			return charge(ctx)
		}))
}
