package actors

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// yielding is a scheduler that does something when the committer steps back.
type yielding struct {
	*Goroutines
	yield func()
}

func (y yielding) Yield() { y.yield() }

// TestAcceptanceWaitsForTheResultWhileNobodyWaits is the commit budget of a
// call without steps: one group for acceptance and result.
func TestAcceptanceWaitsForTheResultWhileNobodyWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCommitterTest()
		yields := 0
		c.committer.sched = yielding{Goroutines: new(Goroutines), yield: func() {
			if yields++; yields == 3 {
				result := c.output(2, 1)
				result.entry, result.gated = &entry{}, []machine.Effect{&machine.Finished{}}
				c.enqueue(result)
			}
		}}
		c.start()
		accepted := c.output(1, 1)
		accepted.entry = &entry{}
		c.enqueue(accepted)
		c.stop()
		if g := c.groups(); len(g) != 1 || !slices.Equal(g[0], []ident.Seq{1, 2}) || yields != 4 {
			t.Fatalf("groups %v after %d yields, want one with both after 4", g, yields)
		}
	})
}

// TestThoseOnTheirWayShareTheGroup has outputs come for as long as the committer
// steps back, all of them awaited.
func TestThoseOnTheirWayShareTheGroup(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCommitterTest()
		await := func(seq ident.Seq) {
			o := c.output(seq, 1)
			o.entry, o.gated = &entry{}, []machine.Effect{&machine.Finished{}}
			c.enqueue(o)
		}
		yields := 0
		c.committer.sched = yielding{Goroutines: new(Goroutines), yield: func() {
			if yields++; yields <= 3 {
				await(ident.Seq(1 + yields))
			}
		}}
		c.start()
		await(1)
		c.stop()
		if g := c.groups(); len(g) != 1 || !slices.Equal(g[0], []ident.Seq{1, 2, 3, 4}) || yields != 4 {
			t.Fatalf("groups %v after %d yields, want one with all of them after 4", g, yields)
		}
	})
}

// TestTheCommitterDoesNotStepBackForLong bounds the time, too: each step back lets
// everybody run who wants to.
func TestTheCommitterDoesNotStepBackForLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCommitterTest()
		yields, now := 0, time.Time{}
		c.lapse = func() time.Time { return now }
		c.committer.sched = yielding{Goroutines: new(Goroutines), yield: func() {
			yields++
			now = now.Add(maxLinger)
		}}
		c.start()
		accepted := c.output(1, 1)
		accepted.entry = &entry{}
		c.enqueue(accepted)
		synctest.Wait()
		if len(c.released) != 1 || yields != 2 {
			t.Errorf("released %v after %d yields, want it after 2", c.released, yields)
		}
		c.stop()
	})
}

// TestASteadyStreamDoesNotKeepAGroupOpen has every step back bring more, for ever.
func TestASteadyStreamDoesNotKeepAGroupOpen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCommitterTest()
		seq, now := ident.Seq(0), time.Time{}
		await := func() {
			seq++
			o := c.output(seq, 1)
			o.entry, o.gated = &entry{}, []machine.Effect{&machine.Finished{}}
			c.enqueue(o)
		}
		c.lapse = func() time.Time { return now }
		c.committer.sched = yielding{Goroutines: new(Goroutines), yield: func() {
			if now = now.Add(maxLinger / 5); seq < 100 {
				await()
			}
		}}
		c.start()
		await()
		c.stop()
		if g := c.groups(); len(g) != 1 || len(g[0]) < 6 || len(g[0]) > 8 {
			t.Errorf("the first of %d groups has %d outputs, want it closed after half a millisecond, with 7", len(g), len(g[0]))
		}
	})
}

// TestBusyNeighboursAreNotWaitedForAgainAndAgain has the program around us use the
// processors: a step back then takes as long as they are given.
func TestBusyNeighboursAreNotWaitedForAgainAndAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const slice = 20 * time.Millisecond
		c := newCommitterTest()
		yields, began := 0, time.Now()
		now := began
		c.lapse = func() time.Time { return now }
		c.committer.sched = yielding{Goroutines: new(Goroutines), yield: func() {
			yields++
			now = now.Add(slice)
		}}
		c.start()
		commit := func(seq ident.Seq) {
			o := c.output(seq, 1)
			o.entry, o.gated = &entry{}, []machine.Effect{&machine.Finished{}}
			c.enqueue(o)
			synctest.Wait()
		}
		for seq := range ident.Seq(10_000) {
			commit(seq + 1)
			now = now.Add(time.Millisecond)
		}
		if lost := time.Duration(yields) * slice; len(c.released) != 10_000 || yields < 6 || lost > now.Sub(began)/40 {
			t.Errorf("released %d outputs and stepped back for %v of %v, want a hundredth and the first few times", len(c.released), lost, now.Sub(began))
		}
		c.stop()
	})
}

// TestOneLongStepBackIsForgiven has a memtable be flushed, once.
func TestOneLongStepBackIsForgiven(t *testing.T) {
	t.Parallel()
	c := newCommitterTest()
	now := time.Now()
	c.lapse = func() time.Time { return now }
	stepBack := func(took time.Duration) (pause time.Duration) {
		begun := now
		now = now.Add(took)
		c.hurry(begun)
		return c.hurried.Sub(now)
	}
	for range 3 {
		if pause := stepBack(20 * time.Millisecond); pause != 80*time.Millisecond {
			t.Errorf("after one long time none for %v, want 80ms", pause)
		}
		now = c.hurried
		stepBack(maxLinger)
	}
	if pause := stepBack(time.Hour); pause != 4*maxOverlong {
		t.Errorf("after the process was stopped for an hour none for %v, want %v", pause, 4*maxOverlong)
	}
	now = c.hurried
	stepBack(maxLinger)
	for _, want := range []time.Duration{80, 160, 320, 640, 1280, 2560, 2560} {
		if pause := stepBack(20 * time.Millisecond); pause != want*time.Millisecond {
			t.Errorf("none for %v, want %v", pause, want*time.Millisecond)
		}
		now = c.hurried
	}
}

// TestAClosureAtItsBarrierIsNotKeptWaiting lets a handler reach its first Run while
// the committer steps back for it.
func TestAClosureAtItsBarrierIsNotKeptWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCommitterTest()
		accepted := c.output(1, 1)
		accepted.entry = &entry{}
		yields := 0
		c.committer.sched = yielding{Goroutines: new(Goroutines), yield: func() {
			if yields++; yields == 3 {
				accepted.entry.barriers.waiting = []Signal{new(Goroutines).Signal()}
			}
		}}
		c.start()
		c.enqueue(accepted)
		synctest.Wait()
		if len(c.released) != 1 || yields != 4 {
			t.Errorf("released %v after %d yields, want it after 4", c.released, yields)
		}
		c.stop()
	})
}

// TestOutputThatNobodyWaitsForIsCommittedSoon bounds how long it may wait.
func TestOutputThatNobodyWaitsForIsCommittedSoon(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCommitterTest()
		yields := 0
		c.committer.sched = yielding{Goroutines: new(Goroutines), yield: func() { yields++ }}
		c.start()
		accepted := c.output(1, 1)
		accepted.entry = &entry{}
		c.enqueue(accepted)
		synctest.Wait()
		if len(c.released) != 1 || yields != maxYields {
			t.Fatalf("released %v after %d yields, want it after %d", c.released, yields, maxYields)
		}
		c.stop()
	})
}

// TestWhatAnAbortMeetsWhileTheCommitterStepsBackStaysOffTheDisk aborts between
// the queue and the commit.
func TestWhatAnAbortMeetsWhileTheCommitterStepsBackStaysOffTheDisk(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCommitterTest()
		yields := 0
		c.committer.sched = yielding{Goroutines: new(Goroutines), yield: func() {
			if yields++; yields == 3 {
				c.abort(errors.New("an actor failed"))
				broken := c.output(2, 1)
				broken.entry, broken.gated = &entry{}, []machine.Effect{&machine.Finished{}}
				c.enqueue(broken)
			}
		}}
		c.start()
		accepted := c.output(1, 1)
		accepted.entry = &entry{}
		c.enqueue(accepted)
		c.stop()
		if g := c.groups(); len(g) > 0 || len(c.released) > 0 {
			t.Fatalf("after the abort %v was committed and %v released", g, c.released)
		}
	})
}
