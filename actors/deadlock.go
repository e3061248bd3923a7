package actors

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// deadlocks finds calls that wait for each other in a cycle.
//
// The naive way is to look at everything that waits, now and then; that reads
// the store all the time. Or to look whenever something begins to wait; that
// reads it for every call, although nearly all are answered. Instead a look is
// taken when a call has found its key taken, and goes from the holder of that
// key to what it waits for, and so on, until it meets somebody who can go on.
// That one, and everybody on the way, is marked. As a look ends at whoever can
// go on, a cycle can close later only by something that a marked invocation
// does, or by another call that finds its key taken:
//
//	a call finds its key taken, or a further one waits  ──► look (gated: it is on disk)
//	a marked handler begins to wait in memory           ──► it says for what; look
//	a marked invocation is suspended, or goes on to be  ──► look (gated)
//	a start of the process                              ──► look at every queue and at all who have joined
//
// Law: a mark is set before the row is read that it stands for. So what happens
// before the mark is seen by the look, and what happens after it makes another
// look.
//
// A call that finds its key free costs nothing here, nor does one whose callee
// waits for an answer from outside. Looks of one key are made once for all calls
// that have queued in the meantime, on one goroutine, from rows that are
// durable: what is found is a fact, and acting on it is left to the core of the
// key, which knows whether the callee still queues.
type deadlocks struct {
	loop
	rt *Runtime

	// marked is len(marks): handlers look at it at every wait.
	marked atomic.Int64
	// found counts cycles, looks those that were taken, and reads the snapshots
	// they needed.
	found, looks, reads atomic.Uint64

	mu    sync.Mutex
	marks map[ident.Seq]struct{}
	roots []root
	// waiting holds what is in roots.
	waiting map[root]struct{}
	armed   bool
	// lost says that there was no room for a mark or a root since the last look at
	// every queue began. When that is over, as swept says, and after a while,
	// resweep is set, and it is taken again. took is how long it took.
	lost, swept, resweep bool
	took                 time.Duration

	// reported are the cycles that were logged, oldest first.
	reported known

	// sweep is where the look at every queue goes on; it belongs to run.
	sweep deadlockSweep
}

// Bounds of the detector.
const (
	// deadlockPause is the time from a call that queues to the look. Most calls
	// do not queue for longer, and those of one key share the look.
	deadlockPause = 20 * time.Millisecond
	// maxMarks and maxRoots bound its memory, some megabytes.
	maxMarks = 65_536
	maxRoots = 65_536
	// maxReported bounds the cycles that are remembered as logged.
	maxReported = 4096
	// resweepPause is how long after a loss every queue is looked at again, and
	// resweepRest how many times as long as such a look it rests in between: with
	// more queues than marks every look loses some, and they would never end.
	resweepPause = time.Minute
	resweepRest  = 10
)

// root is where a look begins: at the holder of a key, or, when birth is set, at
// an invocation. With epoch set, the look waits until the store has the start of
// that attempt.
type root struct {
	partition    ident.Partition
	object       ident.ObjectKey
	birth, epoch ident.Seq
}

func newDeadlocks(rt *Runtime) *deadlocks {
	return &deadlocks{
		loop: newLoop(rt.sched), rt: rt,
		marks: map[ident.Seq]struct{}{}, waiting: map[root]struct{}{},
		reported: known{keys: map[string]struct{}{}, limit: maxReported},
		sweep:    deadlockSweep{began: rt.clock.lapse()},
	}
}

// awaited takes the effect of the core. It never blocks.
func (d *deadlocks) awaited(ef *machine.Awaited) {
	r := root{partition: ef.ID.Partition(), birth: ef.Birth}
	if ef.Status == machine.StatusPending {
		r.birth, r.object = 0, ef.Object
	}
	d.examine(r)
}

// awaiting takes the effect of the core. It never blocks.
func (d *deadlocks) awaiting(ef *machine.Awaiting) {
	if d.wants(ef.Birth) {
		d.examine(root{partition: ef.ID.Partition(), birth: ef.Birth})
	}
}

// wants reports whether an invocation is marked, and removes the mark: the look
// that follows sets it again.
func (d *deadlocks) wants(birth ident.Seq) bool {
	if d.marked.Load() == 0 {
		return false
	}
	return d.unmark(birth)
}

// ended forgets an invocation that is over.
func (d *deadlocks) ended(birth ident.Seq) { d.wants(birth) }

func (d *deadlocks) unmark(birth ident.Seq) (marked bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, marked = d.marks[birth]
	delete(d.marks, birth)
	d.marked.Store(int64(len(d.marks)))
	return marked
}

func (d *deadlocks) mark(birth ident.Seq) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.marks) >= maxMarks {
		d.lose()
		return
	}
	d.marks[birth] = struct{}{}
	d.marked.Store(int64(len(d.marks)))
}

// examine asks for a look, soon. It never blocks.
func (d *deadlocks) examine(r root) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, twice := d.waiting[r]; twice {
		return
	}
	if len(d.roots) >= maxRoots {
		d.lose()
		return
	}
	d.waiting[r] = struct{}{}
	d.roots = append(d.roots, r)
	if !d.armed {
		d.armed = true
		d.rt.clock.base.AfterFunc(deadlockPause, d.wake.Notify)
	}
}

// take returns what has been asked for.
func (d *deadlocks) take() []root {
	d.mu.Lock()
	defer d.mu.Unlock()
	roots := d.roots
	d.roots, d.armed = nil, false
	clear(d.waiting)
	return roots
}

func (d *deadlocks) over() bool {
	return d.stopping.Load() || d.rt.failed.Load() || d.rt.draining.Load()
}

// run is the goroutine. The look at every queue that a start takes goes on in
// pieces between the looks that are asked for.
func (d *deadlocks) run() {
	for !d.stopping.Load() {
		for _, r := range d.take() {
			d.look(r)
		}
		switch {
		case d.over():
			d.wake.Wait()
		case !d.sweep.done:
			d.sweepSome()
			d.rt.nap(&d.loop, deadlockPause)
			if d.sweep.done {
				d.haveSwept()
			}
		case d.again():
			d.sweep = deadlockSweep{began: d.rt.clock.lapse()}
		default:
			d.wake.Wait()
		}
	}
}

// lose notes that there was no room for something. The caller holds mu.
func (d *deadlocks) lose() {
	if !d.lost && d.swept {
		d.sweepLater()
	}
	d.lost = true
}

// haveSwept ends a look at every queue.
func (d *deadlocks) haveSwept() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.swept, d.took = true, d.rt.clock.lapse().Sub(d.sweep.began)
	if d.lost {
		d.sweepLater()
	}
}

// sweepLater asks for another look at every queue. The caller holds mu.
func (d *deadlocks) sweepLater() {
	d.rt.clock.base.AfterFunc(max(resweepPause, resweepRest*d.took), func() {
		d.mu.Lock()
		d.resweep = true
		d.mu.Unlock()
		d.wake.Notify()
	})
}

// again reports whether it is time to look at every queue again, and begins to
// note what is lost from now on.
func (d *deadlocks) again() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	again := d.resweep
	if again {
		d.lost, d.swept, d.resweep = false, false, false
	}
	return again
}

// look looks from one root, and reports a cycle.
func (d *deadlocks) look(r root) {
	if d.over() {
		return
	}
	d.looks.Add(1)
	f, err := d.find(r)
	switch {
	case errors.Is(err, persistence.ErrClosed):
	case err != nil:
		d.rt.logger.Warn("whether calls wait for each other cannot be told", "error", err)
	case f.behind:
		d.examine(r)
	case f.cycle != nil:
		d.report(f.cycle)
	}
}

// find looks for a cycle that r is in or leads to. A cycle is real when it is
// found twice in a row: everything in it that waited at the first time and waits
// for the same at the second has waited all the time between, so there was a
// moment at which all of it did.
func (d *deadlocks) find(r root) (finding, error) {
	first, err := d.walk(r)
	if first.cycle == nil || err != nil {
		return first, err
	}
	second, err := d.walk(r)
	if err != nil || second.cycle.key() != first.cycle.key() {
		return finding{behind: true}, err
	}
	return second, nil
}

// known remembers the latest of some names.
type known struct {
	keys  map[string]struct{}
	order []string
	limit int
}

// first reports whether key is new, and remembers it.
func (k *known) first(key string) bool {
	if _, old := k.keys[key]; old {
		return false
	}
	if len(k.order) == k.limit {
		delete(k.keys, k.order[0])
		k.order = k.order[1:]
	}
	k.keys[key] = struct{}{}
	k.order = append(k.order, key)
	return true
}
