package actors

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dormouse-run/dormouse/internal/machine"
	restate "github.com/dormouse-run/dormouse/objects"
)

// TestAHandlerThatChangedItsKindWaitsForABuildWithTheOldOne is rule R29: an
// invocation that holds its key must not go on as one that does not.
func TestAHandlerThatChangedItsKindWaitsForABuildWithTheOldOne(t *testing.T) {
	t.Parallel()
	w := &world{}
	shared := restate.NewObject("Desk").Handler("ask", restate.NewObjectSharedHandler(func(restate.ObjectSharedContext, string) (string, error) {
		w.note("shared")
		return "", nil
	}))
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		id := send(b, ask("Desk", "x", "ask", "x"))
		queued := send(b, ask("Desk", "x", "ask", "y"))
		synctest.Wait()
		b.options.Services = []restate.ServiceDefinition{shared}
		b.crash()
		advance(time.Hour)
		in, err := b.rt.Inspect(t.Context(), id, InspectOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if f := in.Invocation.Failures; in.Invocation.Status != machine.StatusBackingOff || !strings.Contains(f[len(f)-1].Message, "not bound in this build") {
			t.Errorf("the invocation is %s, its failures are %+v", in.Invocation.Status, f)
		}
		if got := b.status(queued); got != "pending" {
			t.Errorf("who queues behind it is %s", got)
		}
		b.options.Services = w.services()
		b.crash()
		b.resolve(w, "x", "yes")
		wantValue(t, attach(b, id), `"yes"`)
		synctest.Wait()
		b.resolve(w, "y", "also")
		wantValue(t, attach(b, queued), `"also"`)
		if got := w.noted(); strings.Contains(got, "shared") {
			t.Errorf("events are %q", got)
		}
	})
}

// TestSharedAndServiceInvocationsAreBroughtBackBesideASuspendedHolder is rule
// R6: the key itself is suspended, and says nothing about them.
func TestSharedAndServiceInvocationsAreBroughtBackBesideASuspendedHolder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, gate := &world{}, make(chan struct{})
		wait := func() (string, error) { <-gate; return "done", nil }
		b := newBench(t, Options{InactivityTimeout: -1, Services: append(w.services(),
			restate.NewService("Slow").Handler("wait", restate.NewServiceHandler(func(restate.Context, restate.Void) (string, error) { return wait() })),
			restate.NewObject("Ward").
				Handler("hold", restate.NewObjectHandler(w.ask)).
				Handler("wait", restate.NewObjectSharedHandler(func(restate.ObjectSharedContext, restate.Void) (string, error) { return wait() })))})
		holder := send(b, ask("Ward", "x", "hold", "x"))
		advance(time.Minute)
		if got := b.status(holder); got != "suspended" {
			t.Fatalf("the holder is %s", got)
		}
		first, second := send(b, ask("Ward", "x", "wait", nil)), send(b, ask("Ward", "x", "wait", nil))
		service := send(b, ask("Slow", "", "wait", nil))
		synctest.Wait()
		h := b.hold()
		close(gate)
		b.crashHeld(h, nil) // they have ended, and nobody knows
		wantValue(t, attach(b, first), `"done"`)
		wantValue(t, attach(b, second), `"done"`)
		wantValue(t, attach(b, service), `"done"`)
		b.resolve(w, "x", "yes")
		wantValue(t, attach(b, holder), `"yes"`)
		b.close()
	})
}
