package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/dormouse-run/dormouse/examples/bench/internal/child"
	"github.com/dormouse-run/dormouse/examples/bench/internal/procfs"
)

// runner runs the workload of the command line.
type runner struct {
	*config
	*target
	results *os.File
}

func (r *runner) workload(ctx context.Context) error {
	start := map[string]any{"peer": r.peer, "phase": "start"}
	if err := r.load(ctx, start, "-w", "ready", "-max", "60s"); err != nil {
		return err
	}
	if r.config.workload == "w5" {
		return r.crashAndDrain(ctx)
	}
	w := workloads()[r.config.workload]
	clients := w.clients
	if r.clients != "" {
		clients = r.clients
	}
	for c := range strings.SplitSeq(clients, ",") {
		for rep := range r.reps {
			profiled := r.profiling(ctx)
			args := []string{"-w", w.load, "-c", c, "-d", r.duration.String(), "-warm", r.warmup.String(), "-tag", r.peer}
			err := r.load(ctx, map[string]any{"peer": r.peer, "rep": rep}, args...)
			if err = errors.Join(err, profiled()); err != nil {
				return child.Reason(ctx, err)
			}
		}
	}
	return nil
}

// crashAndDrain parks invocations, kills the target, starts it again and
// resolves them all.
func (r *runner) crashAndDrain(ctx context.Context) error {
	phase := func(name string) map[string]any { return map[string]any{"peer": r.peer, "phase": name, "n": r.n} }
	ids, limit := r.path("data", "ids-"+r.peer+".txt"), r.limit.String()
	if err := r.load(ctx, phase("park"), "-w", "park", "-n", strconv.Itoa(r.n), "-ids", ids, "-max", limit, "-c", "64"); err != nil {
		return err
	}
	if err := r.crash(); err != nil {
		return err
	}
	if err := r.load(ctx, phase("restart"), "-w", "ready", "-max", limit); err != nil {
		return err
	}
	if err := child.Sleep(ctx, 2*time.Second); err != nil { // lets recovery end
		return err
	}
	return r.load(ctx, phase("drain"), "-w", "resolve", "-ids", ids, "-max", limit, "-c", "64")
}

// load runs the load generator, adds fields to its line and records it.
func (r *runner) load(ctx context.Context, fields map[string]any, args ...string) error {
	all := append([]string{"-url", r.target.url, "-pids", r.pids(), "-dirs", strings.Join(r.target.dirs, ",")}, args...)
	if r.target.stats != "" {
		all = append(all, "-stats", r.target.stats)
	}
	cmd := child.Command(ctx, r.path("bin", "loadgen"), all...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return child.Reason(ctx, fmt.Errorf("loadgen %s: %w", strings.Join(args, " "), err))
	}
	line := map[string]any{}
	if err := json.Unmarshal(bytes.TrimSpace(out), &line); err != nil {
		return fmt.Errorf("loadgen %s: %w", strings.Join(args, " "), err)
	}
	for name, v := range fields {
		line[name] = v
	}
	if line["error"] != nil {
		err = fmt.Errorf("%s: %v: look into its log in data", r.peer, line["error"])
	}
	if recorded := r.record(line); recorded != nil {
		return recorded
	}
	return err
}

// record prints a line and keeps it.
func (r *runner) record(line map[string]any) error {
	b, err := json.Marshal(line)
	if err != nil {
		return err
	}
	fmt.Println(string(b))
	_, err = r.results.Write(append(b, '\n'))
	return err
}

// guardMemory keeps a runaway target from taking the machine down.
func (r *runner) guardMemory(cancel context.CancelCauseFunc) {
	for range time.Tick(500 * time.Millisecond) {
		for _, p := range r.processes {
			pid := p.PID()
			if pid == "" {
				continue
			}
			if gib := int(procfs.Process{PID: pid}.ResidentKiB() >> 20); gib >= r.memory {
				cancel(fmt.Errorf("%s takes %d GiB of memory: it was killed; -memguard allows more", p.Name, gib))
				p.Kill()
				line := map[string]any{"phase": "memguard", "proc": p.Name, "rss_gib": gib}
				if err := r.record(line); err != nil {
					fmt.Fprintln(os.Stderr, "peers:", err)
				}
				return
			}
		}
	}
}
