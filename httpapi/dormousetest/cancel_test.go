package dormousetest_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dormouse-run/dormouse/httpapi/dormousetest"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

// suspends reports whether the mode of a test takes handlers out of memory.
func suspends(t *testing.T) bool { return !strings.Contains(t.Name(), "in_memory") }

// compensates waits, and when it is cancelled undoes what it has done, in durable
// steps of several kinds. Then it waits once more.
func compensates(h *hall) restate.WorkflowHandlerFn[string, string] {
	return func(ctx restate.WorkflowContext, kind string) (string, error) {
		restate.Set(ctx, "sent", restate.ObjectSend(ctx, "Child", "sent", "wait").Send(0).GetInvocationId())
		if err := h.wait(ctx, kind, 0); !restate.IsCancelled(err) || ctx.Err() != nil {
			return "", restate.TerminalErrorf("the first wait ends with %v, the context is %v", err, ctx.Err())
		}
		err := errors.Join(
			orNil(h.once(ctx, "undo")),
			orNil(restate.Sleep(ctx, time.Hour)),
			failure(restate.Object[int](ctx, "Desk", "sum", "add").Request(1)),
		)
		if err != nil {
			return "", restate.TerminalErrorf("the compensation ends with %v", err)
		}
		restate.Set(ctx, "undone", "everything")
		if err := h.wait(ctx, kind, 1); !restate.IsCancelled(err) || restate.AsTerminalError(err).Code() != 409 {
			return "", restate.TerminalErrorf("the second wait ends with %v", err)
		}
		return "compensated", orNil(h.once(ctx, "seen again"))
	}
}

// TestACancelEndsEveryKindOfWaitAndTheHandlerCompensates: what was called is
// cancelled with it, what was sent is not; the compensation goes on after a
// crash; a second cancel ends a second wait.
func TestACancelEndsEveryKindOfWaitAndTheHandlerCompensates(t *testing.T) {
	t.Parallel()
	inHalls(t, func(t *testing.T, env *dormousetest.Env, h *hall, kind string) {
		id := enter(t, env, kind)
		cancel := func(n int) {
			t.Helper()
			if err := ingress.Cancel(t.Context(), env.Ingress(), id); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			close(h.gates[n])
			synctest.Wait()
		}
		cancel(0)
		<-time.After(30 * time.Minute)
		env.Crash()
		<-time.After(31 * time.Minute)
		if undone, err := ingress.Workflow[string, string](env.Ingress(), "Hall", "h", "get").Request(t.Context(), "undone"); err != nil || undone != "everything" {
			output, err := ingress.InvocationById[string](env.Ingress(), id).Output(t.Context())
			t.Fatalf("undone is %q; the run has given %q, %v", undone, output, err)
		}
		cancel(1)
		if got, err := ingress.Attach[string](t.Context(), env.Ingress(), id); err != nil || got != "compensated" {
			t.Fatalf("got %q, %v", got, err)
		}
		synctest.Wait()
		want := slices.Concat(waits()[kind].notes, []string{"undo"}, waits()[kind].notes, []string{"seen again"})
		if got := h.noted(); !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))) {
			t.Errorf("noted %q, want in any order %q", got, want)
		}
		if sum := request[int](t, env, "Desk", "sum", "add", 0); sum != 1 {
			t.Errorf("the compensation was done %d times", sum)
		}
		goesOn(t, env)
	}, compensates)
}

// TestAChildThatIgnoresACancelGoesOn, and its caller does not wait for it.
func TestAChildThatIgnoresACancelGoesOn(t *testing.T) {
	t.Parallel()
	for mode, options := range modes() {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			dormousetest.Run(t, func(t *testing.T, env *dormousetest.Env) {
				stubborn := restate.NewObject("Stubborn").Handler("work", restate.NewObjectHandler(func(ctx restate.ObjectContext, _ restate.Void) (string, error) {
					_, first := restate.Awakeable[string](ctx).Result()
					text, err := restate.Signal[string](ctx, "done").Result()
					return fmt.Sprint(restate.IsCancelled(first), " ", text), orNil(err)
				}))
				caller := restate.NewService("Caller").Handler("call", restate.NewServiceHandler(func(ctx restate.Context, _ restate.Void) (string, error) {
					call := restate.Object[string](ctx, "Stubborn", "s", "work").RequestFuture(restate.Void{})
					callee := call.GetInvocationId()
					_, err := call.Response()
					return callee, onlyCancelled(err)
				}))
				env.Bind(stubborn, caller)
				sent, err := ingress.ServiceSend[restate.Void](env.Ingress(), "Caller", "call").Send(t.Context(), restate.Void{})
				if err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				if err := ingress.Cancel(t.Context(), env.Ingress(), sent.Id()); err != nil {
					t.Fatal(err)
				}
				callee, err := ingress.Attach[string](t.Context(), env.Ingress(), sent.Id())
				if err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				if err := ingress.ResolveSignal(t.Context(), env.Ingress(), callee, "done", "finished"); err != nil {
					t.Fatal(err)
				}
				if got, err := ingress.Attach[string](t.Context(), env.Ingress(), callee); err != nil || got != "true finished" {
					t.Errorf("the child ends with %q, %v", got, err)
				}
			}, append(options, dormousetest.DisableRestateLogs)...)
		})
	}
}

func onlyCancelled(err error) error {
	if restate.IsCancelled(err) {
		return nil
	}
	return restate.TerminalErrorf("the call ends with %v", err)
}
