package httpapi_test

import (
	"strings"
	"testing"
)

// callRows are about calls of handlers.
func callRows() []row {
	const octets, proto = "application/octet-stream", "application/proto"
	ingress := []string{"X-Restate-Error-Source", "ingress", "X-Restate-Id", ""}
	invocation := []string{"X-Restate-Error-Source", "invocation", "X-Restate-Id", "*"}
	typed := func(v string) []string { return []string{"Content-Type", v} }
	return []row{
		{shows: "5.1.method", ask: "PUT /Greeter/NoIn", status: 405, has: []string{"Allow", "GET, POST", "X-Restate-Error-Source", "ingress"}},
		{shows: "5.1.method", ask: "DELETE /Greeter/NoIn", status: 405, has: ingress},
		{shows: "5.1.method", ask: "PATCH /restate/call/Greeter/NoIn", status: 405, has: ingress},
		{shows: "5.1.method", ask: "HEAD /Greeter/NoIn", status: 405, text: "=", has: ingress},
		{shows: "5.1.method", ask: "HEAD /Greeter/Nope", status: 404, has: ingress},
		{shows: "5.1.method", ask: "PUT /Nope/x", status: 404, has: ingress},
		{shows: "5.1.restate 11.method", ask: "POST /restate/health", status: 405, has: []string{"Allow", "GET"}},
		{shows: "11.method", ask: "HEAD /restate/health", status: 405, has: []string{"Allow", "GET"}},
		{shows: "5.1.restate", ask: "GET /restate/awakeables/nonsense/resolve", status: 405, has: []string{"Allow", "POST"}},
		{shows: "5.1.restate", ask: "GET /restate/awakeables/nonsense", status: 400, has: ingress},
		{shows: "5.1.restate", ask: "POST /restate/invocation/nonsense/attach", status: 405, has: []string{"Allow", "GET"}},
		{shows: "5.1.restate", ask: "POST /restate/workflow/Wf/%ff/attach", status: 405, has: []string{"Allow", "GET"}},
		{shows: "5.1.restate", ask: "PUT /restate/invocation/Obj/%ff/Add/i/attach", status: 405, has: []string{"Allow", "GET"}},
		{shows: "5.1.restate", ask: "GET /restate/lookup", status: 405, has: []string{"Allow", "POST"}},
		{shows: "5.1.restate", ask: "HEAD /restate/output/nonsense", status: 405, has: []string{"Allow", "GET"}},
		{shows: "5.2.none", ask: "POST /Greeter/NoIn", status: 200},
		{shows: "5.2.none 16.c", ask: "POST /Greeter/NoIn", headers: typed("application/json"), status: 200},
		{shows: "5.2.none", ask: "POST /Greeter/NoIn", headers: typed("text/plain"), status: 400, has: ingress},
		{shows: "5.2.none", ask: "POST /Greeter/NoIn", body: "1", status: 400, has: ingress},
		{shows: "5.2.none", ask: "POST /Greeter/NoIn", body: "1", headers: typed(""), status: 400, has: ingress},
		{shows: "5.2.json", ask: "POST /Greeter/Greet", body: `"a"`, status: 200},
		{shows: "5.2.json", ask: "POST /Greeter/Greet", body: `"a"`, headers: typed(""), status: 400, has: ingress},
		{shows: "5.2.json", ask: "POST /Greeter/Greet", body: `"a"`, headers: typed("text/plain"), status: 400, has: ingress},
		{shows: "5.2.json", ask: "POST /Greeter/Greet", headers: typed("application/json"), status: 400, has: ingress},
		{shows: "5.2.json", ask: "GET /Greeter/Greet", status: 400, has: ingress},
		{shows: "5.2.json", ask: "GET /Greeter/Greet", body: `"g"`, status: 200, text: `="hello g"`},
		{shows: "5.2.binary", ask: "POST /Greeter/Raw", status: 200, text: "="},
		{shows: "5.2.binary", ask: "POST /Greeter/Raw", headers: typed(octets), status: 200, text: "="},
		{shows: "5.2.binary", ask: "POST /Greeter/Raw", body: "\x00\xff", headers: typed(octets), status: 200, text: "=\x00\xff"},
		{shows: "5.2.binary", ask: "POST /Greeter/Raw", body: "x", headers: typed(""), status: 400, has: ingress},
		{shows: "5.2.binary", ask: "POST /Greeter/Raw", body: "x", status: 400, has: ingress},
		{shows: "5.2.binary", ask: "POST /Greeter/Raw", headers: typed("application/json"), status: 400, has: ingress},
		{shows: "5.2.proto", ask: "POST /Greeter/Proto", body: "\x0a\x02hi", headers: typed(proto), status: 200, text: "=\x0a\x02hi"},
		{shows: "5.2.proto", ask: "POST /Greeter/Proto", headers: typed(proto), status: 200, text: "="},
		{shows: "5.2.proto", ask: "POST /Greeter/Proto", status: 400, has: ingress},
		{shows: "5.2.proto", ask: "POST /Greeter/Proto", body: "{}", status: 400, has: ingress},
		{shows: "5.2.custom", ask: "POST /Greeter/Letters", body: "abc", headers: typed(""), status: 200, text: "=abc"},
		{shows: "5.2.custom", ask: "POST /Greeter/Letters", body: "abc", headers: typed("x/y"), status: 200, text: "=abc"},
		{shows: "5.2.custom", ask: "POST /Greeter/Letters", status: 200, text: "="},
		{shows: "5.2.decode", ask: "POST /Greeter/Greet", body: `{`, status: 400, has: invocation},
		{shows: "5.2.decode", ask: "POST /Greeter/Greet", body: `1`, status: 400, has: invocation},
		{shows: "5.2.decode", ask: "POST /Greeter/Proto", body: "\xff", headers: typed(proto), status: 400, has: invocation},
		{shows: "5.2.decode", ask: "POST /Greeter/Pair", body: `{"A":2,"C":7}`, status: 200, text: "=2"},
		{shows: "5.4.value", ask: "POST /Obj/c1/Add", body: "1", status: 200, text: "=1", has: []string{"Content-Type", "application/json", "X-Restate-Id", "*"}},
		{shows: "5.4.nothing", ask: "GET /Greeter/NoIn", status: 200, text: "=", has: []string{"Content-Type", "", "X-Restate-Id", "*"}},
		{shows: "5.4.kill", ask: "POST /Failing/Kill", body: "0", status: 500, text: "broken", has: invocation},
		{shows: "5.4.kill", ask: "POST /Failing/Kill", body: "503", status: 503, text: "broken", has: invocation},
		{shows: "5.4.pause", story: aPausedCallWaits},
		{shows: "5.4.unknown", ask: "POST /greeter/Greet", body: `"a"`, status: 404, has: ingress},
		{shows: "5.4.unknown", ask: "POST /Greeter/greet", body: `"a"`, status: 404, has: ingress},
		{shows: "5.4.private", ask: "POST /Greeter/Hidden", body: `"a"`, status: 400, has: ingress},
		{shows: "5.4.private", ask: "POST /Closed/Greet/send", body: `"a"`, status: 400, has: ingress},
		{shows: "5.4.delay", ask: "POST /Greeter/NoIn?delay=0s", status: 400, has: ingress},
		{shows: "5.4.delay", ask: "POST /Greeter/NoIn?x=1&DeLaY=1s", status: 400, has: ingress},
		{shows: "5.4.delay", ask: "POST /Greeter/NoIn?delay", status: 400, has: ingress},
		{shows: "5.4.delay", ask: "POST /Greeter/NoIn?d%65lay=nonsense", status: 400, has: ingress},
		{shows: "5.4.delay", ask: "POST /Greeter/NoIn?delays=1s&x=%zz;y&=&&", status: 200},
		{shows: "5.4.workflow", ask: "POST /Wf/c2/run", body: `"a"`, headers: []string{"Idempotency-Key", "i"}, status: 400, has: ingress},
		{shows: "5.4.workflow 9.shared", ask: "POST /Wf/c2/input", headers: []string{"Idempotency-Key", "i"}, status: 200},
		{shows: "5.4.large 16.g", ask: "POST /Obj/c3/Add", body: strings.Repeat("1", 64<<10+1), status: 413, has: ingress},
		{shows: "5.4.large", ask: "POST /Obj/c3/Add/send", body: strings.Repeat("1", 64<<10+1), status: 413, has: ingress},
		{shows: "5.4.large", ask: "POST /Greeter/Letters", body: strings.Repeat("1", 64<<10), status: 200},
	}
}

// aPausedCallWaits until somebody kills it.
func aPausedCallWaits(t *testing.T, s *stage) {
	waiting := s.later("/Failing/Pause", "0", "Idempotency-Key", "c4")
	s.untilQueued("/Failing/Pause", "c4")
	id := s.idOf(`{"target":"idempotentInvocation","service":"Failing","handler":"Pause","idempotencyKey":"c4"}`)
	s.until(id, "paused")
	want(t, s.do("GET /restate/output/"+id, ""), 470, "")
	want(t, s.operate("kill", id), 200, "")
	want(t, receive(t, waiting), 409, `"source":"invocation"`)
}

// idOf looks up the id of a target.
func (s *stage) idOf(target string) string {
	s.t.Helper()
	got := s.do("POST /restate/lookup", target)
	want(s.t, got, 200, `{"invocationId":"inv_1`)
	return strings.TrimSuffix(strings.TrimPrefix(got.body, `{"invocationId":"`), `"}`)
}

// until waits for the status of an invocation.
func (s *stage) until(id, status string) {
	s.t.Helper()
	eventually(s.t, "that it is "+status, func() bool { return strings.Contains(s.view(id), `"status":"`+status+`"`) })
}

// operate asks the admin port.
func (s *stage) operate(op, id string) reply {
	return ask(s.client, "PATCH", s.admin+"/invocations/"+id+"/"+op, "")
}

// orderRows have requests with two faults each, of which the first one in the
// order of the checks is the answer. A body may have 16 bytes.
func orderRows() []row {
	const large = `"0123456789abcdef"`
	limit := []string{"X-Restate-Limit-Key", "l"}
	of := func(ask, body string, headers []string, status int, text string) row {
		return row{shows: "5.5.order", ask: ask, body: body, headers: headers, status: status, text: text, has: []string{"X-Restate-Error-Source", "ingress"}}
	}
	text := func(more ...string) []string { return append([]string{"Content-Type", "text/plain"}, more...) }
	return []row{
		of("DELETE /Nope/Hidden", large, nil, 404, "no service"),
		of("DELETE /Obj/%ff/Nope", large, nil, 400, "UTF-8"),
		of("DELETE /Greeter/Nope", large, nil, 404, "no handler"),
		of("DELETE /Greeter/Hidden", large, nil, 400, "other handlers only"),
		of("DELETE /Wf/k/run", large, []string{"Idempotency-Key", "i"}, 400, "idempotency key"),
		of("DELETE /restate/scope/s/call/Nope/x", large, nil, 400, "scopes"),
		of("DELETE /Greeter/Greet", large, text(), 405, "GET, POST"),
		of("POST /Greeter/Greet?delay=x", large, text(), 413, "16 bytes"),
		of("POST /Greeter/Greet/send?delay=x", `"a"`, text(), 400, "text/plain"),
		of("POST /Greeter/Greet/send?delay=x", `"a"`, limit, 400, "a delay looks like"),
		of("POST /Greeter/Greet?delay=1s", `"a"`, append([]string{"X-Odd", "é"}, limit...), 400, "limit keys"),
		of("POST /Greeter/Greet?delay=1s", `"a"`, []string{"X-Odd", "é"}, 400, "x-odd"),
		of("POST /Greeter/Greet?delay=1s", `"a"`, nil, 400, "cannot be delayed"),
	}
}
