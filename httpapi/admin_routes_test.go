package httpapi

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

func TestTheRootOfTheAdminPortListsEveryRouteOfTheRouter(t *testing.T) {
	t.Parallel()
	s := testServer(t, &fakeRuntime{}, Options{Ingress: ":1"})
	w := ask(s.AdminHandler(), "GET", "/", "")
	var got struct {
		Name    string       `json:"name"`
		Version string       `json:"version"`
		Ingress string       `json:"ingress_endpoint"`
		Routes  []adminRoute `json:"routes"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got.Name != "dormouse" || got.Version != Version || got.Ingress != "http://127.0.0.1:1/" {
		t.Fatalf("got %s, %v", w.Body, err)
	}
	for _, route := range []adminRoute{{"GET", "/"}, {"GET", "/metrics"}, {"PATCH", "/invocations/{id}/kill"}, {"GET", "/services/{service}/openapi"}} {
		if !slices.Contains(got.Routes, route) {
			t.Errorf("%v is missing in %s", route, w.Body)
		}
	}
	for _, route := range got.Routes {
		if route.Path == "/invocations/{id}" || strings.Contains(route.Path, ":") {
			t.Errorf("%v is listed", route)
		}
	}
}

func TestWhatTheAdminPortDoesNotHaveIsAnsweredWithWhatItHas(t *testing.T) {
	t.Parallel()
	h := testServer(t, &fakeRuntime{}, Options{}).AdminHandler()
	id := testID.String()
	for _, row := range []struct {
		method, target string
		status         int
		allow, want    string
	}{
		{"GET", "/nope", 404, "", "GET /services/{service}/handlers|openapi"},
		{"GET", "/nope", 404, "", "PATCH /invocations/{id}/cancel|kill|pause|purge"},
		{"HEAD", "/nope", 404, "", "no such route"},
		{"POST", "/deployments", 404, "", "handlers are embedded in this program"},
		{"GET", "/deployments", 404, "", "GET /services lists them"},
		{"DELETE", "/deployments/dp_1?force=true", 404, "", "nothing to register"},
		{"GET", "/subscriptions", 404, "", "examples/kafka"},
		{"POST", "/query", 404, "", "SQL is not offered"},
		{"GET", "/cluster-health", 404, "", "GET /health"},
		{"GET", "/v3/services", 404, "", "ask for /services"},
		{"GET", "/invocations/" + id + "/kill", 405, "OPTIONS, PATCH", "GET is not possible here: use PATCH"},
		{"POST", "/services/Obj", 405, "OPTIONS, GET", "use GET"},
		{"DELETE", "/invocations/" + id, 405, "", "PATCH /invocations/{id}/{operation} changes"},
		{"GET", "/services?depth=1", 400, "", "unknown parameter 'depth': this route has none"},
		{"PATCH", "/invocations/" + id + "/kill?force=1", 400, "", "this route has none"},
		{"PATCH", "/invocations/" + id + "/resume?deploiment=keep", 400, "", "there is deployment"},
		{"GET", "/version?x", 400, "", "unknown parameter 'x'"},
	} {
		w := ask(h, row.method, row.target, "")
		if w.Code != row.status || w.Header().Get("Allow") != row.allow || !strings.Contains(w.Body.String(), row.want) {
			t.Errorf("%s %s: %d, allow %q, %s; want %d, %q, %s", row.method, row.target, w.Code, w.Header().Get("Allow"), w.Body, row.status, row.allow, row.want)
		}
		checkAdminError(t, w)
	}
	if w := ask(h, "GET", "/health?probe=7", ""); w.Code != 200 {
		t.Errorf("health with a parameter: %d %s", w.Code, w.Body)
	}
}

func TestHeadIsGetWithoutABodyAndOptionsTellsTheMethods(t *testing.T) {
	t.Parallel()
	front := httptest.NewServer(testServer(t, &fakeRuntime{}, Options{}).AdminHandler())
	defer front.Close()
	for _, row := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"HEAD", "/health", 200, ""}, {"HEAD", "/services", 200, ""}, {"HEAD", "/metrics", 200, ""}, {"HEAD", "/nope", 404, ""},
		{"HEAD", "/invocations/" + testID.String() + "/kill", 405, "OPTIONS, PATCH"},
		{"OPTIONS", "/services", 204, "OPTIONS, GET"}, {"OPTIONS", "/nope", 404, ""},
	} {
		r, err := http.NewRequest(row.method, front.URL+row.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := front.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != row.status || resp.Header.Get("Allow") != row.allow || resp.Header.Get("X-Request-Id") == "" {
			t.Errorf("%s %s: %d, %v", row.method, row.path, resp.StatusCode, resp.Header)
		}
	}
}

func TestRoutesOfAStoppedRuntimeAreAnswered503(t *testing.T) {
	t.Parallel()
	closed := func(ident.InvocationID, actors.InspectOptions) (*actors.Inspection, error) {
		return nil, persistence.ErrClosed
	}
	f := &fakeRuntime{look: closed, operate: func(machine.Operation, ident.InvocationID) (bool, error) { return false, actors.ErrStopped }}
	h := testServer(t, f, Options{}).AdminHandler()
	for method, target := range map[string]string{"GET": "/introspection/invocations/" + testID.String(), "PATCH": "/invocations/" + testID.String() + "/kill"} {
		if w := ask(h, method, target, ""); w.Code != 503 || w.Header().Get("Retry-After") != "1" {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
	for _, target := range []string{"/", "/health", "/services", "/metrics"} {
		if w := ask(h, "GET", target, ""); w.Code != 200 {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
}

func TestAnUnknownPathUnderRestateIsAnsweredWithTheRoutes(t *testing.T) {
	t.Parallel()
	w := ask(testServer(t, &fakeRuntime{}, Options{}).IngressHandler(), "GET", "/restate/nope", "")
	if w.Code != 404 || !strings.Contains(w.Body.String(), "/restate/awakeables/{id}/resolve|reject") || w.Header().Get("X-Restate-Error-Source") != "ingress" {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}
