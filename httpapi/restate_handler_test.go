package httpapi_test

import (
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/dormouse-run/dormouse/httpapi"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

func counterDefinition() restate.ServiceDefinition {
	return restate.NewObject("Counter").Handler("add", restate.NewObjectHandler(func(ctx restate.ObjectContext, n int) (int, error) {
		sum, err := restate.Get[int](ctx, "sum")
		if err != nil {
			return 0, err
		}
		restate.Set(ctx, "sum", sum+n)
		return sum + n, nil
	}))
}

func TestTheHandlerOfARestateServesTheIngressUntilItIsClosed(t *testing.T) {
	t.Setenv("DORMOUSE_DATA", t.TempDir())
	for _, want := range []int{2, 4} {
		r := httpapi.NewRestate().Bidirectional(true).WithIdentityV1("publickeyv1_x").WithLogger(slog.DiscardHandler, true).Bind(counterDefinition())
		if err := r.Close(); err != nil {
			t.Errorf("close before Handler: %v", err)
		}
		h, err := r.Handler()
		if err != nil {
			t.Fatal(err)
		}
		if again, err := r.Handler(); again == nil || err != nil {
			t.Errorf("a second Handler gives %v", err)
		}
		front := httptest.NewServer(h)
		n, err := ingress.Object[int, int](ingress.NewClient(front.URL), "Counter", "a", "add").Request(t.Context(), 2)
		if n != want || err != nil {
			t.Errorf("add gives %d, %v", n, err)
		}
		if err := r.Start(t.Context(), ":9080"); err == nil || !strings.Contains(err.Error(), "Handler has opened this runtime already") {
			t.Errorf("start behind Handler gives %v", err)
		}
		front.Close()
		for range 2 {
			if err := r.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		}
	}
}

func TestTheHandlerOfARestateThatCannotBeOpenedIsAnError(t *testing.T) {
	t.Setenv("DORMOUSE_DATA", t.TempDir())
	first := httpapi.NewRestate().WithLogger(slog.DiscardHandler, true)
	if _, err := first.Handler(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = first.Close() }()
	if _, err := httpapi.NewRestate().WithLogger(slog.DiscardHandler, true).Handler(); err == nil || !strings.Contains(err.Error(), "open the data directory") {
		t.Errorf("a second one gives %v", err)
	}
	defer func() {
		if v, _ := recover().(string); !strings.Contains(v, `"Counter" is bound after Handler`) {
			t.Errorf("panicked with %q", v)
		}
	}()
	first.Bind(counterDefinition())
}

func TestALambdaHandlerSaysWhatToDoInstead(t *testing.T) {
	t.Parallel()
	if h, err := httpapi.NewRestate().LambdaHandler(); h != nil || err == nil || !strings.Contains(err.Error(), "run it as a program") {
		t.Errorf("got %v", err)
	}
}
