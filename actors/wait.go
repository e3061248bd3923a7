package actors

import (
	"time"

	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/objects"
)

// awaiting is how the host asks a handler what it waits for.
type awaiting func() (*journal.Future, journal.Allocated)

// Wait implements objects.Host.
func (a *attempt) Wait(parkable bool, wait func() (*journal.Future, journal.Allocated)) objects.Verdict {
	if parkable {
		a.flush() // otherwise the result of a closure brings along what was kept back
	}
	a.mu.Lock()
	ready := (a.feed.ready() || a.woken) && !a.muted.Load() && !a.rt.draining.Load()
	if ready {
		a.woken = false
	}
	a.mu.Unlock()
	if ready {
		return objects.Proceed
	}
	a.giveUpSlot()
	if v := a.await(parkable, wait); v != objects.Proceed {
		return v
	}
	return a.regainSlot()
}

// Wake implements objects.Host.
func (a *attempt) Wake() {
	a.mu.Lock()
	a.woken = true
	a.mu.Unlock()
	a.rouse()
}

// arm makes the signal on which the handler is about to wait. It is called by the
// handler's goroutine before it looks whether there is something to wait for:
// whatever happens before is seen by that look, and whatever comes later finds
// the signal.
func (a *attempt) arm() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.wake == nil {
		a.wake = a.rt.sched.Signal()
	}
}

// rouse makes a waiting handler look again. What there is to see must have been
// changed before. It never blocks, and may be called by anyone who does not hold
// mu.
func (a *attempt) rouse() {
	a.mu.Lock()
	wake := a.wake
	a.mu.Unlock()
	if wake != nil {
		wake.Notify()
	}
}

// await blocks until the feed has something, or the attempt has to be unwound.
func (a *attempt) await(parkable bool, wait awaiting) objects.Verdict {
	a.arm()
	if parkable && a.inactivity() > 0 {
		if over := a.rt.hot.add(a, a.rt.clock.lapse(), a.inactivity()); over != nil {
			over.wantPark()
		}
		a.rt.sweeper.kick()
		defer a.rt.hot.remove(a)
	}
	if parkable {
		a.wondering.begin(wait, a.rt.clock.nowMs())
		defer a.wondering.end()
		a.announceWait(wait)
	}
	for told := false; ; {
		if parkable && !told && a.rt.deadlocks.wants(a.birth) {
			told = true
			a.tell(wait)
			defer a.untell()
		}
		switch a.step(parkable) {
		case stepProceed:
			return objects.Proceed
		case stepUnwind:
			return objects.Unwind
		case stepRetire:
			a.stop(stopShutdown)
			return objects.Unwind
		case stepPark:
			a.park(wait)
		case stepWait:
			a.wake.Wait()
		}
	}
}

// step says what a waiting handler does next.
type step uint8

const (
	stepWait step = iota
	stepProceed
	stepUnwind
	// stepPark: ask the machine to suspend.
	stepPark
	// stepRetire: the runtime stops, and the next start goes on from here.
	stepRetire
)

// String returns the word used in traces.
func (s step) String() string {
	switch s {
	case stepWait:
		return "wait"
	case stepProceed:
		return "proceed"
	case stepUnwind:
		return "unwind"
	case stepPark:
		return "park"
	default:
		return "retire"
	}
}

// inactivity is how long the handler waits in memory. One that was brought back
// after a crash is suspended at its first wait: what waits has not ended the
// process, and a suspended invocation is not blamed for the next end.
func (a *attempt) inactivity() time.Duration {
	if a.recovered {
		return 0
	}
	return a.bound.settings.InactivityTimeout
}

func (a *attempt) step(parkable bool) step {
	draining := a.rt.draining.Load()
	a.mu.Lock()
	defer a.mu.Unlock()
	ready := a.feed.ready() || a.woken
	switch {
	case a.muted.Load():
		return stepUnwind
	case a.parking:
		return stepWait
	case draining && a.code.closures == 0 && (ready || !parkable || a.refused):
		return stepRetire
	case ready:
		a.woken = false
		return stepProceed
	case !parkable || a.refused:
		return stepWait
	case draining || a.parkWanted || a.pausing || a.inactivity() <= 0:
		a.parking = true
		return stepPark
	default:
		return stepWait
	}
}

// park asks the machine to suspend the invocation. The answer is keepWaiting,
// or a stop once the suspension is durable; until then the feed is not touched,
// so that what the machine was told stays true.
func (a *attempt) park(wait awaiting) {
	await, allocated := wait()
	a.mu.Lock()
	ev := &machine.Park{Birth: a.birth, Epoch: a.epoch, Await: await, Taken: a.taken, Allocated: allocated, Unread: a.unread}
	a.mu.Unlock()
	a.rt.registry.deliver(a.entry.key, a.entry.partition, ev)
}

// keepWaiting says that the machine has refused to suspend: something that
// satisfies the wait is on its way.
func (a *attempt) keepWaiting() {
	a.mu.Lock()
	a.parking, a.parkWanted = false, false
	a.refused = !a.feed.ready()
	a.mu.Unlock()
	a.rouse()
}

// wantPark asks a waiting attempt to give up its memory.
func (a *attempt) wantPark() {
	a.mu.Lock()
	a.parkWanted = true
	a.mu.Unlock()
	a.rouse()
}

// pause asks the attempt to suspend at its next wait, or at once when it waits, so
// that the machine can pause the invocation; without wanted it takes that back.
func (a *attempt) pause(wanted bool) {
	a.mu.Lock()
	a.pausing = wanted
	a.mu.Unlock()
	a.rouse()
}

// regainSlot blocks until the handler may execute user code again.
func (a *attempt) regainSlot() objects.Verdict {
	a.arm()
	a.mu.Lock()
	a.parkWanted = false
	a.mu.Unlock()
	if a.rt.slots.acquire(a) && !a.granted() {
		a.rt.slots.release()
		return objects.Unwind
	}
	for {
		a.mu.Lock()
		held, stopped := a.slot, a.stopped != 0
		a.mu.Unlock()
		switch {
		case stopped:
			return objects.Unwind
		case held:
			return objects.Proceed
		case a.rt.draining.Load():
			a.stop(stopShutdown)
			return objects.Unwind
		}
		a.wake.Wait()
	}
}
