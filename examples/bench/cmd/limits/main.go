// Command limits measures what the disk and Badger can do, without HTTP: raw
// fdatasync, Badger commits with synced writes, and the same behind a group
// committer. It prints one line of JSON per run.
package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/dormouse-run/dormouse/examples/bench/internal/command"
)

// config is what the command line says.
type config struct {
	what     string
	dir      string
	duration time.Duration
	reps     int
	clients  []int
	maxGroup int
	sync     bool
	// preallocated is the size in bytes of the file that is written over.
	preallocated int64
}

func parse(args []string) (*config, error) {
	c := &config{preallocated: 256 << 20}
	fs := command.Flags("limits")
	fs.StringVar(&c.what, "what", "fsync", "fsync, badger or badger-group")
	fs.StringVar(&c.dir, "dir", "data/limits", "`directory` to work in; it is WIPED")
	fs.DurationVar(&c.duration, "d", 4*time.Second, "time of one run")
	fs.IntVar(&c.reps, "reps", 3, "runs of each kind")
	fs.IntVar(&c.maxGroup, "batch", 1024, "largest group of the group committer")
	clients := fs.String("c", "1,16,64,256", "badger: client counts")
	nosync := fs.Bool("nosync", false, "badger: do not sync")
	if err := command.Parse(fs, args); err != nil {
		return nil, err
	}
	c.sync = !*nosync
	for word := range strings.SplitSeq(*clients, ",") {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("%q is no number of clients", word)
		}
		c.clients = append(c.clients, n)
	}
	return c, nil
}

func main() {
	c, err := parse(os.Args[1:])
	if err == nil {
		err = c.run()
	}
	command.Exit("limits", err)
}

func (c *config) run() error {
	if err := os.RemoveAll(c.dir); err != nil {
		return err
	}
	if err := os.MkdirAll(c.dir, 0o755); err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(c.dir) }()
	measure, err := c.measurement()
	if err != nil {
		return err
	}
	for range c.reps {
		if err := measure(); err != nil {
			return err
		}
	}
	return nil
}

func (c *config) measurement() (func() error, error) {
	switch c.what {
	case "fsync":
		return c.fsync, nil
	case "badger":
		return func() error { return c.badger(c.alone) }, nil
	case "badger-group":
		return func() error { return c.badger(c.grouped) }, nil
	default:
		return nil, fmt.Errorf("unknown limit %q", c.what)
	}
}
