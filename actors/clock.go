package actors

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Clock tells the time and wakes after a while. It may be used concurrently.
//
// A Clock whose time can leap while its waiting goes on (the wall clock of a
// machine, or of a simulation) is asked for the difference: it either returns
// times with a monotonic reading, as time.Now does, or has a method
// Uptime() time.Duration that only grows with waiting.
type Clock interface {
	// Now returns the current time.
	Now() time.Time
	// AfterFunc calls fn on a goroutine of its own once d has passed. fn must
	// not block. stop reports whether it has kept fn from being called.
	AfterFunc(d time.Duration, fn func()) (stop func() bool)
}

// SystemClock is the Clock of the operating system; under testing/synctest, of
// the bubble. The zero value is ready.
type SystemClock struct{}

// Now implements Clock.
func (SystemClock) Now() time.Time { return time.Now() }

// AfterFunc implements Clock.
func (SystemClock) AfterFunc(d time.Duration, fn func()) (stop func() bool) {
	return time.AfterFunc(d, fn).Stop
}

// Bounds of what a clock may do before it is called a leap, and how long
// removals then wait.
const (
	maxLeap        = time.Hour
	maxRestartLeap = 30 * 24 * time.Hour
	removalHold    = time.Hour
	// Small differences between wall and monotonic clock are forgiven, and no
	// longer counted, after this time: a slewed clock never adds up to a leap.
	leapWindow = time.Minute
)

// steadyClock is the clock of a runtime. It never goes back, neither while the
// process runs nor over a restart: it starts no lower than the highest time
// that was stored, and while the wall clock is behind it, it stands still.
//
// What is removed because its retention is over is gone for good, so removals
// need more than a clock that says so: after a leap they wait, and while the
// wall clock itself is far behind they wait too, since then an earlier leap is
// what the time stands on.
type steadyClock struct {
	base   Clock
	uptime func(now time.Time) time.Duration
	log    *slog.Logger

	high atomic.Int64 // the highest time handed out or stored, ms
	held atomic.Int64 // uptime until which removals are held
	// pace is a moment against which the next reading is compared.
	pace atomic.Pointer[pace]
	leap sync.Mutex // one reading at a time moves pace
}

// pace says what the wall clock showed at an uptime.
type pace struct {
	wall int64 // ms since the epoch
	up   time.Duration
}

// newSteadyClock starts a clock over base that is never below stored, which is
// in ms since the epoch; 0 when nothing is stored.
func newSteadyClock(base Clock, stored int64, log *slog.Logger) *steadyClock {
	start := base.Now()
	c := &steadyClock{base: base, log: log}
	c.uptime = func(now time.Time) time.Duration { return now.Sub(start) }
	if u, ok := base.(interface{ Uptime() time.Duration }); ok {
		c.uptime = func(time.Time) time.Duration { return u.Uptime() }
	}
	c.high.Store(stored)
	wall, up := start.UnixMilli(), c.uptime(start)
	c.pace.Store(&pace{wall: wall, up: up})
	if away := time.Duration(wall-stored) * time.Millisecond; stored > 0 && away > maxRestartLeap {
		c.hold(up, "the clock is far ahead of the last time that was stored", away)
	}
	if behind := time.Duration(stored-wall) * time.Millisecond; behind > maxLeap {
		log.Warn("the clock is behind the last time that was stored: time stands still until it is reached",
			"behind", behind)
	}
	return c
}

// Now implements Clock, in whole milliseconds.
func (c *steadyClock) Now() time.Time { return time.UnixMilli(c.nowMs()) }

// AfterFunc implements Clock: fn is called when this clock, not only the wall
// clock, has moved by d.
func (c *steadyClock) AfterFunc(d time.Duration, fn func()) (stop func() bool) {
	wall, _ := c.read()
	if behind := time.Duration(c.high.Load()-wall) * time.Millisecond; behind > 0 {
		d += behind
	}
	return c.base.AfterFunc(d, fn)
}

// nowMs returns the current time in ms since the epoch.
func (c *steadyClock) nowMs() int64 {
	wall, _ := c.read()
	for {
		high := c.high.Load()
		if wall <= high {
			return high
		}
		if c.high.CompareAndSwap(high, wall) {
			return wall
		}
	}
}

// lapse returns a time that moves with waiting alone: it neither leaps nor stands
// still. Differences of it say how long something has lasted in this process.
func (c *steadyClock) lapse() time.Time { return time.UnixMilli(1).Add(c.uptime(c.base.Now())) }

// highWater returns the highest time handed out so far, in ms since the epoch:
// the mark that the next start must not be below.
func (c *steadyClock) highWater() int64 { return c.high.Load() }

// removalsHeld reports whether what has outlived its retention must be kept for
// now, because the time is in doubt.
func (c *steadyClock) removalsHeld() bool {
	now := c.nowMs()
	wall, up := c.read()
	return int64(up) < c.held.Load() || time.Duration(now-wall)*time.Millisecond > maxLeap
}

// read reads both clocks and notices leaps.
func (c *steadyClock) read() (wall int64, up time.Duration) {
	t := c.base.Now()
	wall, up = t.UnixMilli(), c.uptime(t)
	p := c.pace.Load()
	if drift := p.drift(wall, up); drift > maxLeap || drift < -maxLeap || up-p.up > leapWindow {
		c.rebase(wall, up)
	}
	return wall, up
}

// drift returns how far wall is from where it should be at up.
func (p *pace) drift(wall int64, up time.Duration) time.Duration {
	return time.Duration(wall-p.wall)*time.Millisecond - (up - p.up)
}

func (c *steadyClock) rebase(wall int64, up time.Duration) {
	c.leap.Lock()
	defer c.leap.Unlock()
	p := c.pace.Load()
	if up < p.up {
		return // somebody with a later reading was here first
	}
	switch drift := p.drift(wall, up); {
	case drift > maxLeap:
		c.hold(up, "the clock has leapt forward", drift)
	case drift < -maxLeap:
		c.log.Warn("the clock has leapt back: time stands still until it is reached again", "by", -drift)
	}
	c.pace.Store(&pace{wall: wall, up: up})
}

// hold makes removals wait.
func (c *steadyClock) hold(up time.Duration, what string, by time.Duration) {
	c.held.Store(int64(up + removalHold))
	c.log.Warn(what+": nothing is removed for a while", "by", by, "for", removalHold)
}
