package httpapi_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/httpapi"
	restate "github.com/dormouse-run/dormouse/objects"
)

// The targets of this file are the whole ingress in front of a whole runtime.

// FuzzIngress asks with any method, path, header and body.
func FuzzIngress(f *testing.F) {
	for _, s := range ingressSeeds() {
		f.Add(s.method, s.path, s.header, s.value, s.body)
	}
	h := newFuzzIngress(f)
	f.Fuzz(func(t *testing.T, method, path, header, value, body string) {
		isAnswered(t, h, wireOf(method, path, header, value, body))
	})
}

// FuzzIngressBytes asks with any bytes of a connection.
func FuzzIngressBytes(f *testing.F) {
	for _, s := range ingressSeeds() {
		f.Add(wireOf(s.method, s.path, s.header, s.value, s.body))
	}
	f.Add("CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n")
	f.Add("GET http:x/y HTTP/1.0\r\n\r\n")
	f.Add("POST /Obj/k/Add HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n7\r\n0\r\n\r\n")
	h := newFuzzIngress(f)
	f.Fuzz(func(t *testing.T, wire string) { isAnswered(t, h, wire) })
}

// TestRandomRequestsAreAnsweredByTheRules is FuzzIngress with other inputs each
// time.
func TestRandomRequestsAreAnsweredByTheRules(t *testing.T) {
	t.Parallel()
	r, n := httpapi.NewRandom(t)
	var methods, paths, headers, values, bodies []string
	for _, s := range ingressSeeds() {
		methods, paths, headers = append(methods, s.method), append(paths, s.path), append(headers, s.header)
		values, bodies = append(values, s.value), append(bodies, s.body)
	}
	h := newFuzzIngress(t)
	answered := map[int]int{}
	for range n {
		method, header, value := methods[r.IntN(len(methods))], headers[r.IntN(len(headers))], httpapi.Mutate(r, values)
		answered[isAnswered(t, h, wireOf(method, httpapi.Mutate(r, paths), header, value, httpapi.Mutate(r, bodies)))]++
		if t.Failed() {
			return
		}
	}
	for _, status := range []int{0, 200, 202, 400, 404, 405} {
		if n >= 1000 && answered[status] == 0 {
			t.Errorf("no request of %d got %d: %v", n, status, answered)
		}
	}
}

type ingressSeed struct{ method, path, header, value, body string }

// ingressSeeds are requests of every kind.
func ingressSeeds() []ingressSeed {
	const json = "application/json"
	return []ingressSeed{
		{"POST", "/Greeter/Greet", "Content-Type", json, `"a"`},
		{"GET", "/Greeter/NoIn?delay=1s", "Idempotency-Key", "i", ""},
		{"POST", "/Obj/k%2F/Add/send?delay=PT1H", "Content-Type", json, "1"},
		{"PUT", "/Obj//Add", "X-Restate-Limit-Key", "l", "1"},
		{"POST", "/Wf/w/run", "Content-Type", json, `"x"`},
		{"POST", "/restate/call/Greeter/Raw", "Content-Type", "application/octet-stream", "\x00\xff"},
		{"GET", "/restate/send/Obj/k/Get", "X-Request-Id", "r", ""},
		{"GET", "/restate/invocation/Obj/k/Add/i/output", "Accept", "*/*", ""},
		{"GET", "/restate/invocation/" + someID + "/attach", "Authorization", "Bearer x", ""},
		{"GET", "/restate/workflow/Wf/w/output", "Origin", "http://localhost", ""},
		{"POST", "/restate/awakeables/" + nobody + "/resolve", "Content-Type", "text/plain", "x"},
		{"POST", "/restate/a/prom_1" + nobody[6:] + "/reject", "Expect", "100-continue", "x"},
		{"POST", "/restate/signals/" + someID + "/go%20on/resolve", "Te", "trailers", "x"},
		{"POST", "/restate/lookup", "Content-Type", json, `{"target":"workflow","workflowName":"Wf","workflowKey":"w"}`},
		{"POST", "/restate/output", "Content-Type", json, `{"target":"idempotentInvocation","service":"Obj","key":"k","handler":"Add","idempotencyKey":"i"}`},
		{"GET", "/restate/health", "X-Odd", "\xc3\xa9", ""},
		{"OPTIONS", "/restate/scope/s/call/Greeter/Greet", "Access-Control-Request-Method", "POST", ""},
		{"HEAD", "/openapi/Greeter", "X", "y", ""},
	}
}

func wireOf(method, path, header, value, body string) string {
	return fmt.Sprintf("%s %s HTTP/1.1\r\nHost: h\r\n%s: %s\r\nContent-Length: %d\r\n\r\n%s", method, path, header, value, len(body), body)
}

func newFuzzIngress(t testing.TB) http.Handler {
	t.Helper()
	return newFuzzServer(t).IngressHandler()
}

// newFuzzServer returns a server whose handlers neither wait nor fail with a 5xx,
// and of which little is kept.
func newFuzzServer(t testing.TB) *httpapi.Server {
	t.Helper()
	nothing := []restate.ServiceDefinitionOption{restate.WithJournalRetention(0), restate.WithIdempotencyRetention(0)}
	rt, err := actors.Open(context.Background(), actors.Options{
		Logger: slog.New(slog.DiscardHandler), MaxPayload: 4096,
		Services: []restate.ServiceDefinition{
			restate.NewService("Greeter", nothing...).
				Handler("Greet", restate.NewServiceHandler(greet)).
				Handler("NoIn", restate.NewServiceHandler(func(restate.Context, restate.Void) (restate.Void, error) { return restate.Void{}, nil })).
				Handler("Raw", restate.NewServiceHandler(func(_ restate.Context, b []byte) ([]byte, error) { return b, nil }, restate.WithBinary)),
			restate.NewObject("Obj", nothing...).
				Handler("Add", restate.NewObjectHandler(add)).Handler("Get", restate.NewObjectSharedHandler(sumOf)),
			restate.NewWorkflow("Wf", restate.WithWorkflowRetention(0), restate.WithJournalRetention(0)).
				Handler("run", restate.NewWorkflowHandler(func(_ restate.WorkflowContext, s string) (string, error) { return s, nil })),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rt.Close() })
	s, err := httpapi.New(rt, httpapi.Options{Logger: slog.New(slog.DiscardHandler), MaxBody: 4096})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// isAnswered sends what net/http takes for a request, and holds the answer to
// the rules. It returns the status, 0 for what is no request, and -1 for a wait
// that was cut off.
func isAnswered(t *testing.T, h http.Handler, wire string) (status int) {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(wire)))
	if err != nil {
		return 0
	}
	// Who attaches to what is delayed waits.
	ctx, leave := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer leave()
	defer func() {
		if v := recover(); v != nil {
			status = -1
			if v != http.ErrAbortHandler {
				t.Errorf("%q: panic: %v", wire, v)
			}
		}
	}()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r.WithContext(ctx))
	got := reply{status: w.Code, header: w.Header(), body: w.Body.String()}
	obeys(t, r.Method, got)
	for name, values := range w.Header() {
		for _, v := range values {
			if strings.ContainsAny(v, "\r\n\x00") {
				t.Errorf("%q: the header %s is %q", wire, name, v)
			}
		}
	}
	if w.Code >= 500 || w.Code >= 300 && w.Code < 400 {
		t.Errorf("%q: got %v", wire, got)
	}
	return w.Code
}
