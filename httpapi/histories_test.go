package httpapi_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

var (
	historiesKills   = flag.Int("histories.kills", 6, "how often TestHistories kills the server")
	historiesKeys    = flag.Int("histories.keys", 8, "how many slates TestHistories works on at a time; half as many banks beside them")
	historiesClients = flag.Int("histories.clients", 4, "how many clients each of them has")
	historiesOps     = flag.Int("histories.ops", 12, "how many operations each client does on one slate; the checker needs short histories")
	historiesSeed    = flag.Uint64("histories.seed", 0, "seed of TestHistories; 0 takes one from the clock")
)

// checking is how long the checker may take for one slate. More is a mistake of the
// test: its histories are too long. Bad ones take long as well, so enough says how
// many of them are looked for.
const (
	checking = 10 * time.Second
	enough   = 3
)

// TestHistories lets clients write down what they asked, when, and what they were
// told, while the server is killed again and again, and judges what they have
// written: each slate has a linear history, exclusive handlers were executed one
// after the other and in order, and no money was made or lost in the banks.
func TestHistories(t *testing.T) {
	skipLong(t)
	t.Parallel()
	w := &chronicle{seed: *historiesSeed, began: time.Now(), reached: make(chan struct{}, 1)}
	if w.seed == 0 {
		w.seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d", w.seed)
	transport := &http.Transport{MaxIdleConnsPerHost: 1000}
	w.http = &http.Client{Transport: transport, Timeout: patience / 3}
	t.Cleanup(func() { w.complain("the test is over"); w.wait.Wait(); transport.CloseIdleConnections() })

	c := startChild(t, t.TempDir())
	w.life.Store(c)
	w.start()
	c = w.kill(t, c)
	w.closing.Store(true)
	w.finish(t)
	w.readAtLast(t)
	found := trails(childEvents(c.dir).all())
	w.check(t, found)
	w.report(t, found)
}

// start begins the work: whatever is finished is followed by something new until
// the last kill.
func (w *chronicle) start() {
	for slot := range *historiesKeys {
		w.wait.Go(func() {
			for n := 0; n == 0 || !w.over(); n++ {
				s := &sheet{chronicle: w, key: fmt.Sprintf("s%d-%d", slot, n), slow: slot%4 == 3}
				w.mu.Lock()
				w.sheets = append(w.sheets, s)
				w.mu.Unlock()
				s.fill(*historiesClients, *historiesOps, w.seed^uint64(slot<<40|n<<8|1<<60))
			}
		})
	}
	for slot := range (*historiesKeys + 1) / 2 {
		w.wait.Go(func() {
			for n := 0; n == 0 || !w.over(); n++ {
				b := &bank{chronicle: w, name: fmt.Sprintf("b%d-%d", slot, n)}
				for k := range 5 {
					b.keys = append(b.keys, fmt.Sprintf("%s-p%d", b.name, k))
				}
				w.mu.Lock()
				w.banks = append(w.banks, b)
				w.mu.Unlock()
				b.trade(*historiesClients, 6, w.seed^uint64(slot<<40|n<<8))
			}
		})
	}
}

func (w *chronicle) over() bool { return w.closing.Load() || w.failed.Load() != nil }

// kill kills the server at random moments, some of them before it serves again.
// Every other life keeps objects and handlers in memory for long.
func (w *chronicle) kill(t *testing.T, c *child) *child {
	r := rand.New(rand.NewPCG(w.seed, 1))
	for n := range *historiesKills {
		w.await(r.IntN(200), r.IntN(20_000)*r.IntN(2))
		// Who asks from here on waits for the next life, so that nobody asks a stranger
		// who has been given the port.
		w.life.Store(nil)
		c.kill()
		if r.IntN(4) == 0 {
			early := launchChild(t, c.dir)
			<-time.After(time.Duration(r.IntN(300_000)) * time.Microsecond)
			early.kill()
		}
		if n%2 == 0 {
			c = startChild(t, c.dir, envCalm+"=1")
		} else {
			c = startChild(t, c.dir)
		}
		w.life.Store(c)
		w.stopIfFailed(t)
	}
	return c
}

// await waits until some operations are answered, but not for ever: many may wait
// for the kill. Half of the time it waits for a moment more; otherwise the kill
// comes right behind an answer, and what was answered too early is lost.
func (w *chronicle) await(operations, moment int) {
	w.due.Store(w.progress.Load() + 1 + int64(operations))
	select {
	case <-w.reached:
	case <-time.After(600 * time.Millisecond):
	}
	if moment > 0 {
		<-time.After(time.Duration(moment) * time.Microsecond)
	}
}

func (w *chronicle) stopIfFailed(t *testing.T) {
	t.Helper()
	if complaint := w.failed.Load(); complaint != nil {
		t.Fatalf("seed %d: %s", w.seed, *complaint)
	}
}

// finish waits for what has been begun.
func (w *chronicle) finish(t *testing.T) {
	t.Helper()
	done := make(chan struct{})
	go func() { w.wait.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(2 * patience):
		w.complain("the clients do not come to an end")
	}
	w.stopIfFailed(t)
}

// readAtLast asks for results again that were given before, reads every slate once
// more, and audits every bank.
func (w *chronicle) readAtLast(t *testing.T) {
	t.Helper()
	var wait sync.WaitGroup
	places := make(chan struct{}, 32)
	for _, s := range w.sheets {
		wait.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			s.again()
			s.callOnce(order{ID: s.key + "-last", Kind: kindRead, Style: stylePlain})
		})
	}
	for _, b := range w.banks {
		wait.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			for _, complaint := range b.audit() {
				w.note("bank %s: %s", b.name, complaint)
			}
		})
	}
	wait.Wait()
	w.stopIfFailed(t)
}

// check judges all histories, with what handlers have written to the ledger.
func (w *chronicle) check(t *testing.T, trails map[string]trail) {
	t.Helper()
	pictures, err := os.MkdirTemp("", "dormouse-histories-")
	if err != nil {
		t.Fatal(err)
	}
	for _, complaint := range w.wrong {
		t.Errorf("seed %d: %s", w.seed, complaint)
	}
	slowest, bad := time.Duration(0), 0
	for _, s := range w.sheets {
		for _, complaint := range trails[s.key].complaints(s.history) {
			t.Errorf("seed %d: order of %s: %s", w.seed, s.key, complaint)
		}
		if bad == enough {
			continue
		}
		began := time.Now()
		v, err := judge(pictures, s.key, s.history, checking)
		slowest = max(slowest, time.Since(began))
		switch {
		case err != nil:
			t.Error(err)
		case v.result == porcupine.Unknown:
			t.Errorf("seed %d: the history of %s could not be judged in %v: it is too long, see %s", w.seed, s.key, checking, v.picture)
		case v.result != porcupine.Ok:
			t.Errorf("seed %d: the history of %s is not linear, see %s", w.seed, s.key, v.picture)
		}
		if v.result != porcupine.Ok {
			bad++
		}
	}
	_ = os.Remove(pictures) // it stays when there is something in it
	t.Logf("the slowest check of %d took %v", len(w.sheets), slowest.Round(time.Millisecond))
}

// report says how much was judged.
func (w *chronicle) report(t *testing.T, trails map[string]trail) {
	t.Helper()
	ops, unknown, lines, transfers, undone := 0, 0, 0, 0, 0
	for _, s := range w.sheets {
		ops += len(s.history)
		for _, e := range s.history {
			if !e.out.known {
				unknown++
			}
		}
		lines += len(trails[s.key])
	}
	for _, b := range w.banks {
		transfers += len(b.transfers)
		for _, m := range b.transfers {
			if !m.result.Moved {
				undone++
			}
		}
	}
	t.Logf("%d kills, %d slates with %d operations, %d of them of unknown outcome, and %d lines of their handlers; %d banks with %d transfers, %d of them undone; %d requests repeated; %v",
		*historiesKills, len(w.sheets), ops, unknown, lines, len(w.banks), transfers, undone, w.repeated.Load(), time.Since(w.began).Round(time.Millisecond))
	if *historiesKills > 0 && w.repeated.Load() == 0 && unknown == 0 {
		t.Error("no connection was lost: no kill has hit anything")
	}
}
