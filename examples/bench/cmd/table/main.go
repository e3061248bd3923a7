package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/dormouse-run/dormouse/examples/bench/internal/child"
	"github.com/dormouse-run/dormouse/examples/bench/internal/command"
	"github.com/dormouse-run/dormouse/examples/bench/internal/procfs"
)

// config is what the command line says.
type config struct {
	root     string
	rounds   int
	duration time.Duration
	warmup   time.Duration
	short    bool
	only     string
	scale    int
	profiles string
	render   string
	into     string
	plan     []work
	targets  []target
}

func parse(args []string) (*config, error) {
	c := &config{targets: targets(os.Getenv("RESTATE_SERVER") != "")}
	fs := command.Flags("table")
	fs.StringVar(&c.root, "root", ".", "`directory` of the module examples/bench")
	fs.IntVar(&c.rounds, "reps", 3, "rounds in which each target has its turn; the median counts")
	fs.DurationVar(&c.duration, "d", 4*time.Second, "measured time of a run")
	fs.DurationVar(&c.warmup, "warm", 1500*time.Millisecond, "time before it")
	fs.BoolVar(&c.short, "short", false, "one short round: a check, not a measurement")
	fs.StringVar(&c.only, "w", "", "only this `workload`; none: only -scale")
	fs.IntVar(&c.scale, "scale", 0, "also measure so many invocations that wait, which takes minutes")
	fs.StringVar(&c.profiles, "profile", "", "`directory` for CPU profiles of the runtime, one for each line")
	fs.StringVar(&c.render, "render", "", "print the tables of this `file`, which a former run has left, and measure nothing")
	fs.StringVar(&c.into, "into", "", "also put the tables into this `file`, between its marks")
	if err := command.Parse(fs, args); err != nil {
		return nil, err
	}
	if err := c.checkInto(); err != nil {
		return nil, err
	}
	c.plan = fullPlan()
	if c.rounds < 1 {
		return nil, errors.New("-reps must be 1 or more")
	}
	if c.short {
		c.plan, c.rounds = shortPlan(), 1
		c.duration, c.warmup = 700*time.Millisecond, 300*time.Millisecond
	}
	return c, c.choose()
}

// choose leaves what -w wants of the plan.
func (c *config) choose() error {
	if c.only == "" {
		return nil
	}
	var chosen []work
	for _, w := range c.plan {
		if w.name == c.only {
			chosen = append(chosen, w)
		}
	}
	if len(chosen) == 0 && c.only != "none" {
		return fmt.Errorf("the table has no workload %q", c.only)
	}
	c.plan = chosen
	return nil
}

func main() {
	c, err := parse(os.Args[1:])
	if err == nil {
		ctx, stop := command.Context()
		defer stop()
		err = child.Reason(ctx, c.run(ctx))
	}
	command.Exit("table", err)
}

func (c *config) run(ctx context.Context) error {
	r := &report{}
	if c.render != "" {
		b, err := os.ReadFile(c.render)
		if err == nil {
			err = json.Unmarshal(b, r)
		}
		if err != nil {
			return fmt.Errorf("former run: %w", err)
		}
	} else if err := c.measureAll(ctx, r); err != nil {
		return err
	}
	fmt.Print(r.markdown())
	if c.render == "" && c.kept() != (&config{root: c.root}).kept() {
		fmt.Fprintf(os.Stderr, "table: kept in %s, for it is not the whole table\n", c.kept())
	}
	if c.into != "" {
		return writeInto(c.into, r.markdown())
	}
	return nil
}

// measureAll fills a report, and keeps in results what there is of it, so that a
// later failure loses nothing.
func (c *config) measureAll(ctx context.Context, r *report) (err error) {
	if err := c.build(ctx); err != nil {
		return err
	}
	r.Machine, r.How = procfs.Describe(c.root).String(), c.how()
	for _, w := range c.plan {
		lines, err := c.measure(ctx, w)
		if err != nil {
			return err
		}
		r.Lines = append(r.Lines, lines...)
		if err := c.keep(r); err != nil {
			return err
		}
	}
	if r.Scale = c.scale; c.scale > 0 {
		if r.Parts, err = c.measureScale(ctx); err != nil {
			return err
		}
		if err := c.keep(r); err != nil {
			return err
		}
	}
	if c.profiles != "" {
		if r.Tops, err = c.profileAll(ctx); err != nil {
			return err
		}
	}
	return c.keep(r)
}

// how says how it was measured.
func (c *config) how() string {
	const always = "The load generator shares the cores. Every target syncs before it answers; retention is the default of 24 h."
	text := fmt.Sprintf("Medians of up to %d rounds of %v for each line, smallest and largest in parentheses; in each round the targets ran in turn. %s "+
		"A run during which %g cores or more did something else does not count, if two others do.", c.rounds, c.duration, always, quiet)
	if c.rounds == 1 {
		text = fmt.Sprintf("One round of %v for each line, in which the targets ran in turn. %s", c.duration, always)
	}
	if c.short {
		text = "**A check that everything works, not a measurement.** " + text
	}
	return text
}

// kept is where the report goes. What is only a part of a table does not replace
// a whole one.
func (c *config) kept() string {
	name := "table.json"
	if c.only != "" || c.short {
		name = "table-partial.json"
	}
	return filepath.Join(c.root, "results", name)
}

func (c *config) keep(r *report) error {
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	file := c.kept()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, b, 0o644)
}

// build puts every program of the module into bin.
func (c *config) build(ctx context.Context) error {
	cmd := child.Command(ctx, "go", "build", "-o", "bin"+string(filepath.Separator), ".", "./cmd/...")
	cmd.Dir, cmd.Stdout, cmd.Stderr = c.root, os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build the module in %s: %w", c.root, err)
	}
	return nil
}

// measure runs every target on a workload, in turn, so that a machine that
// becomes slower does so for all of them.
func (c *config) measure(ctx context.Context, w work) ([]line, error) {
	var lines []line
	for round := range c.rounds {
		for _, t := range c.targets {
			fmt.Fprintf(os.Stderr, "%s on %s, round %d\n", w.name, t.name, round+1)
			out, err := c.peers(ctx, w.name, w.clients, t)
			if err != nil {
				return nil, fmt.Errorf("%s on %s: %w", w.name, t.name, err)
			}
			more, err := read(w, t, round, out)
			if err != nil {
				return nil, fmt.Errorf("%s on %s: %w", w.name, t.name, err)
			}
			lines = append(lines, more...)
		}
	}
	return lines, nil
}

// peers runs a target afresh and returns what is printed about it.
func (c *config) peers(ctx context.Context, work, clients string, t target, more ...string) (string, error) {
	args := append([]string{"-root", c.root, "-peer", t.peer, "-w", work, "-c", clients,
		"-reps", "1", "-d", c.duration.String(), "-warm", c.warmup.String()}, more...)
	cmd := child.Command(ctx, filepath.Join(c.root, "bin", "peers"), args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("the peers command, which says above what is wrong: %w", err)
	}
	return string(out), err
}
