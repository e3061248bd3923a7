package httpapi_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/actors"
)

// ahead is a clock that is some time ahead of that of the system.
type ahead time.Duration

// Now implements actors.Clock.
func (a ahead) Now() time.Time { return time.Now().Add(time.Duration(a)) }

// AfterFunc implements actors.Clock.
func (ahead) AfterFunc(d time.Duration, fn func()) func() bool { return time.AfterFunc(d, fn).Stop }

// clockAhead is the clock of a child: ahead by the last line in its ledger that
// says so.
//
//	ahead 25h
func clockAhead(t *testing.T, l ledger) actors.Clock {
	lines := l.lines("ahead")
	if len(lines) == 0 {
		return ahead(0)
	}
	d, err := time.ParseDuration(lines[len(lines)-1])
	if err != nil {
		t.Fatal(err)
	}
	return ahead(d)
}

// burnOnce calls a handler with an idempotency key and returns its result.
func burnOnce(t *testing.T, c *child, path, key string, caller string) (burnt, reply) {
	t.Helper()
	r := c.call(path, `{"Name":"`+key+`","Caller":`+caller+`}`, "Idempotency-Key", key)
	want(t, r, 200, "Number")
	var b burnt
	if err := json.Unmarshal([]byte(r.body), &b); err != nil {
		t.Fatal(err)
	}
	return b, r
}

// runsAgain checks that a key which was forgotten by forget runs again under its
// old id, as another invocation, also through a kill.
func runsAgain(t *testing.T, path, key string, forget func(c *child, id string) *child) {
	t.Helper()
	c := startChild(t, t.TempDir())
	first, r := burnOnce(t, c, path, key, "1")
	id := r.header.Get("X-Restate-Id")
	if same, r := burnOnce(t, c, path, key, "2"); same != first || r.header.Get("Idempotency-Expires") == "" {
		t.Fatalf("the second request is answered %v, the first was %v", r, first)
	}
	c = forget(c, id)
	byKey := "/restate/invocation" + path + "/" + key
	want(t, ask(c.client, "GET", c.ingress+byKey+"/output", ""), 404, "ingress")
	want(t, ask(c.client, "GET", c.ingress+byKey+"/attach", ""), 404, "invocation")
	second, r := burnOnce(t, c, path, key, "3")
	if r.header.Get("X-Restate-Id") != id || r.header.Get("Idempotency-Expires") != "" {
		t.Errorf("it runs again with the headers %v, the id was %s", r.header, id)
	}
	if second.Number == first.Number || second.Caller != 3 || second.Ash != first.Ash+1 {
		t.Errorf("it is answered %v, after %v before it was forgotten", second, first)
	}
	c = c.killed()
	if same, _ := burnOnce(t, c, path, key, "4"); same != second {
		t.Errorf("after a kill it is answered %v, want %v", same, second)
	}
	want(t, ask(c.client, "GET", c.ingress+byKey+"/attach", ""), 200, `"Caller":3`)
	if h := histories(c.ledger)[key]; len(h.numbers) != 2 || len(h.runs) != 2 {
		t.Errorf("it was burnt %v under the run keys %v", h.numbers, h.runs)
	}
}

func TestAPurgedIdempotencyKeyRunsAgainUnderItsID(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]string{"object": "/Fire/o/burn", "service": "/Spark/burn"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			runsAgain(t, path, "k", func(c *child, id string) *child {
				want(t, ask(c.client, "PATCH", c.admin+"/invocations/"+id+"/purge", ""), 200, "")
				c = c.killed() // a purge that is answered is durable
				want(t, ask(c.client, "PATCH", c.admin+"/invocations/"+id+"/purge", ""), 404, "")
				return c
			})
		})
	}
}

func TestAnExpiredIdempotencyKeyRunsAgainUnderItsID(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]string{"object": "/Fire/o/burn", "service": "/Spark/burn"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			runsAgain(t, path, "k", func(c *child, _ string) *child {
				if err := c.write("ahead", "23h"); err != nil {
					t.Fatal(err)
				}
				c = c.killed()
				if _, r := burnOnce(t, c, path, "k", "5"); r.header.Get("Idempotency-Expires") == "" {
					t.Errorf("an hour before its end it is answered %v", r)
				}
				if err := c.write("ahead", "25h"); err != nil {
					t.Fatal(err)
				}
				return c.killed()
			})
		})
	}
}
