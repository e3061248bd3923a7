package actors

import (
	"fmt"
	"math"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// scrubRows is how many records one round of the scrub looks at.
const scrubRows = 10_000

// scrub walks over all records, a part at a time, and looks for the rows that
// they depend on to go on: the timer of a sleep or a retry, the place in the
// queue, the entry of the active set. Nobody else would miss such a row: the
// invocation would wait for ever (rule R31).
//
// It may look at rows of keys in use, because every output is durable as a
// whole: in any snapshot a record and what it depends on fit each other.
type scrub struct {
	rt *Runtime
	// partition and birth say where the next round begins.
	partition ident.Partition
	birth     ident.Seq
}

// missing is what a scrub found.
type missing struct {
	record machine.InvocationRow
	what   string
	// view says that the invocation goes on without it: only lists need it.
	view bool
}

// round looks at the next records.
func (s *scrub) round(over func() bool) error {
	for left := scrubRows; left > 0 && !over(); {
		n, found, err := s.slice(min(left, rowSlice))
		if err != nil {
			return fmt.Errorf("look for missing rows in partition %d: %w", s.partition, err)
		}
		for _, m := range found {
			s.report(m)
		}
		left -= n
		if n < rowSlice {
			s.birth = 0
			if s.partition++; s.partition == ident.Partitions {
				s.partition = 0
				return nil // once around
			}
		}
	}
	return nil
}

// slice looks at the next records of the present partition, in one snapshot.
func (s *scrub) slice(limit int) (n int, found []missing, err error) {
	from := machine.Key{Partition: s.partition, Table: machine.TableInvocation, A: uint64(s.birth)}
	to := from
	to.A = math.MaxUint64
	err = s.rt.options.Store.Read(func(r persistence.Reader) error {
		rows, err := r.Scan(from, to, limit)
		if err != nil {
			return err
		}
		n, found = len(rows), nil
		for _, row := range rows {
			record := row.(*machine.InvocationRow)
			s.birth = record.Birth + 1
			what, err := lacks(r, record)
			if err != nil {
				return err
			}
			unlisted := false
			if what == "" {
				what, err = lacksListing(r, record)
				if unlisted = what != ""; err != nil {
					return err
				}
			}
			if what != "" {
				found = append(found, missing{record: *record, what: what, view: unlisted})
			}
		}
		return nil
	})
	return n, found, err
}

// lacks names the row that a record depends on and that is not there.
func lacks(r persistence.Reader, record *machine.InvocationRow) (what string, err error) {
	p := record.ID.Partition()
	timer := func(due int64, slot uint32) machine.Key {
		return (&machine.TimerRow{Partition: p, Due: due, Birth: record.Birth, Slot: slot}).Key()
	}
	var key machine.Key
	switch record.Status {
	case machine.StatusCompleted:
		return "", nil
	case machine.StatusReady:
		key, what = (&machine.ActiveRow{Partition: p, Birth: record.Birth}).Key(), "its place in the active set"
	case machine.StatusScheduled:
		key, what = timer(record.ScheduledFor, machine.SlotWake), "the timer of its start"
	case machine.StatusBackingOff:
		key, what = timer(record.Retry.NextAt, machine.SlotWake), "the timer of its next attempt"
	case machine.StatusPending:
		object := ident.ObjectKeyOf(record.Target, record.ID).ID()
		key, what = (&machine.InboxRow{Partition: p, Object: object, Seq: record.InboxSeq}).Key(), "its place in the queue"
	}
	if what != "" {
		if row, err := r.Get(key); err != nil || row == nil {
			return what, err
		}
	}
	return lacksPending(r, record, timer)
}

// lacksPending looks at the completions that are owed to an invocation.
func lacksPending(r persistence.Reader, record *machine.InvocationRow, timer func(due int64, slot uint32) machine.Key) (what string, err error) {
	if record.Pending == 0 {
		return "", nil
	}
	from := machine.Key{Partition: record.ID.Partition(), Table: machine.TablePending, A: uint64(record.Birth)}
	to := from
	to.A++
	rows, err := r.Scan(from, to, int(record.Pending)+1)
	if err != nil {
		return "", err
	}
	if len(rows) != int(record.Pending) {
		return fmt.Sprintf("%d rows of what it waits for: it has %d and should have %d", int(record.Pending)-len(rows), len(rows), record.Pending), nil
	}
	for _, row := range rows {
		pending := row.(*machine.PendingRow)
		if pending.Promise != 0 {
			if what, err := lacksListener(r, record, pending); what != "" || err != nil {
				return what, err
			}
		}
		if pending.Due == 0 {
			continue
		}
		if row, err := r.Get(timer(pending.Due, pending.Completion)); err != nil || row == nil {
			return fmt.Sprintf("the timer of its sleep %d", pending.Completion), err
		}
	}
	return "", nil
}

// lacksListener looks at what a wait for a promise rests on: the row that the
// completion of the promise finds it by, and the promise.
func lacksListener(r persistence.Reader, record *machine.InvocationRow, pending *machine.PendingRow) (what string, err error) {
	p, object := record.ID.Partition(), ident.ObjectKeyOf(record.Target, record.ID).ID()
	listener := machine.ListenerRow{Partition: p, Object: object, Generation: pending.Generation, Promise: pending.Promise, N: pending.Listener}
	row, err := r.Get(listener.Key())
	if err != nil || row == nil {
		return fmt.Sprintf("its place at promise %d", pending.Promise), err
	}
	listener = *row.(*machine.ListenerRow)
	promise := machine.PromiseRow{Partition: p, Object: object, Generation: pending.Generation, Name: listener.Name}
	if row, err := r.Get(promise.Key()); err != nil || row == nil {
		return fmt.Sprintf("promise %q that it waits for", listener.Name), err
	}
	return "", nil
}

// lacksListing looks at the row by which lists find an unfinished invocation.
func lacksListing(r persistence.Reader, record *machine.InvocationRow) (what string, err error) {
	listed := machine.StatusRow{Partition: record.ID.Partition(), Class: record.Class(), Birth: record.Birth}
	if listed.Class == 0 {
		return "", nil
	}
	if row, err := r.Get(listed.Key()); err != nil || row != nil {
		return "", err
	}
	return "its place in the lists by status", nil
}

// report quarantines the key of a record that lacks a row, unless it can do
// without.
func (s *scrub) report(m missing) {
	if m.view {
		s.rt.logger.Error("an invocation goes on and is not shown where it should be, until its status changes",
			"invocation", m.record.ID.String(), "target", m.record.Target.String(), "status", m.record.Status.String(), "lacks", m.what)
		return
	}
	cause := fmt.Errorf("invocation %s is %s and lacks %s: %w", m.record.ID, m.record.Status, m.what, machine.ErrInconsistent)
	key := ident.ObjectKeyOf(m.record.Target, m.record.ID)
	if s.rt.quarantined.find(key) == nil {
		s.rt.registry.deliver(key, m.record.ID.Partition(), &breakage{cause: cause})
	}
}
