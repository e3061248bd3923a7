package actors

import (
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

func TestAWorkerIsKeptForTheNextTask(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sched := new(Goroutines)
		p := newWorkers(sched)
		done := 0
		for range 100 {
			p.Go("works", func() { done++ })
			synctest.Wait()
		}
		if live := sched.Live()["works"]; done != 100 || live != 1 {
			t.Errorf("%d tasks were done, %d goroutines live", done, live)
		}
		p.close()
		synctest.Wait()
		if live := sched.Live(); len(live) != 0 {
			t.Errorf("goroutines %v are left", live)
		}
	})
}

// TestNoTaskWaitsForAnother: a task that blocks gets a goroutine more, and of
// those that work at a time only some are kept.
func TestNoTaskWaitsForAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sched := new(Goroutines)
		p := newWorkers(sched)
		release := make(chan struct{})
		for range 2 * maxIdleWorkers {
			p.Go("works", func() { <-release })
		}
		synctest.Wait()
		if live := sched.Live()["works"]; live != 2*maxIdleWorkers {
			t.Errorf("%d goroutines live", live)
		}
		close(release)
		synctest.Wait()
		if live := sched.Live()["works"]; live != maxIdleWorkers {
			t.Errorf("%d goroutines are kept", live)
		}
		p.close()
		p.close()
	})
}

// TestWhatABurstHasLeftIsTrimmed: whoever was idle all the time ends, whoever was
// needed in between stays.
func TestWhatABurstHasLeftIsTrimmed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sched := new(Goroutines)
		p := newWorkers(sched)
		release := make(chan struct{})
		for range 50 {
			p.Go("works", func() { <-release })
		}
		close(release)
		synctest.Wait()
		if left := p.trim(); left != 50 {
			t.Errorf("%d are parked behind a burst", left)
		}
		p.Go("works", func() {})
		p.Go("works", func() {})
		synctest.Wait()
		left := p.trim()
		synctest.Wait()
		if live := sched.Live()["works"]; left < 1 || left > 2 || live != left {
			t.Errorf("%d goroutines live, %d are parked, want those that had something to do", live, left)
		}
		left = p.trim()
		synctest.Wait()
		if live := sched.Live(); left != 0 || len(live) != 0 {
			t.Errorf("goroutines %v live when nothing goes on", live)
		}
		p.close()
	})
}

func TestATaskThatEndsItsGoroutineEndsTheWorkerOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sched := new(Goroutines)
		p := newWorkers(sched)
		p.Go("works", runtime.Goexit)
		synctest.Wait()
		if live := sched.Live(); len(live) != 0 {
			t.Errorf("goroutines %v live", live)
		}
		done := false
		p.Go("works", func() { done = true })
		synctest.Wait()
		if !done {
			t.Error("the next task was not done")
		}
		p.close()
	})
}

// TestClosedWorkersEndBehindTheirTasks, also behind those that come later.
func TestClosedWorkersEndBehindTheirTasks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sched := new(Goroutines)
		p := newWorkers(sched)
		release := make(chan struct{})
		p.Go("works", func() { <-release })
		synctest.Wait()
		p.close()
		late := false
		p.Go("works", func() { late = true })
		close(release)
		synctest.Wait()
		if live := sched.Live(); !late || len(live) != 0 {
			t.Errorf("the late task was done: %v; goroutines %v are left", late, live)
		}
	})
}

// TestNoWorkerIsKeptWhenAllActorsHaveLeft: those that end the actors have something to
// do when the sweeper counts who has not.
func TestNoWorkerIsKeptWhenAllActorsHaveLeft(t *testing.T) {
	t.Parallel()
	var w world
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		for n := range 60 {
			send(b, ask("Counter", fmt.Sprint("k", n), "add", 1))
		}
		advance(time.Minute)
		if n := b.rt.Stats().LiveActors; n > 0 {
			t.Fatalf("%d actors are there after a minute", n)
		}
		if n := b.sched.Live()[goActor]; n > 0 {
			t.Errorf("%d goroutines wait for actors that are not there", n)
		}
	})
}
