package persistence

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// snapshots registers the timestamps at which the store is being read. The
// engine may throw away what no timestamp from the discard timestamp on needs;
// a read below it says "not found" for rows that exist, without an error. So
// the discard timestamp never passes a registered one, and a snapshot that
// would hold it back for too long is cut: from then on its reads fail.
type snapshots struct {
	maxAge time.Duration
	now    func() time.Time

	mu      sync.Mutex
	durable uint64
	// oldest and newest are the ends of the list of registered snapshots.
	// Invariant: timestamps and ages are ordered along the list.
	oldest, newest *snapshot
	// held have deadlines of their own. There are few.
	held []*snapshot
}

// snapshot is one registered read.
type snapshot struct {
	ts    uint64
	taken time.Time
	// deadline is that of a held one.
	deadline   time.Time
	expired    atomic.Bool
	prev, next *snapshot
}

// acquire registers a snapshot of what is durable.
func (s *snapshots) acquire() *snapshot {
	snap := &snapshot{taken: s.now()}
	s.mu.Lock()
	defer s.mu.Unlock()
	snap.ts = s.durable
	snap.prev = s.newest
	if s.newest != nil {
		s.newest.next = snap
	} else {
		s.oldest = snap
	}
	s.newest = snap
	return snap
}

// hold is acquire for a reader that may take until maxAge, whatever that of the
// others is.
func (s *snapshots) hold(maxAge time.Duration) *snapshot {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	snap := &snapshot{ts: s.durable, taken: now, deadline: now.Add(maxAge)}
	s.held = append(s.held, snap)
	return snap
}

// release ends a snapshot, also one that was cut.
func (s *snapshots) release(snap *snapshot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !snap.deadline.IsZero():
		s.held = slices.DeleteFunc(s.held, func(h *snapshot) bool { return h == snap })
	case !snap.expired.Load():
		s.unlink(snap)
	}
}

func (s *snapshots) unlink(snap *snapshot) {
	if snap.prev != nil {
		snap.prev.next = snap.next
	} else {
		s.oldest = snap.next
	}
	if snap.next != nil {
		snap.next.prev = snap.prev
	} else {
		s.newest = snap.prev
	}
}

// advance publishes a durable timestamp, cuts snapshots that are too old and
// returns the timestamp up to which the engine may discard.
func (s *snapshots) advance(durable uint64) (discard uint64) {
	now := s.now()
	deadline := now.Add(-s.maxAge)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.durable = durable
	for s.oldest != nil && s.oldest.taken.Before(deadline) {
		old := s.oldest
		s.unlink(old)
		old.expired.Store(true)
	}
	discard = durable
	if s.oldest != nil {
		discard = s.oldest.ts
	}
	for _, h := range s.held {
		if now.After(h.deadline) {
			h.expired.Store(true)
		} else {
			discard = min(discard, h.ts)
		}
	}
	return discard
}
