package actors_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// post repeats a request to a handler until it gives its result.
func (c *killClients) post(path, key, body string) string {
	return string(c.do(path, key, body, http.StatusOK))
}

// reborn runs a workflow without retention twice, with a crowd that waits for
// its promise.
func (c *killClients) reborn(key string, crowd int) {
	token := c.key()
	if answer := c.post("/Reborn/"+key+"/go", token, fmt.Sprintf(`{"token":%q,"crowd":%d}`, token, crowd)); answer != `"ok"` {
		c.complain("reborn %s: %s", token, answer)
	}
	c.note("reborn")
}

// signal lets an object start another one, send it two signals, and attach to it.
func (c *killClients) signal(key string) {
	token := c.key()
	if answer, want := c.post("/Sender/"+key+"/send", token, quoted(token)), quoted(token+"-1 "+token+"-2 7"); answer != want {
		c.complain("signals to %s give %s", token, answer)
	}
	c.world.acknowledged("race-" + token)
	c.note("signals")
}

// cancel starts a saga whose leaf waits, and then resolves, cancels, or does both
// at once. A saga is undone if and only if it says so.
func (c *killClients) cancel(key string) {
	token, n := c.key(), c.next.Load()
	resolves, cancels := n%3 != 0, n%3 != 1
	var sent struct{ InvocationID string }
	if err := json.Unmarshal(c.do("/Saga/"+key+"/go/send", token, quoted(token), http.StatusAccepted), &sent); err != nil {
		c.complain("send of saga %s: %v", token, err)
		return
	}
	id := c.arrived(token)
	var both sync.WaitGroup
	if resolves {
		both.Go(func() { c.do("/restate/awakeables/"+id+"/resolve", "", `"go"`, http.StatusAccepted) })
	}
	if cancels {
		both.Go(func() {
			c.until(killAsk{method: http.MethodPatch, url: c.admin + "/invocations/" + sent.InvocationID + "/cancel"},
				http.StatusAccepted, http.StatusConflict)
		})
	}
	both.Wait()
	_, answer, _ := c.until(killAsk{method: http.MethodGet, url: c.url + "/restate/invocation/" + sent.InvocationID + "/attach"}, http.StatusOK)
	c.world.acknowledged("saga-" + token)
	if !resolves { // the leaf is told before the saga, which does not wait for it
		c.settle(func() bool { return c.world.isUndone("leaf-" + token) })
	}
	undone, leaf := c.world.isUndone(token), c.world.isUndone("leaf-"+token)
	switch got := string(answer); {
	case got != `"done"` && got != `"undone"`:
		c.complain("saga %s: %s", token, got)
	case undone != (got == `"undone"`):
		c.complain("saga %s says %s, and undone is %t", token, got, undone)
	case !cancels && (undone || leaf) || !resolves && !(undone && leaf) || leaf && !undone:
		c.complain("saga %s, resolved %t, cancelled %t: undone %t, its leaf %t", token, resolves, cancels, undone, leaf)
	case undone:
		c.note("undone")
	default:
		c.note("done")
	}
}

// settle waits until something has happened, or has had a minute and two
// children to happen.
func (c *killClients) settle(happened func() bool) {
	hour := c.hour.Load()
	for n := 0; !happened() && (n < 3000 || c.hour.Load() < hour+2 && !c.stop.Load()); n++ {
		<-time.After(20 * time.Millisecond)
	}
}

// knot lets two objects reach for each other. If both hold their key before the
// other one has touched it, one of them fails, and one alone.
func (c *killClients) knot(a, b string) {
	answers, token := [2]string{}, c.key()
	var both sync.WaitGroup
	both.Go(func() { answers[0] = c.post("/Knot/"+a+"/reach", token+"-a", quoted(b)) })
	both.Go(func() { answers[1] = c.post("/Knot/"+b+"/reach", token+"-b", quoted(a)) })
	both.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, other := range []string{b, a} {
		switch answers[i] {
		case `"touched"`:
			c.touches[other]++
		case `"deadlock"`:
			c.did["deadlocks"]++
		default:
			c.wrong = append(c.wrong, fmt.Sprintf("knot %s: %s", token, answers[i]))
		}
	}
	if answers[0] == answers[1] && answers[0] != `"touched"` {
		c.wrong = append(c.wrong, fmt.Sprintf("knot %s: both give %s", token, answers[0]))
	}
}

// checkTouches compares the touches that were acknowledged with those that were
// made: a call that has failed has touched nothing.
func (c *killClients) checkTouches() {
	for key, want := range c.touches {
		if got := c.post("/Knot/"+key+"/touch", c.key(), "0"); got != fmt.Sprint(want) {
			c.complain("knot %s was touched %s times, acknowledged were %d", key, got, want)
		}
	}
}

// later sends with a delay that ends in this life of the child, or in the next.
func (c *killClients) later() {
	delay := [...]string{"25ms", "30m"}[c.next.Load()%2]
	c.do("/Account/late/add/send?delay="+delay, c.key(), "1", http.StatusAccepted)
	c.note("delayed")
	c.mu.Lock()
	defer c.mu.Unlock()
	c.balances["late"]++
}
