package httpapi_test

import (
	"net/url"
	"strings"
	"testing"
)

// pathRows are about the grammar of paths.
func pathRows() []row {
	ok := []string{"X-Restate-Error-Source", ""}
	ingress := []string{"X-Restate-Error-Source", "ingress"}
	return []row{
		{shows: "2.health 11.health", ask: "GET /restate/health", status: 200, text: `"Greeter"`, has: []string{"Content-Type", "application/json"}},
		{shows: "2.call", ask: "POST /restate/call/Greeter/Greet", body: `"a"`, status: 200, text: `="hello a"`, has: ok},
		{shows: "2.call", ask: "GET /restate/call/Greeter/NoIn", status: 200, text: "="},
		{shows: "2.call", ask: "POST /restate/call/Obj/p1/Add", body: "1", status: 200, text: "=1"},
		{shows: "2.send", ask: "POST /restate/send/Obj/p2/Add", body: "1", status: 202, text: `"status":"Accepted"`},
		{shows: "2.send", ask: "GET /restate/send/Greeter/NoIn", status: 202, text: `"status":"Accepted"`},
		{shows: "2.bare", ask: "POST /Greeter/Greet", body: `"a"`, status: 200, text: `="hello a"`},
		{shows: "2.bare", ask: "GET /Greeter/NoIn", status: 200, text: "="},
		{shows: "2.bare", ask: "POST /Obj/p3/Add", body: "3", status: 200, text: "=3"},
		{shows: "2.bare", ask: "GET /Obj/p3/Get", status: 200, text: "=3"},
		{shows: "2.bare", ask: "POST /Greeter/Greet/send", body: `"a"`, status: 202, text: "inv_1"},
		{shows: "2.bare", ask: "GET /Obj/p3/Get/send", status: 202, text: "inv_1"},
		{shows: "2.bare", ask: "POST /Obj/p4/send", body: "4", status: 200, text: "=4"},
		{shows: "2.bare", ask: "POST /Obj/p4/send/send", body: "4", status: 202, text: "inv_1"},
		{shows: "2.bare 9.once", ask: "POST /Wf/p5/run/send", body: `"w"`, status: 202, text: "inv_1"},
		{shows: "2.workflow", ask: "GET /restate/workflow/Wf/p5/output", status: 470},
		{shows: "2.workflow", ask: "POST /Wf/p5/resolve", body: `"x"`, status: 200},
		{shows: "2.workflow", ask: "GET /restate/workflow/Wf/p5/attach", status: 200, text: `="w x"`},
		{shows: "2.workflow 2.extra", ask: "GET /restate/workflow/Wf/p5/output/and/more", status: 200, text: `="w x"`},
		{shows: "2.idempotent", ask: "POST /Greeter/Greet", body: `"i"`, headers: []string{"Idempotency-Key", "p6"}, status: 200},
		{shows: "2.idempotent", ask: "GET /restate/invocation/Greeter/Greet/p6/attach", status: 200, text: `="hello i"`},
		{shows: "2.idempotent 2.extra", ask: "GET /restate/invocation/Greeter/Greet/p6/output/more", status: 200, text: `="hello i"`},
		{shows: "2.idempotent-key", ask: "POST /Obj/p%2F7/Add", body: "7", headers: []string{"Idempotency-Key", "p7"}, status: 200},
		{shows: "2.idempotent-key 2.decode", ask: "GET /restate/invocation/Obj/p%2F7/Add/p7/attach", status: 200, text: "=7"},
		{shows: "2.idempotent-key", ask: "GET /restate/invocation/Obj/p%2f7/Add/p7/output", status: 200, text: "=7"},
		{shows: "2.invocation 2.short 2.two-or-three", story: resultsByID},
		{shows: "2.target 8.2.lookup", ask: "POST /restate/lookup", body: `{"target":"workflow","workflowName":"Wf","workflowKey":"p5"}`, status: 200, text: `{"invocationId":"inv_1`},
		{shows: "2.target", ask: "POST /restate/attach", body: `{"target":"workflow","workflowName":"Wf","workflowKey":"p5"}`, status: 200, text: `="w x"`},
		{shows: "2.target", ask: "POST /restate/output", body: `{"target":"workflow","workflowName":"Wf","workflowKey":"p5"}`, status: 200, text: `="w x"`},
		{shows: "2.awakeables", story: bothPathsOfAwakeables},
		{shows: "2.scope 5.4.limit-key", ask: "POST /restate/scope/s/call/Greeter/Greet", body: `"a"`, status: 400, has: ingress},
		{shows: "2.scope", ask: "POST /restate/scope/s/send/Greeter/Greet", body: `"a"`, status: 400, has: ingress},
		{shows: "2.scope", ask: "POST /restate/scope/%ff/call", status: 400, has: ingress},
		{shows: "2.openapi", ask: "GET /openapi/x", status: 404, has: ingress},
		{shows: "2.slashes", ask: "GET /openapi", status: 400, has: ingress},
		{shows: "2.slashes", ask: "GET /", status: 400, has: ingress},
		{shows: "2.slashes", ask: "GET //", status: 400, has: ingress},
		{shows: "2.slashes", ask: "POST /Greeter", status: 400, has: ingress},
		{shows: "2.slashes", ask: "POST /Greeter/", status: 400, has: ingress},
		{shows: "2.slashes", ask: "GET /a/b/c/d/e/f/g/h", status: 400, text: "no path of the ingress", has: ingress},
		{shows: "2.slashes", ask: "GET /a/b/c/d/e/f/g/", status: 404, text: "no service named 'a'", has: ingress},
		{shows: "2.slashes", ask: "GET /a/b/c/d/e/f/g", status: 404, text: "no service named 'a'", has: ingress},
		{shows: "2.slashes", ask: "GET /Greeter/NoIn/", status: 200},
		{shows: "2.slashes", ask: "GET /restate/health/", status: 200},
		{shows: "2.slashes", ask: "GET /Greeter/NoIn//", status: 400, has: ingress},
		{shows: "2.empty-key", ask: "GET /Obj//Key", status: 200, text: `=""`},
		{shows: "2.empty-key", ask: "POST /Obj//Add", body: "5", headers: []string{"Idempotency-Key", "p8"}, status: 200, text: "=5"},
		{shows: "2.empty-key", ask: "GET /restate/invocation/Obj//Add/p8/output", status: 200, text: "=5"},
		{shows: "2.empty-key", ask: "GET /restate/call/Obj//Get", status: 200, text: "=5"},
		{shows: "2.empty-key", ask: "GET /restate/workflow/Wf//output", status: 404, has: ingress},
		{shows: "2.decode", ask: "GET /Obj/a%2Fb+c%20d%3Fe/Key", status: 200, text: `="a/b+c d?e"`},
		{shows: "2.decode", ask: "GET /Obj/%E2%82%AC/Key", status: 200, text: `="€"`},
		{shows: "2.decode", ask: "GET /Obj/%2525/Key", status: 200, text: `="%25"`},
		{shows: "2.decode", ask: "GET /Obj/../Key", status: 200, text: `=".."`},
		{shows: "2.utf8", ask: "GET /Obj/%ff/Key", status: 400, text: "UTF-8", has: ingress},
		{shows: "2.utf8", ask: "GET /restate/workflow/Wf/%C3%28/attach", status: 400, text: "UTF-8", has: ingress},
		{shows: "2.utf8", ask: "GET /restate/invocation/Obj/%ed%a0%80/Add/i/output", status: 400, text: "UTF-8", has: ingress},
		{shows: "2.undecoded", ask: "GET /Gre%65ter/NoIn", status: 404, text: "no service named", has: ingress},
		{shows: "2.undecoded", ask: "GET /Greeter/No%49n", status: 404, text: "has no handler", has: ingress},
		{shows: "2.undecoded", ask: "GET /restate/invocation/Greeter/Greet/p%36/output", status: 404, has: ingress},
		{shows: "2.undecoded", ask: "GET /restate/workflow/W%66/p5/output", status: 404, has: ingress},
		{shows: "2.key-by-type 5.4.segments", ask: "GET /Obj/Get", status: 400, text: "addressed by key", has: ingress},
		{shows: "2.key-by-type", ask: "GET /Obj/Nope", status: 400, text: "addressed by key", has: ingress},
		{shows: "2.key-by-type 5.4.segments", ask: "GET /Greeter/k/NoIn", status: 400, text: "has no keys", has: ingress},
		{shows: "2.key-by-type", ask: "GET /restate/invocation/Obj/Add/i/attach", status: 400, has: ingress},
		{shows: "2.two-or-three", ask: "GET /restate/invocation/Nope/Greet/i", status: 404, text: "no service named 'Nope'", has: ingress},
		{shows: "2.extra 5.4.segments", ask: "GET /Greeter/NoIn/send/more", status: 400, has: ingress},
		{shows: "2.extra 5.4.segments", ask: "GET /restate/call/Greeter/NoIn/send", status: 400, has: ingress},
		{shows: "2.extra", ask: "GET /restate/send/Obj/k/Get/more", status: 400, has: ingress},
		{shows: "8.1.verb", ask: "GET /restate/nope", status: 404, text: "no such route", has: ingress},
	}
}

// limitRows are about what is too long.
func limitRows() []row {
	long := func(n int) string { return strings.Repeat("n", n) }
	// Each of the bytes is three in the path, and one of the limit.
	decoded := strings.Repeat("%2F", 1024)
	ingress := []string{"X-Restate-Error-Source", "ingress"}
	return []row{
		{shows: "2.limits", ask: "GET /" + long(256) + "/x", status: 400, text: "255", has: ingress},
		{shows: "2.limits", ask: "GET /" + long(255) + "/x", status: 404, has: ingress},
		{shows: "2.limits", ask: "GET /Greeter/" + long(256), status: 400, text: "255", has: ingress},
		{shows: "2.limits", ask: "GET /Greeter/" + long(255), status: 404, has: ingress},
		{shows: "2.limits", ask: "GET /Obj/" + decoded + "/Get", status: 200, text: "=0"},
		{shows: "2.limits", ask: "GET /Obj/" + decoded + "x/Get", status: 400, text: "1024", has: ingress},
		{shows: "2.limits", ask: "GET /restate/workflow/Wf/" + decoded + "x/output", status: 400, text: "1024", has: ingress},
		{shows: "2.limits", ask: "GET /restate/workflow/" + long(256) + "/k/output", status: 400, text: "255", has: ingress},
		{shows: "2.limits", ask: "GET /restate/invocation/" + long(256) + "/h/i/output", status: 400, text: "255", has: ingress},
		{shows: "2.limits", ask: "GET /restate/invocation/Greeter/" + long(256) + "/i/output", status: 400, text: "255", has: ingress},
		{shows: "2.limits", ask: "GET /restate/invocation/Greeter/Greet/" + long(1025) + "/output", status: 400, text: "1024", has: ingress},
		{shows: "2.limits", ask: "GET /restate/invocation/Obj/" + long(1025) + "/Add/i/output", status: 400, text: "1024", has: ingress},
		{shows: "2.limits", ask: "GET /Greeter/NoIn", headers: []string{"Idempotency-Key", long(1025)}, status: 400, text: "1024", has: ingress},
		{shows: "2.limits", ask: "GET /Greeter/NoIn", headers: []string{"Idempotency-Key", long(1024)}, status: 200},
		{shows: "2.limits", ask: "POST /restate/signals/" + someID + "/" + long(256) + "/resolve", status: 400, text: "255", has: ingress},
		{shows: "2.limits", ask: "GET /Greeter/NoIn", headers: []string{"X-Big", long(65 << 10)}, status: 431, has: ingress},
		{shows: "2.limits", ask: "GET /restate/health", headers: []string{"X-Big", long(65 << 10)}, status: 431, has: ingress},
		{shows: "2.limits", ask: "GET /Greeter/NoIn?x=" + long(63<<10), headers: []string{"X-Big", long(2 << 10)}, status: 431, has: ingress},
		{shows: "2.limits", ask: "GET /Greeter/NoIn", headers: []string{"X-Big", long(60 << 10)}, status: 200},
	}
}

// someID is the id of no invocation here.
const someID = "inv_10BnVMHtxjjO0HyUJWli0aN6NpK3xqX1zy"

func resultsByID(t *testing.T, s *stage) {
	id := s.send("/Greeter/Greet", `"b"`)
	for _, path := range []string{"/restate/invocation/" + id + "/attach", "/restate/attach/" + id} {
		want(t, s.do("GET "+path, ""), 200, `"hello b"`)
	}
	for _, path := range []string{"/restate/invocation/" + id + "/output", "/restate/output/" + id, "/restate/output/" + id + "/"} {
		want(t, s.do("GET "+path, ""), 200, `"hello b"`)
	}
	want(t, s.do("GET /restate/invocation/"+id+"/output/more", ""), 404, "no service named")
	want(t, s.do("GET /restate/output/"+id+"/more", ""), 404, "no such route")
}

func bothPathsOfAwakeables(t *testing.T, s *stage) {
	for _, path := range []string{"/restate/awakeables/", "/restate/a/"} {
		key := url.PathEscape(path)
		id := s.send("/Waiter/"+key+"/Text", "")
		want(t, s.do("POST "+path+firstAwakeable(t, id)+"/resolve", `"yes"`), 202, "")
		want(t, s.attach(id), 200, `"yes"`)
		id = s.send("/Waiter/"+key+"/Text", "")
		want(t, s.do("POST "+path+firstAwakeable(t, id)+"/reject/and/more", `no`), 202, "")
		want(t, s.attach(id), 500, `"message":"no"`)
	}
}
