package actors

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
	"github.com/dormouse-run/dormouse/persistence"
)

// Runtime runs the invocations of one store. It is made by Open and ended by
// Close. All methods may be called concurrently.
type Runtime struct {
	options  Options
	logger   *slog.Logger
	sched    Scheduler
	workers  *workers
	clock    *steadyClock
	random   *random
	bindings bindings
	trace    tracer

	system    *system
	registry  *registry
	committer *committer
	timers    *timers
	waiters   *waiters
	admission *admission
	routes    *routes
	deliverer *deliverer
	attempts  *attempts
	slots     *slots
	hot       *hot
	starts    starts
	sweeper   *sweeper
	janitor   *janitor
	recovery  *recovery
	deadlocks *deadlocks
	meter     *meter
	events    *hub

	// counter numbers events; the boot number stands in front of it.
	counter atomic.Uint64
	boot    uint32
	// outputs keeps the memory of outputs between events.
	outputs sync.Pool
	// requests keeps the memory of requests, and their signals.
	requests sync.Pool

	// draining is set when attempts have to end, failed when nothing becomes
	// durable any more, pressed while the store is short of something.
	draining, failed, pressed atomic.Bool
	abandoned                 atomic.Uint64
	quarantined               quarantined

	stopping stopping
}

// Stats are numbers of a moment.
type Stats struct {
	// Commits are the groups that were made durable, Ops the outputs and Rows
	// the rows in them, Bytes their size.
	Commits, Ops, Rows, Bytes uint64
	// Queued are the outputs that wait for the disk.
	Queued int
	// LiveActors are the keys in memory, Activations how often one was brought
	// there.
	LiveActors  int
	Activations uint64
	// Attempts are in memory: RunningHandlers execute user code, QueuedAttempts
	// wait for a slot, HotWaiters wait for something else and could be
	// suspended.
	Attempts, RunningHandlers, QueuedAttempts, HotWaiters int
	// Requests wait for an answer, Admitted of them are not durable.
	Requests, Admitted int
	// TimersInMemory are timers of the present window.
	TimersInMemory int
	// Abandoned attempts had code that did not end in time; Quarantined keys
	// are out of service until the next start.
	Abandoned, Quarantined uint64
	// Deadlocks are the cycles of calls that wait for each other, each counted
	// once, when it was found.
	Deadlocks uint64
	// EventStreams are the subscribers of events.
	EventStreams int
}

// Open starts a runtime on a store. It hands over what one key owed another
// when the store was last closed, and then returns; what was running is brought
// back while requests are served. It fails when options or definitions do not
// fit, when rows cannot be read, and when ctx ends; then the store is closed.
func Open(ctx context.Context, options Options) (*Runtime, error) {
	o, err := options.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("open the runtime: %w", err)
	}
	bound, err := bind(o.Services, o.settings())
	if err != nil {
		return nil, fmt.Errorf("open the runtime: %w", err)
	}
	o.Stress.force(bound)
	rt := newRuntime(o, bound)
	rt.trace.pass(PointGuardDone)
	rt.committer.start()
	rt.deliverer.start(rt.sched, goDeliverer, rt.deliverer.run)
	rt.sweeper.start(rt.sched, goSweeper, rt.sweeper.run)
	if err := rt.recovery.outbox(ctx); err != nil {
		rt.admission.close()
		if closeErr := rt.Close(); closeErr != nil {
			rt.logger.Error("close after a failed start", "error", closeErr)
		}
		return nil, fmt.Errorf("open the runtime: %w", err)
	}
	rt.deliverer.open()
	rt.timers.start()
	rt.recovery.start(rt.sched, goRecovery, rt.recovery.run)
	rt.janitor.start(rt.sched, goJanitor, rt.janitor.run)
	rt.deadlocks.start(rt.sched, goDeadlocks, rt.deadlocks.run)
	return rt, nil
}

// Goroutines of a runtime, by name.
const (
	goAttempt   = "attempt"
	goDeliverer = "deliverer"
	goSweeper   = "sweeper"
	goJanitor   = "janitor"
	goRecovery  = "recovery"
	goDeadlocks = "deadlocks"
)

func newRuntime(o Options, bound bindings) *Runtime {
	info := o.Store.Info()
	rt := &Runtime{
		options: o, logger: o.Logger, sched: o.Scheduler, bindings: bound, trace: o.trace,
		clock: newSteadyClock(o.Clock, info.Marks.Clock, o.Logger), random: newRandom(o.Random),
		waiters: newWaiters(), routes: newRoutes(), attempts: newAttempts(),
		slots: newSlots(o.MaxRunningHandlers), hot: newHot(o.MaxHotWaiters), boot: info.Boot,
		outputs: sync.Pool{New: func() any { return new(machine.Output) }},
		meter:   newMeter(bound), workers: newWorkers(o.Scheduler),
	}
	rt.waiters.budget = &rt.meter.budget
	rt.stopping.init(rt.sched)
	rt.deliverer, rt.sweeper = newDeliverer(rt), newSweeper(rt)
	rt.janitor, rt.recovery = newJanitor(rt), newRecovery(rt, info)
	rt.deadlocks = newDeadlocks(rt)
	rt.committer = newCommitter(o.Store, rt.sched, rt.release, rt.fail, o.trace)
	rt.committer.meter, rt.committer.lapse = &rt.meter.commits, rt.clock.lapse
	rt.events = newHub(&o, rt.committer, info.Boot)
	rt.timers = newTimers(o.Store, rt.clock, rt.sched, rt.fire, rt.crash, o.trace)
	o.Stress.narrow(rt.timers)
	rt.committer.timerRemoved = rt.timers.removed
	rt.committer.marks = func() persistence.Marks {
		return persistence.Marks{Timers: rt.timers.mark(), Clock: rt.clock.highWater()}
	}
	rt.system = newSystem(o.Logger, rt.workers, func() actor.Actor { return &keyActor{rt: rt} }, rt.crash)
	rt.registry = newRegistry(rt.system.spawn, rt.system.send, rt.system.stop)
	limits := admissionLimits{Requests: int64(o.MaxConcurrentRequests), Bytes: o.MaxRequestBytes, Queue: o.MaxCommitQueue}
	rt.admission = newAdmission(limits, rt.committer.queued, rt.health)
	return rt
}

// stamp numbers an event. It is called right before the event is applied.
func (rt *Runtime) stamp() machine.Stamp {
	return machine.Stamp{Seq: ident.NewSeq(rt.boot, rt.counter.Add(1)), Now: rt.clock.nowMs()}
}

// fire posts a timer that is due to its key.
func (rt *Runtime) fire(t machine.TimerRow) {
	rt.registry.deliver(t.Object, t.Partition, &envelope{event: &machine.Wake{Timer: t}, timer: &t})
}

// Client returns a client that reaches the runtime without HTTP. Its calls may
// reach private handlers no more than those over HTTP.
func (rt *Runtime) Client() *ingress.Client { return ingress.NewInProcess(&transport{rt: rt}) }

// Services returns what is bound, sorted by name.
func (rt *Runtime) Services() []objects.ServiceDefinition { return rt.bindings.definitions() }

// Definition returns what is bound under a name.
func (rt *Runtime) Definition(service string) (def objects.ServiceDefinition, bound bool) {
	if s := rt.bindings[service]; s != nil {
		return s.definition, true
	}
	return nil, false
}

// Settings returns what applies to a handler: its options, those of its service
// and the defaults of the runtime, put together.
func (rt *Runtime) Settings(service, handler string) (s objects.Settings, bound bool) {
	if b := rt.bindings.find(service, handler); b != nil {
		return b.settings, true
	}
	return objects.Settings{}, false
}

// Stats returns numbers of this moment. They are not taken at one instant.
func (rt *Runtime) Stats() Stats {
	c := rt.committer.stats()
	running, queued := rt.slots.counts()
	timers, _ := rt.timers.counts()
	return Stats{
		Commits: c.Commits, Ops: c.Ops, Rows: c.Rows, Bytes: c.Bytes, Queued: c.Depth,
		LiveActors: int(rt.registry.live.Load()), Activations: rt.registry.activations.Load(),
		Attempts: rt.attempts.len(), RunningHandlers: running, QueuedAttempts: queued, HotWaiters: rt.hot.len(),
		Requests: rt.waiters.waiting(), Admitted: rt.admission.admitted(), TimersInMemory: timers,
		Abandoned: rt.abandoned.Load(), Quarantined: uint64(rt.quarantined.len()),
		Deadlocks: rt.deadlocks.found.Load(), EventStreams: int(rt.events.streams.Load()),
	}
}
