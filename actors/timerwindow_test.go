package actors

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// TestTimerThatIsSetDuringARefillIsNotLost is rule R13 (c): its row is not in
// the snapshot of the refill.
func TestTimerThatIsSetDuringARefillIsNotLost(t *testing.T) {
	t.Parallel()
	for _, when := range []string{"before the snapshot", "after the snapshot"} {
		t.Run(when, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				disk := newDiskStore()
				c := newTimersTest(t, disk, SystemClock{})
				refills := 0
				set := func() {
					// The second window: the first ends before this is due.
					if refills++; refills == 2 {
						c.sleep(c.in(30 * time.Minute))
						for c.commits.queued() > 0 { // release does not wait for the refill
							<-time.After(time.Nanosecond)
						}
					}
				}
				if when == "before the snapshot" {
					disk.onRead = func() error { set(); return nil }
				} else {
					disk.onScan = set
				}
				c.run()
				pass(2 * time.Hour)
				if refills < 2 || len(c.soFar()) != 1 {
					t.Fatalf("%d refills, %v fired, want one timer", refills, c.soFar())
				}
				c.end()
			})
		})
	}
}

// TestOverdueCrowdIsReadInWindows is rule R13 (d).
func TestOverdueCrowdIsReadInWindows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		disk := newDiskStore()
		c := newTimersTest(t, disk, SystemClock{})
		const crowd = 5000
		for i := range crowd {
			disk.put(c.row(c.in(-time.Hour) + int64(i/3)))
		}
		c.limits.count, c.limits.underWay = 640, 100
		most := 0
		disk.onCommit = func([]*persistence.Batch) error {
			waiting, _ := c.counts()
			most = max(most, waiting)
			return nil
		}
		c.run()
		pass(time.Minute)
		if len(c.soFar()) != crowd || len(disk.rows) != 0 {
			t.Errorf("%d of %d fired, %d rows are left", len(c.soFar()), crowd, len(disk.rows))
		}
		if most > 2*640 || disk.largest > 10 {
			t.Errorf("%d timers in memory, %d in one scan", most, disk.largest)
		}
		c.end()
	})
}

func TestCrowdOfOneMomentAndOnePartitionIsReadWhole(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		disk := newDiskStore()
		c := newTimersTest(t, disk, SystemClock{})
		due := c.in(time.Minute)
		for i := range 50 {
			disk.put(&machine.TimerRow{Due: due, Birth: 1, Slot: uint32(i)}, &machine.TimerRow{Due: due + 1, Birth: 1, Slot: ^uint32(0)})
		}
		c.limits.count = 64 // a page of one row
		c.run()
		pass(time.Hour)
		if len(c.soFar()) != 51 || len(disk.rows) != 0 {
			t.Fatalf("%d of 51 fired, %d rows are left", len(c.soFar()), len(disk.rows))
		}
		c.end()
	})
}

func TestHeapThatGrowsTooLongIsCutAndNothingIsLost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		disk := newDiskStore()
		c := newTimersTest(t, disk, SystemClock{})
		c.limits.count, c.trimAt = 64, 128
		c.run()
		for i := range 400 {
			c.sleep(c.in(time.Duration(400-i) * time.Second))
		}
		synctest.Wait()
		if waiting, _ := c.counts(); waiting > 129 {
			t.Errorf("%d timers in memory, want about 64", waiting)
		}
		pass(time.Hour)
		if len(c.soFar()) != 400 || len(disk.rows) != 0 {
			t.Errorf("%d of 400 fired, %d rows are left", len(c.soFar()), len(disk.rows))
		}
		for i, at := range c.times() {
			if want := time.Duration(i+1) * time.Second; at != want {
				t.Fatalf("timer %d fired at %v", i+1, at)
			}
		}
		c.end()
	})
}

func TestHeapThatIsCutDuringARefillLosesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		disk := newDiskStore()
		c := newTimersTest(t, disk, SystemClock{})
		c.limits.count, c.trimAt = 64, 128
		first := true
		disk.onScan = func() {
			if !first {
				return
			}
			first = false
			for i := range 200 {
				c.sleep(c.in(time.Duration(i+1) * time.Second))
			}
			for c.commits.queued() > 0 {
				<-time.After(time.Nanosecond)
			}
		}
		c.run()
		pass(time.Hour)
		if len(c.soFar()) != 200 || len(disk.rows) != 0 {
			t.Errorf("%d of 200 fired, %d rows are left", len(c.soFar()), len(disk.rows))
		}
		c.end()
	})
}

func TestRefillStartsOverWithSmallerPagesWhenItsSnapshotExpires(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		disk := newDiskStore()
		c := newTimersTest(t, disk, SystemClock{})
		disk.put(c.row(c.in(time.Second)))
		tries := 0
		disk.onRead = func() error {
			if tries++; tries < 3 {
				return persistence.ErrSnapshotExpired
			}
			return nil
		}
		c.run()
		pass(time.Second)
		if len(c.soFar()) != 1 {
			t.Fatalf("%d fired after %d tries", len(c.soFar()), tries)
		}
		c.end()
	})
}

func TestTimersThatCannotBeReadFailByName(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		disk := newDiskStore()
		broken := errors.New("a flipped bit")
		disk.onRead = func() error { return broken }
		c := newTimersTest(t, disk, SystemClock{}).run()
		if len(c.failures()) != 1 || !errors.Is(c.failures()[0], broken) || !strings.Contains(c.failures()[0].Error(), "timers") {
			t.Fatalf("failed: %v", c.failures())
		}
		c.timers.stop()
		c.commits.stop()
	})
}
