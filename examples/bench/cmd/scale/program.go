package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/dormouse-run/dormouse/examples/bench/internal/child"
	"github.com/dormouse-run/dormouse/examples/bench/internal/procfs"
)

// Addresses of the program.
const (
	ingress = "127.0.0.1:28640"
	admin   = "127.0.0.1:28641"
	stats   = "127.0.0.1:28642"
)

// program is the process that is measured.
type program struct {
	child.Process
	dir string
}

func newProgram(path, dir, log string) *program {
	args := []string{path, "-data", dir, "-ingress", ingress, "-admin", admin, "-stats", stats, "-retention", "0"}
	return &program{dir: dir, Process: child.Process{Name: "the program", Args: args, Log: log, Listens: []string{ingress, admin, stats}}}
}

// ready waits until the program answers, and returns how long that took.
func (p *program) ready(ctx context.Context, limit time.Duration) (time.Duration, error) {
	start := time.Now()
	for time.Since(start) < limit {
		resp, err := http.Get("http://" + ingress + "/restate/health")
		if err == nil {
			_ = resp.Body.Close() // the status is all of it
			if resp.StatusCode == http.StatusOK {
				return time.Since(start), nil
			}
		}
		if err := child.Sleep(ctx, 10*time.Millisecond); err != nil {
			return 0, err
		}
	}
	return 0, fmt.Errorf("%s does not answer: look into %s", p.Args[0], p.Log)
}

func (p *program) process() procfs.Process {
	return procfs.Process{PID: p.PID()}
}

// figures are the metrics of the program, each summed over its labels.
type figures map[string]float64

func (p *program) figures() (figures, error) {
	resp, err := http.Get("http://" + admin + "/metrics")
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return nil, err
	}
	return readFigures(string(text)), nil
}

func readFigures(text string) figures {
	f := figures{}
	for row := range strings.Lines(text) {
		i := strings.LastIndexByte(row, ' ')
		if i < 0 || row[0] == '#' {
			continue
		}
		name, _, _ := strings.Cut(row[:i], "{")
		if v, err := strconv.ParseFloat(strings.TrimSpace(row[i:]), 64); err == nil {
			f[name] += v
		}
	}
	return f
}

// look is how often a part asks how far the program is.
const look = 200 * time.Millisecond

// until waits until the figures say so, and returns them.
func (p *program) until(ctx context.Context, limit time.Duration, so func(figures) bool) (figures, error) {
	for deadline := time.Now().Add(limit); ; {
		f, err := p.figures()
		if err != nil || so(f) {
			return f, err
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("not done after %v: -max allows more", limit)
		}
		if err := child.Sleep(ctx, look); err != nil {
			return nil, err
		}
	}
}

const mib = 1 << 20

// reportMemory adds what the program keeps in memory.
func (p *program) reportMemory(l line) error {
	f, err := p.figures()
	if err != nil {
		return err
	}
	m := p.process().Memory()
	l.set("rss_mib", float64(m.Anonymous+m.File)/1024, 1)
	l.set("rss_anon_mib", float64(m.Anonymous)/1024, 1)
	l.set("rss_file_mib", float64(m.File)/1024, 1)
	l.set("heap_live_mib", f["go_memstats_heap_alloc_bytes"]/mib, 1)
	l.set("heap_inuse_mib", f["go_memstats_heap_inuse_bytes"]/mib, 1)
	l.set("heap_idle_mib", (f["go_memstats_heap_idle_bytes"]-f["go_memstats_heap_released_bytes"])/mib, 1)
	l.set("stacks_mib", f["go_memstats_stack_inuse_bytes"]/mib, 1)
	l["goroutines"], l["live_actors"] = f["go_goroutines"], f["dormouse_live_actors"]
	return nil
}

// peak watches the anonymous memory of the program until stop is called.
func (p *program) peak() (stop func() (mib float64)) {
	process, end, result := p.process(), make(chan struct{}), make(chan int64)
	go func() {
		most := int64(0)
		for tick := time.NewTicker(look); ; {
			most = max(most, process.Memory().Anonymous)
			select {
			case <-end:
				tick.Stop()
				result <- most
				return
			case <-tick.C:
			}
		}
	}()
	return func() float64 { close(end); return float64(<-result) / 1024 }
}
