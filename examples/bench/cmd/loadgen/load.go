package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dormouse-run/dormouse/examples/bench/internal/latency"
	"github.com/dormouse-run/dormouse/examples/bench/internal/wire"
)

// requestTimeout bounds one request.
const requestTimeout = 60 * time.Second

// load is a closed loop: every client sends its next request when it has the
// answer to the last one.
type load struct {
	*config
	run             string
	measuring, stop atomic.Bool
	ok, failed      atomic.Int64
	firstFailure    sync.Once
	latencies       []latency.Recorder
	clientsDone     sync.WaitGroup
}

func (c *config) load(out report) error {
	if err := known(c.workload); err != nil {
		return err
	}
	l := &load{config: c, run: uniqueRun(), latencies: make([]latency.Recorder, c.clients)}
	if c.workload == "awk" {
		if err := c.startResolvers(); err != nil {
			return err
		}
	}
	for i := range c.clients {
		l.clientsDone.Go(func() { l.client(i) })
	}
	l.measure(out)
	return nil
}

// uniqueRun is a word that no other run used.
func uniqueRun() string { return strconv.FormatInt(time.Now().UnixNano(), 36) }

// startResolvers resolves every awakeable as soon as its handler has called.
func (c *config) startResolvers() error {
	calls := make(chan callback, 4096)
	if err := serveCallbacks(c.callback, func(cb callback) { calls <- cb }); err != nil {
		return err
	}
	for range max(1, min(c.clients, 64)) {
		go func() {
			client := wire.Client{Host: c.host}
			for cb := range calls {
				status, body, err := client.Post(resolvePath(cb.id), `"ok"`, requestTimeout)
				if err != nil || status >= 300 {
					fmt.Fprintln(os.Stderr, "resolve:", status, string(body), err)
				}
			}
		}()
	}
	return nil
}

func resolvePath(id string) string { return "/restate/awakeables/" + id + "/resolve" }

func (l *load) client(i int) {
	client := wire.Client{Host: l.host}
	seed := rand.NewPCG(uint64(i), uint64(time.Now().UnixNano()))
	op := operation{workload: l.workload, prefix: l.prefix, keys: l.keys, run: l.run, client: i, rng: rand.New(seed)}
	for !l.stop.Load() {
		path, body := op.next()
		start := time.Now()
		status, answer, err := client.Post(path, body, requestTimeout)
		switch {
		case l.stop.Load():
			return
		case err != nil || status >= 300:
			l.failed.Add(1)
			l.firstFailure.Do(func() { fmt.Fprintln(os.Stderr, "first error:", status, string(answer), err) })
			time.Sleep(5 * time.Millisecond)
		case l.measuring.Load(): // also when it began before: as many are cut off at the end
			l.latencies[i].Add(time.Since(start))
			l.ok.Add(1)
		}
	}
}

// measure lets the clients run, looks at the target before and after, and
// reports the difference.
func (l *load) measure(out report) {
	time.Sleep(l.warmup)
	var pids []string
	if l.perf {
		pids = l.target.pids()
	}
	usedBefore := l.target.usedBytes()
	countersBefore := readCounters(l.stats)
	before := l.target.snapshot()
	syncs := countSyncs(pids, l.duration)
	l.measuring.Store(true)
	time.Sleep(l.duration)
	l.measuring.Store(false)
	ops := l.ok.Load()
	after := l.target.snapshot()
	countersAfter := readCounters(l.stats)
	used := l.target.usedBytes()
	out["rss_mib"] = l.target.memoryMiB()
	l.stop.Store(true)

	l.reportLatencies(out, ops, after.at.Sub(before.at))
	reportUsage(out, before, after, ops)
	reportCounters(out, countersBefore, countersAfter, ops)
	if l.workload == "send" && l.stats != "" {
		out.set("bg_done_per_s", (countersAfter.Done-countersBefore.Done)/after.at.Sub(before.at).Seconds(), 1)
	}
	if n, known := syncs(); known {
		out.set("fsyncs_per_op", per(n, ops), 3)
	}
	if len(l.target.dirs) > 0 {
		out.set("disk_bytes_per_op", per(float64(used-usedBefore), ops), 1)
		out.set("disk_mib", float64(used)/(1<<20), 1)
	}
}

func (l *load) reportLatencies(out report, ops int64, d time.Duration) {
	l.waitForClients(5 * time.Second)
	all := latency.Merge(l.latencies)
	out["ops"] = ops
	out.set("secs", d.Seconds(), 2)
	out.set("ops_s", float64(ops)/d.Seconds(), 1)
	for name, p := range map[string]float64{"p50_ms": .5, "p90_ms": .9, "p99_ms": .99, "max_ms": 1} {
		out.set(name, all.Milliseconds(p), 3)
	}
	out["errors"] = l.failed.Load()
}

// waitForClients gives requests under way a moment to end. A client that is
// still busy then no longer records anything.
func (l *load) waitForClients(d time.Duration) {
	done := make(chan struct{})
	go func() { l.clientsDone.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(d):
	}
}

// reportUsage records what the work has cost. foreign_cpu_cores is how busy the
// machine was with anything else.
func reportUsage(out report, a, b snapshot, ops int64) {
	seconds := b.at.Sub(a.at).Seconds()
	written := map[string]float64{}
	var targetCPU float64
	for name := range b.cpu {
		targetCPU += b.cpu[name] - a.cpu[name]
		written[name] = round(per(float64(b.written[name]-a.written[name]), ops), 1)
	}
	selfCPU := b.self - a.self
	out["cpu_s_per_kop"] = cpuPerThousand(a, b, ops)
	out["io_write_bytes_per_op"] = written
	out.set("client_cpu_cores", selfCPU/seconds, 2)
	out.set("target_cpu_cores", targetCPU/seconds, 2)
	out.set("foreign_cpu_cores", (b.machine-a.machine-targetCPU-selfCPU)/seconds, 2)
	out.set("dev_write_bytes_per_op", per(float64(b.disk-a.disk), ops), 1)
}
