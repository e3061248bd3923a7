package sim

import (
	"container/heap"
	"runtime"
	"time"

	"github.com/dormouse-run/dormouse/actors"
)

// process is the tasks and timers that end together: one life of the program, or
// the world around it, which never ends. It is the Scheduler and the Clock of a
// runtime.
type process struct {
	loop  *loop
	tasks []*task
	dead  bool
	// skew is how far the wall clock is ahead of the time of the simulation.
	skew time.Duration
}

var (
	_ actors.Scheduler = (*process)(nil)
	_ actors.Clock     = (*process)(nil)
)

// epoch is when simulations begin.
const epoch = 1_700_000_000

// Go implements actors.Scheduler.
func (p *process) Go(name string, fn func()) { p.start(name, fn) }

func (p *process) start(name string, fn func()) *task {
	l := p.loop
	l.tasks++
	t := &task{loop: l, process: p, number: l.tasks, name: name, fn: fn, baton: make(chan struct{})}
	if p.dead {
		return t
	}
	t.at = len(p.tasks)
	p.tasks = append(p.tasks, t)
	l.makeReady(t)
	return t
}

// forget takes a task that has ended off the list.
func (p *process) forget(t *task) {
	last := len(p.tasks) - 1
	moved := p.tasks[last]
	p.tasks[t.at], moved.at = moved, t.at
	p.tasks[last] = nil
	p.tasks = p.tasks[:last]
}

// Signal implements actors.Scheduler.
func (p *process) Signal() actors.Signal { return p.signal() }

func (p *process) signal() *signal { return &signal{process: p} }

// Yield implements actors.Scheduler.
func (p *process) Yield() {
	p.ensureAlive()
	p.loop.yield()
}

// Now implements actors.Clock.
func (p *process) Now() time.Time {
	return time.Unix(epoch, 0).Add(p.loop.now + p.skew)
}

// Uptime says how long the clock has moved by waiting alone.
func (p *process) Uptime() time.Duration { return p.loop.now }

// AfterFunc implements actors.Clock.
func (p *process) AfterFunc(d time.Duration, fn func()) (stop func() bool) {
	l := p.loop
	l.tasks++
	t := &timer{due: l.now + max(d, 0), number: l.tasks, process: p, fn: fn}
	heap.Push(&l.timers, t)
	return func() bool {
		if t.at < 0 {
			return false
		}
		heap.Remove(&l.timers, t.at)
		t.at = -1
		return true
	}
}

// sleep blocks the current task for d.
func (p *process) sleep(d time.Duration) {
	wake := p.signal()
	p.AfterFunc(d, wake.Notify)
	wake.Wait()
}

func (p *process) ensureAlive() {
	if p.dead {
		runtime.Goexit()
	}
}

// kill ends every task of the process, where it stands. It is called by a task of
// another process; deferred functions of the tasks run, and what they do reaches
// nothing that is alive.
func (p *process) kill() {
	l := p.loop
	p.dead = true
	l.ready = removeOf(p, l.ready)
	l.polling = removeOf(p, l.polling)
	killer := l.current
	for len(p.tasks) > 0 {
		t := p.tasks[len(p.tasks)-1]
		if !t.started {
			p.forget(t)
			continue
		}
		l.reaper = killer
		l.hand(t)
		<-killer.baton
	}
}

func removeOf(p *process, tasks []*task) []*task {
	kept := tasks[:0]
	for _, t := range tasks {
		if t.process != p {
			kept = append(kept, t)
		}
	}
	clear(tasks[len(kept):])
	return kept
}

// signal implements actors.Signal for one process.
type signal struct {
	process *process
	set     bool
	waiter  *task
}

// Notify implements actors.Signal.
func (s *signal) Notify() {
	t := s.waiter
	if t == nil {
		s.set = true
		return
	}
	s.waiter = nil
	l := s.process.loop
	if t.done != nil {
		for i, other := range l.polling {
			if other == t {
				l.polling = append(l.polling[:i], l.polling[i+1:]...)
				break
			}
		}
	}
	if !t.process.dead {
		l.makeReady(t)
	}
}

// Wait implements actors.Signal.
func (s *signal) Wait() { s.WaitOr(nil) }

// WaitOr implements actors.Signal. It does not block for a notification of before,
// and then no choice is made: whether a signal that is used again still holds one
// is chance, and callers look again.
func (s *signal) WaitOr(done <-chan struct{}) {
	s.process.ensureAlive()
	if s.set {
		s.set = false
		return
	}
	l := s.process.loop
	t := l.current
	s.waiter, t.waits, t.done = t, s, done
	if done != nil {
		l.polling = append(l.polling, t)
	}
	l.block()
	t.waits, t.done = nil, nil
}
