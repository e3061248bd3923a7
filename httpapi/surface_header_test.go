package httpapi_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// headerRows are about headers of requests and answers.
func headerRows() []row {
	ingress := []string{"X-Restate-Error-Source", "ingress", "X-Restate-Id", ""}
	return []row{
		{shows: "3.type", ask: "POST /Greeter/Greet", body: `"a"`, headers: []string{"Content-Type", "application/json; charset=utf-8"}, status: 200},
		{shows: "3.type", ask: "POST /Greeter/Greet", body: `"a"`, headers: []string{"Content-Type", "Application/JSON ;q=1"}, status: 200},
		{shows: "3.type 5.2.json", ask: "POST /Greeter/Greet", body: `"a"`, headers: []string{"Content-Type", "application/jsonx"}, status: 400, has: ingress},
		{shows: "3.empty-ik", story: anEmptyIdempotencyKey},
		{shows: "3.authorization 15.open", ask: "GET /Greeter/Headers", headers: []string{"Authorization", "Bearer t"}, status: 200, text: `"authorization":"Bearer t"`},
		{shows: "15.open", ask: "GET /restate/health", status: 200},
		{shows: "3.limit-key 5.4.limit-key", ask: "GET /Greeter/NoIn", headers: []string{"X-Restate-Limit-Key", "l"}, status: 400, text: "scope", has: ingress},
		{shows: "3.limit-key 5.4.limit-key", ask: "GET /Greeter/NoIn/send?limit-key=l", status: 400, text: "scope", has: ingress},
		{shows: "3.limit-key", ask: "GET /Greeter/NoIn?Limit-Key", status: 400, has: ingress},
		{shows: "3.id", ask: "POST /Greeter/Greet", body: `"a"`, status: 200, has: []string{"X-Restate-Id", "*", "X-Restate-Error-Source", ""}},
		{shows: "3.id 3.source", ask: "POST /Greeter/Fail", body: `{"code":418,"message":"tea"}`, status: 418, has: []string{"X-Restate-Id", "*", "X-Restate-Error-Source", "invocation"}},
		{shows: "3.id", ask: "POST /Greeter/Greet/send", body: `"a"`, status: 202, has: []string{"X-Restate-Id", "*"}},
		{shows: "3.id 3.source", ask: "POST /Nope/Greet", status: 404, has: ingress},
		{shows: "3.expires", story: expiryIsTold},
		{shows: "3.content-type 5.4.value", ask: "POST /Greeter/Greet", body: `"a"`, status: 200, has: []string{"Content-Type", "application/json"}},
		{shows: "3.content-type 5.4.nothing", ask: "POST /Greeter/NoIn", status: 200, text: "=", has: []string{"Content-Type", ""}},
		{shows: "3.content-type", ask: "POST /Greeter/Raw", status: 200, text: "=", has: []string{"Content-Type", "application/octet-stream"}},
		{shows: "3.content-type", ask: "POST /Greeter/Proto", headers: []string{"Content-Type", "application/proto"}, status: 200, text: "=", has: []string{"Content-Type", "application/proto"}},
		{shows: "3.content-type", ask: "POST /Greeter/Letters", body: "abc", headers: []string{"Content-Type", "text/plain"}, status: 200, text: "=abc", has: []string{"Content-Type", ""}},
		{shows: "3.printable", ask: "GET /Greeter/NoIn", headers: []string{"X-Odd", "é"}, status: 400, text: "x-odd", has: ingress},
		{shows: "3.printable", ask: "GET /Greeter/NoIn", headers: []string{"X-Odd", "a\tb"}, status: 400, text: "x-odd", has: ingress},
		{shows: "3.printable", ask: "GET /Greeter/NoIn", headers: []string{"Idempotency-Key", "é"}, status: 400, text: "idempotency-key", has: ingress},
		{shows: "5.3.headers", story: headersOfTheHandler},
		{shows: "5.3.path", ask: "GET /Greeter/Headers?foo=b%20r&x", status: 200, text: `"x-restate-ingress-path":"/Greeter/Headers?foo=b%20r\u0026x"`},
		{shows: "5.3.path", ask: "GET /restate/call/Greeter/Headers/", headers: []string{"X-Restate-Ingress-Path", "/forged"}, status: 200, text: `"x-restate-ingress-path":"/restate/call/Greeter/Headers/"`},
		{shows: "5.3.traceparent", ask: "GET /Greeter/Headers", headers: []string{"Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}, status: 200, text: `"traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"`},
	}
}

// anEmptyIdempotencyKey makes two invocations, of which each has its own id.
func anEmptyIdempotencyKey(t *testing.T, s *stage) {
	ask := func() reply {
		r, err := http.NewRequest("GET", s.ingress+"/Greeter/NoIn", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header["Idempotency-Key"] = []string{""}
		resp, err := s.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return reply{status: resp.StatusCode, header: resp.Header}
	}
	first, second := ask(), ask()
	if a, b := first.header.Get("X-Restate-Id"), second.header.Get("X-Restate-Id"); a == b || a == "" || second.header.Get("Idempotency-Expires") != "" {
		t.Errorf("the ids are %q and %q: %v", a, b, second.header)
	}
}

// expiryFormat is RFC 3339 with milliseconds and an offset in numbers.
var expiryFormat = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d$`)

func expiryIsTold(t *testing.T, s *stage) {
	for _, ask := range []string{"POST /Greeter/Greet", "POST /Greeter/Fail"} {
		body := `"x"`
		if strings.HasSuffix(ask, "Fail") {
			body = `{"code":422,"message":"no"}`
		}
		first := s.do(ask, body, "Idempotency-Key", "h1")
		second := s.do(ask, body, "Idempotency-Key", "h1")
		if got := first.header.Get("Idempotency-Expires"); got != "" {
			t.Errorf("%s: the first answer expires at %s", ask, got)
		}
		if got := second.header.Get("Idempotency-Expires"); !expiryFormat.MatchString(got) {
			t.Errorf("%s: the second answer expires at %q", ask, got)
		}
		if a, b := first.header.Get("X-Restate-Id"), second.header.Get("X-Restate-Id"); a != b || a == "" {
			t.Errorf("%s: the ids are %q and %q", ask, a, b)
		}
	}
}

func headersOfTheHandler(t *testing.T, s *stage) {
	r, err := http.NewRequest("GET", s.ingress+"/Greeter/Headers", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{"X-Twice": {"one", "two"}, "Idempotency-Key": {"h2"}, "Idempotency-Expires": {"never"}, "X-MiXed": {"v"}}
	resp, err := s.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var seen map[string]string
	if err := json.NewDecoder(resp.Body).Decode(&seen); err != nil {
		t.Fatal(err)
	}
	names := slices.Sorted(maps.Keys(seen))
	if got, want := fmt.Sprint(names), "[accept-encoding user-agent x-mixed x-restate-ingress-path x-twice]"; got != want {
		t.Errorf("the handler sees %s, want %s", got, want)
	}
	if seen["x-twice"] != "one" {
		t.Errorf("of two values the handler sees %q", seen["x-twice"])
	}
}

// errorRows are about errors in JSON.
func errorRows() []row {
	failing := func(code int, status int, shows string) row {
		return row{
			shows: shows, ask: "POST /Greeter/Fail", body: fmt.Sprintf(`{"code":%d,"message":"b\"o"}`, code), status: status,
			text: fmt.Sprintf(`={"code":%d,"message":"b\"o","source":"invocation"}`, code),
			has:  []string{"Content-Type", "application/json", "X-Restate-Error-Source", "invocation", "X-Restate-Id", "*"},
		}
	}
	return []row{
		{shows: "4.shape", ask: "GET /Nope/x", status: 404, text: `{"code":404,"message":"no service named 'Nope'`, has: []string{"Content-Type", "application/json"}},
		{shows: "4.metadata", ask: "POST /Greeter/Fail", body: `{"code":422,"message":"boom","meta":{"k1":"v1"}}`, status: 422, text: `={"code":422,"message":"boom","metadata":{"k1":"v1"},"source":"invocation"}`},
		{shows: "4.stacktrace", ask: "POST /Failing/Kill", body: "0", status: 500, text: `"source":"invocation"}`},
		failing(200, 200, "4.200-999"), failing(301, 301, "4.200-999"), failing(409, 409, "4.200-999 5.4.terminal"),
		failing(503, 503, "4.200-999"), failing(599, 599, "4.200-999"), failing(999, 999, "4.200-999"),
		failing(1, 500, "4.other"), failing(199, 500, "4.other"), failing(204, 500, "4.other"), failing(304, 500, "4.other"),
		failing(1000, 500, "4.other"), failing(65535, 500, "4.other"),
	}
}
