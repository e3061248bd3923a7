package actors

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
)

// The memory of a request serves the next one: an answer that comes when its
// client has left must not reach whoever has that memory now.
func TestALateAnswerDoesNotReachAnotherRequest(t *testing.T) {
	t.Parallel()
	w := new(world)
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		errGone := errors.New("the client has gone")
		for range 100 {
			ctx, leave := context.WithCancelCause(t.Context())
			ended := make(chan error, 1)
			go func() {
				_, err := b.rt.Call(ctx, ask("Desk", "late", "ask", "late"))
				ended <- err
			}()
			synctest.Wait()
			leave(errGone)
			if err := <-ended; !errors.Is(err, errGone) {
				t.Fatalf("who left got %v", err)
			}
			// This one waits in the memory of the request that was left.
			go func() { _, err := b.rt.Call(t.Context(), ask("Desk", "next", "ask", "next")); ended <- err }()
			synctest.Wait()
			b.resolve(w, "late", "for the one that left")
			synctest.Wait()
			select {
			case err := <-ended:
				t.Fatalf("the next request was answered before its time: %v", err)
			default:
			}
			b.resolve(w, "next", "yes")
			if err := <-ended; err != nil {
				t.Fatal(err)
			}
		}
		if n := b.rt.waiters.waiting(); n != 0 {
			t.Errorf("%d requests are left in the table", n)
		}
	})
}

// A client may leave at the very moment of its answer: it gets one of the two,
// and nobody gets the other.
func TestLeavingRacesWithTheAnswer(t *testing.T) {
	t.Parallel()
	w := new(world)
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		for i := range 300 {
			ctx, leave := context.WithCancel(t.Context())
			go leave()
			r, err := b.rt.Call(ctx, ask("Echo", "", "echo", "mine"))
			if err == nil {
				wantValue(t, r.Result, `"mine"`)
			} else if !errors.Is(err, context.Canceled) {
				t.Fatalf("call %d: %v", i, err)
			}
			wantValue(t, call(b, ask("Echo", "", "echo", "next")).Result, `"next"`)
		}
	})
}
