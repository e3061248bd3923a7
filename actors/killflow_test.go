package actors_test

import (
	"errors"
	"fmt"
	"strings"
	"time"

	restate "github.com/dormouse-run/dormouse/objects"
)

// flowHours is the retention of Flow, in the hours of the children's clock.
const flowHours = 4

// flowView is what a shared handler sees of its workflow. The zero value is
// what it sees of one that has not been run.
type flowView struct {
	Token   string `json:"token"`
	Promise string `json:"promise"`
}

// heldViews is what a shared handler sees when it begins and when it ends.
type heldViews struct {
	Before flowView `json:"before"`
	After  flowView `json:"after"`
}

// flows returns the workflows, and the object that runs one that leaves nothing.
//
// A run of Flow returns its token and the value of its promise, and stays for
// flowHours. Blink does the same, waits for a second promise before it ends, and
// is removed when its last invocation ends.
func (w *childWorld) flows() []restate.ServiceDefinition {
	brief := restate.WithInactivityTimeout(5 * time.Millisecond)
	resolve := restate.NewWorkflowSharedHandler(func(ctx restate.WorkflowSharedContext, value string) (restate.Void, error) {
		return restate.Void{}, restate.Promise[string](ctx, "p").Resolve(value)
	})
	get := restate.NewWorkflowSharedHandler(func(ctx restate.WorkflowSharedContext, _ restate.Void) (string, error) {
		return restate.Promise[string](ctx, "p").Result()
	})
	look := restate.NewWorkflowSharedHandler(func(ctx restate.WorkflowSharedContext, _ restate.Void) (flowView, error) {
		return lookAt(ctx)
	})
	return []restate.ServiceDefinition{
		restate.NewWorkflow("Flow", brief, restate.WithWorkflowRetention(flowHours*time.Hour)).
			Handler("run", restate.NewWorkflowHandler(w.runFlow)).
			Handler("resolve", resolve).Handler("get", get).Handler("look", look).
			Handler("hold", restate.NewWorkflowSharedHandler(w.holdFlow)).
			Handler("never", restate.NewWorkflowSharedHandler(func(ctx restate.WorkflowSharedContext, name string) (string, error) {
				return restate.Promise[string](ctx, name).Result()
			})).
			Handler("free", restate.NewWorkflowSharedHandler(func(ctx restate.WorkflowSharedContext, name string) (restate.Void, error) {
				return restate.Void{}, restate.Promise[string](ctx, name).Resolve("freed")
			})),
		restate.NewWorkflow("Blink", brief, restate.WithWorkflowRetention(0), restate.WithJournalRetention(0)).
			Handler("run", restate.NewWorkflowHandler(w.runBlink)).
			Handler("resolve", resolve).Handler("get", get).Handler("look", look).
			Handler("end", restate.NewWorkflowSharedHandler(func(ctx restate.WorkflowSharedContext, _ restate.Void) (restate.Void, error) {
				return restate.Void{}, restate.Promise[restate.Void](ctx, "end").Resolve(restate.Void{})
			})),
		restate.NewObject("Reborn", brief).Handler("go", restate.NewObjectHandler(w.reborn)),
	}
}

func lookAt(ctx restate.WorkflowSharedContext) (v flowView, err error) {
	if v.Token, err = restate.Get[string](ctx, "token"); err != nil {
		return v, err
	}
	v.Promise, err = restate.Promise[string](ctx, "p").Peek()
	return v, err
}

// begin begins the life of a workflow: it sees nothing of an earlier one, and
// tells the world once.
func (w *childWorld) begin(ctx restate.WorkflowContext, token string) (string, error) {
	v, err := lookAt(ctx)
	if err != nil {
		return "", err
	}
	stale := v.Token != "" || v.Promise != "" && !strings.HasPrefix(v.Promise, token)
	restate.Set(ctx, "token", token)
	if err := restate.RunVoid(ctx, func(rc restate.RunContext) error {
		if stale {
			if err := w.post(rc, "/wrong", fmt.Sprintf("run %s of %s finds %+v", token, restate.Key(ctx), v)); err != nil {
				return err
			}
		}
		return w.post(rc, "/effect", fmt.Sprintf("run-%s 0 %s", token, restate.RunKey(rc)))
	}, restate.WithInitialRetryInterval(10*time.Millisecond)); err != nil {
		return "", err
	}
	value, err := restate.Promise[string](ctx, "p").Result()
	if err != nil {
		return "", err
	}
	return token + " " + value, nil
}

func (w *childWorld) runFlow(ctx restate.WorkflowContext, token string) (string, error) {
	defer w.enter("Flow/" + restate.Key(ctx))()
	return w.begin(ctx, token)
}

func (w *childWorld) runBlink(ctx restate.WorkflowContext, token string) (string, error) {
	defer w.enter("Blink/" + restate.Key(ctx))()
	result, err := w.begin(ctx, token)
	if err != nil {
		return "", err
	}
	_, err = restate.Promise[restate.Void](ctx, "end").Result()
	return result, err
}

// holdFlow looks, waits for an awakeable, and looks again.
func (w *childWorld) holdFlow(ctx restate.WorkflowSharedContext, token string) (v heldViews, err error) {
	if v.Before, err = lookAt(ctx); err != nil {
		return v, err
	}
	if _, err := w.handOut(ctx, token); err != nil {
		return v, err
	}
	v.After, err = lookAt(ctx)
	return v, err
}

// handOut gives the world an awakeable, and returns its answer.
func (w *childWorld) handOut(ctx restate.Context, token string) (string, error) {
	a := restate.Awakeable[string](ctx)
	if err := restate.RunVoid(ctx, func(rc restate.RunContext) error {
		return w.post(rc, "/awakeable", token+" "+a.Id())
	}, restate.WithInitialRetryInterval(10*time.Millisecond)); err != nil {
		return "", err
	}
	return a.Result()
}

// rebornInput asks for two lives of one workflow, each awaited by a crowd.
type rebornInput struct {
	Token string `json:"token"`
	Crowd int    `json:"crowd"`
}

// reborn runs the Blink of its key twice. What it finds wrong it returns.
func (w *childWorld) reborn(ctx restate.ObjectContext, in rebornInput) (string, error) {
	defer w.enter("Reborn/" + restate.Key(ctx))()
	for life := range 2 {
		wrong, err := w.blink(ctx, fmt.Sprintf("%s-%d", in.Token, life), in.Crowd)
		if err != nil || wrong != "" {
			return wrong, err
		}
	}
	return "ok", nil
}

func (w *childWorld) blink(ctx restate.ObjectContext, token string, crowd int) (wrong string, err error) {
	key := restate.Key(ctx)
	run := restate.Workflow[string](ctx, "Blink", key, "run").RequestFuture(token)
	waits := make([]restate.ResponseFuture[string], crowd)
	for i := range waits {
		waits[i] = restate.Workflow[string](ctx, "Blink", key, "get").RequestFuture(restate.Void{})
	}
	value, err := rivals(ctx, key, token)
	if err != nil {
		return "", err
	}
	for i, wait := range waits {
		if got, err := wait.Response(); err != nil || got != value {
			return fmt.Sprintf("wait %d of %s gives %q, %v, resolved was %q", i, token, got, err, value), nil
		}
	}
	if _, err := restate.Workflow[restate.Void](ctx, "Blink", key, "end").Request(restate.Void{}); err != nil {
		return "", err
	}
	if got, err := run.Response(); err != nil || got != token+" "+value {
		return fmt.Sprintf("run %s gives %q, %v, resolved was %q", token, got, err, value), nil
	}
	left, err := restate.Workflow[flowView](ctx, "Blink", key, "look").Request(restate.Void{})
	if left != (flowView{}) {
		return fmt.Sprintf("%+v is left of %s", left, token), nil
	}
	return "", err
}

// rivals resolves the promise of a Blink with two values at once, one of which
// must be refused. It returns the other one.
func rivals(ctx restate.ObjectContext, key, token string) (won string, err error) {
	values := []string{token + "-a", token + "-b"}
	var tries []restate.ResponseFuture[restate.Void]
	for _, v := range values {
		tries = append(tries, restate.Workflow[restate.Void](ctx, "Blink", key, "resolve").RequestFuture(v))
	}
	wins := 0
	for i, try := range tries {
		var refused restate.TerminalError
		_, err := try.Response()
		switch {
		case err == nil:
			won = values[i]
			wins++
		case !errors.As(err, &refused) || refused.Code() != 409:
			return "", err
		}
	}
	if wins != 1 {
		return "", restate.TerminalErrorf("%d of two resolutions of %s have won", wins, token)
	}
	return won, nil
}

// hours is the clock of a child: that of the machine, and each child lives an
// hour after the one before, so that retention ends within a loop.
type hours time.Duration

// Now implements actors.Clock.
func (h hours) Now() time.Time { return time.Now().Add(time.Duration(h)) }

// AfterFunc implements actors.Clock.
func (h hours) AfterFunc(d time.Duration, fn func()) (stop func() bool) {
	return time.AfterFunc(d, fn).Stop
}
