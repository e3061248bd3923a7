package httpapi_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

func TestTheClosureOfACompletedRunIsNeverExecutedAgain(t *testing.T) {
	t.Parallel()
	c := startChild(t, t.TempDir())
	id := c.send("/Desk/x/ask", `"once"`)
	awakeable := c.await(t, "id", "once") // written by the second Run, which follows the first
	for range 3 {
		c = c.killed()
		want(t, c.call("/Desk/x/peek", ""), 200, "peeked")
	}
	want(t, c.resolve(awakeable, `"yes"`), 202, "")
	want(t, c.attach(id), 200, `"yes"`)
	c = c.killed()
	want(t, c.attach(id), 200, `"yes"`)
	if n := c.count("ran", "once"); n != 1 {
		t.Errorf("the closure was executed %d times", n)
	}
	if n := c.count("start", "once"); n < 2 {
		t.Errorf("the handler was started %d times: nothing was replayed", n)
	}
}

func TestAResolutionForAQueuedInvocationSurvivesKill(t *testing.T) {
	t.Parallel()
	c := startChild(t, t.TempDir())
	c.send("/Desk/x/ask", `"first"`)
	first := c.await(t, "id", "first")
	queued := c.send("/Desk/x/ask", `"second"`)
	want(t, c.resolve(firstAwakeable(t, queued), `"early"`), 202, "")
	c = c.killed()
	if n := c.count("start", "second"); n != 0 {
		t.Fatal("the second invocation has started before the first has ended")
	}
	want(t, c.resolve(first, `"yes"`), 202, "")
	want(t, c.attach(queued), 200, `"early"`)
}

func TestAResolutionBeforeTheWaitSurvivesKill(t *testing.T) {
	t.Parallel()
	c := startChild(t, t.TempDir())
	gate := filepath.Join(c.dir, "gate")
	id := c.send("/Desk/x/work", strconv.Quote(gate))
	c.await(t, "busy")
	want(t, c.resolve(firstAwakeable(t, id), `"early"`), 202, "")
	c = c.killed()
	eventually(t, "the second start of the closure", func() bool { return len(c.lines("busy")) > 1 })
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	want(t, c.attach(id), 200, `"early"`)
}

// TestAResolutionDuringUnloadingIsDelivered answers invocations in the moment
// in which they are suspended and their keys leave memory, and kills the
// process when every answer has been accepted.
func TestAResolutionDuringUnloadingIsDelivered(t *testing.T) {
	t.Parallel()
	const rounds, width = 5, 40
	c := startChild(t, t.TempDir())
	for round := range rounds {
		ids := map[string]string{}
		var answers []<-chan reply
		for n := range width {
			name := fmt.Sprintf("%d-%d", round, n)
			ids[name] = c.send("/Desk/"+name+"/ask", strconv.Quote(name))
			if n%2 == 0 {
				// It is about to wait. The other ones have hardly started.
				c.await(t, "id", name)
			}
			answers = append(answers, c.later("/restate/awakeables/"+firstAwakeable(t, ids[name])+"/resolve", strconv.Quote(name)))
		}
		for _, a := range answers {
			want(t, receive(t, a), 202, "")
		}
		c = c.killed()
		for name, id := range ids {
			want(t, c.attach(id), 200, strconv.Quote(name))
		}
	}
}

func TestAWaitingCallLosesItsConnectionAtSIGTERMAndItsInvocationGoesOn(t *testing.T) {
	t.Parallel()
	c := startChild(t, t.TempDir())
	call := c.later("/Desk/x/ask", `"mail"`, "Idempotency-Key", "k")
	awakeable := c.await(t, "id", "mail")
	c.end(syscall.SIGTERM)
	if r := receive(t, call); r.status != 0 {
		t.Errorf("the call was answered %v", r)
	}
	if code := c.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("the program ended with status %d: %s", code, c.output)
	}
	c = startChild(t, c.dir)
	again := c.later("/Desk/x/ask", `"mail"`, "Idempotency-Key", "k")
	want(t, c.resolve(awakeable, `"yes"`), 202, "")
	want(t, receive(t, again), 200, `"yes"`)
	if n := c.count("ran", "mail"); n != 1 {
		t.Errorf("the closure was executed %d times", n)
	}
}
