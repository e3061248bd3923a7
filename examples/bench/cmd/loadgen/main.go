// Command loadgen drives one workload against one target and prints a single
// line of JSON. It knows only HTTP paths (the shape of Restate's ingress), so
// any runtime with the same paths is a target by its URL alone.
package main

import (
	"encoding/json"
	"os"
	"strings"
	"time"

	"github.com/dormouse-run/dormouse/examples/bench/internal/command"
	"github.com/dormouse-run/dormouse/examples/bench/internal/wire"
)

// config is what the command line says.
type config struct {
	host     string
	workload string
	clients  int
	duration time.Duration
	warmup   time.Duration
	limit    time.Duration
	keys     int
	n        int
	callback string
	ids      string
	stats    string
	tag      string
	prefix   string
	perf     bool
	target   target
}

func parse(args []string) (*config, error) {
	c := &config{}
	fs := command.Flags("loadgen")
	url := fs.String("url", "http://127.0.0.1:28080", "base `URL` of the target's ingress")
	fs.StringVar(&c.workload, "w", "call", "workload: echo, call, hot, steps, awk, send, park, resolve or ready")
	fs.IntVar(&c.clients, "c", 64, "concurrent clients, each with one request under way")
	fs.DurationVar(&c.duration, "d", 8*time.Second, "measured time")
	fs.DurationVar(&c.warmup, "warm", 2*time.Second, "time before it")
	fs.DurationVar(&c.limit, "max", 4*time.Minute, "limit of park, resolve and ready")
	fs.IntVar(&c.keys, "keys", 10000, "number of keys")
	fs.IntVar(&c.n, "n", 10000, "park: number of invocations")
	fs.StringVar(&c.callback, "cb", "127.0.0.1:28900", "awk, park: `address` that handlers post to")
	fs.StringVar(&c.ids, "ids", "data/ids.txt", "park, resolve: `file` of awakeable ids")
	fs.StringVar(&c.stats, "stats", "", "`URL` of the target's counters")
	pids := fs.String("pids", "", "processes of the target: name=pid[+pid...],name=pid")
	dirs := fs.String("dirs", "", "data directories of the target, separated by commas")
	fs.StringVar(&c.tag, "tag", "", "text that is copied to the output")
	fs.StringVar(&c.prefix, "prefix", "", "prefix of keys")
	fs.BoolVar(&c.perf, "perf", true, "count the target's fsync calls, when perf is installed")
	if err := command.Parse(fs, args); err != nil {
		return nil, err
	}
	c.host = strings.TrimSuffix(strings.TrimPrefix(*url, "http://"), "/")
	c.target = newTarget(*pids, *dirs)
	return c, nil
}

func main() {
	c, err := parse(os.Args[1:])
	if err == nil {
		out := report{"tag": c.tag, "w": c.workload, "c": c.clients}
		if err = c.run(out); err == nil {
			err = json.NewEncoder(os.Stdout).Encode(out)
		}
	}
	command.Exit("loadgen", err)
}

func (c *config) run(out report) error {
	switch c.workload {
	case "ready":
		c.ready(out)
		return nil
	case "park":
		return c.park(out)
	case "resolve":
		return c.resolve(out)
	default:
		return c.load(out)
	}
}

// ready waits until the target answers.
func (c *config) ready(out report) {
	start := time.Now()
	client := wire.Client{Host: c.host}
	for {
		status, _, err := client.Post("/Counter/ready-probe/add", "1", 2*time.Second)
		if err == nil && status == 200 {
			break
		}
		if time.Since(start) > c.limit {
			out["error"] = "not ready"
			break
		}
		client.Close()
		time.Sleep(20 * time.Millisecond)
	}
	out.set("ready_s", time.Since(start).Seconds(), 3)
}
