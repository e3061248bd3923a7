package actors

import (
	"maps"
	"slices"
	"time"

	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/persistence"
)

// Metrics are counts since Open, beside the numbers of the moment in Stats.
type Metrics struct {
	// Services has one element for each service of this build, sorted by name,
	// and a last one without a name for invocations of services that this build
	// does not bind.
	Services []ServiceMetrics
	// CommitSeconds is how long the store took to make a group durable, and
	// CommitOutputs how many outputs were in it.
	CommitSeconds, CommitOutputs Histogram
	// Health is what the store says of its limits.
	Health persistence.Health
	// TableBytes and LogBytes are what the store takes on disk, 0 for one in
	// memory.
	TableBytes, LogBytes int64
	// Waits are what has waited for a group of commits, by why, and Events the
	// outputs and rows by what made them: the budget of commits.
	Waits  []WaitCount
	Events []EventCount
	// Written is what the store has made durable, 0 where it does not count.
	Written persistence.Written
}

// ServiceMetrics are the counts of one service.
type ServiceMetrics struct {
	// Service is its name, empty for services that are not bound.
	Service string
	// Accepted are the invocations that were accepted, also from other handlers;
	// Succeeded and Failed those that have ended. One that was cancelled or
	// killed has failed.
	Accepted, Succeeded, Failed uint64
	// Started are the attempts whose handler has begun, by why.
	Started []StartCount
	// Suspended are the attempts that were taken out of memory in a wait.
	Suspended uint64
	// Repeated, Paused and Ended are the attempts that failed with an error that
	// is no terminal one, by what became of their invocation; Panicked are the
	// handlers that panicked.
	Repeated, Paused, Ended, Panicked uint64
	// Resolved and Rejected are the awakeables that were given their first
	// answer.
	Resolved, Rejected uint64
	// QueueSeconds is the time from acceptance, or from when a delay was over, to
	// the beginning of the first attempt. AttemptSeconds is how long handlers
	// were in memory, waits included. InvocationSeconds is the time from
	// acceptance to the end.
	QueueSeconds, AttemptSeconds, InvocationSeconds Histogram
}

// StartCount counts attempts that began for one reason: accepted, scheduled
// (a delay was over), queued (its turn has come), resumed (out of a suspension),
// retried, unpaused, or recovered (after a restart).
type StartCount struct {
	Reason string
	Count  uint64
}

// disk is a store that has files, and says how many bytes they take.
type disk interface{ DiskBytes() (tables, log int64) }

// Metrics returns the counts since Open. They are not taken at one instant.
func (rt *Runtime) Metrics() Metrics {
	m := Metrics{
		CommitSeconds: rt.meter.commits.took.read(float64(time.Second)),
		CommitOutputs: rt.meter.commits.outputs.read(1),
		Health:        rt.options.Store.Health(),
		Waits:         rt.meter.budget.readWaits(),
		Events:        rt.meter.budget.readEvents(),
	}
	if s, ok := rt.options.Store.(disk); ok {
		m.TableBytes, m.LogBytes = s.DiskBytes()
	}
	if s, ok := rt.options.Store.(interface{ Written() persistence.Written }); ok {
		m.Written = s.Written()
	}
	for _, name := range slices.Sorted(maps.Keys(rt.meter.services)) {
		m.Services = append(m.Services, rt.meter.services[name].read(name))
	}
	m.Services = append(m.Services, rt.meter.unbound.read(""))
	return m
}

func (s *serviceMeter) read(name string) ServiceMetrics {
	const second = float64(time.Second)
	r := ServiceMetrics{
		Service: name, Accepted: s.accepted.Load(), Succeeded: s.succeeded.Load(), Failed: s.failed.Load(),
		Suspended: s.suspended.Load(), Repeated: s.repeated.Load(), Paused: s.paused.Load(), Ended: s.ended.Load(),
		Panicked: s.panicked.Load(), Resolved: s.resolved.Load(), Rejected: s.rejected.Load(),
		QueueSeconds: s.queue.read(second), AttemptSeconds: s.attempt.read(second), InvocationSeconds: s.whole.read(second),
	}
	for from := range s.started {
		r.Started = append(r.Started, StartCount{Reason: startReason(machine.Status(from)), Count: s.started[from].Load()})
	}
	return r
}

// startReason says why an attempt begins for an invocation that was in this
// status before.
func startReason(from machine.Status) string {
	switch from {
	case machine.StatusScheduled:
		return "scheduled"
	case machine.StatusPending:
		return "queued"
	case machine.StatusReady:
		return "recovered"
	case machine.StatusSuspended:
		return "resumed"
	case machine.StatusBackingOff:
		return "retried"
	case machine.StatusPaused:
		return "unpaused"
	default:
		return "accepted"
	}
}

// ServiceSettings returns what applies to the handlers of a service that say
// nothing themselves: the options of the service over the defaults of the
// runtime.
func (rt *Runtime) ServiceSettings(service string) (s objects.Settings, bound bool) {
	b := rt.bindings[service]
	if b == nil {
		return objects.Settings{}, false
	}
	return b.definition.GetOptions().Resolve(rt.options.settings()), true
}
