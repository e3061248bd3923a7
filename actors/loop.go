package actors

import "sync/atomic"

// loop is a goroutine of the runtime that works when it is woken. stop may be
// called by one goroutine at a time, again, and before start.
type loop struct {
	wake, ended Signal
	started     bool
	stopping    atomic.Bool
}

func newLoop(sched Scheduler) loop { return loop{wake: sched.Signal(), ended: sched.Signal()} }

// start runs body, which returns when stopping is set. It is called once, by
// the goroutine that calls stop, or before it.
func (l *loop) start(sched Scheduler, name string, body func()) {
	l.started = true
	sched.Go(name, func() {
		defer l.ended.Notify()
		body()
	})
}

// halt asks the goroutine to end.
func (l *loop) halt() {
	l.stopping.Store(true)
	l.wake.Notify()
}

// stop ends the goroutine and waits for it.
func (l *loop) stop() {
	l.halt()
	if l.started {
		l.ended.Wait()
		l.ended.Notify()
	}
}
