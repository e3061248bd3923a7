package replay

import (
	"fmt"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
)

// Attempt is one pass of a handler over its journal. It lies in the memory of
// whoever runs the handler; Begin makes it ready. It is not safe for concurrent
// use.
type Attempt struct {
	// entries[next:] holds the stored commands that are left, between
	// notifications, which are in queue or have been consumed.
	entries []journal.Entry
	next    int
	left    int

	// last is the command issued last, and index its command index; the Input
	// is command 0.
	last  journal.Command
	index uint32

	completions uint32
	allocated   journal.Allocated
	// suspended is what had been allocated when the handler was unloaded last.
	// Some wait must be reached at exactly this point, which sets reached.
	suspended journal.Allocated
	reached   bool

	notifications
}

// Begin starts a pass over entries, which begin with the Input, and are kept.
// suspended is what the last suspension recorded, and zero when there was none.
// The error says that entries are not a journal.
func (a *Attempt) Begin(entries []journal.Entry, suspended journal.Allocated) (*journal.Input, error) {
	if len(entries) == 0 || entries[0].Type != journal.TypeInput {
		return nil, fmt.Errorf("read journal: it has %d entries and does not begin with an Input", len(entries))
	}
	first, err := journal.DecodeCommand(entries[0].Type, entries[0].Body)
	if err != nil {
		return nil, fmt.Errorf("read journal entry 0: %w", err)
	}
	input, ok := first.(*journal.Input)
	if !ok {
		return nil, fmt.Errorf("read journal entry 0: %T is not an Input", first)
	}
	*a = Attempt{
		entries: entries, next: 1, last: input,
		suspended: suspended, reached: suspended == journal.Allocated{},
	}
	if err := a.load(); err != nil {
		return nil, err
	}
	return input, nil
}

// load counts the stored commands and queues the stored notifications.
func (a *Attempt) load() error {
	stored := 0
	for i := range a.entries {
		if a.entries[i].Type.IsNotification() {
			stored++
		}
	}
	a.left = len(a.entries) - 1 - stored
	if stored == 0 {
		return nil
	}
	a.queue = make([]journal.Notification, 0, stored)
	for i := range a.entries {
		e := &a.entries[i]
		if !e.Type.IsNotification() {
			continue
		}
		n, err := journal.DecodeNotification(e.Type, e.Body)
		if err != nil {
			return fmt.Errorf("read journal entry %d (%v): %w", i, e.Type, err)
		}
		a.queue = append(a.queue, n)
	}
	a.sort(0)
	return nil
}

// Replaying reports whether stored commands are left.
func (a *Attempt) Replaying() bool { return a.left > 0 }

// Last returns the command that was issued last and its command index. Before
// the first one that is the Input.
func (a *Attempt) Last() (journal.Command, uint32) { return a.last, a.index }

// Upcoming returns the next stored command, nil when none is left or when it
// cannot be read, which Issue reports.
func (a *Attempt) Upcoming() journal.Command {
	if a.left == 0 {
		return nil
	}
	e := a.upcoming()
	c, err := journal.DecodeCommand(e.Type, e.Body)
	if err != nil {
		return nil
	}
	return c
}

// upcoming is the entry of the next stored command, of which there is one.
func (a *Attempt) upcoming() *journal.Entry {
	i := a.next
	for a.entries[i].Type.IsNotification() {
		i++
	}
	return &a.entries[i]
}

// Allocated returns what has been handed out so far without an entry. The host
// keeps it beside the next command, and beside a suspension.
func (a *Attempt) Allocated() journal.Allocated { return a.allocated }

// NextCompletion hands out a completion id. They count from 1.
func (a *Attempt) NextCompletion() uint32 {
	a.completions++
	return a.completions
}

// NextSignal hands out a signal index, counted from ident.FirstAwakeable. kind
// and typeName say what its answer is used for: a build that uses the same index
// for something else is told from one that fits.
func (a *Attempt) NextSignal(kind, typeName string) uint32 {
	index := ident.FirstAwakeable + a.allocated.Signals
	a.allocated.Signals++
	h := a.allocated.SignalHash
	h = rollString(h, kind)
	h = rollString(h, typeName)
	a.allocated.SignalHash = h
	return index
}

// Draw counts one 64-bit draw from the random source of the invocation.
func (a *Attempt) Draw() { a.allocated.Draws++ }

// rollString continues an FNV-1a hash over s and an end mark. Hashes are
// stored, so the function must not change.
func rollString(h uint64, s string) uint64 {
	const offset, prime = 14695981039346656037, 1099511628211
	if h == 0 {
		h = offset
	}
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * prime
	}
	return (h ^ 0xFF) * prime
}

// Issue takes the command of an operation. While stored commands are left it
// returns the next one, which the operation must take its ids and its result
// from, or a *Mismatch. Behind them it returns nil: the command is new and the
// host appends it.
//
// opaque leaves payload bytes uncompared, for codecs that do not write the same
// value twice as the same bytes.
func (a *Attempt) Issue(c journal.Command, opaque bool) (journal.Command, error) {
	a.last = c
	a.index++
	stored, err := a.match(c, opaque)
	if err != nil {
		return nil, err
	}
	// Behind the stored command: where there is one, it is what the journal has.
	if !a.reached {
		if err := a.checkSuspension(sideOf(c, a.allocated)); err != nil {
			return nil, err
		}
	}
	if stored != nil {
		a.next++
		a.left--
	}
	return stored, nil
}

// match returns the next stored command, nil when none is left, or a *Mismatch
// when c is another one.
func (a *Attempt) match(c journal.Command, opaque bool) (journal.Command, error) {
	if a.left == 0 {
		return nil, nil
	}
	for a.entries[a.next].Type.IsNotification() {
		a.next++
	}
	e := &a.entries[a.next]
	stored, err := journal.DecodeCommand(e.Type, e.Body)
	if err != nil {
		return nil, fmt.Errorf("read journal entry %d (%v): %w", a.next, e.Type, err)
	}
	if d := compare(stored, c, opaque); d.field != "" || e.Sidecar.Allocated != a.allocated {
		return nil, &Mismatch{
			Index:  a.index,
			Stored: sideOf(stored, e.Sidecar.Allocated), Issued: sideOf(c, a.allocated),
			Field: d.field, StoredValue: d.stored, IssuedValue: d.issued,
		}
	}
	return stored, nil
}

// checkSuspension tells a handler that has passed the point of its last
// suspension without waiting there. Counts only grow, so once they are beyond
// it the wait will not come.
func (a *Attempt) checkSuspension(issued Side) error {
	now, then := &a.allocated, &a.suspended
	passed := now.Signals > then.Signals || now.Draws > then.Draws ||
		now.Signals == then.Signals && now.SignalHash != then.SignalHash
	if !passed && issued.Type != journal.TypeOutput {
		return nil
	}
	return &Mismatch{
		Index:  a.index,
		Stored: Side{Name: "a wait", Allocated: a.suspended}, Issued: issued,
	}
}
