package sim

import (
	"flag"
	"io"
	"log/slog"
	"os"
	"testing"
	"time"
)

// flags of the simulator; see docs/testing.md.
type settings struct {
	seed  *uint64
	seeds *int
	log   *bool
}

var flags = settings{
	seed:  flag.Uint64("sim.seed", 0, "run this seed alone"),
	seeds: flag.Int("sim.seeds", 200, "how many seeds are run"),
	log:   flag.Bool("sim.log", false, "print what the runtimes log"),
}

func (s settings) logger() *slog.Logger {
	if *s.log {
		return slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	return slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.Level(100)}))
}

func TestSeeds(t *testing.T) {
	first, n := uint64(1), *flags.seeds
	if *flags.seed != 0 {
		first, n = *flags.seed, 1
	}
	began := time.Now()
	var sum Stats
	for seed := first; seed < first+uint64(n); seed++ {
		p := NewPlan(seed, Small())
		stats, broken := Run(p, flags.logger())
		sum.Steps += stats.Steps
		sum.Lives += stats.Lives
		sum.Commits += stats.Commits
		sum.Acked += stats.Acked
		sum.Invocations += stats.Invocations
		if broken != nil {
			t.Fatalf("seed %d: %v\n%s", seed, broken, p)
		}
	}
	t.Logf("%d seeds in %v: %+v", n, time.Since(began), sum)
}

func TestASeedGivesTheSameStoryTwice(t *testing.T) {
	for seed := range uint64(20) {
		p := NewPlan(seed, Small())
		first, _ := Run(p, flags.logger())
		second, _ := Run(p, flags.logger())
		if first != second {
			t.Errorf("seed %d: %+v, and then %+v", seed, first, second)
		}
	}
}
