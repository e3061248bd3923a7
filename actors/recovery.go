package actors

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// Bounds of what start-up and sweeps hold in memory.
const (
	rowSlice = 256
	// inFlight is how many of their events may be under way.
	inFlight = 1024
)

// Pauses of start-up.
const (
	recoveryPause = 5 * time.Millisecond
	alonePatience = 10 * time.Second
	crowdPatience = 10 * time.Second
)

// recovery brings back what the store holds from before.
//
// The order keeps promises. First, before anything else may happen, the rows
// that keys owed each other are posted, oldest first, so that nothing a sender
// writes from now on overtakes them. Then, beside new requests, come the chores
// that were not finished and the invocations that were at work. Last, and one by
// one, come those invocations that the process may have died of.
//
// Rows of this boot are newer than all of these and know their own way.
type recovery struct {
	loop
	rt      *Runtime
	clean   bool
	started ident.Seq
	// flight counts events that are under way.
	flight *slice
	// patience is how long the next row waits when too many keys are in memory.
	patience time.Duration
}

func newRecovery(rt *Runtime, info persistence.Info) *recovery {
	return &recovery{loop: newLoop(rt.sched), rt: rt, clean: info.Clean, started: ident.NewSeq(info.Boot, 0), flight: newSlice(rt.sched), patience: crowdPatience}
}

// halt asks recovery to end.
func (r *recovery) halt() {
	r.loop.halt()
	r.flight.wake.Notify()
}

// over reports whether there is no use in going on.
func (r *recovery) over() bool { return r.stopping.Load() || r.rt.failed.Load() }

// outbox posts what keys owed each other. It returns when all of it was taken.
func (r *recovery) outbox(ctx context.Context) error {
	defer context.AfterFunc(ctx, r.flight.wake.Notify)()
	over := func() bool { return r.over() || ctx.Err() != nil }
	n, err := eachOwed(r.rt.options.Store, r.started, func(row *machine.OutboxRow) {
		r.flight.add()
		r.rt.handOver(row, r.flight, true)
		r.flight.wait(inFlight, over)
		r.rt.trace.pass(PointRecoveryRow)
	}, over)
	if err != nil {
		return fmt.Errorf("hand over what was owed: %w", err)
	}
	r.flight.wait(0, over)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case r.rt.failed.Load():
		return r.rt.Err()
	}
	if n > 0 {
		r.rt.logger.Info("handed over what keys owed each other", "rows", n)
	}
	return nil
}

// run is the goroutine.
func (r *recovery) run() {
	if err := r.all(); err != nil && !errors.Is(err, persistence.ErrClosed) {
		r.rt.crash(fmt.Errorf("bring back what was running: %w", err))
	}
}

func (r *recovery) all() error {
	if _, err := r.each(machine.TableChore, r.chore, r.over); err != nil {
		return err
	}
	n, err := r.each(machine.TableActive, func(row machine.Row) { r.active(row.(*machine.ActiveRow)) }, r.over)
	if err != nil {
		return err
	}
	if n > 0 {
		r.rt.logger.Info("brought back what was running", "invocations", n, "clean", r.clean)
	}
	r.flight.wait(0, r.over)
	r.startAlone()
	r.reportStuck()
	return nil
}

func (r *recovery) chore(row machine.Row) {
	c := row.(*machine.ChoreRow)
	r.post(c.Object, c.Partition, &machine.DoChore{Chore: *c})
}

func (r *recovery) active(row *machine.ActiveRow) {
	r.post(row.Object, row.Partition, &machine.Recover{Active: *row, CountDeath: !r.clean})
	r.makeRoom()
}

// makeRoom waits while too many keys are in memory. Those that cannot leave may
// wait for what has not been brought back, so the bound is soft: the less it
// helps to wait, the shorter the waiting, until there is room again.
func (r *recovery) makeRoom() {
	crowded := func() bool { return int(r.rt.registry.live.Load()) > r.rt.options.MaxLiveActors }
	r.waitWhile(crowded, r.patience)
	if crowded() {
		r.patience /= 2
	} else {
		r.patience = crowdPatience
	}
}

// post delivers one event, and waits when too many are under way.
func (r *recovery) post(key ident.ObjectKey, p ident.Partition, ev machine.Event) {
	r.flight.add()
	if !r.rt.registry.deliver(key, p, &envelope{event: ev, origin: origin{slice: r.flight}}) {
		r.flight.done()
	}
	r.flight.wait(inFlight, r.over)
}

// startAlone starts the invocations that may have ended the process, each when
// the one before has ended, is waiting, or has been harmless for a while.
func (r *recovery) startAlone() {
	suspects := r.rt.starts.takeSuspects()
	if len(suspects) > 0 {
		r.waitWhile(func() bool { _, queued := r.rt.slots.counts(); return queued > 0 }, alonePatience)
	}
	for _, row := range suspects {
		if r.over() {
			return // it is not blamed for what comes
		}
		r.post(row.Object, row.Partition, &machine.Recover{Active: row, CountDeath: !r.clean, Turn: true})
		r.flight.wait(0, r.over)
		for _, a := range r.rt.starts.takeAlone() {
			r.startOne(a)
		}
	}
}

// startOne starts an attempt that may end the process.
func (r *recovery) startOne(a *attempt) {
	r.waitWhile(a.heldBack, math.MaxInt64)
	if r.over() {
		a.stop(stopShutdown)
		return
	}
	r.rt.logger.Warn("an invocation that was running when the process ended, several times, is started alone",
		"invocation", a.id.String(), "target", a.target.String())
	a.enqueue()
	r.waitWhile(a.busy, alonePatience)
}

// waitWhile blocks while held reports true, at most for patience.
func (r *recovery) waitWhile(held func() bool, patience time.Duration) {
	for waited := time.Duration(0); waited < patience && held() && !r.over(); waited += recoveryPause {
		r.rt.nap(&r.loop, recoveryPause)
	}
}

// busy reports whether the attempt executes, or is about to execute, user code.
func (a *attempt) busy() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.phase == phaseQueued || a.phase == phaseRunning && (a.slot || a.code.closures > 0)
}

// each calls fn for every row of a table that is older than this boot, in the
// order of their keys within each partition, and returns how many there were.
func (r *recovery) each(table machine.Table, fn func(machine.Row), over func() bool) (n int, err error) {
	for p := range ident.Partition(ident.Partitions) {
		from := machine.Key{Partition: p, Table: table}
		to := machine.Key{Partition: p, Table: table, A: uint64(r.started)}
		err := r.rt.scan(from, to, func(row machine.Row) bool {
			n++
			fn(row)
			r.rt.trace.pass(PointRecoveryRow)
			return !over()
		})
		if err != nil {
			return n, fmt.Errorf("read table %q of partition %d: %w", table, p, err)
		}
	}
	return n, nil
}

// scan calls fn for the rows of [from, to), in slices, each of a snapshot of its
// own, until fn returns false.
func (rt *Runtime) scan(from, to machine.Key, fn func(machine.Row) bool) error {
	for {
		var rows []machine.Row
		err := rt.options.Store.Read(func(r persistence.Reader) (err error) {
			rows, err = r.Scan(from, to, rowSlice)
			return err
		})
		if err != nil {
			return err
		}
		for _, row := range rows {
			if !fn(row) {
				return nil
			}
		}
		if len(rows) < rowSlice {
			return nil
		}
		from = after(rows[len(rows)-1].Key())
	}
}

// after returns the first key behind k in a table whose keys end in A, B or C.
func after(k machine.Key) machine.Key {
	switch k.Table {
	case machine.TableActive:
		k.A++
	default:
		if k.C++; k.C == 0 {
			if k.B++; k.B == 0 {
				k.A++
			}
		}
	}
	return k
}
