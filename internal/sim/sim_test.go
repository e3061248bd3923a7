package sim

import (
	"flag"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"testing"
	"time"

	cmap "github.com/orcaman/concurrent-map"
)

// flags of the simulator; see docs/testing.md.
type settings struct {
	seed   *uint64
	seeds  *int
	during *time.Duration
	log    *bool
	trace  *bool
}

var flags = settings{
	seed:   flag.Uint64("sim.seed", 0, "run this seed alone"),
	seeds:  flag.Int("sim.seeds", 200, "how many seeds are run"),
	during: flag.Duration("sim.for", 0, "end after this time, however many seeds were run; 0 runs all"),
	trace:  flag.Bool("sim.trace", false, "print everything that happens"),
	log:    flag.Bool("sim.log", false, "print what the runtimes log"),
}

// TestMain makes it cheap to begin thousands of processes. An actor system has
// 1,024 maps for its actors, and each of those 32 parts, to spread locks over
// cores: a simulation has one task at a time. The collector has little to keep
// here, and would run all the time.
func TestMain(m *testing.M) {
	cmap.SHARD_COUNT = 1
	debug.SetGCPercent(800)
	os.Exit(m.Run())
}

func (s settings) logger() *slog.Logger {
	if *s.log {
		return slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	return slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.Level(100)}))
}

func (s settings) tracer() io.Writer {
	if *s.trace {
		return os.Stderr
	}
	return nil
}

func TestSeeds(t *testing.T) {
	first, n := uint64(1), *flags.seeds
	if *flags.seed != 0 {
		first, n = *flags.seed, 1
	}
	began := time.Now()
	var sum Stats
	ran := 0
	for seed := first; seed < first+uint64(n) && (*flags.during == 0 || time.Since(began) < *flags.during); seed++ {
		p := NewPlan(seed, Small())
		stats, broken := Run(p, flags.logger(), flags.tracer())
		ran++
		sum.Steps += stats.Steps
		sum.Lives += stats.Lives
		sum.Commits += stats.Commits
		sum.Acked += stats.Acked
		sum.Invocations += stats.Invocations
		if broken != nil {
			t.Fatalf("seed %d: %v\n%s", seed, broken, p)
		}
	}
	t.Logf("%d seeds in %v: %+v", ran, time.Since(began), sum)
}

func TestASeedGivesTheSameStoryTwice(t *testing.T) {
	for seed := range uint64(20) {
		p := NewPlan(seed, Small())
		first, _ := Run(p, flags.logger(), nil)
		second, _ := Run(p, flags.logger(), nil)
		if first != second {
			t.Errorf("seed %d: %+v, and then %+v", seed, first, second)
		}
	}
}
