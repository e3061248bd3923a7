package httpapi_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	fireKeys  = flag.Int("fire.keys", 50, "idempotency keys of TestIdempotencyUnderFire, each with 20 callers")
	fireKills = flag.Int("fire.kills", 3, "how often TestIdempotencyUnderFire kills the server")
	fireSeed  = flag.Uint64("fire.seed", 0, "seed of the kills of TestIdempotencyUnderFire; 0 takes one from the clock")
)

// TestIdempotencyUnderFire lets 20 callers at a time ask with one idempotency key
// and with bodies of their own: by calls, by sends and attaches, by attaches alone.
// The server is killed again and again meanwhile, and who loses a connection asks
// again. Each effect must have happened once, and all callers of a key must have
// one answer, byte by byte, under one id; also those who ask after another kill.
func TestIdempotencyUnderFire(t *testing.T) {
	t.Parallel()
	seed := *fireSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	began := time.Now()
	c := startChild(t, t.TempDir())
	b := newBlaze(t, c)
	heats := b.light(*fireKeys)
	total := int64(*fireKeys * callers)
	for kill := range *fireKills {
		due := total * int64(kill+1) / int64(*fireKills+1)
		b.waitFor(t, due)
		<-time.After(time.Duration(r.IntN(30_000)) * time.Microsecond)
		c = c.killed()
		b.base.Store(&c.ingress)
	}
	b.waitFor(t, total)
	c = c.killed()
	b.base.Store(&c.ingress)
	b.checkLate(t, heats)
	b.checkCounts(t, c, heats)
	executions := checkLedger(t, c.ledger, heats)
	t.Logf("%d keys, %d callers, %d kills and one at the end: %d requests asked again without an answer, %d refused; %d closures were executed, %d of them again because a kill came before the result was durable; %v",
		len(heats), total, *fireKills, b.repeats.Load(), b.refused.Load(), executions, executions-len(heats), time.Since(began).Round(time.Millisecond))
	if *fireKills > 0 && b.repeats.Load() == 0 {
		t.Error("no connection was lost: nothing was under fire")
	}
}

func newBlaze(t *testing.T, c *child) *blaze {
	transport := &http.Transport{MaxIdleConnsPerHost: 1000}
	t.Cleanup(transport.CloseIdleConnections)
	// Who waits for long asks again: an answer that never comes is found by until.
	b := &blaze{http: &http.Client{Transport: transport, Timeout: patience / 3}, note: c.ledger}
	b.base.Store(&c.ingress)
	return b
}

// waitFor waits until so many callers have their answer.
func (b *blaze) waitFor(t *testing.T, callers int64) {
	t.Helper()
	eventually(t, "progress of the callers", func() bool { return b.answered.Load() >= callers || b.failed.Load() != nil })
	if complaint := b.failed.Load(); complaint != nil {
		t.Fatal(*complaint)
	}
}

// light starts the callers of n keys, of few keys at a time.
func (b *blaze) light(n int) (heats []*heat) {
	for i := range n {
		object := ""
		if i%3 > 0 {
			object = fmt.Sprintf("o%d", i%max(1, n/5))
		}
		heats = append(heats, newHeat(b, fmt.Sprintf("k%d", i), object))
	}
	next := make(chan *heat, n)
	for _, h := range heats {
		next <- h
	}
	close(next)
	for range min(16, n) {
		go func() {
			for h := range next {
				h.all()
			}
		}()
	}
	return heats
}

// checkLate asks once more, in every way, in a process that has executed nothing.
func (b *blaze) checkLate(t *testing.T, heats []*heat) {
	t.Helper()
	var wait sync.WaitGroup
	places := make(chan struct{}, 32)
	for _, h := range heats {
		wait.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			for _, caller := range []int{0, 8, 12, 15, 17, 19} {
				h.ask(caller)
			}
			r := ask(b.http, "POST", *b.base.Load()+"/"+h.path(), `{"Name":"another"}`, "Idempotency-Key", h.name)
			if r.header.Get("Idempotency-Expires") == "" || r.body != h.answer {
				h.complain("late, it is answered %v with the headers %v", r, r.header)
			}
		})
	}
	wait.Wait()
	if complaint := b.failed.Load(); complaint != nil {
		t.Fatal(*complaint)
	}
}

// checkCounts compares the state behind the effects with the answers: one more
// for each key, in an order without gaps.
func (b *blaze) checkCounts(t *testing.T, c *child, heats []*heat) {
	t.Helper()
	counts, ashes := map[string][]int{}, map[string][]int{}
	for _, h := range heats {
		var got burnt
		if err := json.Unmarshal([]byte(h.answer), &got); err != nil {
			t.Errorf("%s: %q: %v", h.name, h.answer, err)
			continue
		}
		if h.object == "" {
			ashes[h.name] = append(ashes[h.name], got.Ash)
			continue
		}
		counts[h.object] = append(counts[h.object], got.Count)
		ashes[h.object] = append(ashes[h.object], got.Ash)
	}
	for service, all := range map[string]map[string][]int{"Fire": counts, "Ash": ashes} {
		for key, seen := range all {
			slices.Sort(seen)
			for i, n := range seen {
				if n != i+1 {
					t.Errorf("%s/%s was counted %v in the answers", service, key, seen)
					break
				}
			}
			want(t, c.call("/"+service+"/"+key+"/count", ""), 200, fmt.Sprint(len(seen)))
			if r := c.call("/"+service+"/"+key+"/count", ""); r.body != fmt.Sprint(len(seen)) {
				t.Errorf("%s/%s is %s after %d requests", service, key, r.body, len(seen))
			}
		}
	}
}

// history is what happened in the world under one idempotency key.
type history struct {
	callers, runs map[string]bool
	numbers       []string
	answered      bool
	late          string
}

// histories reads the ledger.
func histories(l ledger) map[string]*history {
	seen := map[string]*history{}
	of := func(name string) *history {
		if seen[name] == nil {
			seen[name] = &history{callers: map[string]bool{}, runs: map[string]bool{}}
		}
		return seen[name]
	}
	for _, line := range l.lines("fire") {
		switch f := strings.Fields(line); f[0] {
		case "answered":
			of(f[1]).answered = true
		case "burnt":
			h := of(f[1])
			h.callers[f[2]], h.runs[f[3]] = true, true
			h.numbers = append(h.numbers, f[4])
			if h.answered {
				h.late = line
			}
		}
	}
	return seen
}

// checkLedger compares what closures have done in the world with the answers.
func checkLedger(t *testing.T, l ledger, heats []*heat) (executions int) {
	t.Helper()
	seen := histories(l)
	for _, h := range heats {
		var got burnt
		_ = json.Unmarshal([]byte(h.answer), &got) // complained of before
		s := seen[h.name]
		switch {
		case s == nil || len(s.numbers) == 0:
			t.Errorf("%s is answered %s, and nothing was burnt", h.name, h.answer)
			continue
		case len(s.runs) != 1 || len(s.callers) != 1 || !s.callers[fmt.Sprint(got.Caller)]:
			t.Errorf("%s was burnt by the callers %v under the run keys %v, and is answered %s", h.name, s.callers, s.runs, h.answer)
		case s.numbers[len(s.numbers)-1] != fmt.Sprint(got.Number):
			t.Errorf("%s is answered %s, and the numbers drawn are %v", h.name, h.answer, s.numbers)
		case s.late != "":
			t.Errorf("%s was burnt again after its answer: %s", h.name, s.late)
		}
		executions += len(s.numbers)
	}
	return executions
}
