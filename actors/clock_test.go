package actors

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestClockThatStepsBackStandsStill(t *testing.T) {
	t.Parallel()
	hand := newHandClock()
	c := newSteadyClock(hand, 0, testLog(t))
	before := c.nowMs()
	hand.leap(-10 * time.Minute)
	if now := c.nowMs(); now != before {
		t.Fatalf("the clock moved by %d ms when the wall clock went back", now-before)
	}
	hand.advance(11 * time.Minute)
	if now := c.nowMs(); now != before+time.Minute.Milliseconds() {
		t.Fatalf("the clock is at +%d ms, want a minute", now-before)
	}
	if c.removalsHeld() {
		t.Fatal("a small step holds removals")
	}
}

func TestClockStartsNoLowerThanWhatWasStored(t *testing.T) {
	t.Parallel()
	hand := newHandClock()
	stored := hand.Now().Add(5 * time.Minute).UnixMilli()
	c := newSteadyClock(hand, stored, testLog(t))
	if c.nowMs() != stored || c.highWater() != stored {
		t.Fatalf("started at %d, want %d", c.nowMs(), stored)
	}
	var fired atomic.Bool
	c.AfterFunc(time.Minute, func() { fired.Store(true) })
	hand.advance(5 * time.Minute)
	if fired.Load() {
		t.Fatal("a minute has passed on a clock that stood still")
	}
	hand.advance(time.Minute)
	if !fired.Load() || c.nowMs() != stored+time.Minute.Milliseconds() {
		t.Fatalf("fired %v at +%d ms", fired.Load(), c.nowMs()-stored)
	}
}

// TestLeapForwardHoldsRemovalsForAnHourOfUptime is rule R32.
func TestLeapForwardHoldsRemovalsForAnHourOfUptime(t *testing.T) {
	t.Parallel()
	hand := newHandClock()
	c := newSteadyClock(hand, 0, testLog(t))
	before := c.nowMs()
	hand.leap(2 * time.Hour)
	if !c.removalsHeld() {
		t.Fatal("a leap of two hours does not hold removals")
	}
	if c.nowMs()-before != 2*time.Hour.Milliseconds() {
		t.Fatal("a leap is not followed: sleeps would not fire")
	}
	hand.advance(59 * time.Minute)
	if !c.removalsHeld() {
		t.Fatal("removals are held for less than an hour of uptime")
	}
	hand.advance(time.Minute)
	if c.removalsHeld() {
		t.Fatal("removals are held for more than an hour of uptime")
	}
}

func TestLeapThatIsTakenBackKeepsHoldingRemovals(t *testing.T) {
	t.Parallel()
	hand := newHandClock()
	c := newSteadyClock(hand, 0, testLog(t))
	hand.leap(12 * 365 * 24 * time.Hour)
	c.nowMs()
	hand.leap(-12 * 365 * 24 * time.Hour)
	hand.advance(2 * time.Hour)
	if !c.removalsHeld() {
		t.Fatal("removals go on at a time that the wall clock denies")
	}
	restarted := newSteadyClock(hand, c.highWater(), testLog(t))
	hand.advance(2 * time.Hour)
	if !restarted.removalsHeld() {
		t.Fatal("a restart lets removals go on at a time that the wall clock denies")
	}
}

func TestLeapOverARestartHoldsRemovals(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		away time.Duration
		held bool
	}{
		{"a month off is an ordinary stop", 30 * 24 * time.Hour, false},
		{"more than a month is a leap", 30*24*time.Hour + time.Minute, true},
	} {
		hand := newHandClock()
		stored := hand.Now().Add(-tc.away).UnixMilli()
		c := newSteadyClock(hand, stored, testLog(t))
		if c.removalsHeld() != tc.held {
			t.Errorf("%s: held %v", tc.name, c.removalsHeld())
		}
		hand.advance(time.Hour)
		if c.removalsHeld() {
			t.Errorf("%s: still held after an hour of uptime", tc.name)
		}
	}
	if newSteadyClock(newHandClock(), 0, testLog(t)).removalsHeld() {
		t.Error("a new store holds removals")
	}
}

func TestSlowDriftNeverAddsUpToALeap(t *testing.T) {
	t.Parallel()
	hand := newHandClock()
	c := newSteadyClock(hand, 0, testLog(t))
	for range 200 {
		hand.advance(2 * time.Minute)
		hand.leap(time.Minute) // 200 minutes in all
		if c.removalsHeld() {
			t.Fatal("a clock that is slewed was called a leap")
		}
	}
}

func TestSystemClockRunsUnderSynctest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newSteadyClock(SystemClock{}, 0, testLog(t))
		start := c.Now()
		done := make(chan time.Time, 1)
		c.AfterFunc(time.Hour, func() { done <- c.Now() })
		if at := <-done; at.Sub(start) != time.Hour {
			t.Fatalf("an hour took %v", at.Sub(start))
		}
		stop := c.AfterFunc(time.Hour, func() { t.Error("a stopped alarm rang") })
		if !stop() || stop() {
			t.Fatal("stop does not report what it did")
		}
	})
}

func BenchmarkSteadyNow(b *testing.B) {
	c := newSteadyClock(SystemClock{}, 0, testLog(b))
	b.ReportAllocs()
	for b.Loop() {
		c.nowMs()
	}
}
