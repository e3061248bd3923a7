package actors

import (
	"errors"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	restate "github.com/dormouse-run/dormouse/objects"
)

// TestTheIDOfZerosIsUnknownLikeAnyOther: anybody may give it to a handler. What is owed
// to it has no receiver, and must not be taken for what a key is owed.
func TestTheIDOfZerosIsUnknownLikeAnyOther(t *testing.T) {
	t.Parallel()
	zero := ident.InvocationID{}.String()
	awakeable := ident.AwakeableID{Index: ident.FirstAwakeable}.String()
	def := restate.NewService("Caller").
		Handler("tell", restate.NewServiceHandler(func(ctx restate.Context, _ restate.Void) (string, error) {
			restate.ResolveAwakeable(ctx, awakeable, "yes")
			restate.RejectAwakeable(ctx, awakeable, errors.New("no"))
			restate.CancelInvocation(ctx, zero)
			return "told", nil
		})).
		Handler("attach", restate.NewServiceHandler(func(ctx restate.Context, _ restate.Void) (string, error) {
			return restate.AttachInvocation[string](ctx, zero).Response()
		}))
	inBubble(t, Options{Services: []restate.ServiceDefinition{def}}, func(t *testing.T, b *bench) {
		wantValue(t, call(b, ask("Caller", "", "tell", nil)).Result, `"told"`)
		if r := call(b, ask("Caller", "", "attach", nil)).Result; r.Failure == nil || r.Failure.Code != 404 || r.Failure.Message != "no invocation "+zero+" is known here" {
			t.Errorf("attach gives %+v, failure %+v", r, r.Failure)
		}
		advance(time.Minute)
		if s := b.rt.Stats(); s.Quarantined != 0 {
			t.Errorf("%d keys are quarantined", s.Quarantined)
		}
	})
}
