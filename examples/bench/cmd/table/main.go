// Command table builds everything, runs the ceiling and the runtime in turn on
// the workloads w1 to w4 and w6, and prints one Markdown table. Restate is a
// third target when RESTATE_SERVER names its server. Run it in examples/bench:
//
//	go run ./cmd/table
//	go run ./cmd/table -short
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// config is what the command line says.
type config struct {
	root     string
	reps     int
	duration time.Duration
	warmup   time.Duration
	plan     []work
	targets  []target
}

func parse(args []string) (*config, error) {
	c := &config{plan: fullPlan(), targets: targets(os.Getenv("RESTATE_SERVER") != "")}
	fs := flag.NewFlagSet("table", flag.ContinueOnError)
	fs.StringVar(&c.root, "root", ".", "`directory` of the module examples/bench")
	fs.IntVar(&c.reps, "reps", 3, "runs of each target, of which the median counts")
	fs.DurationVar(&c.duration, "d", 4*time.Second, "measured time of a run")
	fs.DurationVar(&c.warmup, "warm", 1500*time.Millisecond, "time before it")
	short := fs.Bool("short", false, "one short run each, about 20 seconds: a check, not a measurement")
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	if *short {
		c.plan, c.reps = shortPlan(), 1
		c.duration, c.warmup = 700*time.Millisecond, 300*time.Millisecond
	}
	return c, nil
}

func main() {
	c, err := parse(os.Args[1:])
	if err == nil {
		err = c.run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "table:", err)
		os.Exit(1)
	}
}

func (c *config) run() error {
	if err := c.build(); err != nil {
		return err
	}
	lines, err := c.measure()
	if err != nil {
		return err
	}
	fmt.Print(render(summarize(lines)))
	fmt.Printf("\nMedians of up to %d runs of %v each; the targets ran in turn.\n", c.reps, c.duration)
	return nil
}

// build puts every program of the module into bin.
func (c *config) build() error {
	cmd := exec.Command("go", "build", "-o", "bin"+string(filepath.Separator), ".", "./cmd/...")
	cmd.Dir, cmd.Stdout, cmd.Stderr = c.root, os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build the module in %s: %w", c.root, err)
	}
	return nil
}

// measure runs every target on every work, in turn, so that a machine that
// becomes slower does so for all of them.
func (c *config) measure() ([]line, error) {
	var lines []line
	for _, w := range c.plan {
		for range c.reps {
			for _, t := range c.targets {
				fmt.Fprintf(os.Stderr, "%s on %s\n", w.name, t.name)
				more, err := c.peers(w, t)
				if err != nil {
					return nil, fmt.Errorf("%s on %s: %w", w.name, t.name, err)
				}
				lines = append(lines, more...)
			}
		}
	}
	return lines, nil
}

func (c *config) peers(w work, t target) ([]line, error) {
	cmd := exec.Command(filepath.Join(c.root, "bin", "peers"), "-root", c.root, "-peer", t.peer,
		"-w", w.name, "-c", w.clients, "-reps", "1", "-d", c.duration.String(), "-warm", c.warmup.String())
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	return read(w, t, string(out))
}
