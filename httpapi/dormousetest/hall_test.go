package dormousetest_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/httpapi/dormousetest"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

// hall is where handlers wait, in every way there is, until they are cancelled or
// killed. Its service is the workflow Hall, whose run waits, and the object
// Child, which it calls.
type hall struct {
	// gates hold handlers before an operation that does not wait for long, so
	// that a cancel can come first.
	gates [2]chan struct{}

	mu    sync.Mutex // guards the rest
	notes []string
}

func newHall() *hall { return &hall{gates: [2]chan struct{}{make(chan struct{}), make(chan struct{})}} }

func (h *hall) note(format string, a ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.notes = append(h.notes, fmt.Sprintf(format, a...))
}

func (h *hall) noted() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.notes)
}

// once notes within a Run, so that a replay does not repeat it.
func (h *hall) once(ctx restate.Context, text string) restate.TerminalError {
	return restate.RunVoid(ctx, func(restate.RunContext) error { h.note("%s", text); return nil }, restate.WithName(text))
}

// wait is one kind of wait.
type wait struct {
	// ends returns the error with which it ends; n tells two of one handler
	// apart.
	ends func(ctx restate.WorkflowContext, h *hall, n int) error
	// held says that code runs while the handler waits, so it stays in memory;
	// gated, that this code is in front of a gate.
	held, gated bool
	// notes are what is noted when it is cancelled.
	notes []string
}

// waits are all kinds. Those of several futures hand out none, and say so by
// their error when they do.
func waits() map[string]wait {
	all := map[string]wait{
		"awakeable": {ends: func(ctx restate.WorkflowContext, _ *hall, _ int) error {
			return failure(restate.Awakeable[int](ctx).Result())
		}},
		"signal": {ends: func(ctx restate.WorkflowContext, _ *hall, _ int) error {
			return failure(restate.Signal[int](ctx, "s").Result())
		}},
		"promise": {ends: func(ctx restate.WorkflowContext, _ *hall, _ int) error {
			return failure(restate.Promise[int](ctx, "p").Result())
		}},
		"Sleep": {ends: func(ctx restate.WorkflowContext, _ *hall, _ int) error { return orNil(restate.Sleep(ctx, long)) }},
		"After": {ends: func(ctx restate.WorkflowContext, _ *hall, _ int) error { return orNil(restate.After(ctx, long).Done()) }},
		"Run": {held: true, notes: []string{"told: " + restate.ErrCancelled.Error()}, ends: func(ctx restate.WorkflowContext, h *hall, _ int) error {
			return orNil(restate.RunVoid(ctx, h.untilTold))
		}},
		"RunAsync": {held: true, notes: []string{"told: " + restate.ErrCancelled.Error()}, ends: func(ctx restate.WorkflowContext, h *hall, _ int) error {
			return failure(restate.RunAsync(ctx, func(run restate.RunContext) (int, error) { return 0, h.untilTold(run) }).Result())
		}},
		"Request": {notes: []string{"kid cancelled", "kid of kid cancelled"}, ends: func(ctx restate.WorkflowContext, _ *hall, n int) error {
			return failure(kid(ctx, n).Request(1))
		}},
		"RequestFuture": {notes: []string{"kid cancelled", "kid of kid cancelled"}, ends: func(ctx restate.WorkflowContext, _ *hall, n int) error {
			return failure(kid(ctx, n).RequestFuture(1).Response())
		}},
		"attach": {ends: func(ctx restate.WorkflowContext, _ *hall, _ int) error {
			id, err := restate.Get[string](ctx, "sent")
			if err != nil {
				return err
			}
			return failure(restate.AttachInvocation[string](ctx, id).Response())
		}},
		"lazy Get":  {gated: true, ends: func(ctx restate.WorkflowContext, _ *hall, _ int) error { return failure(restate.Get[int](ctx, "x")) }},
		"lazy Keys": {gated: true, ends: func(ctx restate.WorkflowContext, _ *hall, _ int) error { return failure(restate.Keys(ctx)) }},
		"Peek": {gated: true, ends: func(ctx restate.WorkflowContext, _ *hall, _ int) error {
			return failure(restate.Promise[int](ctx, "p").Peek())
		}},
		"Resolve of a promise": {gated: true, ends: func(ctx restate.WorkflowContext, _ *hall, n int) error {
			return orNil(restate.Promise[int](ctx, fmt.Sprint("own", n)).Resolve(1))
		}},
	}
	for name, ends := range waitsForSeveral() {
		all[name] = wait{ends: func(ctx restate.WorkflowContext, _ *hall, _ int) error {
			return ends(ctx, restate.Awakeable[int](ctx), restate.Signal[int](ctx, "s"))
		}}
	}
	return all
}

func waitsForSeveral() map[string]func(ctx restate.Context, a, b restate.TypedFuture[int]) error {
	return map[string]func(ctx restate.Context, a, b restate.TypedFuture[int]) error{
		"WaitFirst": func(ctx restate.Context, a, b restate.TypedFuture[int]) error {
			f, err := restate.WaitFirst(ctx, a, b)
			if f != nil {
				return fmt.Errorf("WaitFirst hands out %v beside %w", f, err)
			}
			return orNil(err)
		},
		"Wait": func(ctx restate.Context, a, b restate.TypedFuture[int]) error {
			var seen []error
			for f, err := range restate.Wait(ctx, a, b) {
				if seen = append(seen, err); f != nil || len(seen) > 1 {
					return fmt.Errorf("Wait yields %v, %v", f, seen)
				}
			}
			return seen[0]
		},
		"WaitIter": func(ctx restate.Context, a, b restate.TypedFuture[int]) error {
			it := restate.WaitIter(ctx, a, b)
			if it.Next() || it.Value() != nil || it.Next() {
				return fmt.Errorf("WaitIter has %v, %w", it.Value(), it.Err())
			}
			return orNil(it.Err())
		},
		"All": func(ctx restate.Context, a, b restate.TypedFuture[int]) error { return failure(restate.All(ctx, a, b)) },
		"Any": func(ctx restate.Context, a, b restate.TypedFuture[int]) error {
			_, _, err := restate.Any(ctx, a, b)
			return orNil(err)
		},
	}
}

const long = 90 * time.Minute

func failure[T any](_ T, err restate.TerminalError) error { return orNil(err) }

func kid(ctx restate.Context, n int) restate.Client[any, string] {
	return restate.Object[string](ctx, "Child", fmt.Sprint("kid", n), "wait")
}

// untilTold is a closure that ends when it is told to.
func (h *hall) untilTold(run restate.RunContext) error {
	<-run.Done()
	h.note("told: %v", context.Cause(run))
	return run.Err()
}

// wait reaches wait n of a kind.
func (h *hall) wait(ctx restate.WorkflowContext, kind string, n int) error {
	w := waits()[kind]
	if w.gated {
		<-h.gates[n]
	}
	return w.ends(ctx, h, n)
}

// child waits for an answer, or for a child of its own while there are more
// levels, and notes when it is cancelled.
func (h *hall) child(ctx restate.ObjectContext, levels int) (text string, err error) {
	restate.Set(ctx, "me", ctx.Request().ID)
	answer, name := restate.Awakeable[string](ctx), "kid"
	if levels > 0 {
		text, err = restate.Object[string](ctx, "Child", restate.Key(ctx)+"'s", "wait").Request(levels - 1)
	} else {
		name = "kid of kid"
		text, err = answer.Result()
	}
	if restate.IsCancelled(err) {
		if err := h.once(ctx, name+" cancelled"); err != nil {
			return "", err
		}
	}
	return text, err
}

// services binds run as the run of the workflow.
func (h *hall) services(run restate.WorkflowHandlerFn[string, string]) []restate.ServiceDefinition {
	get := func(ctx restate.ObjectSharedContext, name string) (string, error) {
		return restate.Get[string](ctx, name)
	}
	return []restate.ServiceDefinition{
		restate.NewWorkflow("Hall", restate.WithEnableLazyState(true)).
			Handler("run", restate.NewWorkflowHandler(run)).
			Handler("get", restate.NewWorkflowSharedHandler(func(ctx restate.WorkflowSharedContext, name string) (string, error) { return get(ctx, name) })),
		restate.NewObject("Child").
			Handler("wait", restate.NewObjectHandler(h.child)).
			Handler("get", restate.NewObjectSharedHandler(get)),
		(&desk{}).definition(),
	}
}

// inHalls runs a test for every kind of wait, in memory, suspended at every wait
// and with all that is rare.
func inHalls(t *testing.T, body func(t *testing.T, env *dormousetest.Env, h *hall, kind string), run func(h *hall) restate.WorkflowHandlerFn[string, string]) {
	for mode, options := range modes() {
		for kind := range waits() {
			t.Run(mode+"/"+kind, func(t *testing.T) {
				t.Parallel()
				dormousetest.Run(t, func(t *testing.T, env *dormousetest.Env) {
					h := newHall()
					env.Bind(h.services(run(h))...)
					body(t, env, h, kind)
				}, append(options, dormousetest.DisableRestateLogs)...)
			})
		}
	}
}

func modes() map[string][]dormousetest.TestEnvironmentOption {
	return map[string][]dormousetest.TestEnvironmentOption{
		"in memory": {dormousetest.WithRuntime(actors.Options{InactivityTimeout: 10 * long})},
		"suspended": {dormousetest.SuspendAtEveryWait()},
		"all rare":  {dormousetest.SuspendAtEveryWait(), dormousetest.EvictTimers(), dormousetest.LazyState(), dormousetest.WithRuntime(actors.Options{Linger: -1})},
	}
}

// enter starts the run and lets it come to its wait.
func enter(t *testing.T, env *dormousetest.Env, kind string) (id string) {
	t.Helper()
	sent, err := ingress.WorkflowSend[string](env.Ingress(), "Hall", "h", "run").Send(t.Context(), kind)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
	if n, w := env.Runtime().Stats().Attempts, waits()[kind]; n != 0 && !w.held && !w.gated && suspends(t) {
		t.Fatalf("%d attempts are in memory", n)
	}
	return sent.Id()
}

// goesOn makes sure that what was sent goes on although its sender was cancelled or
// killed: it still waits, and gets its answer.
func goesOn(t *testing.T, env *dormousetest.Env) {
	t.Helper()
	sent, err := ingress.Workflow[string, string](env.Ingress(), "Hall", "h", "get").Request(t.Context(), "sent")
	if err != nil {
		t.Fatal(err)
	}
	if err := ingress.ResolveAwakeable(t.Context(), env.Ingress(), firstAwakeable(t, sent), "yes"); err != nil {
		t.Fatal(err)
	}
	if got, err := ingress.Attach[string](t.Context(), env.Ingress(), sent); err != nil || got != "yes" {
		t.Errorf("what was sent ends with %q, %v", got, err)
	}
}
