package actors

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/eventstream"
	cmap "github.com/orcaman/concurrent-map"
)

// system is the part of Proto.Actor that a runtime uses: actors with generated
// names, our mailbox, our scheduler. It owns no goroutine and needs no close;
// the registry stops its actors.
type system struct {
	root        *actor.RootContext
	props       *actor.Props
	deadLetters atomic.Int64
}

// newSystem makes the system of a runtime, in which every actor is one of
// produce. A panic that leaves Receive is a broken invariant of ours: crash is
// told of it, once per panic, and must see to it that nothing the actor did
// becomes durable; the actor itself goes on, so that nothing waits for it.
func newSystem(log *slog.Logger, sched Scheduler, produce actor.Producer, crash func(error)) *system {
	quiet := slog.New(demote{log.Handler()}).With("lib", "Proto.Actor")
	sys := actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return quiet }),
	)
	// Its own listeners print whole messages, which are payloads of users, and
	// start goroutines of their own. Ours below does neither.
	sys.EventStream = eventstream.NewEventStream()
	shrinkRegistry(sys)
	s := &system{root: sys.Root}
	s.props = actor.PropsFromProducer(produce,
		actor.WithMailbox(newMailbox),
		actor.WithDispatcher(dispatcher{sched}),
		actor.WithGuardian(&guardian{crash: crash}),
	)
	sys.EventStream.Subscribe(func(event any) {
		if letter, ok := event.(*actor.DeadLetterEvent); ok {
			s.deadLetters.Add(1)
			log.Warn("a message found no actor", "pid", letter.PID.String(), "type", fmt.Sprintf("%T", letter.Message))
		}
	})
	return s
}

// registryBuckets is how many concurrent maps, of 32 parts each, find actors by name.
const registryBuckets = 32

// shrinkRegistry gives a system a smaller table of its actors. Proto.Actor makes one
// of 1,024 buckets, and with 32,768 maps in them: 2 MB before the first actor, and 10
// when each map has been used once, since maps do not shrink. A thousand of them keep
// the processors apart as well.
func shrinkRegistry(sys *actor.ActorSystem) {
	table := &actor.SliceMap{LocalPIDs: make([]cmap.ConcurrentMap, registryBuckets)}
	for i := range table.LocalPIDs {
		table.LocalPIDs[i] = cmap.New()
	}
	sys.ProcessRegistry.LocalPIDs = table
	sys.ProcessRegistry.Add(sys.DeadLetter, "deadletter")
	sys.ProcessRegistry.Add(actor.NewEventStreamProcess(sys), "eventstream")
}

// spawn starts the actor of e. The first message that it receives is e itself:
// so all actors share one Props, and none needs a closure.
func (s *system) spawn(e *entry) *actor.PID {
	pid := s.root.Spawn(s.props)
	s.root.Send(pid, e)
	return pid
}

func (s *system) send(pid *actor.PID, message any) { s.root.Send(pid, message) }

func (s *system) stop(pid *actor.PID) { s.root.Stop(pid) }

// guardian supervises all actors.
type guardian struct{ crash func(error) }

// HandleFailure implements actor.SupervisorStrategy.
func (g *guardian) HandleFailure(_ *actor.ActorSystem, supervisor actor.Supervisor, child *actor.PID,
	_ *actor.RestartStatistics, reason, message any) {
	g.crash(fmt.Errorf("an actor failed while it handled a %T: %v", message, reason))
	supervisor.ResumeChildren(child)
}

// demote is the handler for a library that reports everyday events as news: its
// infos become debug messages.
type demote struct{ slog.Handler }

// Enabled implements slog.Handler.
func (d demote) Enabled(ctx context.Context, level slog.Level) bool {
	return d.Handler.Enabled(ctx, demoted(level))
}

// Handle implements slog.Handler.
func (d demote) Handle(ctx context.Context, r slog.Record) error {
	r.Level = demoted(r.Level)
	return d.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (d demote) WithAttrs(attrs []slog.Attr) slog.Handler {
	return demote{d.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (d demote) WithGroup(name string) slog.Handler { return demote{d.Handler.WithGroup(name)} }

func demoted(level slog.Level) slog.Level {
	if level >= slog.LevelWarn {
		return level
	}
	return min(level, slog.LevelDebug)
}
