package actors

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/dormouse-run/dormouse/internal/machine"
)

// TestAResultIsKeptForTheWholeOfItsRetention has invocations last for as long as a
// usual one may, and for longer: they expire a day after their end, not before.
func TestAResultIsKeptForTheWholeOfItsRetention(t *testing.T) {
	t.Parallel()
	for _, lasts := range []time.Duration{55 * time.Minute, 110 * time.Minute} {
		w := &world{}
		inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
			id := send(b, ask("Desk", "x", "nap", int(lasts.Seconds())))
			attach(b, id)
			for left := 24 * time.Hour; left > 0; left -= 10 * time.Minute {
				if _, err := b.rt.Output(t.Context(), id); err != nil {
					t.Fatalf("one that lasted %v is gone %v too early: %v", lasts, left, err)
				}
				advance(10*time.Minute - time.Second)
			}
		})
	}
}

// TestUsualInvocationsAreRemovedWithoutARowThatSaysWhen completes some before and
// some after a crash, between others that are kept: one that still waits, and one
// that had waited for long.
func TestUsualInvocationsAreRemovedWithoutARowThatSaysWhen(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		send(b, ask("Desk", "waits", "ask", "waits"))
		late := send(b, ask("Desk", "late", "ask", "late"))
		for range 300 {
			call(b, ask("Desk", "quick", "peek", nil))
		}
		if n := rowsOf(t, b.store, machine.TableExpiry); n != 0 {
			t.Fatalf("%d expiry rows of usual invocations", n)
		}
		b.crash()
		synctest.Wait()
		call(b, ask("Desk", "quick", "peek", nil))
		advance(2 * time.Hour)
		b.resolve(w, "late", "yes")
		wantValue(t, attach(b, late), `"yes"`)
		if n := rowsOf(t, b.store, machine.TableExpiry); n != 1 {
			t.Errorf("%d expiry rows, want that of the one that waited for two hours", n)
		}
		advance(21 * time.Hour)
		if n := rowsOf(t, b.store, machine.TableInvocation); n != 303 {
			t.Errorf("%d records an hour before the first expires, want 303", n)
		}
		advance(3*time.Hour - time.Minute)
		if n := rowsOf(t, b.store, machine.TableInvocation); n != 2 {
			t.Errorf("%d records are left, want the two that waited", n)
		}
		advance(2 * time.Hour)
		if n := rowsOf(t, b.store, machine.TableInvocation); n != 1 {
			t.Errorf("%d records are left, want that of the one that waits", n)
		}
		advance(time.Hour)
	})
}
