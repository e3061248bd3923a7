package actors

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

// hearer takes n signals of one name, and none of another.
func hearer() restate.ServiceDefinition {
	return restate.NewService("Hearer").Handler("hear", restate.NewServiceHandler(func(ctx restate.Context, n int) (int, error) {
		for range n {
			if _, err := restate.Signal[string](ctx, "word").Result(); err != nil {
				return 0, err
			}
		}
		return n, nil
	}))
}

// hear starts it and returns its id.
func (b *bench) hear(n int) ident.InvocationID {
	b.t.Helper()
	sent, err := ingress.Service[int, int](b.rt.Client(), "Hearer", "hear").Send(b.t.Context(), n)
	if err != nil {
		b.t.Fatal(err)
	}
	id, err := ident.ParseInvocationID(sent.Id())
	if err != nil {
		b.t.Fatal(err)
	}
	synctest.Wait()
	return id
}

// TestOnlySignalsThatAreNotTakenCount sends more than the limit to a handler
// that takes them, whether it stays in memory or not.
func TestOnlySignalsThatAreNotTakenCount(t *testing.T) {
	t.Parallel()
	const n = machine.MaxUnread + 50
	inBubble(t, Options{Services: []restate.ServiceDefinition{hearer()}}, func(t *testing.T, b *bench) {
		id := b.hear(n)
		word := journal.ValueOf([]byte(`"w"`))
		for i := range n {
			if _, err := b.rt.Signal(t.Context(), id, journal.NamedSignalID("word"), word); err != nil {
				t.Fatalf("signal %d: %v", i, err)
			}
			synctest.Wait()
		}
		if r, err := b.rt.Attach(t.Context(), id); err != nil || string(r.Result.Value) != "10050" {
			t.Errorf("heard %s, %v", r.Result.Value, err)
		}
	})
}

// TestSignalsThatAreNotTakenAreRefusedWhileTheHandlerIsInMemory sends what the
// handler does not wait for, and then what it does.
func TestSignalsThatAreNotTakenAreRefusedWhileTheHandlerIsInMemory(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{Services: []restate.ServiceDefinition{hearer()}}, func(t *testing.T, b *bench) {
		id := b.hear(1)
		other := journal.NamedSignalID("other")
		for i := range machine.MaxUnread {
			if _, err := b.rt.Signal(t.Context(), id, other, journal.VoidResult()); err != nil {
				t.Fatalf("signal %d: %v", i, err)
			}
		}
		synctest.Wait()
		if _, err := b.rt.Signal(t.Context(), id, other, journal.VoidResult()); !errors.Is(err, ErrTooManySignals) {
			t.Errorf("one too many gives %v", err)
		}
		err := ingress.ResolveSignal(t.Context(), b.rt.Client(), id.String(), "word", "w")
		if e, ok := errors.AsType[ingress.Error](err); !ok || e.Code() != 429 {
			t.Errorf("the client in the process gets %v", err)
		}
	})
}
