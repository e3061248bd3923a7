package httpapi_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dormouse-run/dormouse/internal/ident"
)

// awakeableRows are about answers from outside.
func awakeableRows() []row {
	ingress := []string{"X-Restate-Error-Source", "ingress", "X-Restate-Id", ""}
	path := "/restate/awakeables/" + nobody
	rows := []row{
		{shows: "10.json", story: answered("Text", "resolve", `"hello"`, 200, `="hello"`)},
		{shows: "10.json", story: answered("Number", "resolve", ` 42 `, 200, `=42`)},
		{shows: "10.type 10.empty", story: answered("Bytes", "resolve", "\x00\xff\r\n", 200, "=\x00\xff\r\n")},
		{shows: "10.empty", story: answered("Bytes", "resolve", "", 200, "=")},
		{shows: "10.empty", story: answered("Void", "resolve", "", 200, `="void"`)},
		{shows: "10.undecodable 16.d", story: answered("Number", "resolve", `"no number"`, 400, `int`)},
		{shows: "10.undecodable 16.d", story: answered("Text", "resolve", "", 400, `string`)},
		{shows: "10.undecodable 16.d", story: undecodableNamesTheID},
		{shows: "10.reject", story: answered("Text", "reject", "no way", 500, `={"code":500,"message":"no way","source":"invocation"}`)},
		{shows: "10.reject", story: answered("Text", "reject", `{"code":1}`, 500, `"message":"{\"code\":1}"`)},
		{shows: "10.reject", story: answered("Text", "reject", "a\xffb", 500, `"message":"a`+"\uFFFD"+`b"`)},
		{shows: "10.reject", story: answered("Bytes", "reject", "", 500, `"message":""`)},
		{shows: "10.type", story: answersOfAnyType},
		{shows: "10.first 16.outcome", story: theFirstAnswerWins},
		{shows: "10.first", story: concurrentAnswers},
		{shows: "10.completed 16.outcome", story: answersToACompletedOne},
		{shows: "10.running", story: answersWhileItLives},
		{shows: "10.paused", story: anAnswerWhilePaused},
		{shows: "10.queued 16.b", story: answersBeforeItStarts},
		{shows: "10.uncreated", story: anAnswerBeforeTheAwakeable},
		{shows: "10.unknown 16.a", ask: "POST " + path + "/resolve", body: "1", status: 404, text: `={"code":404,"message":"no invocation here has issued this awakeable id","source":"ingress"}`, has: ingress},
		{shows: "10.unknown", ask: "POST " + path + "/reject", body: "no", status: 404, has: ingress},
		{shows: "10.prom", ask: "POST /restate/awakeables/prom_1" + nobody[6:] + "/resolve", body: "1", status: 404, has: ingress},
		{shows: "10.prom", ask: "POST /restate/awakeables/prom_1" + nobody[6:43] + "/resolve", body: "1", status: 400, has: ingress},
		{shows: "10.no-verb", ask: "POST " + path, body: "1", status: 400, has: ingress},
		{shows: "10.no-verb", ask: "POST /restate/awakeables", body: "1", status: 400, has: ingress},
		{shows: "10.verb", ask: "POST " + path + "/approve", body: "1", status: 404, has: ingress},
		{shows: "10.verb", ask: "GET " + path + "/approve", status: 404, has: ingress},
		{shows: "10.method", ask: "GET " + path + "/resolve", status: 405, has: []string{"Allow", "POST"}},
		{shows: "10.method", ask: "PUT " + path + "/reject", body: "1", status: 405, has: []string{"Allow", "POST"}},
		{shows: "10.large 1.limit", ask: "POST " + path + "/resolve", body: strings.Repeat("1", 64<<10+1), status: 413, has: ingress},
		{shows: "10.large", ask: "POST " + path + "/reject", body: strings.Repeat("1", 64<<10+1), status: 413, has: ingress},
		{shows: "10.large", story: answered("Bytes", "resolve", strings.Repeat("1", 64<<10), 200, "="+strings.Repeat("1", 64<<10))},
	}
	for index := range uint32(17) {
		id := ident.AwakeableID{Invocation: ident.InvocationID{1}, Index: index}.String()
		rows = append(rows, row{shows: "10.reserved 16.e", ask: "POST /restate/awakeables/" + id + "/resolve", body: "1", status: 400, has: ingress})
	}
	for _, id := range []string{
		"nonsense", "inv_10BnVMHtxjjO0HyUJWli0aN6NpK3xqX1zy", "sign_2" + nobody[6:], "SIGN_1" + nobody[6:], nobody[:43], nobody + "A", nobody + "=", nobody[:43] + "R",
		nobody[:42] + "+g", nobody[:42] + "%2Fg", "%73ign_1" + nobody[6:], "sign_1", "", nobody[:20] + "%0A" + nobody[20:],
	} {
		rows = append(rows, row{shows: "10.malformed 12.strict 16.l", ask: "POST /restate/awakeables/" + id + "/resolve", body: "1", status: 400, has: ingress})
	}
	return rows
}

// accepted is the row of an answer that was taken.
func accepted(outcome string) row {
	return row{status: 202, text: "=", has: []string{"Content-Type", "", "X-Dormouse-Outcome", outcome, "X-Restate-Error-Source", ""}}
}

// answered sends an answer to a handler that waits, and compares its result.
func answered(handler, verb, body string, status int, text string) func(*testing.T, *stage) {
	return func(t *testing.T, s *stage) {
		id := s.send("/Waiter/"+handler+verb+fmt.Sprint(len(body))+"/"+handler, "")
		check(t, accepted("applied"), s.do("POST /restate/awakeables/"+firstAwakeable(t, id)+"/"+verb, body, "Content-Type", ""))
		got := s.attach(id)
		obeys(t, "GET", got)
		check(t, row{ask: handler + " " + verb, status: status, text: text}, got)
	}
}

func undecodableNamesTheID(t *testing.T, s *stage) {
	id := s.send("/Waiter/a1/Number", "")
	awakeable := firstAwakeable(t, id)
	want(t, s.resolve(awakeable, "{}"), 202, "")
	want(t, s.attach(id), 400, awakeable)
}

func answersOfAnyType(t *testing.T, s *stage) {
	for _, contentType := range []string{"", "text/plain", "application/json", "nonsense", "image/png; x=y"} {
		id := s.send("/Waiter/a2/Text", "")
		check(t, accepted("applied"), s.do("POST /restate/a/"+firstAwakeable(t, id)+"/resolve", `"x"`, "Content-Type", contentType))
		want(t, s.attach(id), 200, `"x"`)
	}
}

func theFirstAnswerWins(t *testing.T, s *stage) {
	for first, second := range map[string]string{"resolve": "reject", "reject": "resolve"} {
		hold := s.send("/Waiter/a3/Late", `"a3`+first+`"`)
		path := "POST /restate/awakeables/" + firstAwakeable(t, hold) + "/"
		check(t, accepted("applied"), s.do(path+first, `"first"`))
		check(t, accepted("duplicate"), s.do(path+first, `"second"`))
		check(t, accepted("duplicate"), s.do(path+second, `"third"`))
		s.gate.openFor("a3" + first)
		got := s.attach(hold)
		if !strings.Contains(got.body, "first") || (got.status == 200) != (first == "resolve") {
			t.Errorf("%s first: %v", first, got)
		}
	}
}

// concurrentAnswers sends many at once: one is applied, and it is the one that
// the handler gets.
func concurrentAnswers(t *testing.T, s *stage) {
	id := s.send("/Waiter/a4/Late", `"a4"`)
	path := "/restate/awakeables/" + firstAwakeable(t, id) + "/resolve"
	var answers []<-chan reply
	for n := range 16 {
		answers = append(answers, s.later(path, fmt.Sprintf(`"%d"`, n)))
	}
	applied := -1
	for n, a := range answers {
		r := receive(t, a)
		want(t, r, 202, "")
		if r.header.Get("X-Dormouse-Outcome") == "applied" {
			if applied >= 0 {
				t.Errorf("both %d and %d were applied", applied, n)
			}
			applied = n
		}
	}
	s.gate.openFor("a4")
	want(t, s.attach(id), 200, fmt.Sprintf(`"%d"`, applied))
}

func answersToACompletedOne(t *testing.T, s *stage) {
	done := s.send("/Waiter/a5/Text", "")
	path := "POST /restate/awakeables/" + firstAwakeable(t, done)
	check(t, accepted("applied"), s.do(path+"/resolve", `"x"`))
	want(t, s.attach(done), 200, `"x"`)
	check(t, accepted("completed"), s.do(path+"/resolve", `"y"`))
	check(t, accepted("completed"), s.do(path+"/reject", "y"))
	want(t, s.attach(done), 200, `"x"`)
}

func answersWhileItLives(t *testing.T, s *stage) {
	running := s.send("/Waiter/a6/Late", `"a6"`)
	s.until(running, "running")
	suspended := s.send("/Waiter/a7/Text", "")
	s.until(suspended, "suspended")
	failing := s.send("/Waiter/a8/Flaky", `"a8"`)
	s.until(failing, "backing-off")
	for _, id := range []string{running, suspended, failing} {
		check(t, accepted("applied"), s.do("POST /restate/awakeables/"+firstAwakeable(t, id)+"/resolve", `"live"`))
	}
	s.gate.openFor("a6")
	s.gate.openFor("a8")
	want(t, s.operate("resume", failing), 200, "")
	for _, id := range []string{running, suspended, failing} {
		want(t, s.attach(id), 200, `"live"`)
	}
}

func anAnswerWhilePaused(t *testing.T, s *stage) {
	id := s.send("/Waiter/a9/Text", "")
	s.until(id, "suspended")
	want(t, s.operate("pause", id), 200, "")
	check(t, accepted("applied"), s.do("POST /restate/awakeables/"+firstAwakeable(t, id)+"/resolve", `"stored"`))
	want(t, s.do("GET /restate/output/"+id, ""), 470, "")
	want(t, s.operate("resume", id), 200, "")
	want(t, s.attach(id), 200, `"stored"`)
}

func answersBeforeItStarts(t *testing.T, s *stage) {
	holder := s.send("/Waiter/a10/Late", `"a10"`)
	s.until(holder, "running")
	queued := s.send("/Waiter/a10/Text", "")
	s.until(queued, "pending")
	scheduled := s.do("POST /Waiter/a11/Late/send?delay=500ms", `"a11"`).header.Get("X-Restate-Id")
	for _, id := range []string{queued, scheduled, holder} {
		path := "POST /restate/awakeables/" + firstAwakeable(t, id)
		check(t, accepted("applied"), s.do(path+"/resolve", `"early"`))
		check(t, accepted("duplicate"), s.do(path+"/reject", "late"))
	}
	s.gate.openFor("a10")
	s.gate.openFor("a11")
	for _, id := range []string{queued, scheduled, holder} {
		want(t, s.attach(id), 200, `"early"`)
	}
}

func anAnswerBeforeTheAwakeable(t *testing.T, s *stage) {
	id := s.send("/Waiter/a12/Late", `"a12"`)
	s.until(id, "running")
	check(t, accepted("applied"), s.do("POST /restate/awakeables/"+firstAwakeable(t, id)+"/resolve", `"before"`))
	s.gate.openFor("a12")
	want(t, s.attach(id), 200, `"before"`)
}

// signalRows are about named signals.
func signalRows() []row {
	ingress := []string{"X-Restate-Error-Source", "ingress", "X-Restate-Id", ""}
	path := "/restate/signals/" + someID + "/go"
	return []row{
		{shows: "2.signals 10.signals", story: signalsAreQueued},
		{shows: "10.signals", story: aRejectedSignal},
		{shows: "10.signals", ask: "POST " + path + "/resolve", body: "1", status: 404, has: ingress},
		{shows: "10.signals", ask: "POST " + path + "/reject", body: "1", status: 404, has: ingress},
		{shows: "2.signals", ask: "POST " + path, body: "1", status: 400, has: ingress},
		{shows: "2.signals", ask: "POST /restate/signals", status: 400, has: ingress},
		{shows: "2.signals", ask: "POST " + path + "/approve", body: "1", status: 404, has: ingress},
		{shows: "2.signals", ask: "GET " + path + "/resolve", status: 405, has: []string{"Allow", "POST"}},
		{shows: "10.signals", ask: "POST /restate/signals/nonsense/go/resolve", body: "1", status: 400, has: ingress},
		{shows: "10.signals", ask: "POST /restate/signals/" + nobody + "/go/resolve", body: "1", status: 400, has: ingress},
		{shows: "10.signals", ask: "POST /restate/signals/" + someID + "//resolve", body: "1", status: 400, has: ingress},
		{shows: "10.signals", ask: "POST /restate/signals/" + someID + "/%ff/resolve", body: "1", status: 400, has: ingress},
		{shows: "16.l", story: tooManySignals},
	}
}

// signalsAreQueued sends three, of which two are equal: none is dropped.
func signalsAreQueued(t *testing.T, s *stage) {
	id := s.send("/Waiter/g1/Signals", "3")
	path := "POST /restate/signals/" + id + "/go%2Fon/resolve"
	for _, body := range []string{`"one"`, `"two"`, `"two"`} {
		check(t, accepted("applied"), s.do(path, body, "Content-Type", ""))
	}
	want(t, s.attach(id), 200, `["one","two","two"]`)
	check(t, accepted("completed"), s.do(path, `"late"`))
}

func aRejectedSignal(t *testing.T, s *stage) {
	id := s.send("/Waiter/g2/Signals", "1")
	check(t, accepted("applied"), s.do("POST /restate/signals/"+id+"/go%2fon/reject/more", "no"))
	want(t, s.attach(id), 500, `"message":"no"`)
}
