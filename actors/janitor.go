package actors

import (
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// janitorPause is the time between two rounds of the janitor.
const janitorPause = time.Minute

// afterTidy is how long after a compaction the engine has let go of the buffers in
// which it has written tables.
const afterTidy = 15 * time.Second

// tidyAfter is how many rows are written before space is given back.
const tidyAfter = 100_000

// janitor removes what has outlived its retention, looks for rows that are
// missing, and gives space back, on the disk and in memory, when nothing else
// goes on.
type janitor struct {
	loop
	rt     *Runtime
	flight *slice
	scrub  scrub
	oldest oldest
	// next is when the next round is due, by the clock of lapse.
	next time.Time
	// cleared is the hour up to which everything has been removed.
	cleared int64
	// tidied is how many rows had been written when space was given back last,
	// tidyAfter how many more it takes until that is worth the work.
	tidied    atomic.Uint64
	tidyAfter uint64
	// ebb says that many actors have left since memory was given back last.
	ebb atomic.Bool
	// started says that nothing is left to give back of what start-up has taken.
	started bool
	// freed is how often memory was given back.
	freed atomic.Int64
}

func newJanitor(rt *Runtime) *janitor {
	first := rt.options.Store.Info().Boot <= 1 // there was nothing to read
	j := &janitor{
		loop: newLoop(rt.sched), rt: rt, flight: newSlice(rt.sched), scrub: scrub{rt: rt},
		tidyAfter: tidyAfter, started: first,
	}
	j.oldest = oldest{rt: rt, remove: j.remove, over: j.over}
	return j
}

func (j *janitor) over() bool { return j.stopping.Load() || j.rt.failed.Load() }

// stop ends the goroutine and waits for it.
func (j *janitor) stop() {
	j.loop.halt()
	j.flight.wake.Notify()
	j.loop.stop()
}

// run makes a round whenever the pause is over. In between it may be woken to give
// space back.
func (j *janitor) run() {
	for !j.over() {
		if !j.rt.clock.lapse().Before(j.next) {
			j.round()
			j.next = j.rt.clock.lapse().Add(janitorPause)
		}
		for j.atRest() {
			j.rt.nap(&j.loop, afterTidy)
			j.freeMemory()
		}
		j.rt.nap(&j.loop, j.next.Sub(j.rt.clock.lapse()))
	}
}

func (j *janitor) round() {
	j.rt.health()
	if err := j.expire(); err != nil && !errors.Is(err, persistence.ErrClosed) {
		j.rt.logger.Error("what has outlived its retention is not removed", "error", err)
	}
	if err := j.scrub.round(j.over); err != nil && !errors.Is(err, persistence.ErrClosed) {
		j.rt.logger.Error("records cannot be checked", "error", err)
	}
}

// expire removes what has expired in hours that have passed, unless the time is
// in doubt.
func (j *janitor) expire() error {
	if j.rt.clock.removalsHeld() {
		return nil
	}
	hour := j.rt.clock.nowMs() / time.Hour.Milliseconds()
	for p := range ident.Partition(ident.Partitions) {
		// What is written now expires in this hour at the earliest, and hours
		// that were cleared before stay empty.
		from := machine.Key{Partition: p, Table: machine.TableExpiry, A: uint64(j.cleared)}
		to := machine.Key{Partition: p, Table: machine.TableExpiry, A: uint64(hour + 1)}
		err := j.rt.scan(from, to, func(row machine.Row) bool {
			j.remove(row.(*machine.ExpiryRow))
			return !j.over()
		})
		if err != nil {
			return fmt.Errorf("read the expiry rows of partition %d: %w", p, err)
		}
	}
	err := j.oldest.round()
	j.flight.wait(0, j.over)
	j.cleared = hour
	return err
}

func (j *janitor) remove(row *machine.ExpiryRow) {
	j.flight.add()
	j.rt.trace.pass(PointExpiring)
	env := &envelope{event: &machine.Expire{Expiry: *row}, origin: origin{slice: j.flight}}
	if !j.rt.registry.deliver(row.Object, row.Partition, env) {
		j.flight.done()
	}
	j.flight.wait(inFlight, j.over)
}

// atRest gives space on the disk back where that is worth it, and reports whether
// memory can be given back soon.
func (j *janitor) atRest() bool {
	ebb := j.ebb.Swap(false)
	return j.tidy() || ebb
}

// tidy gives space on the disk back after the start, and after much was written,
// while no handler runs. It reports whether it has.
func (j *janitor) tidy() bool {
	rows := j.rt.committer.stats().Rows
	if j.started && rows-j.tidied.Load() < j.tidyAfter || j.busy() || j.over() {
		return false
	}
	j.tidied.Store(rows)
	j.started = true
	if err := j.rt.options.Store.Tidy(); err != nil {
		j.rt.logger.Warn("the store could not give space back", "error", err)
	}
	return true
}

// freeMemory returns what a burst, or the start, which reads all logs, has taken.
// By itself the Go runtime collects nothing for two minutes where nothing is
// allocated, and what it keeps from the system goes by what was live when it
// collected last. This costs the program around us one collection, and new pages
// when it grows again: little beside what a burst costs, and nothing that a
// handler would wait for.
func (j *janitor) freeMemory() {
	if j.busy() || j.over() {
		return
	}
	j.freed.Add(1)
	if _, onDisk := j.rt.options.Store.(disk); onDisk { // else the store is what takes the memory
		debug.FreeOSMemory()
	}
}

// ebbed says that many actors have left memory. It may be called by anyone.
func (j *janitor) ebbed() {
	j.ebb.Store(true)
	j.wake.Notify()
}

// busy reports whether handlers run.
func (j *janitor) busy() bool {
	running, _ := j.rt.slots.counts()
	return running > 0
}
