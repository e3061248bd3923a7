package actors

import "sync/atomic"

// Histogram counts observations by size. Counts[i] is how many were at most
// Bounds[i] and more than the bound before; the last of Counts, which is one
// longer than Bounds, is how many were more than all. The unit is that of who
// gives it; Sum has it too.
type Histogram struct {
	Bounds []float64
	Counts []uint64
	Sum    float64
}

// Count returns how many observations there are.
func (h Histogram) Count() (n uint64) {
	for _, c := range h.Counts {
		n += c
	}
	return n
}

// histogram is a Histogram that is being filled: one addition to a bucket and
// one to the sum, without a lock. All methods may be called concurrently.
type histogram struct {
	bounds  []int64
	buckets []atomic.Uint64
	sum     atomic.Int64
}

// newHistogram makes one with bounds that grow.
func newHistogram(bounds ...int64) histogram {
	return histogram{bounds: bounds, buckets: make([]atomic.Uint64, len(bounds)+1)}
}

func (h *histogram) observe(v int64) {
	i := 0
	for i < len(h.bounds) && v > h.bounds[i] {
		i++
	}
	h.buckets[i].Add(1)
	h.sum.Add(v)
}

// read returns what was observed, divided by unit. It is not taken at one
// instant: an observation under way may be in Counts and not in Sum.
func (h *histogram) read(unit float64) Histogram {
	r := Histogram{Bounds: make([]float64, len(h.bounds)), Counts: make([]uint64, len(h.buckets)), Sum: float64(h.sum.Load()) / unit}
	for i, b := range h.bounds {
		r.Bounds[i] = float64(b) / unit
	}
	for i := range h.buckets {
		r.Counts[i] = h.buckets[i].Load()
	}
	return r
}
