package actors_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// killClients keeps requests under way while children come and go. Every
// request has an idempotency key and is repeated until it is acknowledged, so
// at the end every operation that was begun has been acknowledged, and must
// have taken effect once.
type killClients struct {
	t     *testing.T
	world *killWorld
	url   string
	http  *http.Client
	admin string
	stop  atomic.Bool
	wg    sync.WaitGroup
	next  atomic.Int64
	// hour is how far the clock of the present child is ahead.
	hour atomic.Int64
	// underWay holds the names of requests and when they began; at the end of
	// ctx they are given up.
	underWay sync.Map
	ctx      context.Context
	giveUp   context.CancelFunc

	mu       sync.Mutex
	balances map[string]int   // account -> sum of what was acknowledged
	answers  map[string][]int // account -> answers of its calls
	ordered  map[string][]int // order -> items in the order of their acknowledgement
	touches  map[string]int   // knot -> touches that were acknowledged
	did      map[string]int   // what the clients have seen, for the report
	looks    int              // how often check looks for what may take its time
	acked    int
	wrong    []string
}

func newKillClients(t *testing.T, w *killWorld, url, admin string) *killClients {
	ctx, giveUp := context.WithCancel(t.Context())
	return &killClients{t: t, world: w, url: url, admin: admin, ctx: ctx, giveUp: giveUp, touches: map[string]int{}, did: map[string]int{}, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
		looks: 200, balances: map[string]int{}, answers: map[string][]int{}, ordered: map[string][]int{}}
}

// startPlain starts clients that need nobody but the child.
func (c *killClients) startPlain() {
	for i := range 3 {
		c.loop(func() { c.call(fmt.Sprint("a", i%2)) })
		c.loop(func() { c.send(fmt.Sprint("a", i%2)) })
		c.loop(func() { c.steps(fmt.Sprint("s", i)) })
		c.loop(func() { c.order(fmt.Sprint("o", i)) })
	}
}

func (c *killClients) start() {
	c.startPlain()
	for i := range 3 {
		c.loop(func() { c.wait(fmt.Sprint("w", i)) })
		id := fmt.Sprint("f", i)
		c.loop(func() { id = c.live(id) })
	}
	c.loop(func() { c.reborn("r", 3) })
	c.loop(func() { c.reborn("crowd", 66) })
	c.loop(func() { c.signal("x") })
	c.loop(func() { c.cancel("g") })
	c.loop(func() { c.knot("k0", "k1") })
	c.loop(func() { c.later() })
	c.loop(func() { c.patch("p") })
	c.loop(c.remake)
	c.loop(c.watch)
}

func (c *killClients) loop(op func()) {
	c.wg.Go(func() {
		for !c.stop.Load() {
			op()
		}
	})
}

// do repeats a request until it has the wanted status.
func (c *killClients) do(path, idempotencyKey, body string, want int) []byte {
	_, answer, _ := c.until(killAsk{method: http.MethodPost, url: c.url + path, key: idempotencyKey, body: body}, want)
	return answer
}

// killAsk is a request. key and body may be empty.
type killAsk struct{ method, url, key, body string }

// until repeats a request until it has one of the wanted statuses, and says how
// often it was sent. Any other answer than that the child does not serve now is a
// complaint, with status 0.
func (c *killClients) until(a killAsk, want ...int) (status int, answer []byte, tries int) {
	name := a.method + " " + a.url + " " + a.key
	c.underWay.Store(name, c.hour.Load())
	defer c.underWay.Delete(name)
	for tries = 1; c.ctx.Err() == nil && !c.t.Failed(); tries++ {
		got, answer, err := c.once(a)
		switch {
		case err == nil && slices.Contains(want, got):
			c.mu.Lock()
			c.acked++
			c.mu.Unlock()
			return got, answer, tries
		case err == nil && got != http.StatusServiceUnavailable && got != http.StatusTooManyRequests:
			c.complain("%s: status %d: %s", name, got, answer)
			return 0, nil, tries
		}
		<-time.After(20 * time.Millisecond) // the child is being replaced
	}
	return 0, nil, tries
}

func (c *killClients) once(a killAsk) (int, []byte, error) {
	ctx, cancel := context.WithTimeout(c.ctx, 30*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, a.method, a.url, bytes.NewReader([]byte(a.body)))
	if err != nil {
		return 0, nil, err
	}
	if a.body != "" {
		r.Header.Set("content-type", "application/json")
	}
	if a.key != "" {
		r.Header.Set("idempotency-key", a.key)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	return resp.StatusCode, answer, err
}

// finish lets every client end what it has begun, and reports whether that
// worked. When it takes long, hourLater is called, at most twice: a workflow is
// removed, and who waits in it told so, at the full hour after its retention, so
// what has expired during the last child may need another one. What does not end
// then, although nobody kills the child any more, is lost: last is how long it has
// then.
func (c *killClients) finish(patience, last time.Duration, hourLater func()) bool {
	c.stop.Store(true)
	done := make(chan struct{})
	go func() { c.wg.Wait(); close(done) }()
	for later := 2; ; later-- {
		if later == 0 {
			patience = last
		}
		select {
		case <-done:
			return true
		case <-time.After(patience):
		}
		if later == 0 {
			break
		}
		hourLater()
	}
	c.underWay.Range(func(name, _ any) bool {
		c.complain("never answered: %s", name)
		return true
	})
	c.giveUp()
	<-done
	return false
}

// stuckHours is how many children may fail to answer a request. Most are answered
// by the first or the second one.
const stuckHours = 80

// stuck returns the name of a request that no child answers, empty for none.
func (c *killClients) stuck() (stuck string) {
	now := c.hour.Load()
	c.underWay.Range(func(name, since any) bool {
		if since.(int64)+stuckHours < now {
			stuck = name.(string)
		}
		return stuck == ""
	})
	return stuck
}

// arrived waits for an awakeable that a handler hands out, and returns its id.
func (c *killClients) arrived(token string) (id string) {
	name := "awakeable of " + token
	c.underWay.Store(name, c.hour.Load())
	defer c.underWay.Delete(name)
	select {
	case <-c.world.arrived(token):
	case <-c.ctx.Done():
	}
	return c.world.idOf(token)
}

// acknowledged waits until n requests have been.
func (c *killClients) acknowledged(n int) {
	for {
		c.mu.Lock()
		acked := c.acked
		c.mu.Unlock()
		if acked >= n || c.t.Failed() {
			return
		}
		<-time.After(time.Millisecond)
	}
}

func (c *killClients) complain(format string, a ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wrong = append(c.wrong, fmt.Sprintf(format, a...))
}

func (c *killClients) key() string { return fmt.Sprint("op-", c.next.Add(1)) }

func (c *killClients) call(account string) {
	answer := c.do("/Account/"+account+"/add", c.key(), "1", http.StatusOK)
	var n int
	if err := json.Unmarshal(answer, &n); err != nil {
		c.complain("call of %s: answer %q", account, answer)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.balances[account]++
	c.answers[account] = append(c.answers[account], n)
}

func (c *killClients) send(account string) {
	c.do("/Account/"+account+"/add/send", c.key(), "1", http.StatusAccepted)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.balances[account]++
}

func (c *killClients) steps(key string) {
	label := c.key()
	answer := c.do("/Steps/"+key+"/run", label, fmt.Sprintf(`{"label":%q}`, label), http.StatusOK)
	if string(answer) != "6" {
		c.complain("steps %s: answer %q", label, answer)
	}
	c.world.acknowledged(label)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.balances["called"]++
}

// wait starts a waiter, resolves its awakeable twice, and expects the answer
// that was acknowledged first.
func (c *killClients) wait(key string) {
	token := c.key()
	done := make(chan []byte, 1)
	go func() { done <- c.do("/Waiter/"+key+"/wait", token, fmt.Sprintf("%q", token), http.StatusOK) }()
	select {
	case <-c.world.arrived(token):
	case answer := <-done:
		c.complain("wait %s: answered %q before it was resolved", token, answer)
		return
	case <-c.ctx.Done():
		return
	}
	path := "/restate/awakeables/" + c.world.idOf(token) + "/resolve"
	c.do(path, "", fmt.Sprintf("%q", "first "+token), http.StatusAccepted)
	c.do(path, "", fmt.Sprintf("%q", "second "+token), http.StatusAccepted)
	if answer := <-done; string(answer) != fmt.Sprintf("%q", "first "+token) {
		c.complain("wait %s: answer %q", token, answer)
	}
}

// order appends items one after the other; only this client uses the key.
func (c *killClients) order(key string) {
	item := int(c.next.Add(1))
	c.do("/Order/"+key+"/append/send", fmt.Sprint("item-", item), fmt.Sprint(item), http.StatusAccepted)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ordered[key] = append(c.ordered[key], item)
}

// check compares what the children hold at the end with what they had
// acknowledged.
func (c *killClients) check() {
	for account, want := range c.balances {
		if got := c.settled(account, want); got != want {
			c.complain("account %s holds %d, acknowledged were %d", account, got, want)
		}
		seen := map[int]bool{}
		for _, n := range c.answers[account] {
			if seen[n] || n < 1 || n > want {
				c.complain("account %s answered %d twice or out of range", account, n)
			}
			seen[n] = true
		}
	}
	c.checkTouches()
	for key, want := range c.ordered {
		var got []int
		for range c.looks {
			_, answer, err := c.once(killAsk{method: http.MethodPost, url: c.url + "/Order/" + key + "/list"})
			if err != nil || json.Unmarshal(answer, &got) != nil {
				c.complain("list of %s: %v %q", key, err, answer)
			}
			if len(got) >= len(want) {
				break
			}
			<-time.After(50 * time.Millisecond)
		}
		if !slices.Equal(got, want) {
			c.complain("order %s is %v, acknowledged was %v", key, got, want)
		}
	}
}

// settled adds nothing to an account until its balance is what was acknowledged,
// or sends have had their time to finish.
func (c *killClients) settled(account string, want int) (got int) {
	for range c.looks {
		answer := c.do("/Account/"+account+"/add", c.key(), "0", http.StatusOK)
		if err := json.Unmarshal(answer, &got); err != nil || got >= want {
			return got
		}
		<-time.After(50 * time.Millisecond)
	}
	return got
}
