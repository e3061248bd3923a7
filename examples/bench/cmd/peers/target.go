package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/dormouse-run/dormouse/examples/bench/internal/child"
)

// target is what is measured.
type target struct {
	url, stats string
	dirs       []string
	processes  []*child.Process
	// register is called once after the start; may be nil.
	register func(context.Context) error
	// durable is the process that w5 kills and starts again; may be nil.
	durable *child.Process
}

// prepare makes the target ready to start, if it can. Directories of processes
// that we start are wiped; those of a target that runs already are left alone.
// ended gets the error of a process that ends by itself.
func (t *target) prepare(ended func(error)) error {
	for _, p := range t.processes {
		p.Ended = ended
		if err := p.Check(); err != nil {
			return err
		}
	}
	if len(t.processes) == 0 {
		return nil
	}
	for _, dir := range t.dirs {
		if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o755)); err != nil {
			return err
		}
	}
	return nil
}

// target is the peer of the command line.
func (c *config) target() (*target, error) {
	data := c.path("data", "run-"+c.peer)
	switch {
	case c.url != "":
		return c.other(), nil
	case c.peer == "ours":
		return c.ours(data), nil
	case c.peer == "ceil":
		return &target{
			url: "http://127.0.0.1:28620", stats: "http://127.0.0.1:28620/stats", dirs: []string{data},
			processes: []*child.Process{c.process("server", []string{"127.0.0.1:28620"}, c.path("bin", "ceilsvc"), "-dir", data)},
		}, nil
	case c.peer == "echo":
		return c.echo(), nil
	case c.peer == "echo-net":
		return c.echo("-net"), nil
	case c.peer == "restate" || strings.HasPrefix(c.peer, "restate-"):
		return c.restateTarget(data)
	default:
		return nil, fmt.Errorf("unknown peer %q: give -url, and -cmd to start it", c.peer)
	}
}

// process is one that listens on these addresses.
func (c *config) process(name string, listens []string, args ...string) *child.Process {
	return &child.Process{Name: name, Args: args, Listens: listens, Log: c.path("data", c.peer+"-"+name+".log")}
}

func (c *config) echo(flags ...string) *target {
	args := append([]string{c.path("bin", "echosvc")}, flags...)
	return &target{url: "http://127.0.0.1:28610", processes: []*child.Process{c.process("server", []string{"127.0.0.1:28610"}, args...)}}
}

// other is any runtime with the same paths.
func (c *config) other() *target {
	t := &target{url: c.url, stats: c.stats, dirs: c.dirs}
	if c.command != "" {
		t.durable = c.process("server", addresses(c.url, c.stats), strings.Fields(c.command)...)
		t.processes = []*child.Process{t.durable}
	}
	return t
}

// addresses are where URLs lead, each once.
func addresses(urls ...string) (list []string) {
	for _, text := range urls {
		u, err := url.Parse(text)
		if err != nil || u.Host == "" {
			continue
		}
		port := u.Port()
		if port == "" {
			port = "80"
		}
		if a := net.JoinHostPort(u.Hostname(), port); !slices.Contains(list, a) {
			list = append(list, a)
		}
	}
	return list
}

// ours is the program of this module.
func (c *config) ours(data string) *target {
	listens := []string{"127.0.0.1:28630", "127.0.0.1:28631", "127.0.0.1:28632"}
	server := c.process("server", listens, c.path("bin", "bench"), "-data", data,
		"-ingress", listens[0], "-admin", listens[1], "-stats", listens[2])
	return &target{
		url: "http://127.0.0.1:28630", stats: "http://127.0.0.1:28632/stats",
		dirs: []string{data}, processes: []*child.Process{server}, durable: server,
	}
}

// restateTarget is a Restate server of one of our configurations with its
// handlers in a process beside it.
func (c *config) restateTarget(data string) (*target, error) {
	if c.restate == "" {
		return nil, errors.New("set RESTATE_SERVER to the path of a restate-server")
	}
	variant := strings.TrimPrefix(strings.TrimPrefix(c.peer, "restate"), "-")
	if variant == "" {
		variant = "default"
	}
	listens := []string{"127.0.0.1:28500", "127.0.0.1:28522", "127.0.0.1:28570"}
	service := c.process("service", []string{"127.0.0.1:28581", "127.0.0.1:28582"}, c.path("bin", "restatesvc"))
	server := c.process("server", listens, c.restate, "-c", c.path("conf", "restate-"+variant+".toml"), "--base-dir", data, "--no-logo")
	return &target{
		url: "http://127.0.0.1:28500", stats: "http://127.0.0.1:28582/stats", dirs: []string{data},
		processes: []*child.Process{server, service}, durable: server,
		register: registerDeployment,
	}, nil
}

// registerDeployment tells a Restate server, as soon as it answers, where its
// handlers are.
func registerDeployment(ctx context.Context) error {
	var last error
	for range 150 {
		r, err := http.Post("http://127.0.0.1:28570/deployments", "application/json", strings.NewReader(`{"uri":"http://127.0.0.1:28581"}`))
		if err == nil {
			_ = r.Body.Close() // only the status matters
			if r.StatusCode < 300 {
				return nil
			}
			err = fmt.Errorf("register: %s", r.Status)
		}
		last = err
		if err := child.Sleep(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
	return last
}

func (t *target) start() error {
	for _, p := range t.processes {
		if err := p.Start(); err != nil {
			return err
		}
	}
	return nil
}

// stop ends the processes, the last one first.
func (t *target) stop() {
	for i := len(t.processes) - 1; i >= 0; i-- {
		t.processes[i].Kill()
	}
}

// crash kills the durable process, if there is one, and starts it again.
func (t *target) crash() error {
	if t.durable == nil {
		return nil
	}
	t.durable.Kill()
	return t.durable.Start()
}

// pids is the list in the form of the load generator's flag.
func (t *target) pids() string {
	var list []string
	for _, p := range t.processes {
		if pid := p.PID(); pid != "" {
			list = append(list, p.Name+"="+pid)
		}
	}
	return strings.Join(list, ",")
}
