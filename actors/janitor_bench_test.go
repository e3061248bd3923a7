package actors

import (
	"fmt"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/persistence"
)

// aheadClock is the clock of the system, ahead by some time.
type aheadClock struct {
	SystemClock
	by time.Duration
}

func (c aheadClock) Now() time.Time { return time.Now().Add(c.by) }

// userTime is what the process has spent in its own code.
func userTime() time.Duration {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano())
}

// BenchmarkRetention completes calls on a key each, and removes them all when a
// day has passed: removal has to keep up with completion.
func BenchmarkRetention(b *testing.B) {
	dir := b.TempDir()
	open := func(ahead time.Duration) *Runtime {
		store, err := persistence.Open(dir, persistence.Options{})
		if err != nil {
			b.Fatal(err)
		}
		w := &world{}
		rt, err := Open(b.Context(), Options{Store: store, Services: w.services(), Clock: aheadClock{by: ahead}})
		if err != nil {
			b.Fatal(err)
		}
		return rt
	}
	rt := open(0)
	began := userTime()
	var clients sync.WaitGroup
	for c := range 64 {
		clients.Go(func() {
			for n := c; n < b.N; n += 64 {
				if _, err := rt.Call(b.Context(), ask("Counter", fmt.Sprint(n), "add", 1)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	clients.Wait()
	completed := userTime() - began
	if err := rt.Close(); err != nil {
		b.Fatal(err)
	}

	rt = open(26 * time.Hour)
	rt.janitor.stop() // its rounds are made here
	rt.janitor = newJanitor(rt)
	before := rt.Stats()
	began = userTime()
	b.ResetTimer()
	if err := rt.janitor.expire(); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	b.ReportMetric(float64(completed.Microseconds())/float64(b.N), "user-µs/call")
	removed := rt.Stats().Ops - before.Ops
	b.ReportMetric(float64((userTime()-began).Microseconds())/float64(max(removed, 1)), "user-µs/removal")
	b.ReportMetric(float64(rt.Stats().Rows-before.Rows)/float64(max(removed, 1)), "rows/removal")
	b.ReportMetric(float64(removed), "removals")
	if err := rt.Close(); err != nil {
		b.Fatal(err)
	}
}
