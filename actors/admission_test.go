package actors

import (
	"errors"
	"sync"
	"testing"

	"github.com/dormouse-run/dormouse/persistence"
)

func TestAdmissionIsBoundedByCountBytesAndQueue(t *testing.T) {
	t.Parallel()
	queued := 0
	a := newAdmission(admissionLimits{Requests: 2, Bytes: 100, Queue: 5}, func() int { return queued }, newDiskStore().Health)
	refused := func(bytes int, requests bool) {
		t.Helper()
		var over *OverloadedError
		if _, err := a.acquire(bytes); !errors.As(err, &over) || over.Requests != requests || over.RetryAfter <= 0 {
			t.Fatalf("acquire(%d) = %v, want overloaded with requests %v", bytes, err, requests)
		}
	}
	first := mustAcquire(t, a, 60)
	refused(41, false)
	second := mustAcquire(t, a, 40)
	refused(0, true)
	first.release()
	first.release() // does nothing
	second.release()
	if a.admitted() != 0 || a.bytes.Load() != 0 {
		t.Fatalf("%d permits, %d bytes are out", a.admitted(), a.bytes.Load())
	}
	large := mustAcquire(t, a, 1000) // alone
	refused(1, false)
	large.release()
	queued = 5
	refused(1, false)
	queued = 4
	last := mustAcquire(t, a, 1)
	last.release()
	var none permit
	none.release()
}

func mustAcquire(t *testing.T, a *admission, bytes int) permit {
	t.Helper()
	p, err := a.acquire(bytes)
	if err != nil {
		t.Fatalf("acquire(%d): %v", bytes, err)
	}
	return p
}

func TestAdmissionFollowsTheStoreAndTheStop(t *testing.T) {
	t.Parallel()
	disk := newDiskStore()
	a := newAdmission(admissionLimits{Requests: 2, Bytes: 100, Queue: 5}, func() int { return 0 }, disk.Health)
	disk.press(persistence.PressureSoft)
	if _, err := a.acquire(1); !errors.Is(err, ErrLowSpace) {
		t.Fatalf("acquire under pressure: %v", err)
	}
	disk.press(persistence.PressureNone)
	p := mustAcquire(t, a, 1)
	a.close()
	if _, err := a.acquire(1); !errors.Is(err, ErrStopped) {
		t.Fatalf("acquire after close: %v", err)
	}
	p.release()
	if a.admitted() != 0 {
		t.Fatal("a permit cannot be given back after close")
	}
}

func TestConcurrentRequestsNeverHoldMoreThanTheBound(t *testing.T) {
	t.Parallel()
	a := newAdmission(admissionLimits{Requests: 3, Bytes: 1 << 30, Queue: 5}, func() int { return 0 }, newDiskStore().Health)
	held := make(chan struct{}, 3) // a fourth holder would not fit
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 2000 {
				p, err := a.acquire(1)
				if err != nil {
					continue
				}
				select {
				case held <- struct{}{}:
				default:
					t.Error("more permits are out than there are")
					return
				}
				<-held
				p.release()
			}
		})
	}
	all.Wait()
	if a.admitted() != 0 {
		t.Fatalf("%d permits are still out", a.admitted())
	}
}
