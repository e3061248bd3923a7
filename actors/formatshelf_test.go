package actors_test

import (
	"errors"
	"fmt"
	"strings"
	"time"

	restate "github.com/dormouse-run/dormouse/objects"
)

// shelf has the handlers of the kept directories. They are part of what is kept:
// they issue the same operations in every build, and only what they do outside of
// them differs while a directory is written.
type shelf struct {
	// writing says that a directory is being written: what shall be found unfinished
	// does not end.
	writing bool
	// sweep is told that a sweep is about to begin, last that one sender is about to
	// owe something and nothing else is missing.
	sweep, last func()
}

// shelfNap is how long what is kept sleeps, is delayed and backs off.
const shelfNap = 2 * time.Hour

// shelfKept is a retention longer than the usual one.
const shelfKept = 5 * 24 * time.Hour

func (s *shelf) services() []restate.ServiceDefinition {
	brief := restate.WithInactivityTimeout(time.Millisecond)
	slow := restate.WithInvocationRetryPolicy(restate.WithInitialRetryInterval(shelfNap), restate.WithMaxRetryInterval(shelfNap))
	return []restate.ServiceDefinition{
		restate.NewObject("Shelf", brief).
			Handler("echo", restate.NewObjectHandler(func(_ restate.ObjectContext, s string) (string, error) { return s, nil })).
			Handler("refuse", restate.NewObjectHandler(s.refuse)).
			Handler("fill", restate.NewObjectHandler(s.fill)).
			Handler("clear", restate.NewObjectHandler(s.clear)).
			Handler("read", restate.NewObjectSharedHandler(s.read)).
			Handler("hold", restate.NewObjectHandler(s.hold)).
			Handler("two", restate.NewObjectHandler(s.two)).
			Handler("nap", restate.NewObjectHandler(s.nap)).
			Handler("stumble", restate.NewObjectHandler(s.stumble, slow)).
			Handler("work", restate.NewObjectHandler(s.work)).
			Handler("steps", restate.NewObjectHandler(s.steps)).
			Handler("ask", restate.NewObjectHandler(s.ask)).
			Handler("watch", restate.NewObjectHandler(s.watch)).
			Handler("owe", restate.NewObjectHandler(s.owe)),
		restate.NewService("Vault", brief).
			Handler("open", restate.NewServiceHandler(s.open, restate.WithUnguessableAwakeables(true))),
		restate.NewObject("Brief", brief, restate.WithJournalRetention(0), restate.WithIdempotencyRetention(0)).
			Handler("hold", restate.NewObjectHandler(s.hold)),
		restate.NewService("Kept", brief, restate.WithJournalRetention(time.Hour), restate.WithIdempotencyRetention(shelfKept)).
			Handler("echo", restate.NewServiceHandler(func(_ restate.Context, s string) (string, error) { return s, nil })),
		restate.NewWorkflow("Route", brief, restate.WithWorkflowRetention(shelfKept)).
			Handler("run", restate.NewWorkflowHandler(s.run)).
			Handler("look", restate.NewWorkflowSharedHandler(s.look)).
			Handler("sign", restate.NewWorkflowSharedHandler(s.sign)),
	}
}

func (s *shelf) refuse(restate.ObjectContext, restate.Void) (string, error) {
	return "", restate.TerminalErrorf("not for sale")
}

// filling asks for state values, each of the same letters.
type filling struct{ Names, Size int }

func (s *shelf) fill(ctx restate.ObjectContext, in filling) (int, error) {
	for n := range in.Names {
		restate.Set(ctx, fmt.Sprint("name", n), strings.Repeat(fmt.Sprint(n%10), in.Size))
	}
	return in.Names, nil
}

func (s *shelf) clear(ctx restate.ObjectContext, _ restate.Void) (string, error) {
	if s.writing {
		s.sweep()
	}
	restate.ClearAll(ctx)
	return "cleared", nil
}

// read says how long each value is and what it is made of, or that it is damaged.
func (s *shelf) read(ctx restate.ObjectSharedContext, _ restate.Void) (map[string]string, error) {
	names, err := restate.Keys(ctx)
	if err != nil {
		return nil, err
	}
	values := map[string]string{}
	for _, name := range names {
		v, err := restate.Get[string](ctx, name)
		if err != nil {
			return nil, err
		}
		values[name] = "damaged"
		if v != "" && v == strings.Repeat(v[:1], len(v)) {
			values[name] = fmt.Sprintf("%d × %s", len(v), v[:1])
		}
	}
	return values, nil
}

func (s *shelf) hold(ctx restate.ObjectContext, _ restate.Void) (string, error) {
	return restate.Awakeable[string](ctx).Result()
}

// two waits for the first of two awakeables, then for the second.
func (s *shelf) two(ctx restate.ObjectContext, _ restate.Void) (string, error) {
	first, second := restate.Awakeable[string](ctx), restate.Awakeable[string](ctx)
	one, err := first.Result()
	if err != nil {
		return "", err
	}
	two, err := second.Result()
	return one + " " + two, restate.ToTerminalError(err)
}

func (s *shelf) nap(ctx restate.ObjectContext, _ restate.Void) (string, error) {
	return "rested", restate.ToTerminalError(restate.Sleep(ctx, shelfNap))
}

func (s *shelf) stumble(restate.ObjectContext, restate.Void) (string, error) {
	if s.writing {
		return "", errors.New("stumbled")
	}
	return "stands", nil
}

// work is in the middle of a step when the directory is left.
func (s *shelf) work(ctx restate.ObjectContext, _ restate.Void) (string, error) {
	return restate.Run(ctx, func(rc restate.RunContext) (string, error) {
		if s.writing {
			<-rc.Done()
			return "", rc.Err()
		}
		return "worked", nil
	})
}

// steps has a journal that is longer than what a record holds.
func (s *shelf) steps(ctx restate.ObjectContext, _ restate.Void) (string, error) {
	total := 0
	for n := range 40 {
		text, err := restate.Run(ctx, func(restate.RunContext) (string, error) { return strings.Repeat("x", 100+n), nil },
			restate.WithName(fmt.Sprint("step ", n)))
		if err != nil {
			return "", err
		}
		total += len(text)
	}
	answer, err := restate.Awakeable[string](ctx).Result()
	return fmt.Sprint(answer, " after ", total), restate.ToTerminalError(err)
}

// ask calls another key, and one that is named after it.
func (s *shelf) ask(ctx restate.ObjectContext, key string) (string, error) {
	return restate.Object[string](ctx, "Shelf", key, "hold").Request(restate.Void{})
}

// watch waits for the result of an invocation.
func (s *shelf) watch(ctx restate.ObjectContext, id string) (string, error) {
	seen, err := restate.AttachInvocation[string](ctx, id).Response()
	return "seen " + seen, restate.ToTerminalError(err)
}

// owe sends to another key. While a directory is written the process ends before
// anything is handed over.
func (s *shelf) owe(ctx restate.ObjectContext, key string) (string, error) {
	if s.writing {
		s.last()
	}
	restate.ObjectSend(ctx, "Shelf", key, "fill").Send(filling{Names: 1, Size: 7})
	return "owed", nil
}

func (s *shelf) open(ctx restate.Context, _ restate.Void) (string, error) {
	return restate.Awakeable[string](ctx).Result()
}

func (s *shelf) run(ctx restate.WorkflowContext, from string) (string, error) {
	restate.Set(ctx, "from", from)
	name, err := restate.Promise[string](ctx, "signed").Result()
	return from + " signed by " + name, restate.ToTerminalError(err)
}

func (s *shelf) look(ctx restate.WorkflowSharedContext, _ restate.Void) (string, error) {
	name, err := restate.Promise[string](ctx, "signed").Result()
	return "saw " + name, restate.ToTerminalError(err)
}

func (s *shelf) sign(ctx restate.WorkflowSharedContext, name string) (string, error) {
	return "signed", restate.ToTerminalError(restate.Promise[string](ctx, "signed").Resolve(name))
}
