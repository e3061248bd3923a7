package httpapi_test

import (
	"fmt"
	"strings"
	"testing"
)

// resultRows are about attach and output by path.
func resultRows() []row {
	ingress := []string{"X-Restate-Error-Source", "ingress", "X-Restate-Id", ""}
	invocation := []string{"X-Restate-Error-Source", "invocation", "X-Restate-Id", "*"}
	post := []string{"Allow", "GET", "X-Restate-Error-Source", "ingress"}
	return []row{
		{shows: "8.1.output 8.1.attach", story: outputOfEveryStatus},
		{shows: "8.1.finished", story: resultsAreWholeAnswers},
		{shows: "8.1.failure", ask: "POST /Greeter/Fail", body: `{"code":422,"message":"no","meta":{"k":"v"}}`, headers: []string{"Idempotency-Key", "r1"}, status: 422},
		{shows: "8.1.failure", ask: "GET /restate/invocation/Greeter/Fail/r1/attach", status: 422, text: `={"code":422,"message":"no","metadata":{"k":"v"},"source":"invocation"}`, has: append([]string{"Idempotency-Expires", "*"}, invocation...)},
		{shows: "8.1.failure", ask: "GET /restate/invocation/Greeter/Fail/r1/output", status: 422, text: `={"code":422,"message":"no","metadata":{"k":"v"},"source":"invocation"}`, has: append([]string{"Idempotency-Expires", "*"}, invocation...)},
		{shows: "8.1.out-unknown", ask: "GET /restate/output/" + someID, status: 404, has: ingress},
		{shows: "8.1.out-unknown", ask: "GET /restate/invocation/" + someID + "/output", status: 404, has: ingress},
		{shows: "8.1.out-unknown", ask: "GET /restate/invocation/Greeter/Greet/unknown/output", status: 404, has: ingress},
		{shows: "8.1.out-unknown", ask: "GET /restate/invocation/Obj/k/Nope/unknown/output", status: 404, has: ingress},
		{shows: "8.1.out-unknown", ask: "GET /restate/workflow/Wf/unknown/output", status: 404, has: ingress},
		{shows: "8.1.att-unknown", ask: "GET /restate/attach/" + someID, status: 404, has: []string{"X-Restate-Error-Source", "invocation", "X-Restate-Id", someID}},
		{shows: "8.1.att-unknown", ask: "GET /restate/invocation/Greeter/Greet/unknown/attach", status: 404, has: invocation},
		{shows: "8.1.att-unknown", ask: "GET /restate/workflow/Wf/w1/attach", status: 404, has: []string{"X-Restate-Error-Source", "invocation", "X-Restate-Id", "inv_12kpUQONmeFb2WqsVOkAjH4phS34cOyIC8"}},
		{shows: "8.1.malformed", ask: "GET /restate/output/nonsense", status: 400, has: ingress},
		{shows: "8.1.malformed", ask: "GET /restate/attach/" + nobody, status: 400, has: ingress},
		{shows: "8.1.malformed", ask: "GET /restate/invocation/" + someID[:37] + "/attach", status: 400, has: ingress},
		{shows: "8.1.malformed", ask: "GET /restate/invocation/inv_2" + someID[5:] + "/output", status: 400, has: ingress},
		{shows: "8.1.malformed", ask: "GET /restate/invocation/%69nv_1" + someID[5:] + "/output", status: 400, has: ingress},
		{shows: "8.1.malformed", ask: "GET /restate/invocation//output", status: 400, has: ingress},
		{shows: "8.1.service", ask: "GET /restate/invocation/Nope/Greet/i/attach", status: 404, text: "no service named 'Nope'", has: ingress},
		{shows: "8.1.service", ask: "GET /restate/invocation/Nope/k/Greet/i/output", status: 404, has: ingress},
		{shows: "8.1.wf-name", ask: "GET /restate/workflow/Nope/k/attach", status: 404, has: invocation},
		{shows: "8.1.wf-name", ask: "GET /restate/workflow/Nope/k/output", status: 404, has: ingress},
		{shows: "8.1.wf-name", ask: "GET /restate/workflow/Obj/k/output", status: 404, has: ingress},
		{shows: "8.1.verb", ask: "GET /restate/invocation/" + someID + "/cancel", status: 404, has: ingress},
		{shows: "8.1.verb", ask: "GET /restate/invocation/Greeter/Greet/i/watch", status: 404, has: ingress},
		{shows: "8.1.verb", ask: "GET /restate/workflow/Wf/k/watch", status: 404, has: ingress},
		{shows: "8.1.verb", ask: "GET /restate/invocation/" + someID, status: 400, has: ingress},
		{shows: "8.1.verb", ask: "GET /restate/invocation", status: 400, has: ingress},
		{shows: "8.1.verb", ask: "GET /restate/invocation/Greeter/Greet/i", status: 400, has: ingress},
		{shows: "8.1.verb", ask: "GET /restate/invocation/Obj/k/Add/i", status: 400, has: ingress},
		{shows: "8.1.verb", ask: "GET /restate/workflow/Wf/k", status: 400, has: ingress},
		{shows: "8.1.verb", ask: "GET /restate/workflow", status: 400, has: ingress},
		{shows: "8.1.post", ask: "POST /restate/invocation/" + someID + "/attach", status: 405, has: post},
		{shows: "8.1.post", ask: "POST /restate/invocation/" + someID + "/output", status: 405, has: post},
		{shows: "8.1.post", ask: "POST /restate/invocation/Greeter/Greet/i/attach", status: 405, has: post},
		{shows: "8.1.post", ask: "POST /restate/workflow/Wf/k/attach", status: 405, has: post},
		{shows: "8.1.post", ask: "POST /restate/attach/" + someID, status: 405, has: post},
		{shows: "8.1.post", ask: "POST /restate/output/" + someID, status: 405, has: post},
	}
}

// outputOfEveryStatus asks an invocation of each status for its output, and
// attaches to it.
func outputOfEveryStatus(t *testing.T, s *stage) {
	ids := map[string]string{
		"scheduled":   s.do("POST /Obj/r2/Add/send?delay=1h", "1").header.Get("X-Restate-Id"),
		"running":     s.send("/Obj/r3/Hold", `"r3"`),
		"pending":     "",
		"suspended":   s.send("/Waiter/r4/Text", ""),
		"backing-off": s.send("/Failing/BackOff", "0"),
		"paused":      s.send("/Failing/Pause", "0"),
	}
	s.until(ids["running"], "running")
	ids["pending"] = s.send("/Obj/r3/Add", "1")
	for status, id := range ids {
		s.until(id, status)
		for _, path := range []string{"/restate/output/" + id, "/restate/invocation/" + id + "/output"} {
			got := s.do("GET "+path, "")
			check(t, row{ask: status, status: 470, text: `={"code":470,"message":"not completed yet","source":"ingress"}`, has: []string{"X-Restate-Error-Source", "ingress", "X-Restate-Id", ""}}, got)
		}
	}
	attached := make(chan reply, 1)
	go func() { attached <- s.attach(ids["suspended"]) }()
	want(t, s.do("POST /restate/awakeables/"+firstAwakeable(t, ids["suspended"])+"/resolve", `"now"`), 202, "")
	want(t, receive(t, attached), 200, `"now"`)
	s.gate.openFor("r3")
	want(t, s.attach(ids["pending"]), 200, "1")
	go func() { attached <- s.attach(ids["backing-off"]) }()
	want(t, s.operate("kill", ids["backing-off"]), 200, "")
	killed := receive(t, attached)
	want(t, killed, 409, `"source":"invocation"`)
}

// resultsAreWholeAnswers compares what a call got with what attach and output
// get later.
func resultsAreWholeAnswers(t *testing.T, s *stage) {
	rows := []struct{ path, body, contentType string }{
		{"/Greeter/Greet", `"a"`, "application/json"},
		{"/Greeter/NoIn", "", ""},
		{"/Greeter/Raw", "\x00\x01", "application/octet-stream"},
		{"/Greeter/Raw", "", "application/octet-stream"},
		{"/Greeter/Proto", "\x0a\x01x", "application/proto"},
		{"/Greeter/Letters", "abc", "x/y"},
		{"/Obj/r5/Add", "3", "application/json"},
	}
	for n, r := range rows {
		key := fmt.Sprintf("r5-%d", n)
		first := s.do("POST "+r.path, r.body, "Content-Type", r.contentType, "Idempotency-Key", key)
		want(t, first, 200, "")
		id := first.header.Get("X-Restate-Id")
		for _, path := range []string{"/attach/" + id, "/output/" + id, "/invocation" + r.path + "/" + key + "/attach", "/invocation" + r.path + "/" + key + "/output"} {
			check(t, row{ask: path, status: 200, text: "=" + first.body, has: []string{
				"Content-Type", first.header.Get("Content-Type"), "X-Restate-Id", id, "Idempotency-Expires", "*", "X-Restate-Error-Source", "",
			}}, s.do("GET /restate"+path, ""))
		}
	}
}

// targetRows are about results and ids of targets in JSON.
func targetRows() []row {
	ingress := []string{"X-Restate-Error-Source", "ingress", "X-Restate-Id", ""}
	long := strings.Repeat("k", 1025)
	rows := []row{
		{shows: "8.2.idempotent", ask: "POST /Obj/t1/Add", body: "1", headers: []string{"Idempotency-Key", "t%31"}, status: 200, text: "=1"},
		{shows: "8.2.idempotent", ask: "POST /restate/attach", body: `{"target":"idempotentInvocation","service":"Obj","key":"t1","handler":"Add","idempotencyKey":"t%31","scope":null}`, status: 200, text: "=1", has: []string{"Idempotency-Expires", "*", "X-Restate-Id", "*"}},
		{shows: "8.2.idempotent", ask: "POST /restate/output", body: `{"scope":null,"target":"idempotentInvocation","service":"Obj","key":"t1","handler":"Add","idempotencyKey":"t%31"}`, status: 200, text: "=1"},
		{shows: "8.2.idempotent", ask: "POST /Greeter/Greet", body: `"t"`, headers: []string{"Idempotency-Key", "t2"}, status: 200},
		{shows: "8.2.idempotent", ask: "POST /restate/output", body: `{"target":"idempotentInvocation","service":"Greeter","handler":"Greet","idempotencyKey":"t2","key":null}`, status: 200, text: `="hello t"`},
		{shows: "8.2.idempotent", ask: "POST /restate/output", body: `{"target":"idempotentInvocation","service":"Obj","key":"","handler":"Add","idempotencyKey":"none"}`, status: 404, has: ingress},
		{shows: "8.2.invocation", ask: "POST /restate/output", body: `{"target":"invocation","invocationId":"` + someID + `"}`, status: 404, has: ingress},
		{shows: "8.2.invocation", ask: "POST /restate/attach", body: `{"target":"invocation","invocationId":"` + someID + `"}`, status: 404, has: []string{"X-Restate-Error-Source", "invocation", "X-Restate-Id", someID}},
		{shows: "8.2.invocation", story: resultsByTarget},
		{shows: "8.2.workflow", ask: "POST /Wf/t3/run/send", body: `"w"`, status: 202},
		{shows: "8.2.workflow", ask: "POST /restate/output", body: `{"target":"workflow","workflowName":"Wf","workflowKey":"t3"}`, status: 470, has: ingress},
		{shows: "8.2.workflow", ask: "POST /restate/attach", body: `{"target":"workflow","workflowName":"Nope","workflowKey":"t3"}`, status: 404, has: []string{"X-Restate-Error-Source", "invocation"}},
		{shows: "8.2.lookup 12.derived 12.examples", ask: "POST /restate/lookup", body: `{"target":"workflow","workflowName":"Wf","workflowKey":"w1"}`, status: 200, text: `={"invocationId":"inv_12kpUQONmeFb2WqsVOkAjH4phS34cOyIC8"}`, has: []string{"Content-Type", "application/json"}},
		{shows: "8.2.lookup 12.derived 12.examples", ask: "POST /restate/lookup", body: `{"target":"idempotentInvocation","service":"Obj","key":"k2","handler":"Add","idempotencyKey":"k-1"}`, status: 200, text: `={"invocationId":"inv_10SHxgluLUdD6TrhOxOFz2TXBr99GsRtSi"}`},
		{shows: "8.2.lookup 12.derived 12.examples", ask: "POST /restate/lookup", body: `{"target":"idempotentInvocation","service":"Greeter","handler":"Greet","idempotencyKey":"k-1"}`, status: 200, text: `={"invocationId":"inv_1ca6DV4BApIF5xlS7I3j4fgljgXPcpyfqk"}`},
		{shows: "8.2.lookup", ask: "POST /restate/lookup", body: `{"target":"invocation","invocationId":"` + someID + `"}`, status: 200, text: `={"invocationId":"` + someID + `"}`},
		{shows: "8.2.lookup", ask: "POST /restate/lookup", body: `{"target":"workflow","workflowName":"Wf","workflowKey":""}`, status: 200},
		{shows: "8.2.lookup", ask: "POST /restate/lookup", body: `{"target":"workflow","workflowName":"Wf","workflowKey":"\ud83d\ude00 \ufffd"}`, status: 200},
		{shows: "8.2.lookup", ask: "POST /restate/lookup", headers: []string{"Content-Type", ""}, body: `{"target":"workflow","workflowName":"Wf","workflowKey":"k","more":1}`, status: 200},
		{shows: "8.2.scope", ask: "POST /restate/lookup", body: `{"target":"idempotentInvocation","service":"Obj","key":"k2","handler":"Add","idempotencyKey":"k-1","scope":"s"}`, status: 400, text: "scope", has: ingress},
		{shows: "8.2.scope", ask: "POST /restate/attach", body: `{"target":"workflow","workflowName":"Wf","workflowKey":"k","scope":""}`, status: 400, text: "scope", has: ingress},
	}
	for _, body := range []string{
		"", "{", "null", "[]", "1", `"x"`, "{}", `{"target":"dream"}`, `{"target":1}`, `{"target":"invocation"}`, `{"target":"invocation","invocationId":"nonsense"}`,
		`{"target":"invocation","invocationId":"` + someID + `"} x`, `{"target":"invocation","invocationId":"` + nobody + `"}`, `{"target":"invocation","invocationId":7}`,
		`{"target":"workflow","workflowName":"Wf"}`, `{"target":"workflow","workflowKey":"k"}`, `{"target":"workflow","workflowName":"Wf","workflowKey":null}`,
		`{"target":"workflow","workflowName":"Wf","workflowKey":"` + long + `"}`, `{"target":"workflow","workflowName":"` + long[:256] + `","workflowKey":"k"}`,
		"{\"target\":\"workflow\",\"workflowName\":\"Wf\",\"workflowKey\":\"\xff\"}", `{"target":"workflow","workflowName":"Wf","workflowKey":"\ud800"}`,
		`{"target":"idempotentInvocation","service":"Obj","handler":"Add","idempotencyKey":"i"}`,
		`{"target":"idempotentInvocation","service":"Obj","key":null,"handler":"Add","idempotencyKey":"i"}`,
		`{"target":"idempotentInvocation","service":"Greeter","key":"k","handler":"Greet","idempotencyKey":"i"}`,
		`{"target":"idempotentInvocation","service":"Greeter","handler":"Greet"}`, `{"target":"idempotentInvocation","service":"Greeter","idempotencyKey":"i"}`,
		`{"target":"idempotentInvocation","service":"Greeter","handler":"Greet","idempotencyKey":""}`,
		`{"target":"idempotentInvocation","service":"Greeter","handler":"Greet","idempotencyKey":"` + long + `"}`,
		`{"target":"idempotentInvocation","service":"Obj","key":"` + long + `","handler":"Add","idempotencyKey":"i"}`,
		`{"target":"idempotentInvocation","service":"Greeter","handler":"` + long[:256] + `","idempotencyKey":"i"}`,
	} {
		for _, verb := range []string{"attach", "output", "lookup"} {
			rows = append(rows, row{shows: "8.2.malformed 16.g", ask: "POST /restate/" + verb, body: body, status: 400, has: ingress})
		}
	}
	return append(rows, row{shows: "8.2.idempotent", ask: "POST /restate/lookup", body: `{"target":"idempotentInvocation","service":"Nope","handler":"Greet","idempotencyKey":"i"}`, status: 404, has: ingress})
}

func resultsByTarget(t *testing.T, s *stage) {
	id := s.send("/Greeter/Greet", `"x"`)
	body := `{"target":"invocation","invocationId":"` + id + `"}`
	want(t, s.do("POST /restate/attach", body), 200, `"hello x"`)
	want(t, s.do("POST /restate/output", body), 200, `"hello x"`)
}

// workflowRows are about workflows.
func workflowRows() []row {
	invocation := []string{"X-Restate-Error-Source", "invocation", "X-Restate-Id", "*"}
	return []row{
		{shows: "9.shared", ask: "POST /Wf/w2/input", status: 200, text: `=""`},
		{shows: "9.once", ask: "POST /Wf/w2/run/send", body: `"in"`, status: 202, text: `"status":"Accepted"}`},
		{shows: "9.once", ask: "POST /Wf/w2/run/send", body: `"other"`, status: 202, text: `"status":"PreviouslyAccepted"}`},
		{shows: "9.once 7.previously", ask: "POST /Wf/w2/run/send?delay=1h", body: `"other"`, status: 202, text: `"status":"PreviouslyAccepted"}`},
		{shows: "9.once", ask: "POST /Wf/w2/run", body: `"other"`, status: 409, has: invocation},
		{shows: "9.shared", story: func(t *testing.T, s *stage) {
			eventually(t, "the state", func() bool { return s.do("POST /Wf/w2/input", "").body == `"in"` })
		}},
		{shows: "9.promise", ask: "POST /Wf/w2/resolve", body: `"p"`, status: 200},
		{shows: "9.promise", ask: "POST /Wf/w2/resolve", body: `"q"`, status: 409, has: invocation},
		{shows: "9.once 8.1.attach", ask: "GET /restate/workflow/Wf/w2/attach", status: 200, text: `="in p"`},
		{shows: "9.once", ask: "POST /Wf/w2/run", body: `"other"`, status: 409, has: invocation},
		{shows: "9.shared", ask: "POST /Wf/w2/input", headers: []string{"Idempotency-Key", "i"}, status: 200, text: `="in"`, has: []string{"Idempotency-Expires", ""}},
		{shows: "9.shared", ask: "POST /Wf/w2/input", headers: []string{"Idempotency-Key", "i"}, status: 200, text: `="in"`, has: []string{"Idempotency-Expires", "*"}},
		{shows: "9.promise", ask: "POST /Wf/w3/resolve", body: `"early"`, status: 200},
		{shows: "9.promise", ask: "POST /Wf/w3/run", body: `"in"`, status: 200, text: `="in early"`},
		{shows: "9.retention", story: purgeOfAWorkflow},
		{shows: "9.retention", story: expiryOfAWorkflow},
	}
}

func purgeOfAWorkflow(t *testing.T, s *stage) {
	want(t, s.do("POST /Wf/w4/resolve", `"one"`), 200, "")
	run := s.do("POST /Wf/w4/run", `"in"`)
	want(t, run, 200, `"in one"`)
	id := run.header.Get("X-Restate-Id")
	waiter := s.send("/Wf/w4/await", `"never"`)
	want(t, s.operate("purge", id), 409, "")
	want(t, s.operate("kill", waiter), 200, "")
	want(t, s.operate("purge", id), 200, "")
	want(t, s.do("GET /restate/workflow/Wf/w4/output", ""), 404, "")
	want(t, s.do("POST /Wf/w4/input", ""), 200, `""`)
	again := s.do("POST /Wf/w4/run/send", `"new"`)
	if again.header.Get("X-Restate-Id") != id || !strings.HasSuffix(again.body, `"status":"Accepted"}`) {
		t.Errorf("the second life of %s is %v", id, again)
	}
	want(t, s.do("POST /Wf/w4/resolve", `"two"`), 200, "")
	want(t, s.attach(id), 200, `"new two"`)
}

func expiryOfAWorkflow(t *testing.T, s *stage) {
	want(t, s.do("POST /BriefWf/w5/run", `"one"`), 200, `"one"`)
	eventually(t, "the end of its retention", func() bool { return s.do("GET /restate/workflow/BriefWf/w5/output", "").status == 404 })
	want(t, s.do("POST /BriefWf/w5/run", `"two"`), 200, `"two"`)
}
