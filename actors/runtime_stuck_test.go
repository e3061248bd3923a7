package actors

import (
	"errors"
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

// TestAKeyStaysQuarantinedWhenItsActorHasLeft sends to the key after its actor was
// taken out of memory.
func TestAKeyStaysQuarantinedWhenItsActorHasLeft(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services(), Linger: time.Second}, func(t *testing.T, b *bench) {
		id := send(b, heavy(ask("Desk", "x", "ask", "x")))
		synctest.Wait()
		in, err := b.rt.Inspect(t.Context(), id, InspectOptions{})
		if err != nil {
			t.Fatal(err)
		}
		b.damage((&machine.JournalRow{Partition: id.Partition(), Birth: in.Invocation.Birth}).Key())
		b.resolve(w, "x", "yes")
		advance(time.Minute)
		var quarantined *QuarantinedError
		if _, err := b.rt.Send(t.Context(), ask("Desk", "x", "peek", nil)); !errors.As(err, &quarantined) {
			t.Errorf("a minute later a send gives %v", err)
		}
		advance(time.Minute)
		if s := b.rt.Stats(); s.LiveActors != 0 || s.Quarantined != 1 {
			t.Errorf("%d actors are live, %d keys are quarantined", s.LiveActors, s.Quarantined)
		}
	})
}

// TestARetryThatIsDueWhenAnEarlierOneWasHappens: a retry timer that was
// cleared by resume is due at the very moment of the next one.
func TestARetryThatIsDueWhenAnEarlierOneWasHappens(t *testing.T) {
	t.Parallel()
	var deadline time.Time
	var attempts atomic.Int32
	def := restate.NewObject("Late").Handler("wait", restate.NewObjectHandler(func(restate.ObjectContext, restate.Void) (string, error) {
		attempts.Add(1)
		if left := time.Until(deadline); left > 0 {
			return "", restate.ToRetryableError(errors.New("too early"), restate.WithRetryAfter(left))
		}
		return "ok", nil
	}))
	inBubble(t, Options{Services: []restate.ServiceDefinition{def}}, func(t *testing.T, b *bench) {
		deadline = time.Now().Add(10 * time.Second)
		id := send(b, ask("Late", "x", "wait", nil))
		advance(5 * time.Second)
		if _, err := b.rt.Operate(t.Context(), machine.OpResume, id); err != nil {
			t.Fatal(err)
		}
		advance(time.Hour)
		if got := b.status(id); got != "completed" || attempts.Load() != 3 {
			t.Errorf("after %d attempts the invocation is %s", attempts.Load(), got)
		}
	})
}

// TestKilledCodeIsGivenUpWhileTheClockStandsStill: the clock is behind what was
// stored, so time stands still, but not the patience with code that does not end.
func TestKilledCodeIsGivenUpWhileTheClockStandsStill(t *testing.T) {
	t.Parallel()
	w := &world{}
	release := make(chan struct{})
	def := restate.NewObject("Stubborn").
		Handler("hang", restate.NewObjectHandler(func(restate.ObjectContext, restate.Void) (string, error) {
			<-release
			return "", nil
		})).
		Handler("next", restate.NewObjectHandler(func(restate.ObjectContext, restate.Void) (string, error) { return "ok", nil }))
	inBubble(t, Options{Services: append(w.services(), def)}, func(t *testing.T, b *bench) {
		release = make(chan struct{})
		b.close()
		b.store = b.store.Crash()
		batch, err := b.store.Encode(ident.NewSeq(b.store.Info().Boot, 1), []machine.Write{{Delete: (&machine.ActiveRow{Birth: 1}).Key()}})
		if err == nil {
			err = b.store.Commit([]*persistence.Batch{batch}, persistence.Marks{Clock: time.Now().Add(24 * time.Hour).UnixMilli()})
		}
		if err != nil {
			t.Fatal(err)
		}
		b.store = b.store.Crash()
		b.open()
		hung := send(b, ask("Stubborn", "x", "hang", nil))
		next := send(b, ask("Stubborn", "x", "next", nil))
		waits := send(b, ask("Desk", "y", "ask", "y"))
		synctest.Wait()
		if _, err := b.rt.Operate(t.Context(), machine.OpKill, hung); err != nil {
			t.Fatal(err)
		}
		advance(5 * time.Minute)
		if got := b.status(next); got != "completed" {
			t.Errorf("five minutes after the kill the next invocation is %s", got)
		}
		if got := b.status(waits); got != "suspended" {
			t.Errorf("after five minutes an invocation that waits is %s", got)
		}
		close(release)
		synctest.Wait()
	})
}

// TestWhatIsOwedIsHandedOverInTheOrderOfItsNumbersAfterACrash: an invocation
// and a signal for it come from keys of different partitions.
func TestWhatIsOwedIsHandedOverInTheOrderOfItsNumbersAfterACrash(t *testing.T) {
	t.Parallel()
	receiver := restate.NewObject("Receiver").Handler("wait", restate.NewObjectHandler(func(ctx restate.ObjectContext, _ restate.Void) (string, error) {
		return restate.Signal[string](ctx, "go").Result()
	}))
	inBubble(t, Options{Services: []restate.ServiceDefinition{receiver}}, func(t *testing.T, b *bench) {
		b.close()
		b.store = b.store.Crash()
		boot := b.store.Info().Boot
		target := ident.Target{Service: "Receiver", Key: "r", Handler: "wait", Kind: ident.KindExclusive}
		id := ident.RandomID(target, 1, [16]byte{1})
		owe := func(p ident.Partition, seq uint64, m machine.Message) machine.Write {
			ref := machine.OutboxRef{Partition: p, Seq: ident.NewSeq(boot, seq)}
			return machine.Write{Put: &machine.OutboxRow{Partition: p, Ref: ref, Message: m}, Fresh: true}
		}
		batch, err := b.store.Encode(ident.NewSeq(boot, 9), []machine.Write{
			owe(40, 1, &machine.Invoke{ID: id, Target: target, AnswerAccepted: true, InvokedBy: machine.ByService, Retention: machine.Retention{Completion: 3_600_000}}),
			owe(3, 2, &machine.Signal{ID: id, Signal: journal.NamedSignalID("go"), Result: valueOf("went")}),
		})
		if err == nil {
			err = b.store.Commit([]*persistence.Batch{batch}, persistence.Marks{})
		}
		if err != nil {
			t.Fatal(err)
		}
		b.store = b.store.Crash()
		b.open()
		advance(5 * time.Minute)
		if got := b.status(id); got != "completed" {
			t.Errorf("the invocation is %s: its signal is lost", got)
		}
	})
}
