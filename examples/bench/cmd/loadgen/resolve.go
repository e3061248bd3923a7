package main

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dormouse-run/dormouse/examples/bench/internal/wire"
)

// resolve answers every awakeable of the file and, when the target counts them,
// waits until all handlers have finished.
func (c *config) resolve(out report) error {
	text, err := os.ReadFile(c.ids)
	if err != nil {
		return fmt.Errorf("read the awakeable ids: %w", err)
	}
	ids := strings.Fields(string(text))
	doneBefore := readCounters(c.stats).Done
	before := c.target.snapshot()
	failed := c.resolveAll(ids)
	accepted := time.Since(before.at).Seconds()
	out["n"], out["errors"] = len(ids), failed
	out.set("resolve_accept_s", accepted, 2)
	out.set("resolve_accept_per_s", float64(len(ids))/accepted, 1)
	if c.stats != "" {
		out["drained"] = c.drain(before.at, doneBefore, float64(int64(len(ids))-failed))
		elapsed := time.Since(before.at).Seconds()
		out.set("drain_s", elapsed, 2)
		out.set("drain_per_s", float64(len(ids))/elapsed, 1)
	}
	out["cpu_s_per_kop"] = cpuPerThousand(before, c.target.snapshot(), int64(len(ids)))
	out["rss_mib"] = c.target.memoryMiB()
	return nil
}

func (c *config) resolveAll(ids []string) (failed int64) {
	var next, failures atomic.Int64
	var clients sync.WaitGroup
	for range c.clients {
		clients.Go(func() {
			client := wire.Client{Host: c.host}
			for {
				k := next.Add(1) - 1
				if k >= int64(len(ids)) {
					return
				}
				status, body, err := client.Post(resolvePath(ids[k]), `"ok"`, requestTimeout)
				if (err != nil || status >= 300) && failures.Add(1) == 1 {
					fmt.Fprintln(os.Stderr, "resolve:", status, string(body), err)
				}
			}
		})
	}
	clients.Wait()
	return failures.Load()
}

// drain waits until the target has done n more, or for the limit, and returns
// how many it did.
func (c *config) drain(start time.Time, doneBefore, n float64) float64 {
	for {
		done := readCounters(c.stats).Done - doneBefore
		if done >= n || time.Since(start) > c.limit {
			return done
		}
		time.Sleep(20 * time.Millisecond)
	}
}
