package httpapi_test

import (
	"flag"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/internal/audit"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

var (
	leaksFor  = flag.Duration("leaks.for", 2*time.Second, "how long TestLeaks works; what it takes is judged from two minutes on")
	leaksHeap = flag.String("leaks.heap", "", "`directory` for heap profiles, one for each third of TestLeaks")
)

const (
	// leakDays is how many days pass during a soak, so that what is kept for a day is
	// kept for a small part of it.
	leakDays = 14
	// leakSpeed bounds how fast they pass. An hour has to be much longer than a commit:
	// rows that are removed in an hour are looked for in that hour and the next.
	leakSpeed = 1800
	// leakJudged is from when on the thirds of a soak are compared: shorter ones are
	// shorter than the engine's own cycles.
	leakJudged = 2 * time.Minute
	// leakWorkers is how many idle goroutines the actors keep for their next turns.
	leakWorkers = 128
	// leakRate is how many steps are begun in a second. It is far below what a
	// machine can do, so that what is stored does not depend on it.
	leakRate = 40
)

// TestLeaks does everything that a program can do, again and again, while days pass
// in minutes, and looks at what the process and its directory hold. In the last
// third that must not be more than in the second one; and when the work is over and
// all retentions are, nothing may be left. For that the program is started again, three days later.
//
// It measures the process, so it is not parallel.
func TestLeaks(t *testing.T) {
	skipLong(t)
	if runtime.GOOS != "linux" {
		t.Skip("it reads /proc")
	}
	m := &meter{dir: filepath.Join(t.TempDir(), "data")}
	clock := newFastClock(min(leakSpeed, leakDays*24*float64(time.Hour)/float64(*leaksFor)), 0)
	h := m.open(t, clock)
	before := m.sample(t)
	s := newSoaker(t, h)
	stop := s.start()
	var samples []sample
	began, pause, profiles := time.Now(), max(*leaksFor/90, time.Second), 0
	for time.Since(began) < *leaksFor {
		samples = append(samples, m.sampleAfter(t, pause, s))
		if third := len(samples) * 3 * int(pause) / int(*leaksFor); *leaksHeap != "" && third > profiles {
			profiles = third
			writeHeap(t, filepath.Join(*leaksHeap, fmt.Sprintf("heap%d.pprof", third)))
		}
	}
	stop()
	worked := time.Since(began)
	s.clearState()
	most := int(endBounds(before)["goroutines"])
	var after sample
	for days := range 2 { // what is removed on the first leaves a marker for a day
		if err := h.leave(); err != nil {
			t.Error(err)
		}
		h = m.open(t, newFastClock(leakSpeed, time.Until(clock.Now())+time.Duration(days+1)*3*24*time.Hour))
		after = m.sample(t)
		over := func() bool {
			return after.rows() == after.tables[machine.TableMarker]+after.tables[machine.TableExpiry] && (days == 0 || after.rows() == 0 && after.goroutines <= most)
		}
		for deadline := time.Now().Add(patience / 2); !over() && time.Now().Before(deadline); after = m.sample(t) {
			<-time.After(50 * time.Millisecond)
		}
	}
	judgeEnd(t, before, after)
	if err := m.store.Read(func(r persistence.Reader) error {
		report, err := audit.Check(r)
		if err == nil && !report.Good() {
			t.Errorf("audit: %v", report.Findings)
		}
		return err
	}); err != nil {
		t.Error(err)
	}
	table := judgeLeaks(t, before, samples, after)
	verdict := "good: no row is left, and no figure is above its bound"
	if t.Failed() {
		verdict = "FAILED, see above"
	}
	t.Logf("%s\n%d steps in %v\n%s", verdict, s.steps.Load(), worked.Round(time.Second), table)
}

// endBounds returns what a program may hold at most when all work and all retentions
// are over, by the names of leakBounds. Other figures are not judged then, and rows
// may be none.
func endBounds(before sample) map[string]int64 {
	return map[string]int64{"goroutines": int64(before.goroutines + leakWorkers + 5), "descriptors": int64(before.descriptors + 10), "rows": 0}
}

// judgeEnd compares what is left with endBounds.
func judgeEnd(t *testing.T, before, after sample) {
	t.Helper()
	most := endBounds(before)
	if after.rows() > 0 {
		t.Errorf("all retentions are over, and there are rows of %v", after.left())
	}
	if int64(after.goroutines) > most["goroutines"] {
		t.Errorf("%d goroutines are left, %d were before:\n%s", after.goroutines, before.goroutines, goroutines())
	}
	if int64(after.descriptors) > most["descriptors"] {
		t.Errorf("%d descriptors are open, %d were before", after.descriptors, before.descriptors)
	}
}

// bound is how much more the last third may hold than the second: a part, which is
// what a random load varies by, and a piece, which is a step of whoever allocates.
type bound struct {
	name  string
	of    func(sample) int64
	rank  rank // the sample that stands for a third
	part  float64
	piece int64
	even  bool // the last third may not hold less by that either
}

// flat is the bound of a figure that may fall, but not rise.
func flat(name string, of func(sample) int64, rank rank, part float64, piece int64) bound {
	return bound{name: name, of: of, rank: rank, part: part, piece: piece}
}

// room returns by how much the last third may differ from the second.
func (b bound) room(second int64) int64 { return int64(b.part*float64(second)) + b.piece }

// broken says what is wrong with a figure of the last third.
func (b bound) broken(second, last int64) error {
	room := b.room(second)
	switch {
	case last > second+room:
		return fmt.Errorf("%s: %d in the last third, %d in the second: more than %d", b.name, last, second, second+room)
	case b.even && last < second-room:
		return fmt.Errorf("%s: %d in the last third, %d in the second: less than %d", b.name, last, second, second-room)
	}
	return nil
}

// TestABoundIsBroken breaks bounds, so that a table in which none is says something.
func TestABoundIsBroken(t *testing.T) {
	t.Parallel()
	may, even := flat("rows", nil, median, 0.1, 5), bound{name: "pace", part: 0.1, even: true}
	for _, c := range []struct {
		bound        bound
		second, last int64
		broken       bool
	}{
		{may, 100, 115, false}, {may, 100, 116, true}, {may, 100, 0, false}, {may, 0, 6, true},
		{even, 100, 110, false}, {even, 100, 111, true}, {even, 100, 90, false}, {even, 100, 89, true},
	} {
		if err := c.bound.broken(c.second, c.last); (err != nil) != c.broken {
			t.Errorf("%s from %d to %d: %v, want broken: %v", c.bound.name, c.second, c.last, err, c.broken)
		}
	}
}

// leakBounds returns what is judged.
//
// Goroutines are those of the requests under way. The heap is read behind a
// collection; the events that are kept fill it at first. The engine puts tens of megabytes
// on it while it writes a table, so the lowest figure of a third says what stays. The
// memory of the process (rss) is what was ever touched between two returns to the system:
// a few memtables and mapped tables, which are parts of files, and what is anonymous.
// Descriptors and maps are the tables of the engine. The directory grows by logs until
// they are flushed, three at most, and by tables until they are compacted.
// Rows live as long as their retention: they follow the pace of the load, and the hour
// at which they are removed (in three minutes, 60 steps a second kept 5,593 rows and 40
// kept 3,663). So the pace has to be even, or nothing follows from the rows.
func leakBounds() []bound {
	return []bound{
		{name: "steps a minute", of: func(s sample) int64 { return s.pace }, rank: median, part: 0.05, even: true},
		flat("goroutines", func(s sample) int64 { return int64(s.goroutines) }, median, 0.1, 20),
		flat("heap KiB", func(s sample) int64 { return s.heap >> 10 }, lowest, 0.05, 1<<10),
		flat("rss KiB", func(s sample) int64 { return s.resident >> 10 }, median, 0.15, 48<<10),
		flat("anonymous KiB", func(s sample) int64 { return s.anonymous >> 10 }, median, 0.15, 16<<10),
		flat("descriptors", func(s sample) int64 { return int64(s.descriptors) }, median, 0.1, 16),
		flat("maps", func(s sample) int64 { return int64(s.maps) }, median, 0.1, 64),
		flat("disk KiB", func(s sample) int64 { return s.disk >> 10 }, median, 0.25, 64<<10),
		flat("rows", func(s sample) int64 { return int64(s.rows()) }, median, 0.15, 300),
	}
}

// judgeLeaks compares the thirds, each by its median or lowest sample, and returns a
// table. "at most" is the bound of the column before it, "-" is that of a figure which
// is not judged there. A soak that is too short has no thirds.
func judgeLeaks(t *testing.T, before sample, samples []sample, after sample) string {
	t.Helper()
	third := len(samples) / 3
	bounds := leakBounds()
	for _, table := range allTables() {
		bounds = append(bounds, flat("rows "+audit.TableName(table), func(s sample) int64 { return int64(s.tables[table]) }, median, 0.2, 200))
	}
	var b strings.Builder
	long, ends := *leaksFor >= leakJudged, endBounds(before)
	if long {
		fmt.Fprintf(&b, "%-16s %10s %8s %10s %10s %10s %10s %10s %10s\n", "", "before", "", "1st third", "2nd third", "3rd third", "at most", "drained", "at most")
	} else {
		fmt.Fprintf(&b, "too short to judge its thirds, which is done from %v on\n%-16s %10s %10s %10s\n", leakJudged, "", "before", "drained", "at most")
	}
	for _, x := range bounds {
		end := "-" // not judged
		if most, ok := ends[x.name]; ok || strings.HasPrefix(x.name, "rows") {
			end = fmt.Sprint(most)
		}
		thirds := ""
		if long {
			first, second, last := x.rank.of(samples[:third], x.of), x.rank.of(samples[third:2*third], x.of), x.rank.of(samples[2*third:], x.of)
			thirds = fmt.Sprintf("%8s %10d %10d %10d %10d ", x.rank, first, second, last, second+x.room(second))
			if err := x.broken(second, last); err != nil {
				t.Error(err)
			}
		}
		fmt.Fprintf(&b, "%-16s %10d %s%10d %10s\n", x.name, x.of(before), thirds, x.of(after), end)
	}
	return b.String()
}
