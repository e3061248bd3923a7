package actors

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestALookAtEveryQueueThatLosesSomeIsFollowedByARest: with more queues than marks
// every such look loses some. Were the next one due at once, they would never end.
func TestALookAtEveryQueueThatLosesSomeIsFollowedByARest(t *testing.T) {
	t.Parallel()
	w := &knots{}
	inBubble(t, w.options(), func(t *testing.T, b *bench) {
		advance(time.Second)
		synctest.Wait()
		d := b.rt.deadlocks
		first := d.reads.Load()
		if first == 0 {
			t.Fatal("the start has not looked at every queue")
		}
		d.mu.Lock()
		d.took = time.Hour // as for a million queues
		d.lose()
		d.mu.Unlock()
		advance(9 * time.Hour)
		synctest.Wait()
		if n := d.reads.Load() - first; n != 0 {
			t.Errorf("%d reads before the rest was over", n)
		}
		advance(2 * time.Hour)
		synctest.Wait()
		if n := d.reads.Load() - first; n != first {
			t.Errorf("%d reads, a look at every queue takes %d", n, first)
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.took > time.Minute || d.lost || !d.swept {
			t.Errorf("it took %v, lost %t, swept %t", d.took, d.lost, d.swept)
		}
	})
}
