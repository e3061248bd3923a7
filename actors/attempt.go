package actors

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/objects"
)

// attempt is one attempt of one invocation, from the StartAttempt of the machine
// until the last goroutine of its code has ended or was given up.
//
//	pending ── gate open, older code gone ──► queued ── slot ──► running ──► over
//	   └──────────────── stopped before it ran ────────────────────────────►─┘
//
// Three parties meet here: the actor of the key, which owns the list of attempts
// and takes what they wrote; the handler's goroutine and those of its closures,
// which call the methods of objects.Host; and the committer, which hands over
// what has become durable. They share what mu guards. Nobody holds mu while
// calling anything that may block or call back.
type attempt struct {
	rt    *Runtime
	entry *entry
	bound *binding // nil when this build does not bind the handler
	start *machine.StartAttempt
	birth ident.Seq
	epoch ident.Seq
	id    ident.InvocationID
	// alias stands for id in the ids of awakeables, zero when id does.
	alias  ident.InvocationID
	target ident.Target
	// alone says that it may be the one that ended the process.
	alone bool
	// meter counts for the service. made and began are by the clock of lapse:
	// when the attempt was made, and when its handler began.
	meter       *serviceMeter
	made, began time.Time

	// observed is the highest seq of what the handler has seen. A closure of
	// Run starts only when everything up to it is durable.
	observed atomic.Uint64
	// muted is set when nothing of this attempt counts any more.
	muted atomic.Bool
	// hot is guarded by the list of waiting attempts.
	hot hotLinks
	// wondering has a lock of its own.
	wondering wondering

	// in is what the handler starts from, log what it says. They are written once,
	// by its goroutine.
	in  objects.Attempt
	log slog.Logger

	mu sync.Mutex
	// phase moves forward only.
	phase phase
	// wake wakes the handler's goroutine, which waits for one thing at a time.
	// Most handlers never wait: see arm.
	wake Signal
	// gated says that the output which started this attempt is not durable yet
	// and has to be.
	gated bool
	// recovered says that start-up has brought the invocation back.
	recovered bool
	// permitted says that an attempt which is started alone may start.
	permitted bool
	// stopped is set once, when the attempt shall end; stopBy is when it is
	// given up.
	stopped stopReason
	stopBy  time.Time
	// slot says that the attempt holds a handler slot, since slotSince.
	slot      bool
	slotSince time.Time
	// active says that the handler has called the SDK since the last sweep.
	active bool

	feed feed
	// taken is how many entries of the journal the handler has been given.
	taken uint32
	// unread is how many signals the handler has been given and not taken;
	// counted says that it has told so.
	unread  uint32
	counted bool

	out outbound
	// parking says that a Park was posted and not answered; refused says that
	// it was, and that the next try has to wait for an arrival; parkWanted says
	// that the runtime wants the memory.
	parking, refused, parkWanted bool
	// pausing says that the invocation shall be paused at its next wait.
	pausing bool
	// woken says that Wake was called since Wait last returned.
	woken bool
	// awaits is what a waiting handler has told the detector of deadlocks.
	awaits *journal.Future
	// reading is the answer to the ReadState under way.
	reading *machine.StateRead
	// handedOut is how many signal indexes there were at the last command.
	handedOut uint32
	// announced is what subscribers of events were told.
	announced announced

	code code
}

// phase is where an attempt is in its life.
type phase uint8

const (
	// phasePending: something has to happen before it may run.
	phasePending phase = iota
	// phaseQueued: it waits for a handler slot.
	phaseQueued
	// phaseRunning: its code runs, or waits.
	phaseRunning
	// phaseOver: no code of it is left, or it was abandoned.
	phaseOver
)

// String returns the word used in logs.
func (p phase) String() string {
	switch p {
	case phasePending:
		return "pending"
	case phaseQueued:
		return "queued"
	case phaseRunning:
		return "running"
	default:
		return "over"
	}
}

// stopReason says why an attempt shall end. The zero value is no reason.
type stopReason uint8

const (
	// stopSuspended: its suspension is durable.
	stopSuspended stopReason = iota + 1
	// stopKilled: the invocation has ended without it.
	stopKilled
	// stopShutdown: the runtime stops; the next start runs it again.
	stopShutdown
	// stopAborted: its key is quarantined, or the handler did not stop.
	stopAborted
)

// String returns the word used in logs.
func (r stopReason) String() string {
	switch r {
	case stopSuspended:
		return "suspended"
	case stopKilled:
		return "killed"
	case stopShutdown:
		return "shutdown"
	case stopAborted:
		return "aborted"
	default:
		return "none"
	}
}

func (r stopReason) cause() error {
	switch r {
	case stopSuspended:
		return ErrSuspended
	case stopKilled:
		return ErrKilled
	case stopShutdown:
		return ErrShutdown
	default:
		return ErrAborted
	}
}

// newAttempt prepares an attempt. observed is the last output of its key.
func (rt *Runtime) newAttempt(e *entry, start *machine.StartAttempt, observed ident.Seq, gated bool) *attempt {
	a := &attempt{
		rt: rt, entry: e, start: start, birth: start.Birth, epoch: start.Epoch, id: start.ID, alias: start.Alias, target: start.Target,
		gated: gated, recovered: gated, alone: start.Alone, taken: start.Stored + uint32(len(start.Tail)),
	}
	if b := rt.bindings.find(a.target.Service, a.target.Handler); b != nil && b.kind == a.target.Kind {
		a.bound = b
	}
	a.observed.Store(uint64(observed))
	a.meter, a.made = rt.meter.of(a.target.Service), rt.clock.lapse()
	return a
}

// stop ends the attempt: from now on nothing of it counts, and its handler is
// unwound at its next operation. The first reason stays; stop reports whether
// this is it. It may be called by anyone.
func (a *attempt) stop(reason stopReason) (first bool) {
	now := a.rt.clock.lapse()
	a.mu.Lock()
	if a.stopped != 0 || a.phase == phaseOver {
		a.mu.Unlock()
		return false
	}
	a.stopped = reason
	a.muted.Store(true)
	a.stopBy = now.Add(a.patience(reason))
	a.cancelContext(reason.cause())
	running := a.phase == phaseRunning
	if !running {
		a.phase = phaseOver
	}
	a.mu.Unlock()
	a.rouse()
	a.entry.barriers.wakeAll()
	if !running {
		a.post()
	}
	return true
}

// patience is how long code may go on after the attempt was stopped.
func (a *attempt) patience(reason stopReason) time.Duration {
	if reason == stopSuspended && a.bound != nil {
		return a.bound.settings.AbortTimeout
	}
	return a.rt.options.CloseGrace
}

// exclusive reports whether no other such code of the key may run beside it: it
// holds its key, or it is the run of a workflow. A workflow id can be run again at
// once after a purge, when code of a run that was killed has not ended.
func (a *attempt) exclusive() bool {
	return a.target.Kind == ident.KindExclusive || a.target.Kind == ident.KindWorkflow
}

// blocks reports whether a younger attempt has to wait for the code of a.
func (a *attempt) blocks(younger *attempt) bool {
	return a.birth == younger.birth || a.exclusive() && younger.exclusive()
}

// readiness says whether an attempt that was not scheduled can be.
type readiness uint8

const (
	readyLater readiness = iota
	readyNow
	// readyNever: it was stopped before it could run.
	readyNever
)

// String returns the word used in logs.
func (r readiness) String() string {
	switch r {
	case readyLater:
		return "later"
	case readyNow:
		return "now"
	default:
		return "never"
	}
}

func (a *attempt) readiness() readiness {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.phase != phasePending:
		return readyNever
	case a.gated:
		return readyLater
	default:
		return readyNow
	}
}

// suspended reports whether the attempt was stopped because its suspension is
// durable.
func (a *attempt) suspended() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.stopped == stopSuspended
}

// openGate says that the output which started the attempt is durable.
func (a *attempt) openGate() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.gated = false
}

// allow says that nothing but its turn keeps an attempt that is started alone.
func (a *attempt) allow() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.permitted = true
}

// heldBack reports whether an attempt that is started alone is still held by
// something else.
func (a *attempt) heldBack() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.phase == phasePending && !a.permitted
}

// enqueue asks for a handler slot, if the attempt still wants one.
func (a *attempt) enqueue() {
	a.mu.Lock()
	if a.phase != phasePending {
		a.mu.Unlock()
		return
	}
	a.phase = phaseQueued
	a.mu.Unlock()
	if a.rt.slots.acquire(a) && !a.granted() {
		a.rt.slots.release()
	}
}

// granted takes a slot: to start, or to go on after a wait. It reports whether
// the attempt still wants it.
func (a *attempt) granted() bool {
	now := a.rt.clock.lapse()
	a.mu.Lock()
	if a.phase == phaseOver || a.stopped != 0 {
		a.mu.Unlock()
		return false
	}
	a.slot, a.slotSince = true, now
	first := a.phase == phaseQueued
	if first {
		a.phase = phaseRunning
		a.code.live = 1
		a.began = now
	}
	a.mu.Unlock()
	if first {
		a.meter.began(a.start, now.Sub(a.made))
		a.announceStart()
		a.rt.sched.Go(goAttempt, a.run)
	} else {
		a.rouse()
	}
	return true
}

// giveUpSlot releases the slot, if the attempt holds one.
func (a *attempt) giveUpSlot() {
	a.mu.Lock()
	held := a.slot
	a.slot = false
	a.mu.Unlock()
	if held {
		a.rt.slots.release()
	}
}

// overdue reports whether the attempt was stopped and did not end in time, and
// hogging whether its handler has held a slot for longer than limit.
func (a *attempt) overdue(now time.Time, limit time.Duration) (overdue, hogging bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.phase != phaseRunning {
		return false, false
	}
	if a.active {
		a.active, a.slotSince = false, now
	}
	overdue = (a.stopped != 0 || a.code.leaving) && !now.Before(a.stopBy)
	hogging = a.slot && now.Sub(a.slotSince) >= limit
	return overdue, hogging
}
