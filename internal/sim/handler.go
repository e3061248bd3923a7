package sim

import (
	"fmt"
	"strings"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	restate "github.com/dormouse-run/dormouse/objects"
)

// Services of a world.
const (
	serviceObject   = "Obj"
	servicePlain    = "Svc"
	serviceKnot     = "Knot"
	serviceWorkflow = "Flow"

	handlerRun    = "run"
	handlerShared = "peek"
	handlerPoke   = "poke"
	handlerListen = "listen"
	handlerRelay  = "relay"

	logName     = "log"
	promiseName = "p"
	relayed     = "relayed"
)

// services returns what a world binds: each handler does what its input says.
func (w *world) services() []restate.ServiceDefinition {
	retries := restate.WithInvocationRetryPolicy(
		restate.WithInitialRetryInterval(50*time.Millisecond), restate.WithMaxRetryInterval(time.Second))
	keep := time.Duration(w.plan.Retention) * time.Millisecond
	keepWorkflow := max(keep, time.Second) // a promise that is kept by nothing is soon gone
	exclusive := func(service string) restate.Handler {
		return restate.NewObjectHandler(func(ctx restate.ObjectContext, p Program) (string, error) {
			return w.perform(ctx, p, service, ident.KindExclusive)
		})
	}
	return []restate.ServiceDefinition{
		restate.NewObject(serviceObject, retries, restate.WithIdempotencyRetention(keep), restate.WithJournalRetention(keep)).
			Handler(handlerRun, exclusive(serviceObject)).
			Handler(handlerShared, restate.NewObjectSharedHandler(func(ctx restate.ObjectSharedContext, p Program) (string, error) {
				return w.perform(ctx, p, serviceObject, ident.KindShared)
			})),
		restate.NewObject(serviceKnot, retries, restate.WithFailOnDeadlock(), restate.WithJournalRetention(keep)).
			Handler(handlerRun, exclusive(serviceKnot)),
		restate.NewService(servicePlain, retries, restate.WithJournalRetention(keep), restate.WithUnguessableAwakeables(true)).
			Handler(handlerRelay, restate.NewServiceHandler(relay)).
			Handler(handlerRun, restate.NewServiceHandler(func(ctx restate.Context, p Program) (string, error) {
				return w.perform(ctx, p, servicePlain, ident.KindService)
			})),
		restate.NewWorkflow(serviceWorkflow, retries, restate.WithWorkflowRetention(keepWorkflow), restate.WithJournalRetention(keep)).
			Handler(handlerRun, restate.NewWorkflowHandler(func(ctx restate.WorkflowContext, p Program) (string, error) {
				return w.perform(ctx, p, serviceWorkflow, ident.KindWorkflow)
			})).
			Handler(handlerPoke, restate.NewWorkflowSharedHandler(w.poke)).
			Handler(handlerListen, restate.NewWorkflowSharedHandler(func(ctx restate.WorkflowSharedContext, p Program) (string, error) {
				return w.perform(ctx, p, serviceWorkflow, ident.KindShared)
			})),
	}
}

// poke resolves the promise of a workflow, unless somebody has.
func (w *world) poke(ctx restate.WorkflowSharedContext, value string) (string, error) {
	if err := restate.Promise[string](ctx, promiseName).Resolve(value); err != nil && err.Code() != 409 {
		return "", err
	}
	return value, nil
}

// relay answers the awakeable of another handler.
func relay(ctx restate.Context, id string) (string, error) {
	restate.ResolveAwakeable(ctx, id, relayed)
	return id, nil
}

// performance is one attempt of a handler that performs a program.
type performance struct {
	*telling
	w       *world
	ctx     restate.Context
	p       Program
	service string
}

// perform performs a program. What it is told goes to the chronicle; its result
// follows from that.
func (w *world) perform(ctx restate.Context, p Program, service string, kind ident.Kind) (result string, err error) {
	t := w.chronicle.begin(ctx.Request().ID, keyOf(ctx, service), p.Name, kind == ident.KindExclusive || kind == ident.KindWorkflow)
	defer t.end()
	f := &performance{telling: t, w: w, ctx: ctx, p: p, service: service}
	if p.Fails > 0 && t.subject.failures < p.Fails {
		t.subject.failures++
		return "", fmt.Errorf("failure %d of %s", t.subject.failures, p.Name)
	}
	for i := range p.Steps {
		if err := f.step(itoa(i), &p.Steps[i]); err != nil {
			if restate.IsCancelled(err) {
				f.run(undo, 0)
			}
			return "", err
		}
	}
	if p.Terminal {
		return "", restate.TerminalErrorf("%s fails", p.Name)
	}
	result = p.Name + ":" + strings.Join(t.told, ",")
	t.returns(result)
	return result, nil
}

// step performs one step. Only a cancellation ends the program early.
func (f *performance) step(at string, s *Step) error {
	object, isObject := f.ctx.(restate.ObjectContext)
	reader, reads := f.ctx.(restate.ObjectSharedContext)
	isObject, reads = isObject && f.subject.exclusive, reads && f.service != servicePlain
	switch s.Do {
	case VerbAppend:
		if isObject {
			return f.append(object)
		}
	case VerbSet:
		if isObject {
			name := "v" + itoa(s.N)
			f.set(object, name, widen(name, f.p.Name+"."+at))
		}
	case VerbClear:
		if isObject {
			f.wrote("v"+itoa(s.N), "")
			restate.Clear(object, "v"+itoa(s.N))
		}
	case VerbGet:
		if reads {
			name := valueName(s.N)
			value, err := restate.Get[string](reader, name)
			if err == nil {
				f.read(name, value)
			}
			return f.note(err, "get %.40s", value)
		}
	case VerbKeys:
		if reads {
			names, err := restate.Keys(reader)
			if err == nil {
				f.lists(names)
			}
			return f.note(err, "keys %v", names)
		}
	case VerbRun:
		_, err := f.run(at, s.N)
		return err
	case VerbAwake, VerbRace:
		return f.awake(at, s)
	case VerbSleep:
		return f.sleep(at, s)
	case VerbCall, VerbBoth:
		return f.call(s)
	case VerbSend:
		f.send(s)
	case VerbSignal:
		return f.signal(at)
	case VerbPromise:
		if flow, ok := f.ctx.(restate.WorkflowContext); ok && f.service == serviceWorkflow {
			if _, err := f.hand(at, func(string) { f.w.pokeLater(restate.Key(flow)) }); err != nil {
				return err
			}
			return f.listen(flow)
		}
	case VerbYield:
		f.process.Yield()
	default:
		return f.rare(at, s)
	}
	return nil
}

// note tells what a step has given, and returns the error of a cancellation.
func (f *performance) note(err restate.TerminalError, format string, args ...any) error {
	if err == nil {
		f.tell(format, args...)
		return nil
	}
	f.tell("error %d %s", err.Code(), err.Error())
	if restate.IsCancelled(err) {
		return err
	}
	return nil
}

func (f *performance) append(ctx restate.ObjectContext) error {
	log, err := restate.Get[string](ctx, logName)
	if err == nil {
		f.read(logName, log)
	}
	if e := f.note(err, "log %s", log); err != nil {
		return e
	}
	f.set(ctx, logName, log+f.p.Name+";")
	f.subject.appends++
	return nil
}

func (f *performance) set(ctx restate.ObjectContext, name, value string) {
	f.wrote(name, value)
	restate.Set(ctx, name, value)
}

// run runs a closure that fails a few times.
func (f *performance) run(at string, failures int) (string, error) {
	value, err := restate.Run(f.ctx, func(rc restate.RunContext) (string, error) {
		n := f.closure(at)
		defer f.closed()
		if f.w.loop.chance(3) {
			f.process.sleep(f.w.loop.between(0, 5*time.Millisecond))
		}
		if rc.Err() != nil {
			return "", rc.Err()
		}
		if n <= failures {
			return "", fmt.Errorf("failure %d of closure %s", n, at)
		}
		return f.ran(at, n), nil
	}, restate.WithName(at), restate.WithInitialRetryInterval(10*time.Millisecond), restate.WithMaxRetryInterval(50*time.Millisecond))
	if err == nil {
		f.given(at, value)
	}
	return value, f.note(err, "run %s", value)
}

// hand tells the world something, in a closure.
func (f *performance) hand(at string, tell func(id string)) (string, error) {
	value, err := restate.Run(f.ctx, func(rc restate.RunContext) (string, error) {
		n := f.closure(at + "h")
		defer f.closed()
		tell(rc.Request().ID)
		return f.ran(at+"h", n), nil
	}, restate.WithName(at+"h"))
	if err == nil {
		f.given(at+"h", value)
	}
	return value, f.note(err, "handed %s", value)
}

func (f *performance) awake(at string, s *Step) error {
	awakeable := restate.Awakeable[string](f.ctx)
	if _, err := f.hand(at, func(string) { f.w.answerLater(f.subject, awakeable.Id(), s.N) }); err != nil {
		return err
	}
	if s.Do == VerbRace {
		first, err := restate.WaitFirst(f.ctx, awakeable, restate.After(f.ctx, time.Duration(s.N)*time.Millisecond))
		if err != nil || first != restate.Future(awakeable) {
			return f.note(err, "the sleep was first")
		}
	}
	value, err := awakeable.Result()
	if err == nil {
		f.answered(awakeable.Id(), value)
	}
	return f.note(err, "answer %s", value)
}

func (f *performance) sleep(at string, s *Step) error {
	d := time.Duration(s.N) * time.Millisecond
	f.fallAsleep(at)
	err := restate.Sleep(f.ctx, d)
	if err == nil {
		f.wakeUp(at, d)
	}
	return f.note(err, "slept")
}

func (f *performance) listen(ctx restate.WorkflowSharedContext) error {
	value, err := restate.Promise[string](ctx, promiseName).Result()
	f.isPoked(err, value)
	return f.note(err, "promise %s", value)
}

func (f *performance) call(s *Step) error {
	client := restate.Object[string](f.ctx, serviceObject, keyName(s.Key), handlerRun)
	if s.Do == VerbCall {
		value, err := client.Request(s.Sub)
		f.isResult(err, s.Sub.Name, s.Sub.Terminal, value)
		return f.note(err, "called %s", value)
	}
	other := *s.Sub
	other.Name += "b"
	first, second := client.RequestFuture(s.Sub), restate.Service[string](f.ctx, servicePlain, handlerRun).RequestFuture(other)
	a, err := first.Response()
	f.isResult(err, s.Sub.Name, s.Sub.Terminal, a)
	if e := f.note(err, "first %s", a); e != nil {
		return e
	}
	b, err := second.Response()
	f.isResult(err, other.Name, other.Terminal, b)
	return f.note(err, "second %s", b)
}

func (f *performance) send(s *Step) {
	client := restate.Object[string](f.ctx, serviceObject, keyName(s.Key), handlerRun)
	if s.N > 0 {
		client.Send(s.Sub, restate.WithDelay(time.Duration(s.N)*time.Millisecond))
	} else {
		client.Send(s.Sub)
	}
}

func (f *performance) signal(at string) error {
	name := "s" + at
	if _, err := f.hand(at, func(id string) { f.w.signalLater(f.subject, id, name) }); err != nil {
		return err
	}
	value, err := restate.Signal[string](f.ctx, name).Result()
	if err == nil {
		f.owed = append(f.owed, value)
	}
	return f.note(err, "signal %s", value)
}

// keyOf returns the key of a handler, with its service unless that is the object of
// most programs, and the id of one that has no key.
func keyOf(ctx restate.Context, service string) string {
	switch service {
	case servicePlain:
		return ctx.Request().ID
	case serviceObject:
		return restate.Key(ctx.(restate.ObjectSharedContext))
	default:
		return service + "/" + restate.Key(ctx.(restate.ObjectSharedContext))
	}
}
