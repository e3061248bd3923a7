package actors

import (
	"sync/atomic"
	"time"

	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// meter counts what happens to invocations. It lies on the way of every one of
// them, so counting is an atomic addition and nothing else: no lock, no name to
// look up beside that of the service, no memory.
//
// Services are those of this build, so what a meter takes does not grow. An
// invocation whose service is not bound is counted under unbound.
type meter struct {
	services map[string]*serviceMeter // never changed
	unbound  *serviceMeter
	commits  commitMeter
	budget   budgetMeter
}

// serviceMeter counts for one service.
type serviceMeter struct {
	accepted, succeeded, failed atomic.Uint64
	// started are the attempts, by what the invocation did before.
	started [machine.StatusCompleted]atomic.Uint64
	// suspended are the attempts that were taken out of memory.
	suspended atomic.Uint64
	// repeated, paused and ended are the attempts that failed, by what became of
	// the invocation; panicked are those among them that panicked.
	repeated, paused, ended, panicked atomic.Uint64
	// resolved and rejected are the awakeables whose first answer came.
	resolved, rejected atomic.Uint64
	// queue is the time from acceptance, or from when it was due, to the first
	// attempt; attempt that of one handler, waits in memory included; whole that
	// from acceptance to the end. In ns.
	queue, attempt, whole histogram
}

// commitMeter measures groups: how long they take, in ns, and how many outputs
// they hold.
type commitMeter struct{ took, outputs histogram }

func newMeter(bound bindings) *meter {
	m := &meter{services: make(map[string]*serviceMeter, len(bound)), unbound: newServiceMeter()}
	for name := range bound {
		m.services[name] = newServiceMeter()
	}
	const us, ms = int64(time.Microsecond), int64(time.Millisecond)
	m.commits.took = newHistogram(50*us, 100*us, 250*us, 500*us, ms, 2*ms, 5*ms, 10*ms, 25*ms, 50*ms, 100*ms, 250*ms, 500*ms, 1000*ms, 5000*ms)
	m.commits.outputs = newHistogram(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, maxGroupOps)
	return m
}

func newServiceMeter() *serviceMeter {
	const ms, s, minute, hour = int64(time.Millisecond), int64(time.Second), int64(time.Minute), int64(time.Hour)
	short := []int64{ms / 4, ms, 4 * ms, 16 * ms, 64 * ms, 256 * ms, s, 4 * s, 15 * s, minute, 5 * minute, hour}
	return &serviceMeter{
		queue: newHistogram(short...), attempt: newHistogram(short...),
		whole: newHistogram(ms, 4*ms, 16*ms, 64*ms, 256*ms, s, 4*s, 15*s, minute, 5*minute, hour, 6*hour, 24*hour, 7*24*hour),
	}
}

// of returns the meter of a service.
func (m *meter) of(service string) *serviceMeter {
	if s := m.services[service]; s != nil {
		return s
	}
	return m.unbound
}

// applied counts what an event has done that no effect tells of. It is counted
// before it is durable; when it does not become so, the process ends.
func (m *meter) applied(ev machine.Event, out *machine.Output, service string) {
	switch ev := ev.(type) {
	case *machine.Invoke, *machine.Restart:
		for i := range out.Writes {
			if _, record := out.Writes[i].Put.(*machine.InvocationRow); record && out.Writes[i].Fresh {
				m.of(service).accepted.Add(1)
			}
		}
	case *machine.Signal:
		for i := range out.Writes {
			if _, first := out.Writes[i].Put.(*machine.SignalRow); first {
				m.of(service).answered(ev.Result)
			}
		}
	}
}

func (s *serviceMeter) answered(r journal.Result) {
	if r.Kind == journal.ResultFailure {
		s.rejected.Add(1)
	} else {
		s.resolved.Add(1)
	}
}

// began counts an attempt whose handler begins, so long after it was made.
func (s *serviceMeter) began(start *machine.StartAttempt, late time.Duration) {
	s.started[start.From].Add(1)
	switch start.From {
	case 0, machine.StatusScheduled, machine.StatusPending:
		s.queue.observe(max(start.RunningAt-start.Due, 0)*int64(time.Millisecond) + int64(late))
	}
}

func (s *serviceMeter) finished(f *machine.Finished) {
	if f.Result.Kind == journal.ResultFailure {
		s.failed.Add(1)
	} else {
		s.succeeded.Add(1)
	}
	s.whole.observe(f.Took * int64(time.Millisecond))
}

func (s *serviceMeter) failedAttempt(then machine.Status) {
	switch then {
	case machine.StatusBackingOff:
		s.repeated.Add(1)
	case machine.StatusPaused:
		s.paused.Add(1)
	default:
		s.ended.Add(1)
	}
}

// begin notes a commit of so many outputs, and returns when it began.
func (m *commitMeter) begin(outputs int, lapse func() time.Time) time.Time {
	if m == nil {
		return time.Time{}
	}
	m.outputs.observe(int64(outputs))
	return lapse()
}

// end notes that a commit is done.
func (m *commitMeter) end(began time.Time, lapse func() time.Time) {
	if m != nil {
		m.took.observe(int64(lapse().Sub(began)))
	}
}
