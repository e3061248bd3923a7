package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/dormouse-run/dormouse/examples/bench/internal/child"
	"github.com/dormouse-run/dormouse/examples/bench/internal/command"
)

// config is what the command line says.
type config struct {
	bin, data string
	parts     []string
	n         int
	clients   int
	rest      time.Duration
	settle    time.Duration
	limit     time.Duration
}

func parse(args []string) (*config, error) {
	c := &config{}
	fs := command.Flags("scale")
	fs.StringVar(&c.bin, "bin", "bin/bench", "the `program` that is measured")
	fs.StringVar(&c.data, "data", "data/scale", "`directory` for its data; WIPED at the start")
	parts := fs.String("parts", "waits,queue", "what to measure, separated by commas")
	fs.IntVar(&c.n, "n", 1_000_000, "number of invocations")
	fs.IntVar(&c.clients, "c", 64, "concurrent clients, each with one request under way")
	fs.DurationVar(&c.rest, "rest", 30*time.Second, "time between a part and the look at the memory")
	fs.DurationVar(&c.settle, "settle", time.Minute, "time between the last end and the look at the disk")
	fs.DurationVar(&c.limit, "max", 20*time.Minute, "limit of each part")
	if err := command.Parse(fs, args); err != nil {
		return nil, err
	}
	if c.n < 4 || c.clients <= 0 {
		return nil, errors.New("-n must be 4 or more, -c must be positive")
	}
	for part := range strings.SplitSeq(*parts, ",") {
		part = strings.TrimSpace(part)
		if measurements()[part] == nil {
			return nil, fmt.Errorf("unknown part %q: -parts has waits, queue or both", part)
		}
		c.parts = append(c.parts, part)
	}
	return c, nil
}

// measurement measures a part on a program that runs.
type measurement func(*config, context.Context, *program) error

func measurements() map[string]measurement {
	return map[string]measurement{"waits": (*config).waits, "queue": (*config).queue}
}

func main() {
	c, err := parse(os.Args[1:])
	if err == nil {
		ctx, stop := command.Context()
		defer stop()
		err = c.run(ctx)
	}
	command.Exit("scale", err)
}

func (c *config) run(ctx context.Context) error {
	for _, part := range c.parts {
		if err := c.measure(ctx, part); err != nil {
			return fmt.Errorf("%s: %w", part, err)
		}
	}
	return nil
}

// measure runs a part on a program with an empty directory of its own. It ends
// with ctx, and when the program does.
func (c *config) measure(ctx context.Context, part string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	p := newProgram(c.bin, filepath.Join(c.data, part), filepath.Join(c.data, part+".log"))
	p.Ended = cancel
	if err := p.Check(); err != nil {
		return err
	}
	if err := errors.Join(os.RemoveAll(p.dir), os.MkdirAll(p.dir, 0o755)); err != nil {
		return err
	}
	if err := p.Start(); err != nil {
		return err
	}
	defer p.Kill()
	// Requests under way end with the program.
	defer context.AfterFunc(ctx, p.Kill)()
	if _, err := p.ready(ctx, c.limit); err != nil {
		return err
	}
	return child.Reason(ctx, measurements()[part](c, ctx, p))
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
