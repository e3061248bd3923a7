package httpapi

import (
	"context"
	"errors"
	"math"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/persistence"
)

// measuredRuntime has a value for every metric.
func measuredRuntime() *fakeRuntime {
	h := actors.Histogram{Bounds: []float64{0.5, 1}, Counts: []uint64{1, 2, 3}, Sum: 9}
	service := func(name string) actors.ServiceMetrics {
		return actors.ServiceMetrics{
			Service: name, Accepted: 9, Succeeded: 7, Failed: 1, Suspended: 2, Repeated: 3, Paused: 4, Ended: 5, Panicked: 6, Resolved: 8, Rejected: 9,
			Started:      []actors.StartCount{{Reason: "accepted", Count: 5}, {Reason: "retried", Count: 6}},
			QueueSeconds: h, AttemptSeconds: h, InvocationSeconds: h,
		}
	}
	return &fakeRuntime{
		stats: actors.Stats{Commits: 1, Ops: 2, Rows: 3, Bytes: 4, Queued: 5, LiveActors: 6, Deadlocks: 17},
		metrics: actors.Metrics{
			CommitSeconds: h, CommitOutputs: h, TableBytes: 10, LogBytes: 20,
			Waits: []actors.WaitCount{{Reason: "run", Count: 3}}, Events: []actors.EventCount{{Event: "end", Outputs: 4, Rows: 20}},
			Written:  persistence.Written{Transactions: 5, Rows: 6, Bytes: 7, Syncs: 10},
			Health:   persistence.Health{Pressure: persistence.PressureSoft, Room: persistence.Room{Bytes: 1 << 40, Inodes: 1, Files: 0, Maps: 2}},
			Services: []actors.ServiceMetrics{service("Obj"), service("")},
		},
	}
}

// scrape returns the text of the metrics route.
func scrape(t *testing.T, s *Server) string {
	t.Helper()
	w := ask(s.AdminHandler(), "GET", "/metrics", "")
	if w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func TestMetricsHaveEverythingThatTheRuntimeCounts(t *testing.T) {
	t.Parallel()
	text := scrape(t, testServer(t, measuredRuntime(), Options{}))
	for _, want := range []string{
		`dormouse_commits_total 1`, `dormouse_commit_outputs_total 2`, `dormouse_commit_queue 5`, `dormouse_live_actors 6`, `dormouse_deadlocks_total 17`,
		`dormouse_commit_duration_seconds_bucket{le="0.5"} 1`, `dormouse_commit_duration_seconds_bucket{le="1"} 3`, `dormouse_commit_duration_seconds_bucket{le="+Inf"} 6`,
		`dormouse_commit_waits_total{reason="run"} 3`, `dormouse_event_outputs_total{event="end"} 4`, `dormouse_event_rows_total{event="end"} 20`,
		`dormouse_store_transactions_total 5`, `dormouse_store_rows_total 6`, `dormouse_store_bytes_total 7`, `dormouse_store_syncs_total 10`,
		`dormouse_commit_duration_seconds_sum 9`, `dormouse_store_pressure 1`, `dormouse_store_free_files 0`, `dormouse_store_table_bytes 10`,
		`dormouse_invocations_completed_total{result="failure",service="Obj"} 1`, `dormouse_attempts_started_total{reason="retried",service="Obj"} 6`,
		`dormouse_attempts_failed_total{service="(not bound)",then="paused"} 4`, `dormouse_awakeables_completed_total{result="rejected",service="Obj"} 9`,
		`dormouse_invocation_queue_seconds_count{service="Obj"} 6`, `dormouse_build_info{go_version="go`, `go_goroutines `, `process_open_fds `,
	} {
		if !strings.Contains(text, "\n"+want) {
			t.Errorf("%s is missing", want)
		}
	}
	if problems, err := testutil.GatherAndLint(testServer(t, measuredRuntime(), Options{}).metrics.registry); err != nil || len(problems) > 0 {
		t.Errorf("the names are not as Prometheus wants them: %v, %v", problems, err)
	}
}

func TestWhatIsNotMeasuredIsNoMetric(t *testing.T) {
	t.Parallel()
	f := &fakeRuntime{metrics: actors.Metrics{Services: []actors.ServiceMetrics{{}}}}
	text := scrape(t, testServer(t, f, Options{}))
	f.metrics.Health.Room = persistence.Room{Bytes: 7, Maps: math.MaxUint64}
	text += scrape(t, testServer(t, f, Options{}))
	for _, not := range []string{"dormouse_store_free_maps", "dormouse_store_log_bytes", "dormouse_store_syncs_total", "not bound"} {
		if strings.Contains(text, not) {
			t.Errorf("%s is there", not)
		}
	}
	if strings.Count(text, "\ndormouse_store_free_bytes ") != 1 {
		t.Error("free bytes are shown without, or not with, a measurement")
	}
}

func TestTheDocumentationOfMetricsListsWhatThereIs(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	s := testServer(t, measuredRuntime(), Options{})
	scrape(t, s) // now the metrics of HTTP have values as well
	families, err := s.metrics.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var served []string
	for _, family := range families {
		if strings.HasPrefix(family.GetName(), "dormouse_") {
			served = append(served, family.GetName())
		}
	}
	var documented []string
	for _, name := range regexp.MustCompile("`(dormouse_[a-z_]+)`").FindAllStringSubmatch(string(page), -1) {
		documented = append(documented, name[1])
	}
	slices.Sort(documented)
	if documented = slices.Compact(documented); !slices.Equal(served, documented) {
		t.Errorf("served are\n%v\ndocs/metrics.md has\n%v", served, documented)
	}
	for _, m := range runtimeMetrics() {
		for _, label := range m.labels {
			if !strings.Contains(string(page), "`"+label+"`") {
				t.Errorf("docs/metrics.md does not mention the label %s of %s", label, m.name)
			}
		}
	}
}

func TestRequestsAreCountedByTheRouteThatTookThem(t *testing.T) {
	t.Parallel()
	f := &fakeRuntime{call: func(_ context.Context, r actors.Request) (actors.Response, error) {
		switch r.Key {
		case "gone":
			return actors.Response{}, context.Canceled
		case "bad":
			panic("boom")
		case "odd":
			return actors.Response{}, &failure{status: 799, code: 799, source: sourceInvocation}
		}
		return actors.Response{}, nil
	}}
	s := testServer(t, f, Options{})
	in, admin := s.IngressHandler(), s.AdminHandler()
	for _, key := range []string{"a", "b", "bad", "odd"} {
		ask(in, "POST", "/Obj/"+key+"/Add", "1", "content-type", asJSON)
	}
	func() {
		defer func() { _ = recover() }() // as net/http does
		ask(in, "POST", "/Obj/gone/Add", "1", "content-type", asJSON)
	}()
	ask(in, "POST", "/Obj/a/Add/send", "1", "content-type", asJSON)
	ask(in, "BREW", "/Obj/a/Add", "")
	ask(in, "GET", "/restate/nope", "")
	ask(in, "GET", "/", "")
	ask(admin, "GET", "/services/Obj", "")
	ask(admin, "GET", "/services/Nope", "")
	ask(admin, "POST", "/services/Obj", "")
	ask(admin, "GET", "/nope/a", "")
	ask(admin, "GET", "/nope/b", "")
	text := scrape(t, s)
	const call, one = `route="/{service}[/{key}]/{handler}"`, `route="/services/{service}"`
	for _, want := range []string{
		`dormouse_http_requests_total{method="POST",port="ingress",` + call + `,status="200"} 2`,
		`dormouse_http_requests_total{method="POST",port="ingress",` + call + `,status="500"} 1`,
		`dormouse_http_requests_total{method="POST",port="ingress",` + call + `,status="7xx"} 1`,
		`dormouse_http_requests_total{method="POST",port="ingress",` + call + `,status="none"} 1`,
		`dormouse_http_requests_total{method="other",port="ingress",` + call + `,status="405"} 1`,
		`dormouse_http_requests_total{method="POST",port="ingress",route="/{service}[/{key}]/{handler}/send",status="202"} 1`,
		`dormouse_http_requests_total{method="GET",port="ingress",route="none",status="404"} 1`,
		`dormouse_http_requests_total{method="GET",port="ingress",route="none",status="400"} 1`,
		`dormouse_http_requests_total{method="GET",port="admin",` + one + `,status="200"} 1`,
		`dormouse_http_requests_total{method="GET",port="admin",` + one + `,status="404"} 1`,
		`dormouse_http_requests_total{method="POST",port="admin",` + one + `,status="405"} 1`,
		`dormouse_http_requests_total{method="GET",port="admin",route="none",status="404"} 2`,
		`dormouse_http_request_duration_seconds_count{port="ingress",` + call + `} 6`,
		`dormouse_http_requests_in_flight{port="ingress"} 0`, `dormouse_http_requests_in_flight{port="admin"} 1`,
		`dormouse_http_panics_total{port="ingress"} 1`, `dormouse_http_panics_total{port="admin"} 0`,
	} {
		if !strings.Contains(text, "\n"+want+"\n") {
			t.Errorf("%s is missing in\n%s", want, text)
		}
	}
}

func TestTwoServersInAProcessCountForThemselves(t *testing.T) {
	t.Parallel()
	one, other := testServer(t, &fakeRuntime{}, Options{}), testServer(t, &fakeRuntime{}, Options{})
	ask(one.IngressHandler(), "GET", "/restate/health", "")
	if text := scrape(t, other); strings.Contains(text, "/restate/health") {
		t.Errorf("a request to one server is counted by another one:\n%s", text)
	}
}

// routeOfPath is the pattern under which a raw path is counted.
func routeOfPath(path string) string {
	x := new(exchange)
	x.seg, x.formed = split(path)
	return ingressRouteOf(x)
}

func TestEveryRouteOfTheIngressHasItsPattern(t *testing.T) {
	t.Parallel()
	s := testServer(t, &fakeRuntime{}, Options{})
	seen := map[string]bool{}
	for _, path := range []string{
		"/restate/health", "/restate/call/Obj/k/Add", "/restate/send/Obj/k/Add", "/restate/a/x/resolve", "/restate/awakeables/x/resolve",
		"/restate/signals/x/n/resolve", "/restate/invocation/x/attach", "/restate/invocation/Greeter/Greet/ik/attach", "/restate/invocation/Obj/k/Add/ik/output",
		"/restate/workflow/Wf/k/attach", "/restate/attach/x", "/restate/output", "/restate/lookup",
	} {
		route := routeOfPath(path)
		if !slices.Contains(ingressRoutes(), route) {
			t.Errorf("%s is counted under %s", path, route)
		}
		seen[route] = true
		if w := ask(s.IngressHandler(), "DELETE", path, ""); w.Code != 405 {
			t.Errorf("there is no route for %s: %d %s", path, w.Code, w.Body)
		}
	}
	if len(seen) != len(ingressRoutes()) {
		t.Errorf("%d of %d patterns are reached", len(seen), len(ingressRoutes()))
	}
	for path, want := range map[string]string{"/Obj/k/Add": routeCall, "/send/send": routeCall, "/Obj/k/Add/send": routeSend, "/restate/nope": routeNone, "/openapi/x": routeNone, "/": routeNone} {
		if got := routeOfPath(path); got != want {
			t.Errorf("%s is counted under %s", path, got)
		}
	}
}

func TestStatusesOfHandlersMakeNoEndlessLabels(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]string{200: "200", 470: "470", 418: "418", 299: "2xx", 999: "9xx"} {
		if got := statusLabel(statusOf(status, nil)); got != want {
			t.Errorf("%d is %s", status, got)
		}
	}
	if got := statusLabel(statusOf(200, errors.Join(errNoAnswer))); got != "none" {
		t.Errorf("without an answer: %s", got)
	}
}
