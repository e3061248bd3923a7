// Command peers starts one target afresh, runs one workload against it, and
// appends a line of JSON for each run to results/PEER-WORKLOAD.jsonl.
//
//	bin/peers -peer ceil -w w1
//	bin/peers -peer ours -w w3 -c 64
//	bin/peers -peer other -cmd "path/to/other -port 8080" -url http://127.0.0.1:8080 -dirs data/other -w w1
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/dormouse-run/dormouse/examples/bench/internal/command"
)

// config is what the command line says.
type config struct {
	root     string // holds bin, conf, data and results
	peer     string
	workload string
	clients  string
	reps     int
	duration time.Duration
	warmup   time.Duration
	n        int
	limit    time.Duration
	command  string
	url      string
	stats    string
	dirs     []string
	memory   int // GiB
	profile  string
	restate  string
}

func parse(args []string) (*config, error) {
	c := &config{restate: os.Getenv("RESTATE_SERVER")}
	fs := command.Flags("peers")
	fs.StringVar(&c.root, "root", ".", "`directory` that holds bin, conf, data and results")
	fs.StringVar(&c.peer, "peer", "ours", "ours, ceil, echo, echo-net, restate[-default|-tuned|-nofsync], or any other name with -url")
	fs.StringVar(&c.workload, "w", "w1", "w1 to w6, or echo")
	fs.StringVar(&c.clients, "c", "", "client counts, separated by commas; the workload's own when empty")
	fs.IntVar(&c.reps, "reps", 3, "runs with each count")
	fs.DurationVar(&c.duration, "d", 4*time.Second, "measured time of a run")
	fs.DurationVar(&c.warmup, "warm", 1500*time.Millisecond, "time before it")
	fs.IntVar(&c.n, "n", 10000, "w5: invocations that are parked")
	fs.DurationVar(&c.limit, "max", 150*time.Second, "w5: limit of each phase")
	fs.StringVar(&c.command, "cmd", "", "`command` that starts another target and stays in the foreground")
	fs.StringVar(&c.url, "url", "", "its base `URL`")
	fs.StringVar(&c.stats, "stats", "", "`URL` of its counters")
	dirs := fs.String("dirs", "", "its data directories, separated by commas; WIPED at the start when -cmd is given")
	fs.IntVar(&c.memory, "memguard", 10, "kill a target that takes more than this many GiB")
	fs.StringVar(&c.profile, "profile", "", "`file` for a CPU profile of the measured time, of a target that serves one")
	if err := command.Parse(fs, args); err != nil {
		return nil, err
	}
	if *dirs != "" {
		c.dirs = strings.Split(*dirs, ",")
	}
	if _, ok := workloads()[c.workload]; !ok {
		return nil, fmt.Errorf("unknown workload %q", c.workload)
	}
	if c.profile != "" && (c.reps != 1 || strings.Contains(c.clients, ",") || c.clients == "") {
		return nil, errors.New("-profile is of one run: -reps 1 and one number of clients")
	}
	return c, nil
}

// workload is what the load generator runs and with how many clients.
type workload struct{ load, clients string }

func workloads() map[string]workload {
	return map[string]workload{
		"w1":   {"call", "1,16,64,256"},
		"w2":   {"hot", "64"},
		"w3":   {"steps", "64"},
		"w4":   {"awk", "1,64"},
		"w5":   {"park", "64"},
		"w6":   {"send", "64"},
		"echo": {"echo", "1,16,64,256"},
	}
}

func main() {
	c, err := parse(os.Args[1:])
	if err == nil {
		ctx, stop := command.Context()
		defer stop()
		err = c.run(ctx)
	}
	command.Exit("peers", err)
}

func (c *config) path(parts ...string) string {
	return filepath.Join(append([]string{c.root}, parts...)...)
}

// run ends with ctx, and when a process of the target does.
func (c *config) run(ctx context.Context) (err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	t, err := c.target()
	if err != nil {
		return err
	}
	if err := t.prepare(cancel); err != nil {
		return err
	}
	if err := errors.Join(os.MkdirAll(c.path("results"), 0o755), os.MkdirAll(c.path("data"), 0o755)); err != nil {
		return err
	}
	results, err := os.OpenFile(c.path("results", c.peer+"-"+c.workload+".jsonl"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, results.Close()) }()
	r := &runner{config: c, target: t, results: results}
	defer t.stop()
	if err := t.start(); err != nil {
		return err
	}
	go r.guardMemory(cancel)
	if t.register != nil {
		if err := t.register(ctx); err != nil {
			return fmt.Errorf("register the handlers: %w", err)
		}
	}
	return r.workload(ctx)
}
