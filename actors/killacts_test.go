package actors_test

import (
	"errors"
	"fmt"
	"time"

	restate "github.com/dormouse-run/dormouse/objects"
)

// acts returns the objects that send signals, race, cancel and lock each other
// out.
func (w *childWorld) acts() []restate.ServiceDefinition {
	brief := restate.WithInactivityTimeout(5 * time.Millisecond)
	return []restate.ServiceDefinition{
		restate.NewObject("Sender", brief).Handler("send", restate.NewObjectHandler(w.sendSignals)),
		restate.NewObject("Racer", brief).Handler("race", restate.NewObjectHandler(w.race)),
		restate.NewObject("Saga", brief).Handler("go", restate.NewObjectHandler(w.saga)),
		restate.NewObject("Leaf", brief).Handler("wait", restate.NewObjectHandler(w.leaf)),
		restate.NewObject("Knot", brief, restate.WithFailOnDeadlock()).
			Handler("reach", restate.NewObjectHandler(w.reach)).
			Handler("touch", restate.NewObjectHandler(w.touch)),
	}
}

// sendSignals starts a racer, sends it two signals and returns its result.
func (w *childWorld) sendSignals(ctx restate.ObjectContext, token string) (string, error) {
	defer w.enter("Sender/" + restate.Key(ctx))()
	id := restate.ObjectSend(ctx, "Racer", restate.Key(ctx), "race").Send(token).GetInvocationId()
	restate.ResolveSignal(ctx, id, "go", token+"-1")
	restate.ResolveSignal(ctx, id, "go", token+"-2")
	return restate.AttachInvocation[string](ctx, id).Response()
}

// race lets a signal, a Run and a timer race, tells the world who was first, and
// then takes the others. The first one stays the first in every attempt.
func (w *childWorld) race(ctx restate.ObjectContext, token string) (string, error) {
	defer w.enter("Racer/" + restate.Key(ctx))()
	first := restate.Signal[string](ctx, "go")
	step := restate.RunAsync(ctx, func(rc restate.RunContext) (int, error) {
		return 7, w.post(rc, "/effect", fmt.Sprintf("race-%s 0 %s", token, restate.RunKey(rc)))
	}, restate.WithName("step"), restate.WithInitialRetryInterval(10*time.Millisecond))
	timer := restate.After(ctx, 3*time.Millisecond)
	winner, err := restate.WaitFirst(ctx, first, step, timer)
	if err != nil {
		return "", err
	}
	if err := restate.RunVoid(ctx, func(rc restate.RunContext) error {
		who := map[restate.Future]string{first: "signal", step: "step", timer: "timer"}[winner]
		return w.post(rc, "/choice", token+" "+who)
	}, restate.WithInitialRetryInterval(10*time.Millisecond)); err != nil {
		return "", err
	}
	one, err := first.Result()
	if err != nil {
		return "", err
	}
	two, err := restate.Signal[string](ctx, "go").Result()
	if err != nil {
		return "", err
	}
	n, err := step.Result()
	if err != nil {
		return "", err
	}
	if err := timer.Done(); err != nil {
		return "", err
	}
	return fmt.Sprint(one, " ", two, " ", n), restate.RunVoid(ctx, func(rc restate.RunContext) error {
		return w.post(rc, "/effect", fmt.Sprintf("race-%s 1 %s", token, restate.RunKey(rc)))
	}, restate.WithInitialRetryInterval(10*time.Millisecond))
}

// saga does a step, waits for its leaf, and undoes the step when it is cancelled.
func (w *childWorld) saga(ctx restate.ObjectContext, token string) (string, error) {
	defer w.enter("Saga/" + restate.Key(ctx))()
	if err := restate.RunVoid(ctx, func(rc restate.RunContext) error {
		return w.post(rc, "/effect", fmt.Sprintf("saga-%s 0 %s", token, restate.RunKey(rc)))
	}, restate.WithInitialRetryInterval(10*time.Millisecond)); err != nil {
		return "", err
	}
	_, err := restate.Object[string](ctx, "Leaf", restate.Key(ctx), "wait").Request(token)
	if err == nil {
		return "done", nil
	}
	if err.Code() != 409 {
		return "", err
	}
	w.undo(ctx, token)
	return "undone", nil
}

// leaf waits for an awakeable, and undoes when it is cancelled.
func (w *childWorld) leaf(ctx restate.ObjectContext, token string) (string, error) {
	defer w.enter("Leaf/" + restate.Key(ctx))()
	answer, err := w.handOut(ctx, token)
	if err != nil {
		w.undo(ctx, "leaf-"+token)
	}
	return answer, err
}

// undo tells the world that something is undone; being cancelled again does not
// keep it from that.
func (w *childWorld) undo(ctx restate.Context, token string) {
	for {
		if err := restate.RunVoid(ctx, func(rc restate.RunContext) error {
			return w.post(rc, "/undo", token)
		}, restate.WithInitialRetryInterval(10*time.Millisecond)); err == nil {
			return
		}
	}
}

// reach sleeps and then touches another key, which may be reaching for this one.
func (w *childWorld) reach(ctx restate.ObjectContext, other string) (string, error) {
	defer w.enter("Knot/" + restate.Key(ctx))()
	if err := restate.Sleep(ctx, 10*time.Millisecond); err != nil {
		return "", err
	}
	_, err := restate.Object[int](ctx, "Knot", other, "touch").Request(1)
	var failed restate.TerminalError
	switch {
	case errors.As(err, &failed) && failed.Code() == 508:
		return "deadlock", nil
	case err != nil:
		return "", err
	}
	return "touched", nil
}

func (w *childWorld) touch(ctx restate.ObjectContext, n int) (int, error) {
	defer w.enter("Knot/" + restate.Key(ctx))()
	touched, err := restate.Get[int](ctx, "touched")
	if err != nil {
		return 0, err
	}
	restate.Set(ctx, "touched", touched+n)
	return touched + n, nil
}
