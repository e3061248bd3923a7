package latency

import (
	"testing"
	"time"
)

func TestQuantilesAreTakenOverAllRecorders(t *testing.T) {
	t.Parallel()
	recorders := make([]Recorder, 3)
	for i := range 300 {
		recorders[i%3].Add(time.Duration(299-i) * time.Millisecond)
	}
	d := Merge(recorders)
	for _, row := range []struct{ p, want float64 }{{0, 0}, {0.5, 150}, {0.99, 297}, {1, 299}} {
		if got := d.Milliseconds(row.p); got != row.want {
			t.Errorf("quantile %v is %v ms, want %v", row.p, got, row.want)
		}
	}
	if d.Count() != 300 {
		t.Errorf("%d durations, want 300", d.Count())
	}
}

func TestNothingHasQuantileZero(t *testing.T) {
	t.Parallel()
	if got := Merge(nil).Milliseconds(0.5); got != 0 {
		t.Errorf("median %v of nothing", got)
	}
}

func TestOddDurationsAreKeptInRange(t *testing.T) {
	t.Parallel()
	recorders := make([]Recorder, 1)
	recorders[0].Add(-time.Second)
	recorders[0].Add(100 * time.Hour)
	d := Merge(recorders)
	if lo, hi := d.Milliseconds(0), d.Milliseconds(1); lo != 0 || hi != 4294967.295 {
		t.Errorf("range %v to %v ms", lo, hi)
	}
}
