package httpapi

import (
	"math"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/persistence"
)

// unboundLabel stands for services that this build does not bind.
const unboundLabel = "(not bound)"

// runtimeCollector reads the numbers of the runtime when they are asked for.
type runtimeCollector struct {
	rt    measured
	descs map[string]*prometheus.Desc
}

// runtimeMetric is a metric of the runtime: its name without the prefix, what it
// is, and its labels.
type runtimeMetric struct {
	name, help string
	labels     []string
}

// runtimeMetrics are all metrics of the runtime.
func runtimeMetrics() []runtimeMetric {
	service := []string{"service"}
	return []runtimeMetric{
		{"commits_total", "Groups that were made durable, each with one sync.", nil},
		{"commit_outputs_total", "Outputs that are durable: what events have done.", nil},
		{"commit_rows_total", "Rows that were written or removed.", nil},
		{"commit_bytes_total", "Bytes of those rows.", nil},
		{"commit_queue", "Outputs that wait for the disk.", nil},
		{"commit_duration_seconds", "Time that the store takes to make a group durable.", nil},
		{"commit_group_outputs", "Outputs with rows in one group.", nil},
		{"commit_waits_total", "Waits for a group, by what waited.", []string{"reason"}},
		{"event_outputs_total", "Outputs with rows, by the event that made them.", []string{"event"}},
		{"event_rows_total", "Rows of those outputs, before a group drops what it overwrites itself.", []string{"event"}},
		{"live_actors", "Keys in memory.", nil},
		{"actor_activations_total", "Keys that were brought into memory.", nil},
		{"attempts", "Attempts in memory.", nil},
		{"running_handlers", "Handlers that execute user code.", nil},
		{"queued_attempts", "Attempts that wait for a handler slot.", nil},
		{"hot_waiters", "Handlers that wait in memory and could be suspended.", nil},
		{"requests_waiting", "Requests that wait for an answer of the runtime.", nil},
		{"requests_admitted", "Requests that were let in and are not durable.", nil},
		{"timers_in_memory", "Timers of the present window.", nil},
		{"event_streams", "Open streams of events.", nil},
		{"attempts_abandoned_total", "Attempts whose code did not end in time.", nil},
		{"quarantined_keys", "Keys that are out of service until the next start.", nil},
		{"deadlocks_total", "Cycles of calls that wait for each other, each counted once.", nil},
		{"invocations_accepted_total", "Invocations that were accepted, also from other handlers.", service},
		{"invocations_completed_total", "Invocations that have ended, by success or failure; cancelled and killed ones have failed.", []string{"service", "result"}},
		{"attempts_started_total", "Attempts whose handler has begun, by why.", []string{"service", "reason"}},
		{"attempts_suspended_total", "Attempts that were taken out of memory in a wait.", service},
		{"attempts_failed_total", "Attempts that failed and not terminally, by what became of the invocation.", []string{"service", "then"}},
		{"handler_panics_total", "Handlers that panicked.", service},
		{"awakeables_completed_total", "Awakeables that were given their first answer.", []string{"service", "result"}},
		{"invocation_queue_seconds", "Time from acceptance, or from when a delay was over, to the beginning of the first attempt.", service},
		{"attempt_duration_seconds", "Time of a handler in memory, waits included.", service},
		{"invocation_duration_seconds", "Time from acceptance to the end.", service},
		{"store_pressure", "How near the store is to a limit: 0 not, 1 nothing new is admitted, 2 nothing is written.", nil},
		{"store_free_bytes", "Bytes free in the file system of the data directory.", nil},
		{"store_free_inodes", "Inodes free in the file system of the data directory.", nil},
		{"store_free_files", "File descriptors that the process may still open.", nil},
		{"store_free_maps", "Memory maps that the process may still make.", nil},
		{"store_transactions_total", "Transactions of the engine that were made durable.", nil},
		{"store_rows_total", "Rows in those transactions, after a group has dropped what it overwrites itself.", nil},
		{"store_bytes_total", "Bytes of keys and values in those transactions.", nil},
		{"store_syncs_total", "System calls that made those transactions durable.", nil},
		{"store_table_bytes", "Bytes of the tables of the store, up to a minute old.", nil},
		{"store_log_bytes", "Bytes of the log of the store, up to a minute old.", nil},
	}
}

func newRuntimeCollector(rt measured) *runtimeCollector {
	c := &runtimeCollector{rt: rt, descs: map[string]*prometheus.Desc{}}
	for _, m := range runtimeMetrics() {
		c.descs[m.name] = prometheus.NewDesc("dormouse_"+m.name, m.help, m.labels, nil)
	}
	return c
}

// Describe implements prometheus.Collector.
func (c *runtimeCollector) Describe(to chan<- *prometheus.Desc) {
	for _, m := range runtimeMetrics() {
		to <- c.descs[m.name]
	}
}

// Collect implements prometheus.Collector.
func (c *runtimeCollector) Collect(to chan<- prometheus.Metric) {
	g := gathering{c.descs, to}
	g.stats(c.rt.Stats())
	m := c.rt.Metrics()
	g.histogram("commit_duration_seconds", m.CommitSeconds)
	g.histogram("commit_group_outputs", m.CommitOutputs)
	for _, w := range m.Waits {
		g.count("commit_waits_total", w.Count, w.Reason)
	}
	for _, e := range m.Events {
		g.count("event_outputs_total", e.Outputs, e.Event)
		g.count("event_rows_total", e.Rows, e.Event)
	}
	g.store(&m)
	for i := range m.Services {
		g.service(&m.Services[i])
	}
}

// gathering sends what one scrape reads.
type gathering struct {
	descs map[string]*prometheus.Desc
	to    chan<- prometheus.Metric
}

func (g gathering) gauge(name string, v float64) {
	g.to <- prometheus.MustNewConstMetric(g.descs[name], prometheus.GaugeValue, v)
}

func (g gathering) count(name string, v uint64, labels ...string) {
	g.to <- prometheus.MustNewConstMetric(g.descs[name], prometheus.CounterValue, float64(v), labels...)
}

func (g gathering) histogram(name string, h actors.Histogram, labels ...string) {
	buckets, below := make(map[float64]uint64, len(h.Bounds)), uint64(0)
	for i, bound := range h.Bounds {
		below += h.Counts[i]
		buckets[bound] = below
	}
	g.to <- prometheus.MustNewConstHistogram(g.descs[name], h.Count(), h.Sum, buckets, labels...)
}

func (g gathering) stats(s actors.Stats) {
	g.count("commits_total", s.Commits)
	g.count("commit_outputs_total", s.Ops)
	g.count("commit_rows_total", s.Rows)
	g.count("commit_bytes_total", s.Bytes)
	g.gauge("commit_queue", float64(s.Queued))
	g.gauge("live_actors", float64(s.LiveActors))
	g.count("actor_activations_total", s.Activations)
	g.gauge("attempts", float64(s.Attempts))
	g.gauge("running_handlers", float64(s.RunningHandlers))
	g.gauge("queued_attempts", float64(s.QueuedAttempts))
	g.gauge("hot_waiters", float64(s.HotWaiters))
	g.gauge("requests_waiting", float64(s.Requests))
	g.gauge("requests_admitted", float64(s.Admitted))
	g.gauge("timers_in_memory", float64(s.TimersInMemory))
	g.gauge("event_streams", float64(s.EventStreams))
	g.count("attempts_abandoned_total", s.Abandoned)
	g.gauge("quarantined_keys", float64(s.Quarantined))
	g.count("deadlocks_total", s.Deadlocks)
}

func (g gathering) store(m *actors.Metrics) {
	g.gauge("store_pressure", float64(m.Health.Pressure))
	if room := m.Health.Room; room != (persistence.Room{}) {
		g.room("store_free_bytes", room.Bytes)
		g.room("store_free_inodes", room.Inodes)
		g.room("store_free_files", room.Files)
		g.room("store_free_maps", room.Maps)
	}
	if w := m.Written; w != (persistence.Written{}) {
		g.count("store_transactions_total", w.Transactions)
		g.count("store_rows_total", w.Rows)
		g.count("store_bytes_total", w.Bytes)
		g.count("store_syncs_total", w.Syncs)
	}
	if m.TableBytes+m.LogBytes > 0 {
		g.gauge("store_table_bytes", float64(m.TableBytes))
		g.gauge("store_log_bytes", float64(m.LogBytes))
	}
}

// room leaves out what has no limit.
func (g gathering) room(name string, left uint64) {
	if left != math.MaxUint64 {
		g.gauge(name, float64(left))
	}
}

func (g gathering) service(s *actors.ServiceMetrics) {
	name := s.Service
	if name == "" {
		if s.Accepted+s.Succeeded+s.Failed+s.Repeated+s.Paused+s.Ended == 0 {
			return // no such invocation was met
		}
		name = unboundLabel
	}
	g.count("invocations_accepted_total", s.Accepted, name)
	g.count("invocations_completed_total", s.Succeeded, name, "success")
	g.count("invocations_completed_total", s.Failed, name, "failure")
	for _, started := range s.Started {
		g.count("attempts_started_total", started.Count, name, started.Reason)
	}
	g.count("attempts_suspended_total", s.Suspended, name)
	g.count("attempts_failed_total", s.Repeated, name, "repeated")
	g.count("attempts_failed_total", s.Paused, name, "paused")
	g.count("attempts_failed_total", s.Ended, name, "ended")
	g.count("handler_panics_total", s.Panicked, name)
	g.count("awakeables_completed_total", s.Resolved, name, "resolved")
	g.count("awakeables_completed_total", s.Rejected, name, "rejected")
	g.histogram("invocation_queue_seconds", s.QueueSeconds, name)
	g.histogram("attempt_duration_seconds", s.AttemptSeconds, name)
	g.histogram("invocation_duration_seconds", s.InvocationSeconds, name)
}
