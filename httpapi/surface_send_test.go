package httpapi_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/persistence"
)

// idempotencyRows are about requests that are made more than once.
func idempotencyRows() []row {
	key := func(k string) []string { return []string{"Idempotency-Key", k} }
	return []row{
		{shows: "6.same", ask: "POST /Obj/i1/Add", body: "1", headers: key("a"), status: 200, text: "=1", has: []string{"Idempotency-Expires", ""}},
		{shows: "6.same", ask: "POST /Obj/i1/Add", body: "5", headers: key("a"), status: 200, text: "=1", has: []string{"Idempotency-Expires", "*"}},
		{shows: "6.same 7.previously", ask: "POST /Obj/i1/Add/send", body: "5", headers: key("a"), status: 202, text: `"status":"PreviouslyAccepted"}`},
		{shows: "6.scope", ask: "POST /Obj/i1/Add", body: "1", headers: key("b"), status: 200, text: "=2"},
		{shows: "6.scope", ask: "POST /Obj/i2/Add", body: "7", headers: key("a"), status: 200, text: "=7", has: []string{"Idempotency-Expires", ""}},
		{shows: "6.scope", ask: "POST /Obj/i1/send", body: "1", headers: key("a"), status: 200, text: "=3", has: []string{"Idempotency-Expires", ""}},
		{shows: "6.scope", ask: "POST /Greeter/Greet", body: `"a"`, headers: key("a"), status: 200, has: []string{"Idempotency-Expires", ""}},
		{shows: "6.scope", ask: "POST /Forgetful/Greet", body: `"b"`, headers: key("a"), status: 200, text: `="hello b"`, has: []string{"Idempotency-Expires", ""}},
		{shows: "6.failure", ask: "POST /Obj/i1/Refuse", body: `{"code":418,"message":"first"}`, headers: key("a"), status: 418, text: "first", has: []string{"Idempotency-Expires", ""}},
		{shows: "6.failure", ask: "POST /Obj/i1/Refuse", body: `{"code":422,"message":"second"}`, headers: key("a"), status: 418, text: "first", has: []string{"Idempotency-Expires", "*", "X-Restate-Error-Source", "invocation"}},
		{shows: "6.attach 8.1.attach", story: secondRequestsAttach},
		{shows: "6.delayed", story: aCallWaitsForADelayedSend},
		{shows: "6.retention", story: aKeyIsFreeAfterExpiry},
		{shows: "6.retention", story: aKeyIsFreeAfterPurge},
		{shows: "6.random 16.k", story: idsAreRandom},
		{shows: "6.zero", story: nothingIsKept},
	}
}

func secondRequestsAttach(t *testing.T, s *stage) {
	first := s.later("/Obj/i3/Hold", `"i3"`, "Idempotency-Key", "a")
	s.untilQueued("/Obj/i3/Hold", "a")
	second := s.later("/Obj/i3/Hold", `"other"`, "Idempotency-Key", "a")
	attached := make(chan reply, 1)
	go func() { attached <- s.get("/restate/invocation/Obj/i3/Hold/a/attach") }()
	s.gate.openFor("i3")
	one, two, three := receive(t, first), receive(t, second), receive(t, attached)
	for _, r := range []reply{one, two, three} {
		want(t, r, 200, `"i3"`)
		if a, b := one.header.Get("X-Restate-Id"), r.header.Get("X-Restate-Id"); a != b || a == "" {
			t.Errorf("the ids are %q and %q", a, b)
		}
	}
	if got := one.header.Get("Idempotency-Expires"); got != "" {
		t.Errorf("the first answer expires at %s", got)
	}
}

func aCallWaitsForADelayedSend(t *testing.T, s *stage) {
	began := time.Now()
	sent := s.do("POST /Obj/i4/Add/send?delay=200ms", "4", "Idempotency-Key", "a")
	got := s.do("POST /Obj/i4/Add", "9", "Idempotency-Key", "a")
	want(t, got, 200, "4")
	if a, b := sent.header.Get("X-Restate-Id"), got.header.Get("X-Restate-Id"); a != b {
		t.Errorf("the ids are %q and %q", a, b)
	}
	if took := time.Since(began); took < 200*time.Millisecond {
		t.Errorf("answered after %v", took)
	}
}

func aKeyIsFreeAfterExpiry(t *testing.T, s *stage) {
	first := s.do("POST /Brief/k/Add", "1", "Idempotency-Key", "a")
	want(t, first, 200, "1")
	again := first
	eventually(t, "the end of its retention", func() bool {
		again = s.do("POST /Brief/k/Add", "1", "Idempotency-Key", "a")
		return again.body == "2"
	})
	if a, b := first.header.Get("X-Restate-Id"), again.header.Get("X-Restate-Id"); a != b || again.header.Get("Idempotency-Expires") != "" {
		t.Errorf("the ids are %q and %q: %v", a, b, again.header)
	}
}

func aKeyIsFreeAfterPurge(t *testing.T, s *stage) {
	first := s.do("POST /Obj/i5/Add", "1", "Idempotency-Key", "a")
	id := first.header.Get("X-Restate-Id")
	want(t, s.operate("purge", id), 200, "")
	want(t, s.do("GET /restate/output/"+id, ""), 404, "")
	again := s.do("POST /Obj/i5/Add", "1", "Idempotency-Key", "a")
	want(t, again, 200, "2")
	if b := again.header.Get("X-Restate-Id"); b != id {
		t.Errorf("the ids are %q and %q", id, b)
	}
}

// idsAreRandom: all ids of a key share what addresses it, and nothing else.
func idsAreRandom(t *testing.T, s *stage) {
	seen := map[string]bool{}
	var last string
	for range 20 {
		got := s.do("POST /Obj/i6/Add", "1")
		id := got.header.Get("X-Restate-Id")
		if seen[id[16:]] || last != "" && (id[:16] != last[:16] || id[16:20] == last[16:20]) || got.header.Get("Idempotency-Expires") != "" {
			t.Errorf("after %s comes %s: %v", last, id, got.header)
		}
		seen[id[16:]], last = true, id
	}
	again := s.do("GET /restate/attach/"+last, "")
	want(t, again, 200, "20")
	if again.header.Get("Idempotency-Expires") == "" {
		t.Errorf("it does not say when it expires: %v", again.header)
	}
}

func nothingIsKept(t *testing.T, s *stage) {
	got := s.do("POST /Forgetful/Greet", `"n"`)
	want(t, got, 200, `"hello n"`)
	id := got.header.Get("X-Restate-Id")
	eventually(t, "that it is forgotten", func() bool { return s.do("GET /restate/output/"+id, "").status == 404 })
}

var (
	acceptedNow   = regexp.MustCompile(`^\{"invocationId":"inv_1[0-9A-Za-z]{33}","status":"Accepted"\}$`)
	acceptedLater = regexp.MustCompile(`^\{"invocationId":"inv_1[0-9A-Za-z]{33}","executionTime":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z","status":"(Accepted|PreviouslyAccepted)"\}$`)
)

// sendRows are about sends.
func sendRows() []row {
	return []row{
		{shows: "7.accepted 10.durable", story: acceptedIsDurable},
		{shows: "7.accepted", ask: "GET /Obj/s1/Get/send", status: 202, has: []string{"Content-Type", "application/json", "X-Restate-Id", "*", "Idempotency-Expires", ""}},
		{shows: "7.accepted", ask: "GET /restate/send/Obj/s1/Get", status: 202, text: `"status":"Accepted"}`},
		{shows: "7.time", story: executionTimes},
		{shows: "7.queue", story: aDelayIsNoPlaceInTheQueue},
		{shows: "7.workflow", story: aDelayedRun},
	}
}

// acceptedIsDurable copies what is on disk when the answer is there, and goes
// on from the copy.
func acceptedIsDurable(t *testing.T, s *stage) {
	got := s.do("POST /Obj/s2/Hold/send", `"s2"`)
	if !acceptedNow.MatchString(got.body) {
		t.Errorf("the body is %s", got.body)
	}
	waiter := s.send("/Waiter/s2/Text", "")
	want(t, s.do("POST /restate/awakeables/"+firstAwakeable(t, waiter)+"/resolve", `"durable"`), 202, "")
	dir := t.TempDir()
	if err := persistence.CopyLive(s.data, dir); err != nil {
		t.Fatal(err)
	}
	store, err := persistence.Open(dir, persistence.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	o := s.second(t, actors.Options{}, store)
	o.gate.openFor("s2")
	want(t, o.attach(got.header.Get("X-Restate-Id")), 200, `"s2"`)
	want(t, o.attach(waiter), 200, `"durable"`)
	s.gate.openFor("s2")
}

func executionTimes(t *testing.T, s *stage) {
	for n, delay := range []string{"0s", "10m", "PT1H"} {
		before := time.Now().Truncate(time.Millisecond)
		got := s.do(fmt.Sprintf("POST /Obj/s3/Add/send?delay=%s", delay), "1", "Idempotency-Key", fmt.Sprint(n))
		var accepted struct{ ExecutionTime time.Time }
		if err := json.Unmarshal([]byte(got.body), &accepted); err != nil || !acceptedLater.MatchString(got.body) {
			t.Fatalf("the body is %s: %v", got.body, err)
		}
		d := []time.Duration{0, 10 * time.Minute, time.Hour}[n]
		if at := accepted.ExecutionTime; at.Before(before.Add(d)) || at.After(time.Now().Add(d)) {
			t.Errorf("after %v means %v", d, at)
		}
		if n == 0 {
			continue
		}
		again := s.do("POST /Obj/s3/Add/send?delay=1s", "1", "Idempotency-Key", fmt.Sprint(n))
		if want := strings.Replace(got.body, "Accepted", "PreviouslyAccepted", 1); again.body != want {
			t.Errorf("the second answer is %s, want %s", again.body, want)
		}
		again = s.do("POST /Obj/s3/Add/send", "1", "Idempotency-Key", fmt.Sprint(n))
		if want := strings.Replace(got.body, "Accepted", "PreviouslyAccepted", 1); again.body != want {
			t.Errorf("the third answer is %s, want %s", again.body, want)
		}
	}
	eventually(t, "that it has started", func() bool {
		got := s.do("POST /Obj/s3/Add/send?delay=1h", "1", "Idempotency-Key", "0")
		return strings.HasSuffix(got.body, `","status":"PreviouslyAccepted"}`) && !strings.Contains(got.body, "executionTime")
	})
}

// aDelayIsNoPlaceInTheQueue sends with a delay, and without one afterwards.
func aDelayIsNoPlaceInTheQueue(t *testing.T, s *stage) {
	late := s.do("POST /Obj/s4/Add/send?delay=300ms", "1").header.Get("X-Restate-Id")
	want(t, s.do("POST /Obj/s4/Add", "10"), 200, "10")
	want(t, s.attach(late), 200, "11")
}

func aDelayedRun(t *testing.T, s *stage) {
	got := s.do("POST /Wf/s5/run/send?delay=100ms", `"later"`)
	if !acceptedLater.MatchString(got.body) {
		t.Errorf("the body is %s", got.body)
	}
	want(t, s.do("GET /restate/workflow/Wf/s5/output", ""), 470, "")
	want(t, s.do("POST /Wf/s5/resolve", `"x"`), 200, "")
	want(t, s.do("GET /restate/workflow/Wf/s5/attach", ""), 200, `"later x"`)
}

// delayRows have every form of a delay.
func delayRows() []row {
	good := []string{
		"0s", "10s", "1500ms", "1h 30m", "1h30m", "PT2S", "P1D", "PT1H30M", "P1W", "P1DT2H", "pt0.5s", "PT0,5S", "PT0.000000001S",
		"1ns", "1nsec", "1nsecs", "1nano", "1nanos", "1nanosecond", "2nanoseconds", "1us", "1µs", "1usec", "1usecs", "1micro", "1micros", "1microsecond", "2microseconds",
		"1ms", "1msec", "2msecs", "1milli", "2millis", "1millisecond", "2milliseconds", "1s", "1sec", "2secs", "1second", "2seconds",
		"1m", "1min", "2mins", "1minute", "2minutes", "1h", "1hr", "2hrs", "1hour", "2hours", "1d", "1day", "2days", "1w", "1week", "2 weeks", "1w 2d 3h 4m 5s 6ms 7us 8ns", "1.5h",
		"106751d", "PT2562047H",
	}
	bad := []string{
		"5", "0", "-5s", "-PT5S", "PT-5S", "", " ", "1y", "1 month", "2months", "1 years", "P1Y", "P1M", "P1Y2D", "P", "PT", "P1DT", "PT1D", "P1H", "P1S",
		"1s 1m", "1s 1s", "1..5s", "s", "abc", "1x", "106752d", "PT2562048H", "99999999999999999999s", "1h,30m", "%zz", "\x00", "1s\n1s", "٣s",
	}
	rows := []row{
		{shows: "7.forms", ask: "POST /Obj/d/Add/send?DELAY=1h", body: "1", status: 202, text: "executionTime"},
		{shows: "7.forms", ask: "POST /Obj/d/Add/send?a=b&Delay=1h&x", body: "1", status: 202, text: "executionTime"},
		{shows: "7.forms", ask: "POST /Obj/d/Add/send?delay=1h+30m", body: "1", status: 202, text: "executionTime"},
		{shows: "7.forms", ask: "POST /Obj/d/Add/send?delay=1h&delay=x", body: "1", status: 202, text: "executionTime"},
		{shows: "7.bad", ask: "POST /Obj/d/Add/send?delay=x&delay=1h", body: "1", status: 400},
		{shows: "7.bad", ask: "POST /Obj/d/Add/send?delay", body: "1", status: 400},
		{shows: "7.bad", ask: "POST /Obj/d/Add/send?delay=%zz", body: "1", status: 400},
	}
	for _, d := range good {
		rows = append(rows, row{shows: "7.forms", ask: "POST /Obj/d/Add/send?delay=" + url.QueryEscape(d), body: "1", status: 202, text: "executionTime"})
	}
	for _, d := range bad {
		rows = append(rows, row{shows: "7.bad", ask: "POST /Obj/d/Add/send?delay=" + url.QueryEscape(d), body: "1", status: 400, text: "a delay looks like", has: []string{"X-Restate-Error-Source", "ingress"}})
	}
	return rows
}
