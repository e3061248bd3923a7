package actors

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// Bounds of the time between two looks of the sweeper.
const (
	minSweep = 10 * time.Millisecond
	maxSweep = time.Second
)

// manyActors is how many actors must have been in memory before it means something
// that they have left.
const manyActors = 1024

// sweeper looks after everything in memory: handlers that have waited for too
// long, code that does not end, handlers that keep a slot to themselves, actors
// that nobody uses, goroutines kept for them. It looks around while there is something in memory, and
// sleeps otherwise.
type sweeper struct {
	loop
	rt    *Runtime
	pause time.Duration
	armed atomic.Bool
	// crowded is the highest number of actors since the last ebb. It belongs to
	// the goroutine.
	crowded int64
}

func newSweeper(rt *Runtime) *sweeper {
	s := &sweeper{loop: newLoop(rt.sched), rt: rt, pause: maxSweep}
	for _, service := range rt.bindings {
		for _, b := range service.handlers {
			if d := b.settings.InactivityTimeout; d > 0 {
				s.pause = min(s.pause, max(d/4, minSweep))
			}
			if d := b.settings.AbortTimeout; d > 0 {
				s.pause = min(s.pause, max(d/4, minSweep))
			}
		}
	}
	s.pause = min(s.pause, max(rt.options.CloseGrace/4, minSweep))
	if d := rt.options.Linger; d > 0 {
		s.pause = min(s.pause, max(d/4, minSweep))
	}
	return s
}

// kick makes the sweeper look soon. It costs one load when it will anyway.
func (s *sweeper) kick() {
	if !s.armed.Load() && s.armed.CompareAndSwap(false, true) {
		s.rt.clock.base.AfterFunc(s.pause, s.wake.Notify)
	}
}

func (s *sweeper) run() {
	for !s.stopping.Load() {
		s.wake.Wait()
		if s.stopping.Load() {
			return
		}
		s.armed.Store(false)
		// Actors that were there may leave in this sweep. The workers that end them
		// are parked behind it, for the next one to see.
		live := s.rt.registry.live.Load()
		s.rt.sweep()
		s.ebb(s.rt.registry.live.Load())
		if parked := s.rt.workers.trim(); parked > 0 || live > 0 || s.rt.registry.live.Load() > 0 || s.rt.pressed.Load() {
			s.kick()
		}
	}
}

// ebb lets the janitor give space back at once, and not up to a minute later, when
// most of many actors have left memory: a burst is over.
func (s *sweeper) ebb(live int64) {
	s.crowded = max(s.crowded, live)
	if s.crowded >= manyActors && live <= s.crowded/4 {
		s.crowded = live
		s.rt.janitor.ebbed()
	}
}

// sweep looks once.
func (rt *Runtime) sweep() {
	rt.feelPressure()
	now := rt.clock.lapse()
	for _, a := range rt.hot.due(now) {
		a.wantPark()
	}
	// An attempt may have been asked and have found a reason to stay.
	for _, a := range rt.hot.oldest(rt.hot.len() - rt.options.MaxHotWaiters) {
		a.wantPark()
	}
	for _, a := range rt.attempts.all() {
		rt.check(a, now)
	}
	rt.registry.sweep(now.UnixMilli(), rt.options.Linger, 0)
	if over := int(rt.registry.live.Load()) - rt.options.MaxLiveActors; over > 0 {
		over -= rt.registry.sweep(now.UnixMilli(), 0, over)
		for _, a := range rt.hot.oldest(over) {
			a.wantPark()
		}
	}
}

// check looks at one attempt. It makes a Run visible whose closure takes long.
func (rt *Runtime) check(a *attempt, now time.Time) {
	a.flush()
	overdue, hogging := a.overdue(now, rt.options.HogTimeout)
	if overdue && a.abandon() {
		rt.abandoned.Add(1)
		rt.logger.Error("code of an attempt has not ended in time and is abandoned; it is mute, but it may still be running",
			"invocation", a.id.String(), "target", a.target.String(), "attempt", a.epoch.String())
	}
	if hogging {
		rt.logger.Warn("a handler keeps running without calling the SDK; its slot goes to another one",
			"invocation", a.id.String(), "target", a.target.String(), "attempt", a.epoch.String())
		a.giveUpSlot()
	}
}

// starts holds attempts back that may not start yet.
type starts struct {
	mu sync.Mutex
	// pressed holds all attempts, while the store is short of something.
	pressed bool
	held    []*attempt
	// suspects are the invocations that may have ended the process, and alone the
	// attempts of those whose turn has come, from the moment they are made;
	// start-up starts them one by one, after all others.
	suspects []machine.ActiveRow
	alone    []*attempt
}

// schedule lets an attempt stand in line for a slot, unless something holds it.
// It reports false when the attempt has been stopped, before or now.
func (rt *Runtime) schedule(a *attempt) bool {
	if rt.draining.Load() {
		a.stop(stopShutdown)
	}
	if a.readiness() == readyNever {
		return false
	}
	if a.alone {
		a.allow()
		return true
	}
	s := &rt.starts
	s.mu.Lock()
	held := s.pressed
	if held {
		s.held = append(s.held, a)
	}
	s.mu.Unlock()
	if !held {
		a.enqueue()
	}
	return true
}

func (s *starts) suspect(row machine.ActiveRow) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.suspects = append(s.suspects, row)
}

// takeSuspects returns the invocations that wait for their turn, oldest first, so
// that it is the same ones that have it, until they are done or to blame.
func (s *starts) takeSuspects() []machine.ActiveRow {
	s.mu.Lock()
	defer s.mu.Unlock()
	suspects := s.suspects
	s.suspects = nil
	slices.SortFunc(suspects, func(a, b machine.ActiveRow) int { return cmp.Compare(a.Birth, b.Birth) })
	return suspects
}

func (s *starts) addAlone(a *attempt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.alone = append(s.alone, a)
}

// takeAlone returns the attempts that wait to be started alone.
func (s *starts) takeAlone() []*attempt {
	s.mu.Lock()
	defer s.mu.Unlock()
	alone := s.alone
	s.alone = nil
	return alone
}

// press holds starts, or returns those that were held.
func (s *starts) press(on bool) []*attempt {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pressed = on
	if on {
		return nil
	}
	held := s.held
	s.held = nil
	return held
}

// feelPressure holds timers, starts and commands while the store is short of
// something, and lets them go afterwards. What was accepted may end meanwhile.
func (rt *Runtime) feelPressure() {
	h := rt.health()
	if h.Lost != nil {
		return
	}
	on := h.Pressure != persistence.PressureNone
	if !rt.pressed.CompareAndSwap(!on, on) {
		return
	}
	held := rt.starts.press(on)
	if on {
		rt.logger.Warn("the store is short of something: nothing new is started", "reason", h.Reason)
		rt.timers.pause()
		return
	}
	rt.logger.Info("the store has room again")
	rt.timers.resume()
	for _, a := range held {
		a.enqueue()
	}
	for _, a := range rt.attempts.all() {
		a.rouse()
	}
}
