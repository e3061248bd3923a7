package stream

import (
	"slices"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// Shell knows what an output does not say.
type Shell interface {
	// Running reports whether an attempt, named by its invocation and its epoch, is
	// known to have executed its handler.
	Running(birth, epoch ident.Seq) bool
	// Key returns the standing of the key after the output. changed says that it
	// is not the one that was told last.
	Key() (s KeyStanding, changed bool)
	// Pending returns those of the awakeables that are not answered, and that
	// were not announced in a state at least as strong.
	Pending(row *machine.InvocationRow, all []Awakeable) []Awakeable
}

// Derive returns the events that an output of a key makes, except the entries of
// journals. It is called after the output was made, before the next Apply.
func Derive(key ident.ObjectKey, out *machine.Output, shell Shell) []*Event {
	d := derivation{key: key, out: out, shell: shell}
	for i := range out.Changes {
		d.change(&out.Changes[i])
	}
	d.writes()
	return d.events
}

// Entries returns the entries that an output has appended to the journals of
// the invocations that are wanted.
func Entries(out *machine.Output, shell Shell, wanted func(ident.InvocationID) bool) []*Event {
	var events []*Event
	for i := range out.Changes {
		c := &out.Changes[i]
		if len(c.Entries) == 0 || !wanted(c.Row.ID) {
			continue
		}
		row, running := snapshot(c), running(c.Row, shell)
		for j := range c.Entries {
			events = append(events, &Event{
				Kind: InvocationJournal, Invocation: row, Running: running,
				Index: c.First + uint32(j), Entry: c.Entries[j],
			})
		}
	}
	return events
}

// Merge puts the entries of an output where a reader expects them: behind the
// birth of an invocation, and before everything that the entries have led to.
func Merge(events, entries []*Event) []*Event {
	born := 0
	for born < len(events) && events[born].Kind == InvocationCreated {
		born++
	}
	return slices.Concat(events[:born], entries, events[born:])
}

// Started returns the event that says that the handler of a ready invocation
// executes now.
func Started(row *machine.InvocationRow) *Event {
	c := machine.Change{Row: row}
	return &Event{Kind: InvocationStatus, Invocation: snapshot(&c), Running: true, Previous: machine.StatusReady.String()}
}

// Waiting returns the events of a handler that waits in memory: for await, with
// what it has handed out.
func Waiting(row *machine.InvocationRow, await *journal.Future, allocated journal.Allocated, now int64, shell Shell) []*Event {
	d := derivation{shell: shell}
	c := machine.Change{Row: row}
	d.pending(row, func() *machine.InvocationRow { return snapshot(&c) }, awakeablesOf(await, allocated.Signals, now))
	return d.events
}

// derivation is Derive under way.
type derivation struct {
	key    ident.ObjectKey
	out    *machine.Output
	shell  Shell
	events []*Event
}

func (d *derivation) add(e *Event) { d.events = append(d.events, e) }

// change tells what became of one invocation.
func (d *derivation) change(c *machine.Change) {
	var row *machine.InvocationRow
	shot := func() *machine.InvocationRow {
		if row == nil {
			row = snapshot(c)
		}
		return row
	}
	completed := c.Row.Status == machine.StatusCompleted
	if c.Was == 0 {
		d.add(&Event{Kind: InvocationCreated, Invocation: shot()})
	} else if c.Was != c.Row.Status {
		kind := InvocationStatus
		if completed {
			kind = InvocationCompleted
		}
		d.add(&Event{Kind: kind, Invocation: shot(), Previous: d.previous(c)})
	}
	if c.Removed {
		d.add(&Event{Kind: InvocationRemoved, Invocation: shot(), Previous: c.Row.Status.String()})
	}
	d.answered(c, shot)
	if !completed {
		d.pending(c.Row, shot, candidates(c))
	}
}

// previous returns the word of the status before the output.
func (d *derivation) previous(c *machine.Change) string {
	if c.Was == machine.StatusReady && d.shell.Running(c.Row.Birth, c.Row.Epoch) {
		return WordRunning
	}
	return c.Was.String()
}

// answered tells of the awakeables that the output has answered.
func (d *derivation) answered(c *machine.Change, shot func() *machine.InvocationRow) {
	for i := range d.out.Writes {
		s, ok := d.out.Writes[i].Put.(*machine.SignalRow)
		if !ok || s.Birth != c.Row.Birth || s.Index < ident.FirstAwakeable {
			continue
		}
		d.add(&Event{
			Kind: AwakeableCompleted, Invocation: shot(), Running: running(c.Row, d.shell),
			Awakeable: Awakeable{Index: s.Index, State: AwakeableAnswered, Since: c.Row.ModifiedAt},
		})
	}
}

// pending tells of awakeables that may be waited for from outside.
func (d *derivation) pending(row *machine.InvocationRow, shot func() *machine.InvocationRow, all []Awakeable) {
	if len(all) == 0 {
		return
	}
	for _, a := range d.shell.Pending(row, all) {
		d.add(&Event{Kind: AwakeablePending, Invocation: shot(), Running: running(row, d.shell), Awakeable: a})
	}
}

// writes tells of promises and of the key.
func (d *derivation) writes() {
	head := false
	for i := range d.out.Writes {
		w := &d.out.Writes[i]
		switch r := w.Put.(type) {
		case *machine.PromiseRow:
			if r.Result.Kind != journal.ResultNone { // it is written once more only to be completed
				row := *r
				d.add(&Event{Kind: PromiseCompleted, Object: d.key, Promise: &row})
			}
		case *machine.HeadRow:
			head = true
		case nil:
			head = head || w.Delete.Table == machine.TableHead
		}
	}
	for i := range d.out.Changes { // the status of the holder is not in the head
		c := &d.out.Changes[i]
		head = head || c.Was != c.Row.Status && (c.Row.Target.Kind == ident.KindExclusive || c.Row.Target.Kind == ident.KindWorkflow)
	}
	if !head {
		return
	}
	if s, changed := d.shell.Key(); changed {
		d.add(&Event{Kind: ObjectChanged, Object: d.key, Key: s})
	}
}

// candidates returns the awakeables of which the output says that they exist.
func candidates(c *machine.Change) []Awakeable {
	issued := uint32(0)
	for i := range c.Entries {
		issued = max(issued, c.Entries[i].Sidecar.Allocated.Signals)
	}
	var await *journal.Future
	if c.Was == machine.StatusReady && c.Row.Status != machine.StatusReady {
		issued = max(issued, c.Row.Allocated.Signals)
		await = c.Row.Await
	}
	return awakeablesOf(await, issued, c.Row.ModifiedAt)
}

// awakeablesOf returns the first issued awakeables, and those that await names.
func awakeablesOf(await *journal.Future, issued uint32, now int64) []Awakeable {
	if await == nil && issued == 0 {
		return nil
	}
	all := make([]Awakeable, issued)
	for i := range all {
		all[i] = Awakeable{Index: ident.FirstAwakeable + uint32(i), State: AwakeableCreated, Since: now}
	}
	if await == nil {
		return all
	}
	for leaf := range await.Leaves() {
		switch i := leaf.Signal; {
		case i < ident.FirstAwakeable:
		case i-ident.FirstAwakeable < issued:
			all[i-ident.FirstAwakeable].State = AwakeableAwaited
		default:
			all = append(all, Awakeable{Index: i, State: AwakeableAwaited, Since: now})
		}
	}
	return all
}

// running reports whether the handler of a ready invocation executes.
func running(row *machine.InvocationRow, shell Shell) bool {
	return row.Status == machine.StatusReady && shell.Running(row.Birth, row.Epoch)
}

// snapshot copies what an event keeps of a record: its lists are never changed
// in place, and results may be large.
func snapshot(c *machine.Change) *machine.InvocationRow {
	row := *c.Row
	row.Result.Value = nil
	if n := len(row.Failures); n > 1 {
		row.Failures = slices.Clone(row.Failures[n-1:])
	}
	if c.Removed && c.Was != machine.StatusCompleted {
		row.ExpiresAt = 0 // nothing is kept
	}
	return &row
}
