package dormousetest_test

import (
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/httpapi"
	"github.com/dormouse-run/dormouse/httpapi/dormousetest"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

// What was acknowledged is there after a kill -9, and what waits goes on.
func ExampleTestEnvironment_Crash() {
	var t *testing.T // the parameter of a test
	dormousetest.Run(t, func(t *testing.T, env *dormousetest.Env) {
		env.Bind(approval())
		sent, err := ingress.ObjectSend[string](env.Ingress(), "Approval", "alice", "request").Send(t.Context(), "a laptop")
		if err != nil {
			t.Fatal(err)
		}
		env.Crash()
		if err := ingress.Cancel(t.Context(), env.Ingress(), sent.Id()); err != nil {
			t.Fatal(err)
		}
		if _, err := ingress.Attach[string](t.Context(), env.Ingress(), sent.Id()); restate.AsTerminalError(err) == nil {
			t.Errorf("the request ends with %v", err)
		}
	})
}

// The journal of an invocation, for a test of the next build.
func ExampleTestEnvironment_Export() {
	var t *testing.T // the parameter of a test
	dormousetest.Run(t, func(t *testing.T, env *dormousetest.Env) {
		env.Bind(approval())
		sent, err := ingress.ObjectSend[string](env.Ingress(), "Approval", "alice", "request").Send(t.Context(), "a laptop")
		if err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Minute)
		dormousetest.Replay(t, env.Export(sent.Id()), approval())
	})
}

// Rare ways of a runtime as the only ones: a handler is run from its beginning
// after every wait, timers come from the store, state is read one by one.
func ExampleSuspendAtEveryWait() {
	var t *testing.T // the parameter of a test
	dormousetest.Run(t, func(t *testing.T, env *dormousetest.Env) {
		env.Bind(approval())
	}, dormousetest.SuspendAtEveryWait(), dormousetest.EvictTimers(), dormousetest.LazyState())
}

// Options of the runtime, here a bound on running handlers.
func ExampleStartWithOptions() {
	var t *testing.T // the parameter of a test
	env := dormousetest.StartWithOptions(t, httpapi.NewRestate().Bind(approval()),
		dormousetest.WithRuntime(actors.Options{MaxRunningHandlers: 1}),
		dormousetest.WithPatience(time.Minute), dormousetest.DisableRestateLogs)
	t.Log(env.IngressURL(), env.AdminURL())
}
