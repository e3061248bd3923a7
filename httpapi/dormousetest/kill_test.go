package dormousetest_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/httpapi/dormousetest"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

// leaves would have an effect by whatever it does once it is killed: its deferred
// functions use the context, and the code behind its wait notes itself.
func leaves(h *hall) restate.WorkflowHandlerFn[string, string] {
	return func(ctx restate.WorkflowContext, kind string) (string, error) {
		defer func() { _ = h.once(ctx, "a deferred Run") }()
		defer func() { restate.Set(ctx, "leak", "a deferred Set") }()
		defer func() { restate.ObjectSend(ctx, "Desk", "leak", "add").Send(1) }()
		defer func() { _, _ = restate.Object[int](ctx, "Desk", "leak", "add").Request(1) }()
		restate.Set(ctx, "sent", restate.ObjectSend(ctx, "Child", "sent", "wait").Send(0).GetInvocationId())
		err := h.wait(ctx, kind, 0)
		h.note("went on with %v", err)
		return "", err
	}
}

// TestAKillRunsNoCodeOfTheHandler, at no kind of wait: what it has called is
// killed with it, what it has sent is not, and whoever attaches sees 409.
func TestAKillRunsNoCodeOfTheHandler(t *testing.T) {
	t.Parallel()
	inHalls(t, func(t *testing.T, env *dormousetest.Env, h *hall, kind string) {
		id := enter(t, env, kind)
		if err := ingress.Kill(t.Context(), env.Ingress(), id); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		close(h.gates[0])
		synctest.Wait()
		_, err := ingress.Attach[string](t.Context(), env.Ingress(), id)
		wantKilled(t, "the run", err)
		if len(waits()[kind].notes) > 1 { // it has called
			for _, key := range []string{"kid0", "kid0's"} {
				child := request[string](t, env, "Child", key, "get", "me")
				_, err := ingress.Attach[string](t.Context(), env.Ingress(), child)
				wantKilled(t, key, err)
			}
		}
		<-time.After(2 * long)
		env.Crash()
		synctest.Wait()

		var want []string
		if waits()[kind].held {
			want = []string{"told: " + actors.ErrKilled.Error()}
		}
		if got := h.noted(); !slices.Equal(got, want) {
			t.Errorf("noted %q, want %q", got, want)
		}
		if leak, err := ingress.Workflow[string, string](env.Ingress(), "Hall", "h", "get").Request(t.Context(), "leak"); err != nil || leak != "" {
			t.Errorf("the state has %q, %v", leak, err)
		}
		if sum := request[int](t, env, "Desk", "leak", "add", 0); sum != 0 {
			t.Errorf("deferred functions have called %d times", sum)
		}
		goesOn(t, env)
	}, leaves)
}

// TestTheCallerOfAKilledChildSees409ThatIsNoCancel and goes on.
func TestTheCallerOfAKilledChildSees409ThatIsNoCancel(t *testing.T) {
	t.Parallel()
	for mode, options := range modes() {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			dormousetest.Run(t, func(t *testing.T, env *dormousetest.Env) {
				h := newHall()
				env.Bind(h.services(func(ctx restate.WorkflowContext, _ string) (string, error) {
					_, err := kid(ctx, 0).Request(1)
					if err == nil {
						return "", restate.TerminalErrorf("the child has ended well")
					}
					return fmt.Sprint(err.Code(), " ", err.Message(), ", cancelled: ", restate.IsCancelled(err)), orNil(restate.Sleep(ctx, time.Hour))
				})...)
				id := enter(t, env, "Request")
				child := request[string](t, env, "Child", "kid0", "get", "me")
				if err := ingress.Kill(t.Context(), env.Ingress(), child); err != nil {
					t.Fatal(err)
				}
				if got, err := ingress.Attach[string](t.Context(), env.Ingress(), id); err != nil || got != "409 killed, cancelled: false" {
					t.Errorf("got %q, %v", got, err)
				}
			}, append(options, dormousetest.DisableRestateLogs)...)
		})
	}
}

func wantKilled(t *testing.T, what string, err error) {
	t.Helper()
	if e := restate.AsTerminalError(err); e == nil || e.Code() != 409 || e.Message() != "killed" {
		t.Errorf("%s ends with %v, want 409 killed", what, err)
	}
}
