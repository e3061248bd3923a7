package actors

import (
	"slices"
	"sync"
)

// workers runs short tasks, the turns of actors, on goroutines that it keeps.
//
// The naive way is a goroutine per turn. Its stack starts small, and the way
// down to Apply is deeper than that: every turn copied its stack once or twice,
// which was a fifteenth of all that a call costs. A goroutine that is kept has
// grown its stack before. The one that was parked last works first, so that few
// of them stay warm when there is little to do.
//
// Only code of ours runs here. A handler gets a goroutine that nobody had before:
// what it does to its goroutine, say runtime.LockOSThread, must not reach another.
type workers struct {
	Scheduler

	mu sync.Mutex
	// idle are parked, those that were parked last at the end.
	// Invariant: len(idle) <= maxIdleWorkers, 0 when closed.
	idle []*worker
	// fewest is the lowest number of idle ones since the last trim: so many were
	// not needed.
	// Invariant: fewest <= len(idle).
	fewest int
	closed bool
}

// maxIdleWorkers bounds the goroutines that are kept while there is nothing to
// do, not those that work.
const maxIdleWorkers = 128

// worker is a goroutine that is kept. task is written before wake is notified,
// by whoever has taken the worker from the idle ones; nil ends it.
type worker struct {
	wake Signal
	task func()
}

func newWorkers(sched Scheduler) *workers { return &workers{Scheduler: sched} }

// Go implements Scheduler. All tasks share the name under which the goroutine
// was started.
func (p *workers) Go(name string, task func()) {
	if w := p.take(); w != nil {
		w.task = task
		w.wake.Notify()
		return
	}
	w := &worker{wake: p.Signal(), task: task}
	p.Scheduler.Go(name, func() { p.run(w) })
}

func (p *workers) take() *worker {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.idle) - 1
	if last < 0 {
		return nil
	}
	w := p.idle[last]
	p.idle[last] = nil
	p.idle = p.idle[:last]
	p.fewest = min(p.fewest, last)
	return w
}

// run is the goroutine of w. A task that ends its goroutine ends the worker,
// which is in no list while it works.
func (p *workers) run(w *worker) {
	for w.task != nil {
		w.task()
		w.task = nil
		if !p.park(w) {
			return
		}
		w.wake.Wait()
	}
}

func (p *workers) park(w *worker) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || len(p.idle) == maxIdleWorkers {
		return false
	}
	p.idle = append(p.idle, w)
	return true
}

// trim ends the goroutines that have had nothing to do since the last trim, and
// returns how many are still parked.
func (p *workers) trim() (left int) {
	p.mu.Lock()
	unused := slices.Clone(p.idle[:p.fewest])
	p.idle = slices.Delete(p.idle, 0, p.fewest)
	p.fewest = len(p.idle)
	left = p.fewest
	p.mu.Unlock()
	for _, w := range unused {
		w.wake.Notify()
	}
	return left
}

// close ends the goroutines that are parked, and lets the others end behind
// their tasks. Tasks that come later are run on goroutines that are not kept. It
// does not wait, and may be called again.
func (p *workers) close() {
	p.mu.Lock()
	idle := p.idle
	p.closed, p.idle, p.fewest = true, nil, 0
	p.mu.Unlock()
	for _, w := range idle {
		w.wake.Notify()
	}
}
