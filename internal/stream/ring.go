package stream

// Ring numbers events and keeps the latest of them, bounded by count and by
// bytes. The last event is kept however large it is. It is not safe for
// concurrent use.
//
// Invariant: events hold the numbers first to last without a gap.
type Ring struct {
	boot      uint32
	maxEvents int
	maxBytes  int

	last   uint64
	events []*Event
	bytes  int
}

// NewRing returns an empty ring for a start of the process.
func NewRing(boot uint32, maxEvents, maxBytes int) *Ring {
	return &Ring{boot: boot, maxEvents: maxEvents, maxBytes: maxBytes}
}

// Add gives e the next number and keeps it.
func (r *Ring) Add(e *Event) {
	r.last++
	e.At = Position{Boot: r.boot, N: r.last}
	r.events = append(r.events, e)
	r.bytes += e.size()
	for len(r.events) > r.maxEvents || r.bytes > r.maxBytes && len(r.events) > 1 {
		r.bytes -= r.events[0].size()
		r.events[0] = nil
		r.events = r.events[1:]
	}
}

// Last returns the position of the last event, also when it is not kept.
func (r *Ring) Last() Position { return Position{Boot: r.boot, N: r.last} }

// Clear forgets all events, and one that never was: so nobody can go on from
// before.
func (r *Ring) Clear() {
	r.events, r.bytes = nil, 0
	r.last++
}

// Keeps reports whether every event behind the one with number n is kept. It is
// false for numbers that were not given yet.
func (r *Ring) Keeps(n uint64) bool { return n <= r.last && n+1 >= r.first() }

// first returns the number of the first event that is kept, or will be.
func (r *Ring) first() uint64 { return r.last - uint64(len(r.events)) + 1 }

// After appends at most limit events behind number n to window. Keeps must hold.
func (r *Ring) After(n uint64, window []*Event, limit int) []*Event {
	rest := r.events[n+1-r.first():]
	return append(window, rest[:min(limit, len(rest))]...)
}
