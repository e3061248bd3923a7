package sim

import (
	"fmt"
	"strings"
	"time"

	restate "github.com/dormouse-run/dormouse/objects"
)

// bigBytes is more than a row holds: the value goes into chunks.
const bigBytes = 300 << 10

// bigSizes are those of large values: in a row of its own, in its table, in a chunk,
// and in some.
func bigSizes() []int { return []int{600, 5 << 10, 100 << 10, bigBytes} }

// nudge is the name of the signal behind a send.
const nudge = "nudge"

// rare performs the steps that are less common.
func (f *performance) rare(at string, s *Step) error {
	switch s.Do {
	case VerbRand:
		f.tell("drew %d", restate.Rand(f.ctx).Uint64())
	case VerbAttach:
		return f.attach(s)
	case VerbNudge:
		client := restate.Object[string](f.ctx, serviceObject, keyName(s.Key), handlerRun)
		id := client.Send(s.Sub).GetInvocationId()
		restate.ResolveSignal(f.ctx, id, nudge, "from "+f.p.Name)
		f.tell("nudged %s", id)
	case VerbExpect:
		value, err := restate.Signal[string](f.ctx, nudge).Result()
		if err == nil && value != late && !strings.HasPrefix(value, "from p") {
			f.w.loop.fail(InvariantHandOver, "%s was nudged with %q", f.p.Name, value)
		}
		return f.note(err, "nudge %s", value)
	case VerbListen:
		return f.listen(f.ctx.(restate.WorkflowSharedContext))
	case VerbChange:
		return f.change(at)
	case VerbStubborn:
		return f.stubborn(at)
	case VerbClearAll:
		if object, ok := f.ctx.(restate.ObjectContext); ok && f.subject.exclusive {
			f.clearAll(object)
		}
	case VerbPeek:
		if flow, ok := f.ctx.(restate.WorkflowContext); ok && f.service == serviceWorkflow {
			value, err := restate.Promise[string](flow, promiseName).Peek()
			if value != "" {
				f.isPoked(err, value)
			}
			return f.note(err, "peeked %q", value)
		}
	case VerbRelay:
		awakeable := restate.Awakeable[string](f.ctx)
		restate.ServiceSend(f.ctx, servicePlain, handlerRelay).Send(awakeable.Id())
		value, err := awakeable.Result()
		if err == nil && value != late && value != relayed {
			f.w.loop.fail(InvariantHandOver, "%s was answered %q instead of %q", f.p.Name, value, relayed)
		}
		return f.note(err, "relayed %s", value)
	case VerbKnot:
		if f.service == serviceKnot {
			value, err := restate.Object[string](f.ctx, serviceKnot, keyName(s.Key), handlerRun).Request(s.Sub)
			const mayFail = true // in a circle
			f.isResult(err, s.Sub.Name, mayFail, value)
			return f.note(err, "in the knot %s", value)
		}
	case VerbBig:
		if object, ok := f.ctx.(restate.ObjectContext); ok && f.subject.exclusive {
			f.set(object, bigName, strings.Repeat(f.p.Name[len(f.p.Name)-1:], bigSizes()[s.N]))
		}
	}
	return nil
}

// clearAll removes the state, the log too: what other programs have added to it is
// then gone.
func (f *performance) clearAll(ctx restate.ObjectContext) {
	for _, name := range stateNames() {
		f.wrote(name, "")
	}
	f.w.chronicle.key(f.subject.key).cleared = true
	f.subject.appends = 0
	restate.ClearAll(ctx)
}

func (f *performance) attach(s *Step) error {
	client := restate.Object[string](f.ctx, serviceObject, keyName(s.Key), handlerRun)
	id := client.Send(s.Sub).GetInvocationId()
	f.tell("sent %s", id)
	value, err := restate.AttachInvocation[string](f.ctx, id).Response()
	f.isResult(err, s.Sub.Name, s.Sub.Terminal, value)
	return f.note(err, "attached %s", value)
}

// change runs a closure that has another name in every second build. The journal
// of one build does not fit the other: there the attempt fails, and is repeated
// until the first build is back, which the last process is.
func (f *performance) change(at string) error {
	build := f.w.stats.Lives % 2
	if f.w.calm {
		for b := range 2 {
			if f.w.hasRun(f.subject.id, variant(at, b)) {
				build = b
			}
		}
	}
	_, err := f.run(variant(at, build), 0)
	return err
}

// stubborn runs a closure that goes on when its attempt has failed. What it returns
// then counts for nothing.
func (f *performance) stubborn(at string) error {
	future := restate.RunAsync(f.ctx, func(restate.RunContext) (string, error) {
		n := f.closure(at)
		defer f.closed()
		f.process.sleep(f.w.loop.between(0, 150*time.Millisecond))
		return f.ran(at, n), nil
	}, restate.WithName(at))
	first, err := restate.WaitFirst(f.ctx, future, restate.After(f.ctx, time.Millisecond))
	if err != nil {
		return f.note(err, "")
	}
	if s := f.subject; first != restate.Future(future) && s.stubborn[at] == 0 {
		s.stubborn[at]++
		return fmt.Errorf("a failure beside closure %s", at)
	}
	value, err := future.Result()
	if err == nil {
		f.given(at, value)
	}
	return f.note(err, "run %s", value)
}

func variant(at string, build int) string { return "build" + itoa(build) + "-" + at }
