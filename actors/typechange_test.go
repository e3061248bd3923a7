package actors

import (
	"testing"
	"testing/synctest"
	"time"

	restate "github.com/dormouse-run/dormouse/objects"
)

// TestAnObjectKeepsItsStateWhenTheWorkflowItWasIsOver: a build makes an object of
// what was a workflow. What the object stores is not removed with the run of
// before.
func TestAnObjectKeepsItsStateWhenTheWorkflowItWasIsOver(t *testing.T) {
	t.Parallel()
	object := restate.NewObject("Signup").
		Handler("set", restate.NewObjectHandler(func(ctx restate.ObjectContext, v string) (restate.Void, error) {
			restate.Set(ctx, "v", v)
			return restate.Void{}, nil
		})).
		Handler("get", restate.NewObjectSharedHandler(func(ctx restate.ObjectSharedContext, _ restate.Void) (string, error) {
			return restate.Get[string](ctx, "v")
		}))
	for _, waits := range []bool{false, true} {
		o := Options{Services: []restate.ServiceDefinition{signup(restate.WithWorkflowRetention(2 * time.Hour))}}
		inBubble(t, o, func(t *testing.T, b *bench) {
			call(b, ask("Signup", "a", "run", true))
			if waits {
				send(b, ask("Signup", "a", "nap", 24))
				synctest.Wait()
			}
			b.options.Services = []restate.ServiceDefinition{object}
			b.crash()
			call(b, ask("Signup", "a", "set", "mine"))
			advance(5 * time.Hour)
			wantValue(t, call(b, ask("Signup", "a", "get", nil)).Result, `"mine"`)
			b.options.Services = o.Services
			b.crash()
			advance(30 * time.Hour)
			b.options.Services = []restate.ServiceDefinition{object}
			b.crash()
			wantValue(t, call(b, ask("Signup", "a", "get", nil)).Result, `"mine"`)
		})
	}
}
