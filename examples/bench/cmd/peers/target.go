package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"
)

// target is what is measured.
type target struct {
	url, stats string
	dirs       []string
	processes  []*process
	// register is called once after the start; may be nil.
	register func() error
}

// target prepares the peer of the command line. Directories of processes that
// we start are wiped; those of a target that runs already are left alone.
func (c *config) target() (*target, error) {
	if err := os.MkdirAll(c.path("data"), 0o755); err != nil {
		return nil, err
	}
	t, err := c.peerTarget()
	if err != nil || len(t.processes) == 0 {
		return t, err
	}
	for _, dir := range t.dirs {
		if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o755)); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (c *config) peerTarget() (*target, error) {
	data := c.path("data", "run-"+c.peer)
	switch {
	case c.url != "":
		return c.other(), nil
	case c.peer == "ours":
		return c.ours(data), nil
	case c.peer == "ceil":
		return &target{
			url: "http://127.0.0.1:28620", stats: "http://127.0.0.1:28620/stats", dirs: []string{data},
			processes: []*process{c.process("server", c.path("bin", "ceilsvc"), "-dir", data)},
		}, nil
	case c.peer == "echo":
		return &target{url: "http://127.0.0.1:28610", processes: []*process{c.process("server", c.path("bin", "echosvc"))}}, nil
	case c.peer == "echo-net":
		return &target{url: "http://127.0.0.1:28610", processes: []*process{c.process("server", c.path("bin", "echosvc"), "-net")}}, nil
	case c.peer == "restate" || strings.HasPrefix(c.peer, "restate-"):
		return c.restateTarget(data)
	default:
		return nil, fmt.Errorf("unknown peer %q: give -url, and -cmd to start it", c.peer)
	}
}

func (c *config) process(name string, args ...string) *process {
	return &process{name: name, args: args, log: c.path("data", c.peer+"-"+name+".log")}
}

// other is any runtime with the same paths.
func (c *config) other() *target {
	t := &target{url: c.url, stats: c.stats, dirs: c.dirs}
	if c.command != "" {
		server := c.process("server", strings.Fields(c.command)...)
		server.durable = true
		t.processes = []*process{server}
	}
	return t
}

// ours is the program of this module.
func (c *config) ours(data string) *target {
	server := c.process("server", c.path("bin", "bench"), "-data", data,
		"-ingress", "127.0.0.1:28630", "-admin", "127.0.0.1:28631", "-stats", "127.0.0.1:28632")
	server.durable = true
	return &target{
		url: "http://127.0.0.1:28630", stats: "http://127.0.0.1:28632/stats",
		dirs: []string{data}, processes: []*process{server},
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
	server := c.process("server", c.restate, "-c", c.path("conf", "restate-"+variant+".toml"), "--base-dir", data, "--no-logo")
	server.durable = true
	return &target{
		url: "http://127.0.0.1:28500", stats: "http://127.0.0.1:28582/stats", dirs: []string{data},
		processes: []*process{server, c.process("service", c.path("bin", "restatesvc"))},
		register:  registerDeployment,
	}, nil
}

// registerDeployment tells a Restate server, as soon as it answers, where its
// handlers are.
func registerDeployment() error {
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
		time.Sleep(200 * time.Millisecond)
	}
	return last
}

func (t *target) start() error {
	for _, p := range t.processes {
		if err := p.start(); err != nil {
			return err
		}
	}
	return nil
}

// stop ends the processes, the last one first.
func (t *target) stop() {
	for i := len(t.processes) - 1; i >= 0; i-- {
		t.processes[i].stop()
	}
}

// crash kills the durable processes and starts them again.
func (t *target) crash() error {
	for _, p := range t.processes {
		if p.durable {
			p.stop()
		}
	}
	for _, p := range t.processes {
		if p.durable {
			if err := p.start(); err != nil {
				return err
			}
		}
	}
	return nil
}

// pids is the list in the form of the load generator's flag.
func (t *target) pids() string {
	var list []string
	for _, p := range t.processes {
		if pid := p.pid(); pid != "" {
			list = append(list, p.name+"="+pid)
		}
	}
	return strings.Join(list, ",")
}
