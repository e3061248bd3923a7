package sim

import (
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	cmap "github.com/orcaman/concurrent-map"
)

// settings are the flags of the simulation; see docs/testing.md.
type settings struct {
	seed, first    *uint64
	seeds          *int
	size, plan     *string
	during, shrink *time.Duration
	stride         *uint64
	log, trace     *bool
}

var flags = settings{
	seed:   flag.Uint64("sim.seed", 0, "run this seed alone"),
	first:  flag.Uint64("sim.first", 1, "begin with this seed"),
	seeds:  flag.Int("sim.seeds", 200, "how many seeds are run"),
	size:   flag.String("sim.size", "small", "small or large worlds"),
	plan:   flag.String("sim.plan", "", "the plan that TestPlan runs"),
	during: flag.Duration("sim.for", 0, "end after this time, however many seeds were run; 0 runs all"),
	shrink: flag.Duration("sim.shrink", 20*time.Second, "how long a plan that fails is made smaller"),
	stride: flag.Uint64("sim.stride", 20, "one in how many steps is a crash of TestACrashAtEveryStep; 1 tries all"),
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
	return discard()
}

func (s settings) tracer() io.Writer {
	if *s.trace {
		return os.Stderr
	}
	return nil
}

// worlds lets many plans happen, on as many goroutines as there are processors, and
// sums up. It fails with the lowest seed that broke something.
type worlds struct {
	mu     sync.Mutex
	next   uint64
	sum    Stats
	ran    int
	worst  uint64
	broken *Violation
	plan   *Plan
}

// run tries n plans that draw makes, at most for a while.
func (w *worlds) run(n int, during time.Duration, draw func(n uint64) *Plan) {
	began := time.Now()
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for {
				at := w.take()
				if at >= uint64(n) || during > 0 && time.Since(began) > during {
					return
				}
				p := draw(at)
				stats, broken := Run(p, flags.logger(), flags.tracer())
				w.add(at, p, stats, broken)
			}
		})
	}
	all.Wait()
}

func (w *worlds) take() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken != nil {
		return math.MaxUint64
	}
	w.next++
	return w.next - 1
}

func (w *worlds) add(at uint64, p *Plan, s Stats, broken *Violation) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ran++
	w.sum.Steps += s.Steps
	w.sum.Lives += s.Lives
	w.sum.Commits += s.Commits
	w.sum.Acked += s.Acked
	w.sum.Invocations += s.Invocations
	if broken != nil && (w.broken == nil || at < w.worst) {
		w.worst, w.broken, w.plan = at, broken, p
	}
}

// TestSeeds lets worlds happen that seeds have drawn.
func TestSeeds(t *testing.T) {
	first, n := *flags.first, *flags.seeds
	if testing.Short() {
		n = min(n, 40)
	}
	if *flags.seed != 0 {
		first, n = *flags.seed, 1
	}
	began, cpu := time.Now(), cpuTime(t)
	var w worlds
	w.run(n, *flags.during, func(n uint64) *Plan { return NewPlan(first+n, size(t)) })
	took, used := time.Since(began), cpuTime(t)-cpu
	switch {
	case w.ran == 0:
		t.Fatal("no plan was run: give -sim.seeds a number, and -sim.for some time")
	case w.broken == nil:
		t.Logf("%s in %d plans, seeds %d to %d", unbroken(), w.ran, first, first+uint64(w.ran)-1)
	default:
		t.Errorf("seed %d: %v", first+w.worst, w.broken)
	}
	t.Logf("they made %d steps, %d processes, %d commits, %d invocations, %d answers", w.sum.Steps, w.sum.Lives, w.sum.Commits, w.sum.Invocations, w.sum.Acked)
	t.Logf("in %.1f s: %.0f seeds/min, %.0f steps/CPU s", took.Seconds(), float64(w.ran)/took.Minutes(), float64(w.sum.Steps)/used.Seconds())
	if w.broken == nil {
		return
	}
	if *flags.shrink > 0 {
		p, broken := Shrink(w.plan, w.broken, *flags.shrink)
		t.Logf("a smaller plan: %v\n-sim.plan='%s'", broken, p)
	}
}

// unbroken is the verdict of a run that has found nothing.
func unbroken() string { return fmt.Sprintf("no violation of the %d invariants", InvariantPanic) }

// TestPlan lets the plan of -sim.plan happen, as a shrunk one was printed.
func TestPlan(t *testing.T) {
	if *flags.plan == "" {
		t.Skip("no plan: give -sim.plan='{…}' as it is printed beside a seed that fails; docs/testing.md has a small one")
	}
	p, err := ParsePlan(*flags.plan)
	if err != nil {
		t.Fatal(err)
	}
	stats, broken := Run(p, flags.logger(), flags.tracer())
	if broken != nil {
		t.Fatal(broken)
	}
	t.Logf("%s in this plan: %d steps, %d processes, %d commits, %d invocations, %d answers", unbroken(), stats.Steps, stats.Lives, stats.Commits, stats.Invocations, stats.Acked)
}

// TestThePlanOfTheDocsHappens runs what docs/testing.md gives to TestPlan.
func TestThePlanOfTheDocsHappens(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/testing.md")
	if err != nil {
		t.Fatal(err)
	}
	_, plan, _ := strings.Cut(string(text), "-sim.plan='{")
	plan, _, _ = strings.Cut(plan, "'")
	p, err := ParsePlan("{" + plan)
	if err != nil {
		t.Fatal(err)
	}
	if stats, broken := Run(p, flags.logger(), nil); broken != nil || stats.Acked == 0 || stats.Lives < 2 {
		t.Errorf("%+v, %v", stats, broken)
	}
}

// TestACrashAtEveryStep ends the process at each step of each tour.
func TestACrashAtEveryStep(t *testing.T) {
	t.Parallel()
	stride := max(1, *flags.stride)
	if testing.Short() {
		stride *= 10
	}
	var runs atomic.Int64
	var all sync.WaitGroup
	plans := make(chan *Plan)
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for p := range plans {
				n, at, broken := CrashEverywhere(p, stride, flags.logger())
				runs.Add(int64(n))
				if broken != nil {
					p.KillAt = at
					t.Errorf("a crash at step %d: %v\n-sim.plan='%s'", at, broken, p)
				}
			}
		})
	}
	tours := Tours()
	for _, p := range tours {
		plans <- p
	}
	close(plans)
	all.Wait()
	if !t.Failed() {
		t.Logf("%s in %d plans", unbroken(), len(tours))
	}
	t.Logf("%d crashes, at one in %d of the steps of each plan", runs.Load(), stride)
}

// size is that of -sim.size.
func size(t *testing.T) Size {
	switch *flags.size {
	case "small":
		return Small()
	case "large":
		return Large()
	default:
		t.Fatalf("-sim.size is %q: give small or large", *flags.size)
		return Size{}
	}
}

// cpuTime returns the time that the processors have worked for this process.
func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		t.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

func TestASeedGivesTheSameStoryTwice(t *testing.T) {
	t.Parallel()
	for size, seeds := range map[Size]uint64{Small(): 20, Large(): 4} {
		for seed := range seeds {
			p := NewPlan(seed, size)
			first, _ := Run(p, flags.logger(), nil)
			second, _ := Run(p, flags.logger(), nil)
			if first != second {
				t.Errorf("seed %d: %+v, and then %+v", seed, first, second)
			}
		}
	}
}
