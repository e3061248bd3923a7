package httpapi_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/dormouse-run/dormouse/internal/ident"
)

// idRows are about identifiers as callers see them.
func idRows() []row {
	rows := []row{
		{shows: "12.layout", story: idsOfAKey},
		{shows: "12.derived", story: derivedIDs},
		{shows: "12.examples", story: workedExamples},
		{shows: "12.strict", ask: "GET /restate/output/" + someID, status: 404},
	}
	for _, id := range []string{
		someID + "0", someID[:37], "inv_0" + someID[5:], "inv1" + someID[5:], "Inv_1" + someID[5:], someID[:37] + "-", someID[:37] + "%41", "sign_1" + someID[5:],
		"inv_1ZZZZZZZZZZZ" + someID[16:], someID[:16] + "ZZZZZZZZZZZZZZZZZZZZZZ", "inv_1lYGhA16ahyg" + someID[16:], someID[:16] + "7N42dgm5tFLK9N8MT7fHC8",
	} {
		rows = append(rows, row{shows: "12.strict 16.l 8.1.malformed", ask: "GET /restate/output/" + id, status: 400, has: []string{"X-Restate-Error-Source", "ingress"}})
	}
	return rows
}

// idsOfAKey reads the ids of one key: the first 16 characters are common.
func idsOfAKey(t *testing.T, s *stage) {
	a, b := s.send("/Obj/b1/Add", "1"), s.send("/Obj/b1/Add", "1")
	if len(a) != 38 || a[:16] != b[:16] || a == b {
		t.Errorf("the ids of one key are %s and %s", a, b)
	}
	id, err := ident.ParseInvocationID(a)
	if err != nil || id.String() != a {
		t.Fatalf("%s is read as %v: %v", a, id, err)
	}
	if got, want := fmt.Sprintf("%d", uint64(id.PartitionKey())), "15938388185435289529"; got != want {
		t.Errorf("the partition key of b1 is %s, want %s", got, want)
	}
	awakeable := firstAwakeable(t, a)
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(awakeable, "sign_1"))
	if err != nil || len(awakeable) != 44 || !strings.HasSuffix(awakeable, "AAAAEQ") || string(raw[:24]) != string(id[:]) {
		t.Errorf("the first awakeable of %s is %s", a, awakeable)
	}
}

// derivedIDs asks the handlers whose ids can be computed.
func derivedIDs(t *testing.T, s *stage) {
	want(t, s.do("POST /Obj/k2/Add/send", "1", "Idempotency-Key", "k-1"), 202, `"inv_10SHxgluLUdD6TrhOxOFz2TXBr99GsRtSi"`)
	want(t, s.do("POST /Greeter/Greet/send", `"x"`, "Idempotency-Key", "k-1"), 202, `"inv_1ca6DV4BApIF5xlS7I3j4fgljgXPcpyfqk"`)
	want(t, s.do("POST /Wf/w1/run/send", `"x"`), 202, `"inv_12kpUQONmeFb2WqsVOkAjH4phS34cOyIC8"`)
}

// workedExamples reads and writes the table of the contract.
func workedExamples(t *testing.T, s *stage) {
	for invocation, awakeable := range map[string]string{
		"inv_12kpUQONmeFb2WqsVOkAjH4phS34cOyIC8": "sign_1UWTHdWSNIRv8Gw4RmRzJSSCRgkORT61gAAAAEQ",
		"inv_10SHxgluLUdD6TrhOxOFz2TXBr99GsRtSi": "sign_1dY2CrIDQRgoyZbswG399HO3U7VSYhoXiAAAAEQ",
		"inv_1ca6DV4BApIF5xlS7I3j4fgljgXPcpyfqk": "sign_1pRMzrFaSq43ckeAHws8GjgaJfPoTpvW1AAAAEQ",
		"inv_16QByQkMH2pm5W5slVNLsuCY696osNhnWD": "sign_1VIW_Pju8xE-XYTqOiH9_HYeTdQtfZxHDAAAAEQ",
		"inv_10BnVMHtxjjO0HyUJWli0aN6NpK3xqX1zy": "sign_1AAECAwQFBgcICQoLDA0ODxAREhMUFRYXAAAAEQ",
		"inv_105k1wlNFHb201SZwviYzes2mjOamuMJWw": "sign_1AAAAAAAAAAEAAAAAAAAAAAAAAAAAAAABAAAAEQ",
		"inv_1lYGhA16ahyf7N42dgm5tFLK9N8MT7fHC7": "sign_1________________________________AAAAEQ",
	} {
		got := s.do("POST /restate/lookup", `{"target":"invocation","invocationId":"`+invocation+`"}`)
		want(t, got, 200, `"`+invocation+`"`)
		if got := firstAwakeable(t, invocation); got != awakeable {
			t.Errorf("the first awakeable of %s is %s, want %s", invocation, got, awakeable)
		}
	}
}

// betterRows are about what differs from Restate on purpose.
func betterRows() []row {
	return []row{
		{shows: "16.a 10.completed", story: aRemovedInvocationIsRemembered},
		{shows: "16.f", story: killFollowsCalls},
		{shows: "16.h", ask: "POST /Caller/Service", status: 404, text: "Nope", has: []string{"X-Restate-Error-Source", "invocation"}},
		{shows: "16.h", ask: "POST /Caller/Handler", status: 404, text: "Nope", has: []string{"X-Restate-Error-Source", "invocation"}},
		{shows: "16.h", ask: "POST /Caller/Attach", status: 400, has: []string{"X-Restate-Error-Source", "invocation"}},
		{shows: "16.h", ask: "POST /Caller/Resolve", status: 400, has: []string{"X-Restate-Error-Source", "invocation"}},
		{shows: "16.i", story: aQueuedEndIsKept},
	}
}

// aRemovedInvocationIsRemembered: a callback that comes twice is no error,
// although nothing is left of the invocation.
func aRemovedInvocationIsRemembered(t *testing.T, s *stage) {
	id := s.send("/Waiter/x1/Text", "")
	path := "POST /restate/awakeables/" + firstAwakeable(t, id) + "/resolve"
	check(t, accepted("applied"), s.do(path, `"x"`))
	want(t, s.attach(id), 200, `"x"`)
	want(t, s.operate("purge", id), 200, "")
	want(t, s.do("GET /restate/output/"+id, ""), 404, "")
	check(t, accepted("completed"), s.do(path, `"x"`))
	other := s.send("/Obj/x1/Add", "1")
	want(t, s.attach(other), 200, "1")
	want(t, s.operate("purge", other), 200, "")
	want(t, s.do("POST /restate/awakeables/"+firstAwakeable(t, other)+"/resolve", `"x"`), 404, "")
}

// killFollowsCalls: the called waiter lets its key go, the sent one keeps it.
func killFollowsCalls(t *testing.T, s *stage) {
	id := s.send("/Caller/Tree", `"x2"`)
	called, sent := "/Waiter/x2-called/", "/Waiter/x2-sent/"
	for _, path := range []string{called, sent} {
		eventually(t, "that the key is taken", func() bool {
			probe := s.send(path+"Late", `"x2"`)
			taken := strings.Contains(s.view(probe), `"status":"pending"`)
			s.operate("kill", probe)
			return taken
		})
	}
	next, queued := s.send(called+"Late", `"x2"`), s.send(sent+"Late", `"x2"`)
	s.until(next, "pending")
	want(t, s.operate("kill", id), 200, "")
	s.until(next, "running")
	s.until(queued, "pending")
	want(t, s.do("GET /restate/output/"+id, ""), 409, "")
}

// aQueuedEndIsKept cancels and kills invocations that have never run.
func aQueuedEndIsKept(t *testing.T, s *stage) {
	holder := s.send("/Obj/x3/Hold", `"x3"`)
	s.until(holder, "running")
	for _, op := range []string{"cancel", "kill"} {
		waiting := s.later("/Obj/x3/Add", "1", "Idempotency-Key", op)
		s.untilQueued("/Obj/x3/Add", op)
		scheduled := s.do("POST /Wf/x3"+op+"/run/send?delay=1h", `"in"`).header.Get("X-Restate-Id")
		plain := s.send("/Obj/x3/Add", "1")
		keyed := s.idOf(`{"target":"idempotentInvocation","service":"Obj","key":"x3","handler":"Add","idempotencyKey":"` + op + `"}`)
		for _, id := range []string{keyed, scheduled, plain} {
			want(t, s.operate(op, id), 200, "")
		}
		want(t, receive(t, waiting), 409, `"source":"invocation"`)
		for _, id := range []string{keyed, scheduled} {
			want(t, s.do("GET /restate/output/"+id, ""), 409, `"source":"invocation"`)
			want(t, s.do("GET /restate/attach/"+id, ""), 409, `"source":"invocation"`)
		}
		again := s.do("POST /Obj/x3/Add", "1", "Idempotency-Key", op)
		want(t, again, 409, "")
		if again.header.Get("Idempotency-Expires") == "" {
			t.Errorf("%s: a repeated request is answered with %v", op, again.header)
		}
		want(t, s.do("GET /restate/output/"+plain, ""), 404, `"source":"ingress"`)
	}
	s.gate.openFor("x3")
	want(t, s.attach(holder), 200, `"x3"`)
}

// tooManySignals sends what the handler does not take until it is refused. The
// awakeable that it waits for is answered all the same.
func tooManySignals(t *testing.T, s *stage) {
	if s.major == 2 {
		t.Skip("once is enough")
	}
	const most = 10_000
	id := s.send("/Waiter/x4/Text", "")
	path := "/restate/signals/" + id + "/nobody/resolve"
	send := func(n int) {
		var group sync.WaitGroup
		for range 16 {
			group.Go(func() {
				for range n / 16 {
					if r := s.ask("POST", path, "1"); r.status != 202 {
						t.Errorf("a signal got %v", r)
						return
					}
				}
			})
		}
		group.Wait()
	}
	send(most)
	refused := s.do("POST "+path, "1")
	check(t, row{status: 429, has: []string{"Retry-After", "1", "X-Restate-Error-Source", "ingress", "X-Restate-Id", ""}}, refused)
	check(t, accepted("applied"), s.do("POST /restate/awakeables/"+firstAwakeable(t, id)+"/resolve", `"x"`))
	want(t, s.attach(id), 200, `"x"`)
	check(t, accepted("completed"), s.do("POST "+path, "1"))
}
