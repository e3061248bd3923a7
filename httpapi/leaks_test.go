package httpapi_test

import (
	"flag"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/audit"
	"github.com/dormouse-run/dormouse/persistence"
)

var leaksFor = flag.Duration("leaks.for", 2*time.Second, "how long TestLeaks works; what it takes is judged from two minutes on")

const (
	// leakDays is how many days pass during a soak, so that what is kept for a day is
	// kept for a small part of it.
	leakDays = 14
	// leakSpeed bounds how fast they pass: what naps for a minute still naps.
	leakSpeed = 20_000
	// leakDrain is how fast the days behind the work pass.
	leakDrain = 100_000
	// leakJudged is from when on the thirds of a soak are compared: shorter ones are
	// shorter than the engine's own cycles.
	leakJudged = 2 * time.Minute
	// leakRate is how many steps are begun in a second. It is far below what a
	// machine can do, so that what is stored does not depend on it.
	leakRate = 60
)

// TestLeaks does everything that a program can do, again and again, while days pass
// in minutes, and looks at what the process and its directory hold. In the last
// third that must not be more than in the second one; and when the work is over and
// all retentions are, nothing may be left.
//
// It measures the process, so it is not parallel.
func TestLeaks(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("it reads /proc")
	}
	dir := filepath.Join(t.TempDir(), "data")
	store, err := persistence.Open(dir, persistence.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	clock := newFastClock(min(leakSpeed, leakDays*24*float64(time.Hour)/float64(*leaksFor)))
	h := openHouseOn(t, store, actors.Options{
		Services: soakServices(), Clock: clock, Logger: slog.New(slog.DiscardHandler), InactivityTimeout: time.Millisecond,
		HogTimeout: 1000 * time.Hour, AbortTimeout: 1000 * time.Hour, CloseGrace: 1000 * time.Hour,
	})
	m := &meter{dir: dir, store: store}
	before := m.sample(t)
	s := newSoaker(t, h)
	stop := s.start()
	var samples []sample
	began, pause := time.Now(), max(*leaksFor/90, time.Second)
	for time.Since(began) < *leaksFor {
		<-time.After(pause)
		samples = append(samples, m.sample(t))
	}
	stop()
	s.clearState()
	clock.setSpeed(leakDrain)
	after := m.sample(t)
	for deadline := time.Now().Add(patience); after.rows() > 0; after = m.sample(t) {
		if time.Now().After(deadline) {
			t.Fatalf("all retentions are over, and there are rows of %v; %+v", after.left(), h.rt.Stats())
		}
		<-time.After(50 * time.Millisecond)
	}
	h.client.CloseIdleConnections()
	eventually(t, "as few goroutines as before", func() bool {
		after = m.sample(t)
		return after.goroutines <= before.goroutines+5
	})
	if after.descriptors > before.descriptors+10 {
		t.Errorf("%d descriptors are open, %d were before", after.descriptors, before.descriptors)
	}
	if err := store.Read(func(r persistence.Reader) error {
		report, err := audit.Check(r)
		if err == nil && !report.Good() {
			t.Errorf("audit: %v", report.Findings)
		}
		return err
	}); err != nil {
		t.Error(err)
	}
	t.Logf("%d steps in %v\n%s", s.steps.Load(), time.Since(began).Round(time.Second), judgeLeaks(t, before, samples, after))
}

// bound is how much more the last third may hold than the second: a part, which is
// what a random load varies by, and a piece, which is a step of whoever allocates.
type bound struct {
	name  string
	of    func(sample) int64
	part  float64
	piece int64
}

// leakBounds returns what is judged.
//
// Goroutines are those of the requests under way. The heap is read behind a
// collection; what the engine fills and drops, a memtable of 16 MiB, moves it. The
// memory of the process is what was ever touched between two returns to the system:
// a few memtables and mapped tables. Descriptors and maps are the tables of the
// engine. The directory grows by logs until they are flushed, three at most, and by
// tables until they are compacted. Rows follow the load, and the hour at which they
// are removed.
func leakBounds() []bound {
	return []bound{
		{"goroutines", func(s sample) int64 { return int64(s.goroutines) }, 0.1, 20},
		{"heap KiB", func(s sample) int64 { return s.heap >> 10 }, 0.1, 4 << 10},
		{"rss KiB", func(s sample) int64 { return s.resident >> 10 }, 0.15, 48 << 10},
		{"descriptors", func(s sample) int64 { return int64(s.descriptors) }, 0.1, 16},
		{"maps", func(s sample) int64 { return int64(s.maps) }, 0.1, 64},
		{"disk KiB", func(s sample) int64 { return s.disk >> 10 }, 0.25, 64 << 10},
		{"rows", func(s sample) int64 { return int64(s.rows()) }, 0.15, 300},
	}
}

// judgeLeaks compares the thirds, and returns a table of them.
func judgeLeaks(t *testing.T, before sample, samples []sample, after sample) string {
	t.Helper()
	third := len(samples) / 3
	bounds := leakBounds()
	for _, table := range allTables() {
		bounds = append(bounds, bound{"rows " + string(rune(table)), func(s sample) int64 { return int64(s.tables[table]) }, 0.2, 200})
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%-12s %10s %10s %10s %10s %10s\n", "median of", "before", "1st third", "2nd third", "3rd third", "drained")
	for _, x := range bounds {
		first, second, last := median(samples[:third], x.of), median(samples[third:2*third], x.of), median(samples[2*third:], x.of)
		fmt.Fprintf(&b, "%-12s %10d %10d %10d %10d %10d\n", x.name, x.of(before), first, second, last, x.of(after))
		if most := second + int64(x.part*float64(second)) + x.piece; *leaksFor >= leakJudged && last > most {
			t.Errorf("%s: %d in the last third, %d in the second: more than %d", x.name, last, second, most)
		}
	}
	return b.String()
}
