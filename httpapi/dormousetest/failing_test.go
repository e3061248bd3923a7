package dormousetest_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/httpapi"
	"github.com/dormouse-run/dormouse/httpapi/dormousetest"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

// envFailing makes this binary run one of the failing tests.
const envFailing = "DORMOUSETEST_FAILING"

// failing are tests that must fail, by name, with what their output must hold.
func failing() map[string]struct {
	run  func(t *testing.T)
	says []string
} {
	type test = struct {
		run  func(t *testing.T)
		says []string
	}
	d := &desk{}
	ask := func(t *testing.T, env *dormousetest.Env) {
		if got := <-later(t.Context(), env, "alice", "a yacht"); !strings.HasPrefix(got, "error") {
			t.Errorf("got %q", got)
		}
	}
	deaf := restate.NewService("Deaf").Handler("wait", restate.NewServiceHandler(func(restate.Context, restate.Void) (string, error) {
		select {}
	}))
	return map[string]test{
		"a call in memory that is never answered": {func(t *testing.T) {
			dormousetest.Run(t, func(t *testing.T, env *dormousetest.Env) { env.Bind(d.definition()); ask(t, env) },
				dormousetest.WithPatience(72*time.Hour))
		}, []string{"has not ended within 72h", "Desk/alice/ask: suspended", "waits for ", "17"}},
		"a call on disk that is never answered": {func(t *testing.T) {
			r := httpapi.NewRestate().Bind(d.definition())
			ask(t, dormousetest.StartWithOptions(t, r, dormousetest.WithPatience(time.Second)))
		}, []string{"has not ended within 1s", "Desk/alice/ask: ", "after 4 entries"}},
		"a test that waits for itself": {func(t *testing.T) {
			dormousetest.Run(t, func(t *testing.T, env *dormousetest.Env) {
				env.Bind(d.definition())
				add(t, env, 1, 1)
				<-time.After(3 * time.Hour)
			}, dormousetest.WithPatience(time.Hour))
		}, []string{"Every invocation has ended: the test itself waits"}},
		"a handler that does not end": {func(t *testing.T) {
			env := dormousetest.StartWithOptions(t, httpapi.NewRestate().Bind(deaf), dormousetest.WithRuntime(actors.Options{CloseGrace: time.Second}))
			if _, err := ingress.ServiceSend[restate.Void](env.Ingress(), "Deaf", "wait").Send(t.Context(), restate.Void{}); err != nil {
				t.Fatal(err)
			}
			for env.Runtime().Stats().RunningHandlers == 0 {
				<-time.After(time.Millisecond)
			}
		}, []string{"abandoned", "Deaf/wait", "has left goroutines behind", "attempt:1"}},
		"no services": {func(t *testing.T) { dormousetest.Start(t) }, []string{"no services: give them to Bind, or to Start"}},
		"a request before Bind": {func(t *testing.T) {
			dormousetest.Run(t, func(t *testing.T, env *dormousetest.Env) { add(t, env, 1, 1) })
		}, []string{"no runtime is up: call Bind"}},
		"a second Bind": {func(t *testing.T) {
			dormousetest.Start(t, d.definition()).Bind(d.definition())
		}, []string{"Bind was called before"}},
		"a foreign address": {func(t *testing.T) {
			dormousetest.Run(t, func(t *testing.T, env *dormousetest.Env) {
				env.Bind(d.definition())
				get(t, env, "http://127.0.0.1:8080/")
			})
		}, []string{"in memory there are only http://ingress.test and http://admin.test"}},
	}
}

func TestFailuresSayWhatHangs(t *testing.T) {
	t.Parallel()
	for name, test := range failing() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestOneThatFails$", "-test.v", "-test.timeout=60s")
			child.Env = append(os.Environ(), envFailing+"="+name)
			out, err := child.CombinedOutput()
			if err == nil {
				t.Fatalf("it passes:\n%s", out)
			}
			for _, want := range test.says {
				if !strings.Contains(string(out), want) {
					t.Errorf("it does not say %q:\n%s", want, out)
				}
			}
		})
	}
}

// TestOneThatFails is run by TestFailuresSayWhatHangs in a process of its own.
func TestOneThatFails(t *testing.T) {
	name := os.Getenv(envFailing)
	if name == "" {
		t.Skip("it fails on purpose, in a process of its own")
	}
	failing()[name].run(t)
}
