package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dormouse-run/dormouse/examples/bench/internal/latency"
	"github.com/dormouse-run/dormouse/examples/bench/internal/procfs"
)

// loop runs an operation in a number of workers.
type loop struct {
	name    string
	workers int
	op      func(worker, i int) error
	// extra adds figures to the line, given the time; may be nil.
	extra func(seconds float64, line map[string]any)
}

// measure runs the loop for d and prints its line.
func (l *loop) measure(d time.Duration) error {
	var (
		stop      atomic.Bool
		ops       atomic.Int64
		workers   sync.WaitGroup
		errs      = make([]error, l.workers)
		latencies = make([]latency.Recorder, l.workers)
	)
	self, machine, disk, start := procfs.SelfCPU(), procfs.MachineCPU(), procfs.DiskWrittenBytes(), time.Now()
	for w := range l.workers {
		workers.Go(func() {
			for i := 0; !stop.Load() && errs[w] == nil; i++ {
				begun := time.Now()
				errs[w] = l.op(w, i)
				latencies[w].Add(time.Since(begun))
				ops.Add(1)
			}
		})
	}
	time.Sleep(d)
	n, seconds := float64(max(ops.Load(), 1)), time.Since(start).Seconds()
	self, machine, disk = procfs.SelfCPU()-self, procfs.MachineCPU()-machine, procfs.DiskWrittenBytes()-disk
	stop.Store(true)
	workers.Wait()
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("%s: %w", l.name, err)
	}
	all := latency.Merge(latencies)
	line := map[string]any{
		"w": l.name, "c": l.workers, "ops_s": int(n / seconds),
		"p50_ms": all.Milliseconds(.5), "p99_ms": all.Milliseconds(.99),
		"cpu_s_per_kop":     fmt.Sprintf("%.4f", self/n*1000),
		"foreign_cpu_cores": fmt.Sprintf("%.2f", (machine-self)/seconds),
		"dev_bytes_per_op":  int(float64(disk) / n),
	}
	if l.extra != nil {
		l.extra(seconds, line)
	}
	return json.NewEncoder(os.Stdout).Encode(line)
}
