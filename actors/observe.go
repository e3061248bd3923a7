package actors

import (
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/internal/stream"
	"github.com/dormouse-run/dormouse/persistence"
)

// observation is what an output carries for subscribers of events.
type observation struct {
	// version is that of the hub under which the events were derived.
	version uint32
	events  []*stream.Event
	// others are the events without entries of journals, which are derived again
	// when one more journal is wanted.
	others []*stream.Event
	// marker is set, in an output of its own, when a version begins.
	marker uint32
}

// announced is what subscribers were told of an attempt.
type announced struct {
	// posted says that the actor hears of the start of the handler. It is guarded
	// by the attempt, the rest belongs to the actor.
	posted     bool
	running    bool
	awakeables map[uint32]stream.AwakeableState
}

// beginning says that the handler of an attempt is about to execute.
type beginning struct{ attempt *attempt }

// waiting says what a handler waits for in memory.
type waiting struct {
	attempt   *attempt
	await     *journal.Future
	allocated journal.Allocated
}

// keyTold is the standing of a key that subscribers were told last, and under
// which version.
type keyTold struct {
	version  uint32
	standing stream.KeyStanding
}

// queue hands an output to the committer, with its events when somebody wants
// them.
func (k *keyActor) queue(o *op, out *machine.Output) {
	k.rt.registry.retain(k.entry)
	if version := k.rt.events.version.Load(); version != 0 {
		k.observe(o, out, version)
	}
	for !k.rt.committer.enqueue(o) {
		// Events are wanted since we looked, or those of one more journal.
		k.observe(o, out, k.rt.events.version.Load())
	}
}

// observe derives the events of an output.
func (k *keyActor) observe(o *op, out *machine.Output, version uint32) {
	w := watch{k: k, version: version}
	if o.seen == nil {
		o.seen = &observation{others: stream.Derive(k.entry.key, out, &w)}
	}
	o.seen.version = version
	o.seen.events = o.seen.others
	if entries := stream.Entries(out, &w, k.rt.events.follows); len(entries) > 0 {
		o.seen.events = stream.Merge(o.seen.others, entries)
	}
}

// tell queues events that no output makes. They keep their place among those of
// the outputs of the key.
func (k *keyActor) tell(events []*stream.Event) {
	if len(events) == 0 {
		return
	}
	k.rt.registry.retain(k.entry)
	k.rt.committer.enqueue(&op{entry: k.entry, seq: k.last, seen: &observation{events: events}})
}

// begun tells that a handler executes, unless its attempt is over.
func (k *keyActor) begun(a *attempt) {
	if row := k.current(a); row != nil && k.rt.events.version.Load() != 0 {
		a.announced.running = true
		k.tell([]*stream.Event{stream.Started(row)})
	}
}

// waits tells what a handler waits for, unless its attempt is over.
func (k *keyActor) waits(m *waiting) {
	version := k.rt.events.version.Load()
	if row := k.current(m.attempt); row != nil && version != 0 {
		k.tell(stream.Waiting(row, m.await, m.allocated, k.rt.clock.nowMs(), &watch{k: k, version: version}))
	}
}

// current returns the record of the invocation of a, if a is its attempt.
func (k *keyActor) current(a *attempt) *machine.InvocationRow {
	if k.broken != nil {
		return nil
	}
	row, found := k.obj.Record(a.birth)
	if !found || row.Status != machine.StatusReady || row.Epoch != a.epoch {
		return nil
	}
	return row
}

// announceStart tells the actor that the handler is about to execute, when
// somebody wants to know. It is called before the handler's goroutine starts, so
// the actor hears it before anything that the handler does.
func (a *attempt) announceStart() {
	if a.rt.events.version.Load() == 0 {
		return
	}
	a.mu.Lock()
	a.announced.posted = true
	a.mu.Unlock()
	a.rt.registry.deliver(a.entry.key, a.entry.partition, &beginning{attempt: a})
}

// announceWait tells the actor what the handler waits for, when somebody wants
// to know and it is something that comes from outside.
func (a *attempt) announceWait(wait awaiting) {
	if a.rt.events.version.Load() == 0 {
		return
	}
	await, allocated := wait()
	if allocated.Signals == 0 {
		return // it has no awakeable
	}
	a.rt.registry.deliver(a.entry.key, a.entry.partition, &waiting{attempt: a, await: await, allocated: allocated})
}

// executed reports whether the handler has executed, as far as subscribers can
// know: one of which the actor is yet to hear has not.
func (a *attempt) executed() bool {
	if a.announced.running {
		return true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return !a.announced.posted && !a.slotSince.IsZero()
}

// watch is what stream.Derive asks of a key.
type watch struct {
	k       *keyActor
	version uint32
}

var _ stream.Shell = (*watch)(nil)

// Running implements stream.Shell.
func (w *watch) Running(birth, epoch ident.Seq) bool {
	a := w.k.rt.attempts.get(birth, epoch)
	return a != nil && a.executed()
}

// Key implements stream.Shell. What was told under another version may have been
// changed unseen.
func (w *watch) Key() (s stream.KeyStanding, changed bool) {
	standing := w.k.obj.Standing()
	s = stream.KeyStanding{Status: stream.WordIdle, Queued: standing.Queued}
	switch status := w.holderStatus(&standing); status {
	case machine.StatusReady: // it is about to run, and keys have no word for that
		s.HolderID, s.Status = standing.HolderID, stream.WordRunning
	case machine.StatusSuspended, machine.StatusBackingOff, machine.StatusPaused:
		s.HolderID, s.Status = standing.HolderID, status.String()
	}
	told := keyTold{version: w.version, standing: s}
	changed = told != w.k.told
	w.k.told = told
	return s, changed
}

// holderStatus returns the status of a holder, 0 when there is none.
func (w *watch) holderStatus(s *machine.Standing) machine.Status {
	if s.Status != 0 || s.Holder == 0 {
		return s.Status
	}
	key := machine.InvocationRow{ID: s.HolderID, Birth: s.Holder}
	if row, ok := w.get(key.Key()).(*machine.InvocationRow); ok {
		return row.Status
	}
	return 0
}

// get reads a row that memory knows nothing about, nil when there is none.
func (w *watch) get(key machine.Key) (row machine.Row) {
	err := w.k.rt.options.Store.Read(func(r persistence.Reader) (err error) {
		row, err = r.Get(key)
		return err
	})
	if err != nil {
		w.k.rt.logger.Warn("a row cannot be read for an event, which may say too little", "key", w.k.entry.key.String(), "error", err)
		return nil
	}
	return row
}

// Pending implements stream.Shell.
func (w *watch) Pending(row *machine.InvocationRow, all []stream.Awakeable) []stream.Awakeable {
	a := w.k.rt.attempts.get(row.Birth, row.Epoch)
	var pending []stream.Awakeable
	for _, one := range all {
		if a != nil && a.announced.awakeables[one.Index] >= one.State || w.answered(row, one.Index) {
			continue
		}
		if a != nil {
			if a.announced.awakeables == nil {
				a.announced.awakeables = map[uint32]stream.AwakeableState{}
			}
			a.announced.awakeables[one.Index] = one.State
		}
		pending = append(pending, one)
	}
	return pending
}

// answered reports whether an awakeable is answered. A row that is not in memory
// is durable.
func (w *watch) answered(row *machine.InvocationRow, index uint32) bool {
	answered, known := w.k.obj.Answered(row.Birth, index)
	if known {
		return answered
	}
	key := machine.SignalRow{Partition: row.ID.Partition(), Birth: row.Birth, Index: index}
	return w.get(key.Key()) != nil
}
