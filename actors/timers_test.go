package actors

import (
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// timersTest is a timer service with the committer that it works with, in a
// bubble. A timer that fires is answered by its key after delay: an output
// that removes its row.
type timersTest struct {
	*timers
	t       *testing.T
	disk    *diskStore
	commits *committer
	clock   *steadyClock
	sched   *Goroutines
	started time.Time

	nextSeq ident.Seq

	mu     sync.Mutex
	deaf   bool // keys do not answer
	fired  []firedTimer
	failed []error
}

type firedTimer struct {
	row machine.TimerRow
	at  time.Duration // since the test began
}

func newTimersTest(t *testing.T, disk *diskStore, base Clock) *timersTest {
	c := &timersTest{t: t, disk: disk, sched: new(Goroutines)}
	c.clock = newSteadyClock(base, disk.Info().Marks.Clock, testLog(t))
	c.started = c.clock.Now()
	fail := func(err error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.failed = append(c.failed, err)
	}
	c.commits = newCommitter(disk, c.sched, c.release, fail, nil)
	c.timers = newTimers(disk, c.clock, c.sched, c.fire, fail, nil)
	c.commits.marks = func() persistence.Marks {
		return persistence.Marks{Timers: c.timers.mark(), Clock: c.clock.highWater()}
	}
	c.commits.timerRemoved = c.timers.removed
	return c
}

func (c *timersTest) run() *timersTest {
	c.commits.start()
	c.timers.start()
	synctest.Wait()
	return c
}

func (c *timersTest) end() {
	c.timers.stop()
	c.commits.stop()
	synctest.Wait() // a goroutine says that it ends before it does
	if live := c.sched.Live(); len(live) != 0 {
		c.t.Errorf("goroutines %v are left", live)
	}
	if len(c.failures()) != 0 {
		c.t.Errorf("failed: %v", c.failures())
	}
}

func (c *timersTest) release(o *op) {
	for _, ef := range o.gated {
		c.timers.set(ef.(*machine.SetTimer).Timer)
	}
}

// fire runs on the goroutine of the timers.
func (c *timersTest) fire(row machine.TimerRow) {
	now := c.clock.Now()
	if now.UnixMilli() < row.Due {
		c.t.Errorf("a timer due %d fired at %d", row.Due, now.UnixMilli())
	}
	c.mu.Lock()
	c.fired = append(c.fired, firedTimer{row, now.Sub(c.started)})
	deaf := c.deaf
	c.mu.Unlock()
	if !deaf {
		c.answer(row)
	}
}

// soFar returns what has fired.
func (c *timersTest) soFar() []firedTimer {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.fired)
}

// setDeaf makes keys ignore their timers, or not.
func (c *timersTest) setDeaf(deaf bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deaf = deaf
}

// failures returns what was reported.
func (c *timersTest) failures() []error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.failed)
}

// answer removes the row of a timer that fired.
func (c *timersTest) answer(row machine.TimerRow) {
	c.output(&row, machine.Write{Delete: row.Key()})
}

// sleep sets a timer as an output does: row first, then effect.
func (c *timersTest) sleep(due int64) *machine.TimerRow {
	row := c.row(due)
	c.output(nil, machine.Write{Put: row})
	return row
}

// row makes a timer of a new birth. Births go round the partitions.
func (c *timersTest) row(due int64) *machine.TimerRow {
	c.nextSeq++
	return &machine.TimerRow{Partition: ident.Partition(c.nextSeq % ident.Partitions), Due: due, Birth: c.nextSeq}
}

func (c *timersTest) output(fired *machine.TimerRow, w machine.Write) {
	b, err := c.disk.Encode(0, []machine.Write{w})
	if err != nil {
		c.t.Error(err)
	}
	o := &op{batch: b, timer: fired}
	if row, ok := w.Put.(*machine.TimerRow); ok {
		o.gated = []machine.Effect{&machine.SetTimer{Timer: *row}}
	}
	c.commits.enqueue(o)
}

// in returns the time so far from now, as a due time.
func (c *timersTest) in(d time.Duration) int64 { return c.clock.Now().Add(d).UnixMilli() }

// times returns when each timer fired.
func (c *timersTest) times() (all []time.Duration) {
	for _, f := range c.soFar() {
		all = append(all, f.at)
	}
	return all
}

// checkMark fails when a row lies below the mark.
func (c *timersTest) checkMark() {
	c.t.Helper()
	mark := c.disk.Info().Marks.Timers
	if due, found := c.disk.lowest(); found && due < mark {
		c.t.Errorf("a row due %d lies %d ms below the mark", due, mark-due)
	}
}

// pass lets time pass in the bubble of the test.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestTimersFireInOrderWhenTheyAreDue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newTimersTest(t, newDiskStore(), SystemClock{}).run()
		for _, d := range []time.Duration{3 * time.Second, time.Second, 30 * time.Hour, 0, -time.Second, time.Second} {
			c.sleep(c.in(d))
		}
		pass(2 * time.Second)
		c.sleep(c.in(500 * time.Millisecond))
		pass(31 * time.Hour)
		want := []time.Duration{0, 0, time.Second, time.Second, 2500 * time.Millisecond, 3 * time.Second, 30 * time.Hour}
		if got := c.times(); !slices.Equal(got, want) {
			t.Errorf("fired at %v, want %v", got, want)
		}
		if waiting, underWay := c.counts(); waiting+underWay != 0 || len(c.disk.rows) != 0 {
			t.Errorf("%d timers wait, %d are under way, %d rows are left", waiting, underWay, len(c.disk.rows))
		}
		c.end()
	})
}

func TestTimersOfAnEarlierLifeFireAfterARestart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		disk := newDiskStore()
		c := newTimersTest(t, disk, SystemClock{}).run()
		c.sleep(c.in(time.Minute))
		c.sleep(c.in(3 * time.Hour))
		synctest.Wait()
		c.end()
		pass(time.Hour)
		c = newTimersTest(t, disk, SystemClock{}).run()
		pass(4 * time.Hour)
		if want := []time.Duration{0, 2 * time.Hour}; !slices.Equal(c.times(), want) {
			t.Errorf("fired at %v, want %v", c.times(), want)
		}
		c.end()
	})
}

// TestTimerThatCommitsLateLiesAboveTheMark is rule R13 (a): the mark had passed
// its due time while the sync lasted.
func TestTimerThatCommitsLateLiesAboveTheMark(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		disk := newDiskStore()
		c := newTimersTest(t, disk, SystemClock{}).run()
		start := c.in(0)
		c.sleep(c.in(2 * time.Hour))
		pass(3 * time.Hour)
		c.sleep(c.in(time.Hour)) // its group stores a mark far above start
		synctest.Wait()
		if mark := disk.Info().Marks.Timers; mark <= start {
			t.Fatalf("the mark is at %d and never rises", mark)
		}
		c.setDeaf(true) // the process ends before the key has answered
		late := c.sleep(start)
		synctest.Wait()
		c.checkMark()
		c.end()
		c = newTimersTest(t, disk, SystemClock{}).run()
		if len(c.soFar()) != 1 || c.soFar()[0].row.Birth != late.Birth {
			t.Fatalf("after the restart %v fired, want the late timer", c.soFar())
		}
		c.end()
	})
}

// TestTimersSurviveAClockThatStepsBack is rule R13 (b).
func TestTimersSurviveAClockThatStepsBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		disk, hand := newDiskStore(), newHandClock()
		c := newTimersTest(t, disk, hand).run()
		c.sleep(c.in(time.Second))
		synctest.Wait()
		hand.advance(2 * time.Second)
		synctest.Wait()
		hand.leap(-time.Hour)
		c.sleep(c.in(time.Minute))
		synctest.Wait()
		c.checkMark()
		c.end()
		c = newTimersTest(t, disk, hand).run()
		hand.advance(time.Hour)
		synctest.Wait()
		if len(c.soFar()) != 0 {
			t.Fatal("a timer fired while the clock stood still")
		}
		hand.advance(time.Minute + time.Second)
		synctest.Wait()
		if len(c.soFar()) != 1 {
			t.Fatalf("%v fired after the restart, want one", c.soFar())
		}
		c.end()
	})
}

func TestMarkStaysAtATimerWhoseKeyDoesNotAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		disk := newDiskStore()
		c := newTimersTest(t, disk, SystemClock{}).run()
		c.setDeaf(true)
		stuck := c.sleep(c.in(time.Second))
		pass(time.Minute)
		c.setDeaf(false)
		for range 300 {
			c.sleep(c.in(time.Second))
			pass(time.Minute)
			c.checkMark()
		}
		if len(c.soFar()) != 301 || disk.Info().Marks.Timers > stuck.Due {
			t.Fatalf("%d fired, the mark is %d ms above a row", len(c.soFar()), disk.Info().Marks.Timers-stuck.Due)
		}
		if n := len(c.firedOrder); n > 3*minFiredOrder {
			t.Errorf("%d timers are remembered behind the one that is stuck", n)
		}
		c.answer(*stuck)
		synctest.Wait()
		c.sleep(c.in(time.Second)) // the mark moves with the next group
		synctest.Wait()
		if disk.Info().Marks.Timers <= stuck.Due {
			t.Fatal("the mark does not rise after the row is gone")
		}
		c.end()
	})
}

func TestKeysThatDoNotAnswerSlowTimersButDoNotStopThem(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newTimersTest(t, newDiskStore(), SystemClock{})
		c.limits.underWay = 10
		c.setDeaf(true)
		c.run()
		for range 35 {
			c.sleep(c.in(0))
		}
		synctest.Wait()
		if n := len(c.soFar()); n >= 35 {
			t.Fatalf("%d timers fired at once", n)
		}
		pass(10 * time.Second)
		if n := len(c.soFar()); n != 35 {
			t.Fatalf("%d of 35 fired", n)
		}
		c.end()
	})
}

func TestPausedTimersWaitForResume(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newTimersTest(t, newDiskStore(), SystemClock{}).run()
		c.sleep(c.in(time.Second))
		synctest.Wait()
		c.pause()
		pass(time.Hour)
		if len(c.soFar()) != 0 {
			t.Fatal("a paused timer fired")
		}
		c.resume()
		synctest.Wait()
		if len(c.soFar()) != 1 {
			t.Fatal("a timer did not fire after resume")
		}
		c.end()
	})
}

func TestLeapOfTheClockWakesSleepersSoon(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hand := newHandClock()
		c := newTimersTest(t, newDiskStore(), hand).run()
		c.sleep(c.in(40 * time.Minute))
		synctest.Wait()
		hand.leap(2 * time.Hour)
		hand.advance(time.Minute)
		synctest.Wait()
		if len(c.soFar()) != 1 || !c.clock.removalsHeld() {
			t.Fatalf("%d fired, removals held %v", len(c.soFar()), c.clock.removalsHeld())
		}
		c.end()
	})
}

func TestTimersMayBeStoppedTwiceAndBeforeTheyStart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newTimersTest(t, newDiskStore(), SystemClock{})
		c.timers.stop()
		c = newTimersTest(t, newDiskStore(), SystemClock{}).run()
		c.sleep(c.in(time.Second))
		synctest.Wait()
		c.timers.stop()
		pass(time.Hour)
		if len(c.soFar()) != 0 {
			t.Fatal("a timer fired after stop")
		}
		c.end()
	})
}

// TestNoTimerIsLostOverCrashesAtAnyMoment runs many lives over one disk. Each
// ends at a random moment, in the middle of whatever it does; then no row may
// lie below the mark, and in the last life every timer that was ever durable
// must have fired.
func TestNoTimerIsLostOverCrashesAtAnyMoment(t *testing.T) {
	t.Parallel()
	for seed := range uint64(10) {
		synctest.Test(t, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 1))
			disk := newDiskStore()
			fired := make(map[ident.Seq]bool)
			var births ident.Seq
			for life := range 6 {
				c := newTimersTest(t, disk, SystemClock{})
				c.nextSeq = births
				c.limits = timerLimits{count: 64 + rnd.IntN(100), span: time.Minute, underWay: 1 + rnd.IntN(20), pace: time.Second, nap: time.Minute}
				c.trimAt = 2 * c.limits.count
				crashed := errors.New("crashed")
				left, slow := rnd.IntN(300), rand.New(rand.NewPCG(seed, 2))
				disk.onCommit = func([]*persistence.Batch) error {
					<-time.After(time.Duration(slow.IntN(5)) * time.Millisecond)
					if left--; left < 0 && life < 5 {
						return crashed
					}
					return nil
				}
				c.run()
				for range rnd.IntN(400) {
					c.sleep(c.in(time.Duration(rnd.ExpFloat64()*float64(20*time.Second)) - time.Second))
					if rnd.IntN(4) == 0 {
						pass(time.Duration(rnd.IntN(1000)) * time.Millisecond)
						c.checkMark()
					}
				}
				if life == 5 {
					pass(time.Hour)
				}
				c.checkMark()
				c.timers.stop()
				c.commits.stop()
				births = c.nextSeq
				for _, f := range c.soFar() {
					fired[f.row.Birth] = true
				}
			}
			if len(disk.rows) != 0 {
				t.Errorf("seed %d: %d timers never fired", seed, len(disk.rows))
			}
			if len(fired) == 0 {
				t.Errorf("seed %d: nothing fired at all", seed)
			}
		})
	}
}

func BenchmarkSetTimer(b *testing.B) {
	tm := newTimers(newDiskStore(), SystemClock{}, new(Goroutines), func(machine.TimerRow) {}, func(err error) { b.Error(err) }, nil)
	tm.end = time.Now().Add(time.Hour).UnixMilli()
	b.ReportAllocs()
	i := uint64(0)
	for b.Loop() {
		i++
		tm.set(machine.TimerRow{Due: tm.end - 1 - int64(i*7919%3_000_000), Birth: ident.Seq(i)})
	}
}
