package httpapi_test

import (
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/persistence"
)

// The services of the conformance suite in which a call waits for its own
// caller.

// cancelServices start an invocation that waits for an awakeable, and then for a
// call of its own key.
func cancelServices() []restate.ServiceDefinition {
	return []restate.ServiceDefinition{
		restate.NewObject("AwakeableHolder").
			Handler("hold", restate.NewObjectHandler(func(ctx restate.ObjectContext, id string) (restate.Void, error) {
				restate.Set(ctx, "id", id)
				return restate.Void{}, nil
			})).
			Handler("hasAwakeable", restate.NewObjectSharedHandler(func(ctx restate.ObjectSharedContext, _ restate.Void) (bool, error) {
				id, err := restate.Get[string](ctx, "id")
				return id != "", err
			})).
			Handler("unlock", restate.NewObjectHandler(func(ctx restate.ObjectContext, payload string) (restate.Void, error) {
				id, err := restate.Get[string](ctx, "id")
				if err != nil {
					return restate.Void{}, err
				}
				if id == "" {
					return restate.Void{}, restate.ToTerminalError(restate.TerminalErrorf("no awakeable is held"), restate.WithErrorCode(404))
				}
				restate.ResolveAwakeable(ctx, id, payload)
				restate.Clear(ctx, "id")
				return restate.Void{}, nil
			})),
		restate.NewObject("CancelTestRunner").
			Handler("startTest", restate.NewObjectHandler(func(ctx restate.ObjectContext, op string) (restate.Void, error) {
				_, err := restate.Object[restate.Void](ctx, "CancelTestBlockingService", restate.Key(ctx), "block").Request(op)
				if err != nil && err.Code() == 409 {
					restate.Set(ctx, "canceled", true)
					return restate.Void{}, nil
				}
				return restate.Void{}, err
			})).
			Handler("verifyTest", restate.NewObjectSharedHandler(func(ctx restate.ObjectSharedContext, _ restate.Void) (bool, error) {
				return restate.Get[bool](ctx, "canceled")
			})),
		restate.NewObject("CancelTestBlockingService").
			Handler("block", restate.NewObjectHandler(blockOnItself)).
			Handler("isUnlocked", restate.NewObjectHandler(func(restate.ObjectContext, restate.Void) (restate.Void, error) { return restate.Void{}, nil })),
		restate.NewService("TestUtilsService").
			Handler("cancelInvocation", restate.NewServiceHandler(func(ctx restate.Context, id string) (restate.Void, error) {
				restate.CancelInvocation(ctx, id)
				return restate.Void{}, nil
			})),
		restate.NewObject("KillTestRunner").
			Handler("startCallTree", restate.NewObjectHandler(func(ctx restate.ObjectContext, _ restate.Void) (restate.Void, error) {
				return restate.Object[restate.Void](ctx, "KillTestSingleton", restate.Key(ctx), "recursiveCall").Request(restate.Void{})
			})),
		restate.NewObject("KillTestSingleton").
			Handler("recursiveCall", restate.NewObjectHandler(func(ctx restate.ObjectContext, _ restate.Void) (restate.Void, error) {
				if err := holdAwakeable(ctx); err != nil {
					return restate.Void{}, err
				}
				return restate.Object[restate.Void](ctx, "KillTestSingleton", restate.Key(ctx), "recursiveCall").Request(restate.Void{})
			})).
			Handler("isUnlocked", restate.NewObjectHandler(func(restate.ObjectContext, restate.Void) (restate.Void, error) { return restate.Void{}, nil })),
	}
}

func blockOnItself(ctx restate.ObjectContext, op string) (restate.Void, error) {
	if err := holdAwakeable(ctx); err != nil {
		return restate.Void{}, err
	}
	return restate.Object[restate.Void](ctx, "CancelTestBlockingService", restate.Key(ctx), "block").Request(op)
}

func holdAwakeable(ctx restate.ObjectContext) error {
	a := restate.Awakeable[string](ctx)
	if _, err := restate.Object[restate.Void](ctx, "AwakeableHolder", restate.Key(ctx), "hold").Request(a.Id()); err != nil {
		return err
	}
	_, err := a.Result()
	return err
}

// everyInactivity runs a test with handlers that wait in memory, and with
// handlers that are suspended at every wait.
func everyInactivity(t *testing.T, services func() []restate.ServiceDefinition, test func(t *testing.T, h *house)) {
	t.Helper()
	for name, inactivity := range map[string]time.Duration{"default": 0, "suspend at every await": -1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := actors.Options{Services: services(), InactivityTimeout: inactivity, Logger: slog.New(slog.DiscardHandler)}
			test(t, openHouse(t, t.TempDir(), o, persistence.Options{}))
		})
	}
}

// unlock answers the awakeable that a handler has handed to its holder.
func (h *house) unlock(key string) {
	h.t.Helper()
	eventually(h.t, "an awakeable is held", func() bool {
		return h.call("/AwakeableHolder/"+key+"/hasAwakeable", "").body == "true"
	})
	want(h.t, h.call("/AwakeableHolder/"+key+"/unlock", `"cancel"`), 200, "")
}

// deadlockOf waits until introspection shows the deadlock of an invocation.
func (h *house) deadlockOf(id string) (ids []string) {
	h.t.Helper()
	eventually(h.t, "introspection shows the deadlock", func() bool {
		var view struct{ Deadlock []string }
		if err := json.Unmarshal([]byte(h.view(id)), &view); err != nil {
			h.t.Fatal(err)
		}
		ids = view.Deadlock
		return len(ids) > 0
	})
	return ids
}

func (h *house) operate(id, operation string) reply {
	return ask(h.client, "PATCH", h.admin+"/invocations/"+id+"/"+operation, "")
}

func TestACallOfTheOwnKeyIsFreedByCancelFromTheAdminPort(t *testing.T) {
	t.Parallel()
	everyInactivity(t, cancelServices, func(t *testing.T, h *house) {
		cancelTest(t, h, func(id string) bool {
			status := h.operate(id, "cancel").status
			return status == 200 || status == 202 || status == 404 || status == 409
		})
	})
}

func TestACallOfTheOwnKeyIsFreedByCancelFromAHandler(t *testing.T) {
	t.Parallel()
	everyInactivity(t, cancelServices, func(t *testing.T, h *house) {
		cancelTest(t, h, func(id string) bool { return h.call("/TestUtilsService/cancelInvocation", `"`+id+`"`).status == 200 })
	})
}

// cancelTest cancels until the test says that it was cancelled, and then finds
// the key free.
func cancelTest(t *testing.T, h *house, cancel func(id string) bool) {
	t.Helper()
	id := h.send("/CancelTestRunner/k/startTest", `"CALL"`, "Idempotency-Key", "once")
	h.unlock("k")
	ids := h.deadlockOf(id)
	if len(ids) != 2 || strings.Contains(strings.Join(ids, " "), id) {
		t.Errorf("the runner %s waits for the deadlock %v, want the block and its call", id, ids)
	}
	if got := h.deadlockOf(ids[1]); len(got) != 2 || got[0] != ids[1] {
		t.Errorf("the deadlock of %s is %v", ids[1], got)
	}
	eventually(t, "the deadlock is counted", func() bool { return h.rt.Stats().Deadlocks == 1 })
	eventually(t, "the test is cancelled", func() bool {
		if !cancel(id) {
			t.Fatal("the cancel was refused")
		}
		return h.call("/CancelTestRunner/k/verifyTest", "").body == "true"
	})
	want(t, h.call("/CancelTestBlockingService/k/isUnlocked", ""), 200, "")
	if n := h.rt.Stats().Deadlocks; n != 1 {
		t.Errorf("%d deadlocks were found, want 1", n)
	}
}

func TestACallTreeThatWaitsForItselfIsKilled(t *testing.T) {
	t.Parallel()
	everyInactivity(t, cancelServices, func(t *testing.T, h *house) {
		id := h.send("/KillTestRunner/k/startCallTree", "")
		h.unlock("k")
		h.deadlockOf(id)
		want(t, h.operate(id, "kill"), 200, "")
		want(t, h.attach(id), 409, "killed")
		want(t, h.call("/KillTestSingleton/k/isUnlocked", ""), 200, "")
		if text := h.view(id); strings.Contains(text, `"deadlock"`) {
			t.Errorf("a killed invocation is shown a deadlock: %s", text)
		}
	})
}

func TestACallThatFailsOnADeadlockIs508(t *testing.T) {
	t.Parallel()
	services := func() []restate.ServiceDefinition {
		return []restate.ServiceDefinition{restate.NewObject("Account", restate.WithFailOnDeadlock()).
			Handler("self", restate.NewObjectHandler(func(ctx restate.ObjectContext, _ restate.Void) (restate.Void, error) {
				return restate.Object[restate.Void](ctx, "Account", restate.Key(ctx), "self").Request(restate.Void{})
			}))}
	}
	everyInactivity(t, services, func(t *testing.T, h *house) {
		r := h.call("/Account/a/self", "")
		want(t, r, 508, `"source":"invocation"`)
		want(t, r, 508, "is queued behind Account/a/self ("+r.header.Get("X-Restate-Id")+")")
		want(t, h.call("/Account/a/self", ""), 508, "")
	})
}
