package testing_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/restatedev/sdk-go"
	"github.com/restatedev/sdk-go/ingress"
	"github.com/restatedev/sdk-go/server"
	restatetest "github.com/restatedev/sdk-go/testing"
)

func greeter() restate.ServiceDefinition {
	return restate.NewObject("Greeter").Handler("greet", restate.NewObjectHandler(func(ctx restate.ObjectContext, name string) (string, error) {
		return "hello " + name + ", says " + restate.Key(ctx), nil
	}))
}

func greet(t *testing.T, env *restatetest.TestEnvironment) {
	t.Helper()
	got, err := ingress.Object[string, string](env.Ingress(), "Greeter", "bob", "greet").Request(t.Context(), "you")
	if err != nil || got != "hello you, says bob" {
		t.Errorf("got %q, %v", got, err)
	}
}

// This is what a test for the original's environment looks like.
func TestATestForTheOriginalRuns(t *testing.T) {
	t.Parallel()
	env := restatetest.Start(t, greeter())
	greet(t, env)
	for _, port := range []int{env.IngressPort(), env.AdminPort()} {
		path := map[bool]string{true: "/restate/health", false: "/health"}[port == env.IngressPort()]
		resp, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d%s", port, path))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("port %d answers %s", port, resp.Status)
		}
	}
}

func TestATestWithOptionsForTheOriginalRuns(t *testing.T) {
	t.Parallel()
	env := restatetest.StartWithOptions(t, server.NewRestate().Bind(greeter()),
		restatetest.WithRestateImage("docker.io/restatedev/restate:1.7"), restatetest.DisableRestateLogs)
	greet(t, env)
}
