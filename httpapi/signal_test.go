package httpapi_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/dormouse-run/dormouse/actors"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
	"github.com/dormouse-run/dormouse/persistence"
)

// TestTheClientSendsSignalsOverHTTP: also one before the handler waits, and one
// to nobody.
func TestTheClientSendsSignalsOverHTTP(t *testing.T) {
	t.Parallel()
	def := restate.NewService("Listener").Handler("hear", restate.NewServiceHandler(func(ctx restate.Context, _ restate.Void) (string, error) {
		first, err := restate.Signal[string](ctx, "a/word").Result()
		if err != nil {
			return "", err
		}
		_, err = restate.Signal[string](ctx, "a/word").Result()
		if err == nil || err.Code() != 500 {
			t.Errorf("the rejection is %v", err)
		}
		return first + ", " + err.Message(), nil
	}))
	h := openHouse(t, t.TempDir(), actors.Options{Services: []restate.ServiceDefinition{def}}, persistence.Options{})
	c, ctx := ingress.NewClient(h.ingress, ingress.WithHttpClient(h.client)), t.Context()
	sent, err := ingress.Service[restate.Void, string](c, "Listener", "hear").Send(ctx, restate.Void{})
	if err != nil {
		t.Fatal(err)
	}
	reason := restate.ToTerminalError(errors.New("no"), restate.WithErrorCode(418))
	if err := errors.Join(ingress.ResolveSignal(ctx, c, sent.Id(), "a/word", "yes"), ingress.RejectSignal(ctx, c, sent.Id(), "a/word", reason)); err != nil {
		t.Error(err)
	}
	if heard, err := sent.Attach(ctx); heard != "yes, no" || err != nil {
		t.Errorf("heard %q, %v", heard, err)
	}
	unknown := sent.Id()[:len(sent.Id())-4] + "0000"
	if _, ok := errors.AsType[*ingress.InvocationNotFoundError](ingress.ResolveSignal(ctx, c, unknown, "n", 1)); !ok {
		t.Error("a signal to an unknown invocation is another error")
	}
	for id, name := range map[string]string{"inv_bad": "n", sent.Id(): strings.Repeat("n", 256)} {
		if e, ok := errors.AsType[ingress.Error](ingress.ResolveSignal(ctx, c, id, name, 1)); !ok || e.Code() != 400 {
			t.Errorf("signal %q for %s gives %v", name, id, e)
		}
	}
}
