package sim

import (
	"container/heap"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"slices"
	"time"
)

// loop runs tasks one at a time.
//
// A task is a goroutine that holds the baton while it runs. It gives the baton
// away only where it blocks: then the seed chooses who gets it. So between two
// blocks a task is alone, nothing needs a lock, and the same seed gives the same
// story, down to the last step. Time is a number; it moves a little with every
// step, and leaps to the next timer when nobody can run.
type loop struct {
	rand    *rand.Rand
	current *task
	// ready can run; polling wait for a channel that may have been closed.
	ready, polling []*task
	timers         timerHeap
	now            time.Duration
	// alarm is the step before which the alarmed task runs, 0 for none.
	alarm   uint64
	alarmed *signal
	// forced is who gets the baton next, whatever the seed says.
	forced *task
	// reaper waits for a task of a killed process to end.
	reaper *task

	// reluctant are the names of tasks that are chosen less often than others in
	// this run: a slow disk, a starved actor.
	reluctant map[string]bool
	moody     bool

	steps uint64
	// digest changes with every choice: two runs of a seed end with the same.
	digest uint64
	world  *process
	// processes are all of them, the dead ones too.
	processes []*process
	tasks     uint64
	// broken ends the run: the first thing that was found to be wrong.
	broken *Violation
	ended  chan struct{}
	over   bool
	limit  uint64
	// trace gets what happens; it may be nil.
	trace io.Writer
}

// task is one goroutine of the simulation.
type task struct {
	loop    *loop
	process *process
	number  uint64
	name    string
	fn      func()
	baton   chan struct{}
	started bool
	// at is the position in the tasks of the process.
	at int
	// waits is the signal on which it blocks; done ends that wait too.
	waits *signal
	done  <-chan struct{}
}

// Pace of the virtual clock.
const (
	stepTime = 20 * time.Microsecond
	// hasteOdds is one in how many steps the next timer fires although others
	// could run: a machine that is busy.
	hasteOdds = 64
)

func newLoop(seed, limit uint64) *loop {
	l := &loop{rand: rand.New(rand.NewPCG(seed, 0x646f726d6f757365)), ended: make(chan struct{}), limit: limit}
	l.reluctant, l.moody = make(map[string]bool), l.chance(2)
	l.world = l.process()
	return l
}

// run runs fn as the first task, and returns when it has ended, or when
// something was found to be wrong. Then no task is left.
func (l *loop) run(fn func()) *Violation {
	l.world.Go("main", func() {
		fn()
		l.over = true
	})
	l.hand(l.pick())
	<-l.ended
	l.current = &task{loop: l, process: l.world, started: true, baton: make(chan struct{})}
	for _, p := range l.processes {
		p.kill()
	}
	return l.broken
}

// process begins a process without tasks.
func (l *loop) process() *process {
	p := &process{loop: l}
	l.processes = append(l.processes, p)
	return p
}

// fail notes what is wrong. The run ends at the next step.
func (l *loop) fail(invariant Invariant, format string, args ...any) {
	if l.broken == nil {
		l.broken = &Violation{Invariant: invariant, Text: fmt.Sprintf(format, args...), Step: l.steps, At: l.now}
	}
}

// note tells the trace what happens.
func (l *loop) note(format string, args ...any) {
	if l.trace != nil {
		fmt.Fprintf(l.trace, "%6d %-12v %-10s %s\n", l.steps, l.now, l.current.name, fmt.Sprintf(format, args...))
	}
}

// chance is true once in n times.
func (l *loop) chance(n int) bool { return n > 0 && l.rand.IntN(n) == 0 }

// between returns a duration of [low, high).
func (l *loop) between(low, high time.Duration) time.Duration {
	return low + time.Duration(l.rand.Int64N(int64(high-low)))
}

// makeReady lets t run when it is chosen.
func (l *loop) makeReady(t *task) { l.ready = append(l.ready, t) }

// pick chooses who runs next. nil says that the simulation is over.
func (l *loop) pick() *task {
	if l.alarm != 0 && l.steps+1 >= l.alarm && l.alarmed.waiter != nil {
		l.alarm, l.forced = 0, l.alarmed.waiter
		l.alarmed.Notify()
	}
	if t := l.forced; t != nil {
		l.forced = nil
		l.ready = slices.DeleteFunc(l.ready, func(other *task) bool { return other == t })
		return t
	}
	for !l.over && l.broken == nil {
		l.poll()
		l.fire(l.now)
		if len(l.timers) > 0 && (len(l.ready) == 0 || l.chance(hasteOdds)) {
			l.fire(max(l.now, l.timers[0].due))
		}
		if len(l.ready) > 0 {
			return l.take(l.choose())
		}
		if len(l.timers) == 0 {
			l.fail(InvariantStranded, "nobody can run, and there is no timer")
		}
	}
	return nil
}

// choose returns the position of a task that is ready.
func (l *loop) choose() int {
	at := l.rand.IntN(len(l.ready))
	if l.hesitates(l.ready[at].name) && !l.chance(8) {
		at = l.rand.IntN(len(l.ready))
	}
	return at
}

// hesitates reports whether tasks of a name are reluctant. Half of the runs have
// none; in the others a third of the names is.
func (l *loop) hesitates(name string) bool {
	slow, known := l.reluctant[name]
	if !known {
		slow = l.moody && l.chance(3)
		l.reluctant[name] = slow
	}
	return slow
}

func (l *loop) take(at int) *task {
	t := l.ready[at]
	last := len(l.ready) - 1
	l.ready[at], l.ready[last] = l.ready[last], nil
	l.ready = l.ready[:last]
	l.steps++
	l.now += stepTime
	l.digest = (l.digest ^ t.number) * 0x100000001b3
	if l.steps >= l.limit {
		l.fail(InvariantStranded, "not at rest after %d steps", l.steps)
	}
	return t
}

// poll makes those ready whose channel has been closed.
func (l *loop) poll() {
	l.polling = slices.DeleteFunc(l.polling, func(t *task) bool {
		select {
		case <-t.done:
			t.waits.waiter = nil
			l.makeReady(t)
			return true
		default:
			return false
		}
	})
}

// fire moves the clock to now, and starts what was due.
func (l *loop) fire(now time.Duration) {
	l.now = now
	for len(l.timers) > 0 && l.timers[0].due <= now {
		t := heap.Pop(&l.timers).(*timer)
		if !t.process.dead {
			t.process.Go("timer", t.fn)
		}
	}
}

// hand gives the baton to t; without one the simulation has ended.
func (l *loop) hand(t *task) {
	l.current = t
	switch {
	case t == nil:
		close(l.ended)
	case t.started:
		t.baton <- struct{}{}
	default:
		t.started = true
		go t.run()
	}
}

// block gives the baton away, and returns when somebody has made the current task
// ready and it was chosen. A task whose process was killed does not return.
func (l *loop) block() {
	t := l.current
	if next := l.pick(); next != t {
		l.hand(next)
		<-t.baton
	} else {
		l.current = t
	}
	if t.process.dead {
		runtime.Goexit()
	}
}

// yield lets others run.
func (l *loop) yield() {
	l.makeReady(l.current)
	l.block()
}

// run is the goroutine of a task.
func (t *task) run() {
	defer t.exit()
	defer func() {
		if p := recover(); p != nil {
			t.loop.fail(InvariantPanic, "task %s: %v\n%s", t.name, p, debug.Stack())
		}
	}()
	t.fn()
}

// exit gives the baton to the next task, for good.
func (t *task) exit() {
	l := t.loop
	t.process.forget(t)
	if l.reaper != nil {
		next := l.reaper
		l.reaper = nil
		l.hand(next)
		return
	}
	l.hand(l.pick())
}

// timer calls fn at a time.
type timer struct {
	due     time.Duration
	number  uint64
	at      int // position in the heap, -1 when it has fired or was stopped
	process *process
	fn      func()
}

// timerHeap has the earliest timer first, and of those the oldest.
type timerHeap []*timer

func (h timerHeap) Len() int { return len(h) }

func (h timerHeap) Less(i, j int) bool {
	return h[i].due < h[j].due || h[i].due == h[j].due && h[i].number < h[j].number
}

func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].at, h[j].at = i, j
}

// Push implements heap.Interface.
func (h *timerHeap) Push(x any) {
	t := x.(*timer)
	t.at = len(*h)
	*h = append(*h, t)
}

// Pop implements heap.Interface.
func (h *timerHeap) Pop() any {
	last := len(*h) - 1
	t := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	t.at = -1
	return t
}
