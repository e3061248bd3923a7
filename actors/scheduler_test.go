package actors

import (
	"runtime"
	"testing"
	"testing/synctest"
)

func TestNotificationBeforeWaitIsKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := new(Goroutines).Signal()
		s.Notify()
		s.Notify() // counts as one with the first
		s.Wait()
		woken := false
		go func() {
			s.Wait()
			woken = true
		}()
		synctest.Wait()
		if woken {
			t.Fatal("two notifications before Wait woke two waits")
		}
		s.Notify()
		synctest.Wait()
		if !woken {
			t.Fatal("a notification did not wake the waiter")
		}
	})
}

func TestGoroutinesAreCountedUntilTheyEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := new(Goroutines)
		hold := g.Signal()
		g.Go("waits", hold.Wait)
		g.Go("unwinds", runtime.Goexit)
		g.Go("returns", func() {})
		synctest.Wait()
		if live := g.Live(); len(live) != 1 || live["waits"] != 1 {
			t.Fatalf("live goroutines %v, want one that waits", live)
		}
		hold.Notify()
		synctest.Wait()
		if live := g.Live(); len(live) != 0 {
			t.Fatalf("live goroutines %v after all have ended", live)
		}
	})
}
