package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dormouse-run/dormouse/examples/bench/internal/wire"
)

// parking collects the awakeables of invocations that wait.
type parking struct {
	*config
	run            string
	issued, failed atomic.Int64
	mu             sync.Mutex
	ids            map[string]string // by token, the first one wins
}

// park sends n invocations that wait for an awakeable and writes the ids of the
// awakeables to a file.
func (c *config) park(out report) error {
	p := &parking{config: c, run: uniqueRun(), ids: make(map[string]string, c.n)}
	if err := serveCallbacks(c.callback, p.arrived); err != nil {
		return err
	}
	usedBefore := c.target.usedBytes()
	before := c.target.snapshot()
	deadline := before.at.Add(c.limit)
	var clients sync.WaitGroup
	for range c.clients {
		clients.Go(func() { p.send(deadline) })
	}
	clients.Wait()
	accepted := time.Since(before.at).Seconds()
	for p.count() < c.n-int(p.failed.Load()) && time.Now().Before(deadline) {
		time.Sleep(10 * time.Millisecond)
	}
	parked, elapsed := p.count(), time.Since(before.at).Seconds()

	out["n"], out["errors"], out["parked"] = c.n, p.failed.Load(), parked
	out.set("accept_s", accepted, 2)
	out.set("accept_per_s", float64(c.n)/accepted, 1)
	out.set("park_s", elapsed, 2)
	out.set("park_per_s", float64(parked)/elapsed, 1)
	time.Sleep(2 * time.Second) // lets the target come to rest
	p.reportUsage(out, before, usedBefore)
	return p.write()
}

func (p *parking) arrived(cb callback) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, known := p.ids[cb.token]; !known {
		p.ids[cb.token] = cb.id
	}
}

func (p *parking) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.ids)
}

func (p *parking) send(deadline time.Time) {
	client := wire.Client{Host: p.host}
	for {
		k := p.issued.Add(1)
		if k > int64(p.n) || time.Now().After(deadline) {
			return
		}
		token := p.run + "-" + strconv.FormatInt(k, 10)
		status, body, err := client.Post("/Waiter/p"+p.prefix+token+"/wait/send", `"`+token+`"`, requestTimeout)
		if (err != nil || status >= 300) && p.failed.Add(1) == 1 {
			fmt.Fprintln(os.Stderr, "park:", status, string(body), err)
		}
	}
}

func (p *parking) reportUsage(out report, before snapshot, usedBefore int64) {
	after, used, parked := p.target.snapshot(), p.target.usedBytes(), int64(p.count())
	out["rss_mib"] = p.target.memoryMiB()
	out["cpu_s_per_kop"] = cpuPerThousand(before, after, int64(p.n))
	out.set("disk_mib", float64(used)/(1<<20), 1)
	out.set("dev_write_bytes_per_parked", per(float64(after.disk-before.disk), parked), 0)
	out.set("disk_bytes_per_parked", per(float64(used-usedBefore), parked), 0)
}

// write stores the ids, one a line.
func (p *parking) write() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var text strings.Builder
	for _, id := range p.ids {
		text.WriteString(id + "\n")
	}
	if err := os.WriteFile(p.config.ids, []byte(text.String()), 0o644); err != nil {
		return fmt.Errorf("write the awakeable ids: %w", err)
	}
	return nil
}
