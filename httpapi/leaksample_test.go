package httpapi_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/audit"
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// fastClock is a clock whose time, and whose waiting, passes faster.
type fastClock struct {
	speed       float64
	from, began time.Time
}

func newFastClock(speed float64, ahead time.Duration) fastClock {
	now := time.Now()
	return fastClock{speed: speed, from: now.Add(ahead).Round(0), began: now}
}

// Now implements actors.Clock.
func (c fastClock) Now() time.Time {
	return c.from.Add(time.Duration(float64(time.Since(c.began)) * c.speed))
}

// AfterFunc implements actors.Clock.
func (c fastClock) AfterFunc(d time.Duration, fn func()) func() bool {
	return time.AfterFunc(time.Duration(float64(d)/c.speed), fn).Stop
}

// sample is what the process and its directory hold at a moment.
type sample struct {
	goroutines, descriptors, maps int
	// heap, resident and anonymous are bytes in use, the last of them those that are no
	// part of a file; disk are bytes that are allocated.
	heap, resident, anonymous, disk int64
	tables                          map[machine.Table]int
	// pace is how many steps ended in a minute, since the sample before.
	pace int64
}

// rows counts all rows.
func (s sample) rows() (n int) {
	for _, of := range s.tables {
		n += of
	}
	return n
}

// left names the tables that are not empty.
func (s sample) left() map[string]int {
	named := map[string]int{}
	for table, n := range s.tables {
		named[audit.TableName(table)] = n
	}
	return named
}

// meter takes samples.
type meter struct {
	dir   string
	store persistence.Store
}

// open opens a house with the services of the soak on the directory.
func (m *meter) open(t *testing.T, clock actors.Clock) *house {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	var err error
	if m.store, err = persistence.Open(m.dir, persistence.Options{Logger: quiet}); err != nil {
		t.Fatal(err)
	}
	const never = 1000 * time.Hour // of a clock that is fast
	return openHouseOn(t, m.store, actors.Options{
		Services: soakServices(), Clock: clock, Logger: quiet, InactivityTimeout: time.Millisecond,
		HogTimeout: never, AbortTimeout: never, CloseGrace: never,
	})
}

func (m *meter) sample(t *testing.T) (s sample) {
	t.Helper()
	s.tables = map[machine.Table]int{}
	if err := m.store.Read(func(r persistence.Reader) error { return countRows(r, s.tables) }); err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	s.heap, s.goroutines = int64(mem.HeapAlloc), runtime.NumGoroutine()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	s.descriptors = len(open)
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	s.maps = bytes.Count(maps, []byte("\n"))
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	var size, pages, shared int64
	if _, err := fmt.Sscan(string(statm), &size, &pages, &shared); err != nil {
		t.Fatal(err)
	}
	s.resident, s.anonymous = pages*int64(os.Getpagesize()), (pages-shared)*int64(os.Getpagesize())
	s.disk = allocatedBytes(m.dir)
	return s
}

// sampleAfter returns what is held when a pause is over, and the pace of the pause.
func (m *meter) sampleAfter(t *testing.T, pause time.Duration, s *soaker) sample {
	t.Helper()
	began, steps := time.Now(), s.steps.Load()
	<-time.After(pause)
	pace := int64(float64(s.steps.Load()-steps) / time.Since(began).Minutes())
	taken := m.sample(t)
	taken.pace = pace
	return taken
}

// writeHeap writes a profile of what is in use behind a collection.
func writeHeap(t *testing.T, file string) {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(pprof.WriteHeapProfile(f), f.Close()); err != nil {
		t.Error(err)
	}
}

func countRows(r persistence.Reader, tables map[machine.Table]int) error {
	for p := range ident.Partition(ident.Partitions) {
		for _, table := range allTables() {
			rows := r.Rows(machine.Key{Partition: p, Table: table}, machine.Key{}, persistence.Ascending)
			for rows.Next() {
				row, err := rows.Row()
				if err != nil {
					return err
				}
				if row != nil { // else it was removed
					tables[table]++
				}
			}
			err := rows.Err()
			rows.Close()
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func allTables() []machine.Table {
	return []machine.Table{
		machine.TableHead, machine.TableState, machine.TableInbox, machine.TableID, machine.TableInvocation, machine.TableJournal,
		machine.TableSignal, machine.TablePending, machine.TableWaiter, machine.TableTimer, machine.TableOutbox, machine.TableActive,
		machine.TableStatus, machine.TableExpiry, machine.TableMarker, machine.TablePromise, machine.TableListener, machine.TableChore,
		machine.TablePatch, machine.TableAlias,
	}
}

// allocatedBytes is what the files of a directory take on the disk. Files that go
// meanwhile take nothing.
func allocatedBytes(dir string) (total int64) {
	list, err := os.ReadDir(dir)
	if err != nil {
		return 0
	}
	for _, f := range list {
		var info syscall.Stat_t
		if err := syscall.Stat(filepath.Join(dir, f.Name()), &info); err == nil {
			total += info.Blocks * 512
		}
	}
	return total
}

// rank says which of several samples stands for all of them.
type rank int

const (
	median rank = iota
	lowest
)

// String implements fmt.Stringer.
func (r rank) String() string {
	if r == lowest {
		return "lowest"
	}
	return "median"
}

// of returns a figure of that sample, and 0 when there is none.
func (r rank) of(samples []sample, figure func(sample) int64) int64 {
	var all []int64
	for _, s := range samples {
		all = append(all, figure(s))
	}
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	if r == lowest {
		return all[0]
	}
	return all[len(all)/2]
}
