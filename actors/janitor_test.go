package actors

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// TestTheEndOfABurstIsTidiedAtOnce: what a burst has taken, on the disk and in
// memory, is given back when its actors have left, and not in the next round of
// the janitor.
func TestTheEndOfABurstIsTidiedAtOnce(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services(), InactivityTimeout: -1, Linger: time.Second}, func(t *testing.T, b *bench) {
		synctest.Wait()
		b.rt.janitor.tidyAfter = 1
		for i := range manyActors {
			send(b, ask("Desk", fmt.Sprint(i), "ask", fmt.Sprint(i)))
		}
		synctest.Wait()
		if live, tidied := b.rt.Stats().LiveActors, b.rt.janitor.tidied.Load(); live < manyActors || tidied != 0 {
			t.Fatalf("%d keys in memory, %d rows tidied", live, tidied)
		}
		advance(5 * time.Second)
		if live, rows, tidied := b.rt.Stats().LiveActors, b.rt.Stats().Rows, b.rt.janitor.tidied.Load(); live != 0 || tidied != rows {
			t.Errorf("%d keys in memory, %d of %d rows tidied", live, tidied, rows)
		}
		advance(afterTidy)
		if n := b.rt.janitor.freed.Load(); n != 1 {
			t.Errorf("memory was given back %d times", n)
		}
	})
}

// TestASmallBurstGivesMemoryBackToo: what it has written is not worth a
// compaction.
func TestASmallBurstGivesMemoryBackToo(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services(), InactivityTimeout: -1, Linger: time.Second}, func(t *testing.T, b *bench) {
		for i := range manyActors {
			send(b, ask("Desk", fmt.Sprint(i), "ask", fmt.Sprint(i)))
		}
		advance(5*time.Second + afterTidy)
		if tidied, freed := b.rt.janitor.tidied.Load(), b.rt.janitor.freed.Load(); tidied != 0 || freed != 1 {
			t.Errorf("%d rows tidied, memory given back %d times", tidied, freed)
		}
	})
}

// TestAFewActorsThatLeaveAreNoEbb: the janitor has its own pace otherwise.
func TestAFewActorsThatLeaveAreNoEbb(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services(), InactivityTimeout: -1, Linger: time.Second}, func(t *testing.T, b *bench) {
		synctest.Wait()
		b.rt.janitor.tidyAfter = 1
		for i := range 10 {
			send(b, ask("Desk", fmt.Sprint(i), "ask", fmt.Sprint(i)))
		}
		advance(5 * time.Second)
		if live, j := b.rt.Stats().LiveActors, b.rt.janitor; live != 0 || j.tidied.Load() != 0 || j.ebb.Load() {
			t.Errorf("%d keys in memory, %d rows tidied, ebb %v", live, j.tidied.Load(), j.ebb.Load())
		}
	})
}

// TestEveryNapOfALoopThatIsHaltedIsOver: the halt wakes one nap, and Close waits for
// the loop. The janitor took a second nap, of up to a minute, when it was halted
// in the one behind giving space back.
func TestEveryNapOfALoopThatIsHaltedIsOver(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		l := newLoop(b.rt.sched)
		l.halt()
		began := time.Now()
		b.rt.nap(&l, time.Hour)
		b.rt.nap(&l, time.Hour)
		if took := time.Since(began); took != 0 {
			t.Errorf("two naps of a loop that is halted took %v", took)
		}
	})
}
