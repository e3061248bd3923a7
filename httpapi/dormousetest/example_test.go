package dormousetest_test

import (
	"os"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/httpapi/dormousetest"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

// approval is the object of the examples: it waits for a decision.
func approval() restate.ServiceDefinition {
	return restate.NewObject("Approval").
		Handler("request", restate.NewObjectHandler(func(ctx restate.ObjectContext, what string) (string, error) {
			answer := restate.Awakeable[string](ctx)
			restate.Set(ctx, "waiting", answer.Id())
			return answer.Result()
		})).
		Handler("status", restate.NewObjectSharedHandler(func(ctx restate.ObjectSharedContext, _ restate.Void) (string, error) {
			id, err := restate.Get[string](ctx, "waiting")
			return id, orNil(err)
		}))
}

// TestADecisionMayTakeAWeek is the test of the README.
func TestADecisionMayTakeAWeek(t *testing.T) {
	t.Parallel()
	dormousetest.Run(t, func(t *testing.T, env *dormousetest.Env) {
		env.Bind(approval())
		c, ctx := env.Ingress(), t.Context()
		sent, err := ingress.ObjectSend[string](c, "Approval", "alice", "request").Send(ctx, "a laptop")
		if err != nil {
			t.Fatal(err)
		}
		<-time.After(7 * 24 * time.Hour) // over in a moment
		env.Crash()                      // kill -9, and start again
		id, err := ingress.Object[restate.Void, string](c, "Approval", "alice", "status").Request(ctx, restate.Void{})
		if err != nil {
			t.Fatal(err)
		}
		if err := ingress.ResolveAwakeable(ctx, c, id, "approved"); err != nil {
			t.Fatal(err)
		}
		if got, err := ingress.Attach[string](ctx, c, sent.Id()); err != nil || got != "approved" {
			t.Errorf("got %q, %v", got, err)
		}
	})
}

// A test on loopback ports and the real clock, as with Restate's package.
func ExampleStart() {
	var t *testing.T // the parameter of a test
	env := dormousetest.Start(t, approval())
	status := ingress.Object[restate.Void, string](env.Ingress(), "Approval", "alice", "status")
	if id, err := status.Request(t.Context(), restate.Void{}); err != nil || id != "" {
		t.Errorf("got %q, %v", id, err)
	}
}

// The same story, with the handler run again from its beginning after every wait.
func ExampleRun() {
	var t *testing.T // the parameter of a test
	dormousetest.Run(t, func(t *testing.T, env *dormousetest.Env) {
		env.Bind(approval())
		if _, err := ingress.ObjectSend[string](env.Ingress(), "Approval", "alice", "request").Send(t.Context(), "a laptop"); err != nil {
			t.Fatal(err)
		}
		env.Restart(approval()) // the definitions of the next build
	}, dormousetest.SuspendAtEveryWait())
}

// A journal of production against the code of today. It was written by
//
//	curl 'localhost:9070/introspection/invocations/inv_1…?export=true' > testdata/alice.json
func ExampleReplay() {
	var t *testing.T // the parameter of a test
	exported, err := os.ReadFile("testdata/alice.json")
	if err != nil {
		t.Fatal(err)
	}
	r := dormousetest.Replay(t, exported, approval())
	if r.Next.Kind != dormousetest.StepWait {
		t.Errorf("next the handler would %v", r.Next)
	}
}
