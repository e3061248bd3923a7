package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// config is what the command line says.
type config struct {
	bin, data string
	parts     string
	n         int
	clients   int
	rest      time.Duration
	settle    time.Duration
	limit     time.Duration
}

func parse(args []string) (*config, error) {
	c := &config{}
	fs := flag.NewFlagSet("scale", flag.ContinueOnError)
	fs.StringVar(&c.bin, "bin", "bin/bench", "the `program` that is measured")
	fs.StringVar(&c.data, "data", "data/scale", "`directory` for its data; WIPED at the start")
	fs.StringVar(&c.parts, "parts", "waits,queue", "what to measure")
	fs.IntVar(&c.n, "n", 1_000_000, "number of invocations")
	fs.IntVar(&c.clients, "c", 64, "concurrent clients, each with one request under way")
	fs.DurationVar(&c.rest, "rest", 30*time.Second, "time between a part and the look at the memory")
	fs.DurationVar(&c.settle, "settle", time.Minute, "time between the last end and the look at the disk")
	fs.DurationVar(&c.limit, "max", 20*time.Minute, "limit of each part")
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	if c.n < 4 || c.clients <= 0 {
		return nil, errors.New("-n must be 4 or more, -c must be positive")
	}
	return c, nil
}

func main() {
	c, err := parse(os.Args[1:])
	if err == nil {
		err = c.run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

func (c *config) run() error {
	known := map[string]func(*config, *program) error{"waits": (*config).waits, "queue": (*config).queue}
	for part := range strings.SplitSeq(c.parts, ",") {
		measure, ok := known[part]
		if !ok {
			return fmt.Errorf("unknown part %q", part)
		}
		if err := c.measure(part, measure); err != nil {
			return fmt.Errorf("%s: %w", part, err)
		}
	}
	return nil
}

// measure runs a part on a program with an empty directory of its own.
func (c *config) measure(part string, measure func(*config, *program) error) (err error) {
	p := &program{path: c.bin, dir: filepath.Join(c.data, part), log: filepath.Join(c.data, part+".log")}
	if err := errors.Join(os.RemoveAll(p.dir), os.MkdirAll(p.dir, 0o755)); err != nil {
		return err
	}
	if err := p.start(); err != nil {
		return err
	}
	defer p.kill()
	if _, err := p.ready(c.limit); err != nil {
		return err
	}
	return measure(c, p)
}

// line is what is printed of one part.
type line map[string]any

func newLine(part string, n int) line { return line{"part": part, "n": n} }

// set records a figure, rounded to so many decimals.
func (l line) set(name string, x float64, decimals int) {
	scale := math.Pow10(decimals)
	l[name] = math.Round(x*scale) / scale
}

func (l line) print() error { return json.NewEncoder(os.Stdout).Encode(l) }
