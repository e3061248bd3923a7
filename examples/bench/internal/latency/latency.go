package latency

import (
	"math"
	"slices"
	"time"
)

// Recorder collects durations with the precision of a microsecond, at four
// bytes each. The zero value is ready. It is not safe for concurrent use: every
// worker has its own.
type Recorder struct{ micros []uint32 }

// Add records one duration; more than an hour counts as 4295 s.
func (r *Recorder) Add(d time.Duration) {
	r.micros = append(r.micros, uint32(min(max(d.Microseconds(), 0), math.MaxUint32)))
}

// Distribution is a sorted collection of durations. It does not change.
type Distribution struct{ micros []uint32 }

// Merge sorts what several recorders hold.
func Merge(recorders []Recorder) Distribution {
	var all []uint32
	for i := range recorders {
		all = append(all, recorders[i].micros...)
	}
	slices.Sort(all)
	return Distribution{all}
}

// Count is the number of durations.
func (d Distribution) Count() int { return len(d.micros) }

// Milliseconds returns the quantile p, from 0 to 1, in milliseconds; 0 when
// there is nothing.
func (d Distribution) Milliseconds(p float64) float64 {
	if len(d.micros) == 0 {
		return 0
	}
	at := min(len(d.micros)-1, int(p*float64(len(d.micros))))
	return float64(d.micros[at]) / 1000
}
