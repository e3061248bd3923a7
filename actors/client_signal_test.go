package actors

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

// listener takes three signals of one name.
func listener() restate.ServiceDefinition {
	return restate.NewService("Listener").Handler("hear", restate.NewServiceHandler(func(ctx restate.Context, _ restate.Void) ([]string, error) {
		var heard []string
		for range 3 {
			v, err := restate.Signal[string](ctx, "word").Result()
			if err != nil {
				v = err.Error() + " " + err.Metadata().Get("k")
				if err.Code() != 418 {
					return nil, err
				}
			}
			heard = append(heard, v)
		}
		return heard, nil
	}))
}

func TestTheClientOfTheSameProcessSendsSignals(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]Options{"in memory": {}, "suspended": {InactivityTimeout: -1, Linger: -1}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o.Services = []restate.ServiceDefinition{listener()}
			inBubble(t, o, func(t *testing.T, b *bench) {
				c, ctx := b.rt.Client(), t.Context()
				sent, err := ingress.Service[restate.Void, []string](c, "Listener", "hear").Send(ctx, restate.Void{})
				if err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				reason := restate.ToTerminalError(errors.New("no"), restate.WithErrorCode(418), restate.WithMetadata("k", "v"))
				for _, err := range []error{
					ingress.ResolveSignal(ctx, c, sent.Id(), "word", "one"),
					ingress.RejectSignal(ctx, c, sent.Id(), "word", reason),
					ingress.ResolveSignal(ctx, c, sent.Id(), "word", "three"),
				} {
					if err != nil {
						t.Error(err)
					}
				}
				heard, err := sent.Attach(ctx)
				if got := strings.Join(heard, ","); got != "one,no v,three" || err != nil {
					t.Errorf("heard %q, %v", got, err)
				}
				if err := ingress.ResolveSignal(ctx, c, sent.Id(), "word", "late"); err != nil {
					t.Errorf("a signal to a completed invocation gives %v", err)
				}
			})
		})
	}
}

func TestSignalsOfTheClientAreRefusedByName(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{Services: []restate.ServiceDefinition{listener()}}, func(t *testing.T, b *bench) {
		c, ctx := b.rt.Client(), t.Context()
		unknown := b.rt.unknownID("Listener", "", "hear").String()
		if _, ok := errors.AsType[*ingress.InvocationNotFoundError](ingress.ResolveSignal(ctx, c, unknown, "word", 1)); !ok {
			t.Error("an unknown invocation is another error")
		}
		for id, name := range map[string]string{"inv_bad": "word", unknown: strings.Repeat("n", 256)} {
			if e, ok := errors.AsType[ingress.Error](ingress.ResolveSignal(ctx, c, id, name, 1)); !ok || e.Code() != 400 {
				t.Errorf("signal %q for %s gives %v", name, id, e)
			}
		}
	})
}
