package sim

import (
	"bytes"
	"errors"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// What the world looks up on the disk: only what is there would be left after a
// crash.

// record returns the durable record of an invocation, nil when there is none.
func (w *world) record(id string) (record *machine.InvocationRow, object ident.ObjectKey) {
	parsed, err := ident.ParseInvocationID(id)
	if err != nil {
		w.loop.fail(InvariantAcked, "the id %q: %v", id, err)
		return nil, object
	}
	named, found := w.row((&machine.IDRow{ID: parsed}).Key()).(*machine.IDRow)
	if !found {
		return nil, object
	}
	record, _ = w.row(machine.Key{Partition: parsed.Partition(), Table: machine.TableInvocation, A: uint64(named.Birth)}).(*machine.InvocationRow)
	return record, named.Object
}

// look reads rows, also while a process that was asked to end has closed its store
// and the next one has not opened it.
func (w *world) look(fn func(persistence.Reader) error) {
	err := w.disk.Memory.Read(fn)
	if errors.Is(err, persistence.ErrClosed) {
		err = w.disk.Memory.Crash().Read(fn)
	}
	if err != nil {
		w.loop.fail(InvariantPanic, "a row cannot be read: %v", err)
	}
}

// row returns the durable row under a key, nil when there is none.
func (w *world) row(k machine.Key) (row machine.Row) {
	w.look(func(r persistence.Reader) (err error) {
		row, err = r.Get(k)
		return err
	})
	return row
}

func (w *world) onDisk(id string) bool {
	record, _ := w.record(id)
	return record != nil
}

// head returns the durable head of a key, nil when there is none.
func (w *world) head(p ident.Partition, object ident.ObjectKey) *machine.HeadRow {
	head, _ := w.row(machine.HeadKey(p, object)).(*machine.HeadRow)
	return head
}

// journal returns the durable journal of an invocation.
func (w *world) journal(record *machine.InvocationRow) (entries []journal.Entry) {
	from := machine.Key{Partition: record.ID.Partition(), Table: machine.TableJournal, A: uint64(record.Birth)}
	to := from
	to.A++
	w.look(func(r persistence.Reader) error {
		rows, err := r.Scan(from, to, 1<<20)
		for _, row := range rows {
			entries = append(entries, row.(*machine.JournalRow).Entries...)
		}
		return err
	})
	return append(entries, record.Tail...)
}

// inJournal reports whether a text that is unique stands in the durable journal of
// an invocation.
func (w *world) inJournal(id, text string) bool {
	return w.hasEntry(id, func(e *journal.Entry) bool { return bytes.Contains(e.Body, []byte(text)) })
}

// hasRun reports whether a Run of this name stands in the durable journal of an
// invocation.
func (w *world) hasRun(id, name string) bool {
	return w.hasEntry(id, func(e *journal.Entry) bool {
		return e.Type == journal.TypeRun && bytes.Contains(e.Body, []byte(name))
	})
}

func (w *world) hasEntry(id string, fits func(*journal.Entry) bool) bool {
	record, _ := w.record(id)
	if record == nil {
		return false
	}
	entries := w.journal(record)
	for i := range entries {
		if fits(&entries[i]) {
			return true
		}
	}
	return false
}

// ensureHeld judges a closure that starts: by what is durable, its invocation is at
// work, and has its key.
func (w *world) ensureHeld(t *telling) {
	record, object := w.record(t.subject.id)
	switch {
	case w.leftNothing(t.subject):
		return
	case record == nil:
		w.loop.fail(InvariantRun, "a closure of %s starts before its acceptance is durable", t.subject.name)
		return
	case record.Status == machine.StatusPending || record.Status == machine.StatusScheduled:
		w.loop.fail(InvariantRun, "a closure of %s starts while it is %s by what is durable", t.subject.name, record.Status)
	}
	if record.Target.Kind != ident.KindExclusive {
		return
	}
	if head := w.head(record.ID.Partition(), object); head == nil || head.Holder != record.Birth {
		w.loop.fail(InvariantRun, "a closure of %s starts while another one has the key by what is durable", t.subject.name)
	}
}

// leftNothing reports whether an invocation was ended by somebody, and nothing is kept
// of it.
func (w *world) leftNothing(s *subject) bool {
	return w.plan.Retention == 0 && w.chronicle.disturbed[s.name] && !w.onDisk(s.id)
}

// ensureTold judges a closure that starts: what its attempt has read and was
// answered is durable.
func (w *world) ensureTold(t *telling) {
	if w.leftNothing(t.subject) {
		return
	}
	for _, text := range t.owed {
		if !w.inJournal(t.subject.id, text) {
			w.loop.fail(InvariantRun, "a closure of %s starts before the answer %q is durable", t.subject.name, text)
		}
	}
	if len(t.reads) == 0 {
		return
	}
	record, object := w.record(t.subject.id)
	if record == nil {
		return
	}
	if !t.subject.exclusive {
		for _, name := range sortedKeys(t.reads) {
			if value := t.reads[name]; value != "" && !w.disk.values[stateValue{object.ID(), name, value}] {
				w.loop.fail(InvariantRun, "a closure of %s starts after it has read %s = %q, which was never durable", t.subject.name, name, value)
			}
		}
		return
	}
	state := w.state(record.ID.Partition(), object)
	for _, name := range sortedKeys(t.reads) {
		if value := t.reads[name]; value != written && state[name] != value {
			w.loop.fail(InvariantRun, "a closure of %s starts after it has read %s = %q, which is %q by what is durable", t.subject.name, name, value, state[name])
		}
	}
}

// state returns the durable state of a key; values are JSON strings.
func (w *world) state(p ident.Partition, object ident.ObjectKey) map[string]string {
	state := make(map[string]string)
	head := w.head(p, object)
	if head == nil {
		return state
	}
	for _, v := range head.Inline {
		state[v.Name] = brief(v.Name, unquote(v.Value))
	}
	from := machine.Key{Partition: p, Table: machine.TableState, Object: object.ID(), A: uint64(head.Generation)}
	to := from
	to.A++
	w.look(func(r persistence.Reader) error {
		rows, err := r.Scan(from, to, 1<<20)
		for _, row := range rows {
			s := row.(*machine.StateRow)
			state[s.Name] = brief(s.Name, unquote(s.Value))
		}
		return err
	})
	return state
}
