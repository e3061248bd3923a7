package actors

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// committerTest is a committer over a store of the test. What is released and
// what failed is read after synctest.Wait.
type committerTest struct {
	*committer
	disk     *diskStore
	released []ident.Seq
	failures []error
	hold     chan struct{} // receives once per commit when it is not nil
}

func newCommitterTest() *committerTest {
	c := &committerTest{disk: newDiskStore()}
	c.disk.onCommit = func([]*persistence.Batch) error {
		if c.hold != nil {
			<-c.hold
		}
		return nil
	}
	c.committer = newCommitter(c.disk, new(Goroutines),
		func(o *op) { c.released = append(c.released, o.seq) },
		func(err error) { c.failures = append(c.failures, err) }, nil)
	return c
}

// output makes an output with so many rows.
func (c *committerTest) output(seq ident.Seq, rows int) *op {
	o := &op{seq: seq}
	if rows > 0 {
		o.batch = &persistence.Batch{Seq: seq, Rows: rows, Bytes: 100 * rows}
	}
	return o
}

// groups returns the numbers of the batches of each commit.
func (c *committerTest) groups() (all [][]ident.Seq) {
	for _, g := range c.disk.groups {
		var seqs []ident.Seq
		for _, b := range g {
			seqs = append(seqs, b.Seq)
		}
		all = append(all, seqs)
	}
	return all
}

func TestOutputsThatComeDuringACommitShareTheNext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCommitterTest()
		c.hold = make(chan struct{})
		c.start()
		c.enqueue(c.output(1, 1))
		synctest.Wait()
		for seq := range ident.Seq(3) {
			c.enqueue(c.output(seq+2, 1))
		}
		synctest.Wait()
		if len(c.released) != 0 || c.queued() != 4 {
			t.Fatalf("released %v before the commit, %d queued", c.released, c.queued())
		}
		close(c.hold)
		c.stop()
		if g := c.groups(); len(g) != 2 || !slices.Equal(g[1], []ident.Seq{2, 3, 4}) {
			t.Fatalf("groups %v, want 1 and then the rest", g)
		}
		if want := []ident.Seq{1, 2, 3, 4}; !slices.Equal(c.released, want) {
			t.Fatalf("released %v, want %v", c.released, want)
		}
		if s := c.stats(); s != (committerStats{Commits: 2, Ops: 4, Rows: 4, Bytes: 400}) {
			t.Fatalf("stats %+v", s)
		}
	})
}

// TestOutputWithoutWritesKeepsItsPlace is rule R2: its reply would otherwise
// overtake the write it is based on.
func TestOutputWithoutWritesKeepsItsPlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCommitterTest()
		c.hold = make(chan struct{})
		c.start()
		c.enqueue(c.output(1, 1))
		synctest.Wait()
		c.enqueue(c.output(2, 0))
		synctest.Wait()
		if len(c.released) != 0 {
			t.Fatalf("released %v before the write was durable", c.released)
		}
		close(c.hold)
		synctest.Wait()
		if len(c.released) != 2 || len(c.groups()) != 1 {
			t.Fatalf("released %v with groups %v, want both with one commit", c.released, c.groups())
		}
		c.stop()
	})
}

func TestGroupIsClosedBeforeItIsTooLargeAndNoBatchIsSplit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCommitterTest()
		for i, rows := range []int{maxGroupRows - 1, 1, 1, maxGroupRows + 9, 0, 2} {
			c.enqueue(c.output(ident.Seq(i+1), rows))
		}
		c.start()
		c.stop()
		want := [][]ident.Seq{{1, 2}, {3}, {4}, {6}}
		if g := c.groups(); !slices.EqualFunc(g, want, slices.Equal) {
			t.Fatalf("groups %v, want %v", g, want)
		}
		if len(c.released) != 6 {
			t.Fatalf("released %v, want all", c.released)
		}
	})
}

func TestNothingIsReleasedOrCommittedAfterAFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCommitterTest()
		broken := errors.New("the disk is gone")
		c.disk.onCommit = func(g []*persistence.Batch) error {
			if g[0].Seq == 2 {
				return broken
			}
			return nil
		}
		c.start()
		for seq := range ident.Seq(3) {
			c.enqueue(c.output(seq+1, 1))
			c.enqueue(c.output(seq+11, 0))
			synctest.Wait()
		}
		if want := []ident.Seq{1, 11}; !slices.Equal(c.released, want) {
			t.Errorf("released %v, want %v", c.released, want)
		}
		if len(c.failures) != 1 || !errors.Is(c.failures[0], broken) {
			t.Errorf("failures %v, want the one of the store", c.failures)
		}
		if g := c.groups(); len(g) != 1 || c.queued() != 0 {
			t.Errorf("groups %v, %d queued", g, c.queued())
		}
		c.stop()
		c.stop()
	})
}

func TestAbortKeepsWhatIsQueuedOffTheDisk(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCommitterTest()
		c.enqueue(c.output(1, 1))
		c.abort(errors.New("an actor failed"))
		c.start()
		c.stop()
		if len(c.groups()) != 0 || len(c.released) != 0 || len(c.failures) != 0 {
			t.Fatalf("groups %v, released %v, failures %v", c.groups(), c.released, c.failures)
		}
	})
}

func TestCommitterStopsBeforeTheLastBytesAreUsed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCommitterTest()
		c.disk.press(persistence.PressureHard)
		c.start()
		c.enqueue(c.output(1, 1))
		c.stop()
		if len(c.groups()) != 0 || len(c.failures) != 1 || !errors.Is(c.failures[0], ErrLowSpace) {
			t.Fatalf("groups %v, failures %v", c.groups(), c.failures)
		}
	})
}

func TestStopReleasesAlsoWhatTheReleasesQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCommitterTest()
		c.stop() // before start it does nothing
		c = newCommitterTest()
		next := c.release
		c.release = func(o *op) {
			if next(o); o.seq < 5 {
				c.enqueue(c.output(o.seq+1, 1))
			}
		}
		c.enqueue(c.output(1, 1))
		c.start()
		c.stop()
		if len(c.released) != 5 {
			t.Fatalf("released %v, want five in a chain", c.released)
		}
	})
}

func TestPermitIsGivenBackWhenTheOutputIsDurable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCommitterTest()
		c.hold = make(chan struct{})
		a := newAdmission(admissionLimits{Requests: 1, Bytes: 10, Queue: 10}, c.queued, c.disk.Health)
		p, err := a.acquire(1)
		if err != nil {
			t.Fatal(err)
		}
		o := c.output(1, 1)
		o.permit = p
		c.start()
		c.enqueue(o)
		synctest.Wait()
		if a.admitted() != 1 {
			t.Fatal("the permit came back before the commit")
		}
		close(c.hold)
		c.stop()
		if a.admitted() != 0 {
			t.Fatal("the permit did not come back")
		}
	})
}

// TestGroupLowersTheMarkToItsEarliestTimer is rule R13 (a) and (b): a timer may
// be due before the mark when its row is committed, because the sync was slow
// or the clock went back.
func TestGroupLowersTheMarkToItsEarliestTimer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCommitterTest()
		var known int64
		c.marks = func() persistence.Marks { return persistence.Marks{Timers: known, Clock: 7} }
		c.start()
		commit := func(mark, earliest int64) {
			known = mark
			o := c.output(1, 1)
			o.batch.EarliestTimer = earliest
			c.enqueue(o)
			synctest.Wait()
		}
		commit(100, 0)    // everything before 100 is gone
		commit(100, 99)   // a row due 99 comes late
		commit(99, 500)   // the service knows it now
		commit(99, 98)    // another, before the last mark
		commit(200, 0)    // both have fired and are gone
		commit(0, 300)    // the service knows nothing: leave it
		commit(400, 9000) // later rows do not matter
		c.stop()
		var got []int64
		for _, m := range c.disk.marksSoFar() {
			got = append(got, m.Timers)
			if m.Clock != 7 {
				t.Fatalf("clock mark %d was not stored", m.Clock)
			}
		}
		// 0 leaves the mark as it is.
		if want := []int64{100, 99, 0, 98, 200, 0, 400}; !slices.Equal(got, want) {
			t.Fatalf("marks %v, want %v", got, want)
		}
	})
}

func TestFiredTimerIsReportedWhenItsOutputIsDurable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCommitterTest()
		c.hold = make(chan struct{})
		var removed []machine.TimerRow
		c.timerRemoved = func(row machine.TimerRow) { removed = append(removed, row) }
		c.start()
		o := c.output(1, 1)
		o.timer = &machine.TimerRow{Due: 5}
		c.enqueue(o)
		synctest.Wait()
		if len(removed) != 0 {
			t.Fatal("a timer was called removed while its row was on disk")
		}
		close(c.hold)
		c.stop()
		if len(removed) != 1 || removed[0].Due != 5 {
			t.Fatalf("removed %v", removed)
		}
	})
}

func TestCommitPassesItsPointsInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCommitterTest()
		var passed []string
		c.trace = func(p Point) { passed = append(passed, p.String()) }
		c.start()
		c.enqueue(c.output(1, 1))
		c.stop()
		if got := strings.Join(passed, " "); got != "beforeCommit afterCommit" {
			t.Fatalf("passed %q", got)
		}
	})
}

func BenchmarkEnqueueAndCommit(b *testing.B) {
	disk := &noStore{}
	c := newCommitter(disk, new(Goroutines), func(*op) {}, func(err error) { b.Error(err) }, nil)
	c.start()
	batch := &persistence.Batch{Rows: 5, Bytes: 1000}
	b.ReportAllocs()
	for b.Loop() {
		c.enqueue(&op{batch: batch})
	}
	c.stop()
	b.ReportMetric(float64(c.stats().Ops)/float64(max(1, c.stats().Commits)), "ops/commit")
}

// noStore commits nothing, at once.
type noStore struct{ persistence.Store }

func (noStore) Info() persistence.Info                               { return persistence.Info{} }
func (noStore) Health() persistence.Health                           { return persistence.Health{} }
func (noStore) Commit([]*persistence.Batch, persistence.Marks) error { return nil }
