package actors

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	restate "github.com/dormouse-run/dormouse/objects"
)

// hiding are services whose awakeables have ids of their own. Vault hands its
// awakeable to Clerk, which resolves it; Owner calls Vault.
func hiding(ids *chan string) []restate.ServiceDefinition {
	type void = restate.Void
	open := func(ctx restate.ObjectContext, to string) (string, error) {
		a := restate.Awakeable[string](ctx)
		select {
		case *ids <- a.Id(): // at once, before anything of the invocation is durable
		default:
		}
		if to != "" {
			restate.ObjectSend(ctx, "Clerk", to, "resolve").Send(a.Id())
		}
		return a.Result()
	}
	resolve := func(ctx restate.ObjectContext, id string) (void, error) {
		restate.ResolveAwakeable(ctx, id, "by the clerk")
		return void{}, nil
	}
	own := func(ctx restate.ObjectContext, to string) (string, error) {
		return restate.Object[string](ctx, "Vault", restate.Key(ctx), "open").Request(to)
	}
	return []restate.ServiceDefinition{
		restate.NewObject("Vault").Handler("open", restate.NewObjectHandler(open, restate.WithUnguessableAwakeables(true))),
		restate.NewObject("Clerk").Handler("resolve", restate.NewObjectHandler(resolve)),
		restate.NewObject("Owner").Handler("own", restate.NewObjectHandler(own)),
	}
}

// once is a request whose invocation id can be computed.
func once(key string) Request {
	r := ask("Vault", key, "open", "")
	r.IdempotencyKey = "once"
	return r
}

func TestAnAliasIsKnownBeforeItsInvocationIsDurable(t *testing.T) {
	t.Parallel()
	var ids chan string // of the bubble
	inBubble(t, Options{Services: hiding(&ids)}, func(t *testing.T, b *bench) {
		ids = make(chan string, 1)
		go func() {
			hidden, err := ident.ParseAwakeableID(<-ids)
			if err == nil {
				_, err = b.rt.Signal(context.Background(), hidden.Invocation, journal.SignalID(hidden.Index), journal.ValueOf([]byte(`"early"`)))
			}
			if err != nil {
				t.Errorf("resolve: %v", err)
			}
		}()
		r, err := b.rt.Call(t.Context(), once("a"))
		if err != nil {
			t.Fatal(err)
		}
		wantValue(t, r.Result, `"early"`)
	})
}

func TestAHandlerResolvesAnotherOnesAwakeableByItsAlias(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{Services: hiding(new(chan string)), InactivityTimeout: -1, Linger: -1}, func(t *testing.T, b *bench) {
		for range 2 {
			r, err := b.rt.Call(t.Context(), ask("Owner", "a", "own", "c"))
			if err != nil {
				t.Fatal(err)
			}
			wantValue(t, r.Result, `"by the clerk"`)
		}
	})
}

func TestEachLifeOfADeterministicIDHasAnAliasOfItsOwn(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{Services: hiding(new(chan string)), InactivityTimeout: -1, Linger: -1}, func(t *testing.T, b *bench) {
		aliases := map[ident.InvocationID]bool{}
		for range 2 {
			accepted, err := b.rt.Send(t.Context(), once("a"))
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			b.crash()
			in, err := b.rt.Inspect(t.Context(), accepted.ID, InspectOptions{})
			if err != nil {
				t.Fatal(err)
			}
			alias := in.Invocation.Alias
			if alias.IsZero() || aliases[alias] || alias.Partition() != accepted.ID.Partition() {
				t.Fatalf("the alias is %s of %s, after %v", alias, accepted.ID, aliases)
			}
			aliases[alias] = true
			if _, err := b.rt.Signal(t.Context(), accepted.ID, journal.SignalID(17), journal.VoidResult()); !errors.Is(err, ErrUnknownInvocation) {
				t.Errorf("by the id of the invocation: %v", err)
			}
			for old := range aliases {
				outcome, err := b.rt.Signal(t.Context(), old, journal.SignalID(17), journal.ValueOf([]byte(`"v"`)))
				if want := (map[bool]SignalOutcome{true: SignalApplied, false: SignalCompleted})[old == alias]; err != nil || outcome != want {
					t.Errorf("by the alias of this life (%t): %v, %v", old == alias, outcome, err)
				}
			}
			if r, err := b.rt.Attach(t.Context(), accepted.ID); err != nil || string(r.Result.Value) != `"v"` {
				t.Errorf("the result is %s, %v", r.Result.Value, err)
			}
			advance(26 * time.Hour) // the retention is over, and the id comes back
		}
	})
}
