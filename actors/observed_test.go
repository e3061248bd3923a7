package actors

import (
	"testing"
	"testing/synctest"
	"time"

	restate "github.com/dormouse-run/dormouse/objects"
)

// The tests of this file are rule R5: a closure acts on the world, so it waits
// until everything its handler has seen can no longer be lost.

// TestAClosureWaitsForTheEndThatFreedItsKey crashes first: then nobody may have
// been charged, because the first handler has not ended.
func TestAClosureWaitsForTheEndThatFreedItsKey(t *testing.T) {
	t.Parallel()
	for name, crash := range map[string]bool{"and starts when it is durable": false, "and a crash takes both back": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w, price := &world{}, make(chan struct{})
				b := newBench(t, Options{Services: []restate.ServiceDefinition{till(w, price, nil)}})
				send(b, ask("Till", "x", "price", 7))
				id := send(b, ask("Till", "x", "charge", nil))
				synctest.Wait()
				h := b.hold()
				close(price) // the price is set, and the next handler has read it
				advance(time.Minute)
				if got := w.noted(); got != "" {
					t.Errorf("%s, although the end before it is not durable", got)
				}
				if crash {
					b.crashHeld(h, nil)
				} else {
					h.release()
				}
				wantValue(t, attach(b, id), "7")
				if got := w.noted(); got != "charge:7" {
					t.Errorf("events are %q", got)
				}
				b.close()
			})
		})
	}
}

func TestAClosureWaitsForTheStateThatItsSharedHandlerHasRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, price, watch := &world{}, make(chan struct{}), make(chan struct{})
		b := newBench(t, Options{Services: []restate.ServiceDefinition{till(w, price, watch)}})
		id := send(b, ask("Till", "x", "watch", nil))
		send(b, ask("Till", "x", "price", 7))
		synctest.Wait()
		h := b.hold()
		close(price)
		synctest.Wait()
		close(watch)
		advance(time.Minute)
		if got := w.noted(); got != "" {
			t.Errorf("%s, although the state is not durable", got)
		}
		h.release()
		wantValue(t, attach(b, id), "7")
		b.close()
	})
}

func TestAClosureWaitsForTheAnswerThatItActsOn(t *testing.T) {
	t.Parallel()
	w := &world{}
	def := restate.NewObject("Door").Handler("open", restate.NewObjectHandler(func(ctx restate.ObjectContext, _ restate.Void) (string, error) {
		a := restate.Awakeable[string](ctx)
		w.put("door", a.Id())
		answer, err := a.Result()
		if err != nil {
			return "", err
		}
		return answer, restate.RunVoid(ctx, func(restate.RunContext) error { w.note("opened:%s", answer); return nil })
	}))
	inBubble(t, Options{Services: []restate.ServiceDefinition{def}}, func(t *testing.T, b *bench) {
		id := send(b, ask("Door", "x", "open", nil))
		synctest.Wait()
		h, r, answer := b.hold(), replies{b: b}, w.awakeable(t, "door")
		r.ask("answer", func() (string, error) { return r.signal(answer, "yes") })
		advance(time.Minute)
		if got := w.noted(); got != "" {
			t.Errorf("%s, although the answer is not durable", got)
		}
		h.release()
		wantValue(t, attach(b, id), `"yes"`)
		if got := w.noted(); got != "opened:yes" {
			t.Errorf("events are %q", got)
		}
	})
}
