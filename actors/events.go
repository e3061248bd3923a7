package actors

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/stream"
)

// EventOptions say what a subscriber wants.
type EventOptions struct {
	// Filter chooses events; the zero value wants all of invocations.
	Filter stream.Filter
	// After is the position to go on from; nil begins with what happens next.
	After *stream.Position
}

// EventBatch is what a subscriber gets at once.
type EventBatch struct {
	// Reset says that events were missed, and why: what was built from earlier
	// ones has to be read again. It comes before Events.
	Reset EventReset
	// Events are in order. They are shared: they must not be changed.
	Events []*stream.Event
	// Position is that of the last event that was looked at, wanted or not.
	Position stream.Position
}

// EventReset says why events were missed. The zero value says that none were.
type EventReset uint8

// Reasons.
const (
	// ResetTooOld: what came after the position is not in memory any more.
	ResetTooOld EventReset = iota + 1
	// ResetRestarted: the position is of another start of the process.
	ResetRestarted
	// ResetSlow: the subscriber took longer than the buffer lasts.
	ResetSlow
)

// String returns the word of the reset event.
func (r EventReset) String() string {
	switch r {
	case ResetTooOld:
		return "too_old"
	case ResetRestarted:
		return "restarted"
	case ResetSlow:
		return "slow"
	default:
		return "none"
	}
}

// Bounds of the live stream.
const (
	// eventHeartbeat is how long a stream is silent before it says that it lives.
	eventHeartbeat = 15 * time.Second
	// eventKeep is how long events are kept when nobody subscribes any more.
	eventKeep = time.Minute
	// eventWindow is how many events a subscriber looks at in one go.
	eventWindow = 256
	// eventBufferBytes bounds the memory of all kept events.
	eventBufferBytes = 16 << 20
	// eventInterests bounds the invocations whose journals are followed for
	// subscribers that have left.
	eventInterests = 128
)

// Events hands emit what happens from now on, or behind o.After, in batches. The
// first batch comes at once, and says that nothing that becomes durable from now
// on is missed: who reads a list after it has a whole picture. A batch without
// events and reset, later, comes every 15 s in which there is nothing else. emit
// may block: it holds up nobody, and when it comes back too late it gets a reset.
//
// Events returns nil when ctx ends and when the runtime stops, and the error of
// emit. Before the first batch it may return ErrStopped, or an OverloadedError
// when there are Options.MaxEventStreams already.
func (rt *Runtime) Events(ctx context.Context, o EventOptions, emit func(EventBatch) error) error {
	if rt.draining.Load() {
		return ErrStopped
	}
	s, err := rt.events.subscribe(o)
	if err != nil {
		return err
	}
	defer rt.events.leave(s)
	defer context.AfterFunc(ctx, s.wake.Notify)()
	for ctx.Err() == nil {
		batch, turn := rt.events.take(s)
		switch turn {
		case turnOver:
			return nil
		case turnWait:
			s.wake.Wait()
			continue
		case turnBatch:
		}
		if err := emit(batch); err != nil {
			return err
		}
		s.rest(rt.clock.base)
	}
	return nil
}

// hub hands the events of outputs to whoever subscribes.
//
// Nothing is derived while nobody subscribes: the actors look at version, which
// is then 0. So a subscriber can begin only when everything that was queued for
// the disk before is durable; what is queued later carries its events. Both are
// one step under the lock of the committer: version rises there, a marker is
// queued behind what came before, and an output that was made under a lower
// version is handed back to its actor, which looks again. The same happens when
// the journal of another invocation is wanted. A subscriber begins when the
// marker of its version is released.
//
// The ring is the queue of every subscriber: each has a number up to which it has
// looked. So publishing costs the same for one and for many, and blocks on none;
// whoever is overtaken by the end of the ring has missed something.
type hub struct {
	committer *committer
	clock     Clock
	sched     Scheduler
	limit     int

	// version is what outputs are made under, 0 while nobody wants events. It
	// is written with mu held.
	version atomic.Uint32
	// journals holds the invocations whose entries are wanted; it is replaced,
	// never changed.
	journals atomic.Pointer[map[ident.InvocationID]*interest]
	streams  atomic.Int64

	mu      sync.Mutex
	ring    *stream.Ring
	subs    map[*subscriber]struct{}
	closed  bool
	highest uint32 // the highest version so far
	settled uint32 // the highest version whose marker was released
	lapse   func() bool
}

// interest is an invocation whose journal is followed.
type interest struct {
	// version is the first under which outputs carry its entries, since the
	// number behind which they are complete; it is known when version is
	// settled.
	version uint32
	since   uint64
	// users counts subscribers.
	users int
}

// subscriber is one stream. What is not the goroutine's own is guarded by the
// hub.
type subscriber struct {
	options EventOptions
	version uint32
	begun   bool
	at      uint64
	waiting bool

	wake   Signal
	beat   atomic.Bool
	window []*stream.Event
	silent func() bool
}

func newHub(o *Options, c *committer, boot uint32) *hub {
	h := &hub{
		committer: c, clock: o.Clock, sched: o.Scheduler, limit: o.MaxEventStreams,
		ring: stream.NewRing(boot, o.EventBuffer, eventBufferBytes), subs: map[*subscriber]struct{}{},
	}
	h.journals.Store(&map[ident.InvocationID]*interest{})
	return h
}

// subscribe adds a stream.
func (h *hub) subscribe(o EventOptions) (*subscriber, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		return nil, ErrStopped
	case len(h.subs) >= h.limit:
		what := fmt.Sprintf("there are %d event streams, as many as Options.MaxEventStreams allows", len(h.subs))
		return nil, &OverloadedError{Requests: true, RetryAfter: eventHeartbeat, what: what}
	}
	if h.lapse != nil {
		h.lapse()
		h.lapse = nil
	}
	s := &subscriber{options: o, wake: h.sched.Signal()}
	h.subs[s] = struct{}{}
	h.streams.Store(int64(len(h.subs)))
	id, wanted := o.Filter.Journal()
	known := (*h.journals.Load())[id]
	if h.version.Load() == 0 || wanted && known == nil {
		h.highest++
		if wanted {
			known = &interest{version: h.highest}
			h.follow(id, known)
		}
		h.version.Store(h.highest)
		h.committer.observe(h.highest, &op{seen: &observation{marker: h.highest}})
	}
	if wanted {
		known.users++
	}
	s.version = h.version.Load()
	return s, nil
}

// follow adds an interest, and gives up one that nobody has when there are many.
func (h *hub) follow(id ident.InvocationID, in *interest) {
	old := *h.journals.Load()
	next := make(map[ident.InvocationID]*interest, len(old)+1)
	idle := 0
	for id, in := range old {
		if in.users == 0 {
			if idle++; idle >= eventInterests {
				continue
			}
		}
		next[id] = in
	}
	next[id] = in
	h.journals.Store(&next)
}

// follows reports whether the entries of an invocation are wanted.
func (h *hub) follows(id ident.InvocationID) bool {
	_, wanted := (*h.journals.Load())[id]
	return wanted
}

// publish takes what a durable output has made. It runs on the committer's
// goroutine and does not block.
func (h *hub) publish(o *observation) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.version.Load() == 0 {
		return // the last subscriber has left long ago
	}
	if o.marker > h.settled {
		h.settled = o.marker
		for _, in := range *h.journals.Load() {
			if in.version == o.marker {
				in.since = h.ring.Last().N
			}
		}
	}
	for _, e := range o.events {
		h.ring.Add(e)
	}
	if len(o.events) > 0 || o.marker != 0 {
		h.wakeAll()
	}
}

// wakeAll wakes the subscribers that wait. The caller holds mu.
func (h *hub) wakeAll() {
	for s := range h.subs {
		if s.waiting {
			s.waiting = false
			s.wake.Notify()
		}
	}
}

// turn says what a subscriber does next.
type turn uint8

const (
	turnWait turn = iota
	turnBatch
	turnOver
)

// String returns the word used in traces.
func (t turn) String() string {
	switch t {
	case turnWait:
		return "wait"
	case turnBatch:
		return "batch"
	default:
		return "over"
	}
}

// take returns what there is for s.
func (h *hub) take(s *subscriber) (EventBatch, turn) {
	for {
		b, more, t := h.look(s)
		if t != turnBatch || b.Reset != 0 {
			return b, t
		}
		for _, e := range s.window {
			if s.options.Filter.Matches(e) {
				b.Events = append(b.Events, e)
			}
		}
		clear(s.window)
		if len(b.Events) > 0 || !more {
			return b, t
		}
	}
}

// look fills the window of s with the next events. more says that they are all
// that the answer is about: if none of them is wanted there is no batch.
func (h *hub) look(s *subscriber) (b EventBatch, more bool, t turn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s.window = s.window[:0]
	b.Position = h.ring.Last()
	switch {
	case !s.begun && s.version > h.settled:
		return h.pause(s)
	case !s.begun:
		s.begun = true
		b.Reset = h.begin(s)
		b.Position.N = s.at
		return b, false, turnBatch
	case !h.ring.Keeps(s.at):
		s.at, b.Reset = b.Position.N, ResetSlow
		return b, false, turnBatch
	case s.at < b.Position.N:
		s.window = h.ring.After(s.at, s.window, eventWindow)
		s.at += uint64(len(s.window))
		b.Position.N = s.at
		return b, true, turnBatch
	case s.beat.Swap(false):
		return b, false, turnBatch
	default:
		return h.pause(s)
	}
}

// pause makes s wait, unless there will be nothing any more.
func (h *hub) pause(s *subscriber) (b EventBatch, more bool, t turn) {
	if h.closed {
		return b, false, turnOver
	}
	s.waiting = true
	return b, false, turnWait
}

// begin sets where s goes on, and says whether it has missed something.
func (h *hub) begin(s *subscriber) EventReset {
	last, after := h.ring.Last(), s.options.After
	s.at = last.N
	switch {
	case after == nil:
		return 0
	case after.Boot != last.Boot || after.N > last.N:
		return ResetRestarted
	case !h.ring.Keeps(after.N):
		return ResetTooOld
	}
	if id, wanted := s.options.Filter.Journal(); wanted && (*h.journals.Load())[id].since > after.N {
		return ResetTooOld // its entries were not followed then
	}
	s.at = after.N
	return 0
}

// rest begins the silence after which s is told that it lives.
func (s *subscriber) rest(clock Clock) {
	if s.silent != nil {
		s.silent()
	}
	s.silent = clock.AfterFunc(eventHeartbeat, func() {
		s.beat.Store(true)
		s.wake.Notify()
	})
}

// leave removes a stream. After the last one events are kept for a while.
func (h *hub) leave(s *subscriber) {
	if s.silent != nil {
		s.silent()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.subs, s)
	h.streams.Store(int64(len(h.subs)))
	if id, wanted := s.options.Filter.Journal(); wanted {
		(*h.journals.Load())[id].users--
	}
	if len(h.subs) == 0 && !h.closed {
		h.lapse = h.clock.AfterFunc(eventKeep, h.forget)
	}
}

// forget ends the observation when nobody has come back.
func (h *hub) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.subs) > 0 || h.lapse == nil {
		return
	}
	h.lapse = nil
	h.committer.observe(0, nil)
	h.version.Store(0)
	h.ring.Clear()
	h.journals.Store(&map[ident.InvocationID]*interest{})
}

// end lets no further stream begin, and ends all of them once they have what
// there is.
func (h *hub) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	if h.lapse != nil {
		h.lapse()
		h.lapse = nil
	}
	h.wakeAll()
}
