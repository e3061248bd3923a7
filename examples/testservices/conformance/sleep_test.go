package conformance_test

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/objects/ingress"
)

func TestSleep_sleep(t *testing.T) {
	inModes(t, func(t *testing.T, w *world) {
		began := time.Now()
		callService[none](w, "TestUtilsService", "sleepConcurrently", []int64{10})
		if took := time.Since(began); took < 10*time.Millisecond {
			t.Errorf("it took %v", took)
		}
	})
}

func TestSleep_manySleeps(t *testing.T) {
	inModes(t, func(t *testing.T, w *world) {
		var calls sync.WaitGroup
		for range 50 {
			calls.Go(func() {
				var longest int64
				sleeps := make([]int64, 20)
				for i := range sleeps {
					sleeps[i] = 10 + rand.Int64N(41)
					longest = max(longest, sleeps[i])
				}
				began := time.Now()
				_, err := ingress.Service[[]int64, none](w.c, "TestUtilsService", "sleepConcurrently").Request(w.ctx, sleeps)
				if err != nil {
					t.Error(err)
				}
				if took := time.Since(began); took < time.Duration(longest)*time.Millisecond {
					t.Errorf("%v took %v", sleeps, took)
				}
			})
		}
		calls.Wait()
	})
}
