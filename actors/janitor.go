package actors

import (
	"errors"
	"fmt"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// janitorPause is the time between two rounds of the janitor.
const janitorPause = time.Minute

// tidyAfter is how many rows are written before it is worth to look for space
// to give back.
const tidyAfter = 100_000

// janitor removes what has outlived its retention, looks for rows that are
// missing, and gives space back when nothing else goes on.
type janitor struct {
	loop
	rt     *Runtime
	flight *slice
	scrub  scrub
	oldest oldest
	// cleared is the hour up to which everything has been removed.
	cleared int64
	tidied  uint64
}

func newJanitor(rt *Runtime) *janitor {
	j := &janitor{loop: newLoop(rt.sched), rt: rt, flight: newSlice(rt.sched), scrub: scrub{rt: rt}}
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

func (j *janitor) run() {
	for !j.over() {
		if err := j.expire(); err != nil && !errors.Is(err, persistence.ErrClosed) {
			j.rt.logger.Error("what has outlived its retention is not removed", "error", err)
		}
		if err := j.scrub.round(j.over); err != nil && !errors.Is(err, persistence.ErrClosed) {
			j.rt.logger.Error("records cannot be checked", "error", err)
		}
		j.tidy()
		j.rt.nap(&j.loop, janitorPause)
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

// tidy gives space back after much was written and while no handler runs.
func (j *janitor) tidy() {
	rows := j.rt.committer.stats().Rows
	running, _ := j.rt.slots.counts()
	if rows-j.tidied < tidyAfter || running > 0 || j.over() {
		return
	}
	j.tidied = rows
	if err := j.rt.options.Store.Tidy(); err != nil {
		j.rt.logger.Warn("the store could not give space back", "error", err)
	}
}
