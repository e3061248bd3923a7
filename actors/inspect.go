package actors

import (
	"cmp"
	"context"
	"fmt"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/internal/query"
	"github.com/dormouse-run/dormouse/persistence"
)

// InspectOptions say how much of an invocation to read.
type InspectOptions struct {
	// Journal asks for entries of the journal, from index From on, at most
	// Limit of them; 0 is 100. Fewer come when they are large.
	Journal     bool
	From, Limit uint32
	// Deadlock asks whether the invocation waits, directly or through others,
	// for calls that wait for each other.
	Deadlock bool
	// Waits asks what the invocation waits for.
	Waits bool
}

// Inspection is what the store knows of an invocation at one moment.
type Inspection struct {
	Invocation machine.InvocationRow
	// Running says that an attempt executes, or waits in memory, in this
	// process.
	Running bool
	// Awaiting is what its attempt, if it has one, waits for in memory. What a
	// suspended invocation waits for stands in its record.
	Awaiting *journal.Future
	// Waits explains what it waits for.
	Waits []query.Wait
	// Place is where it stands in the queue of its key while it is pending.
	Place   query.Place
	Journal []journal.Entry
	// NextFrom is the index of the first entry behind Journal, nil at the end.
	NextFrom *uint32
	// Deadlock are invocations each of which waits for the next, and the last
	// for the first. The invocation is one of them, then the first, or waits for
	// one of them. It is empty when it may go on.
	Deadlock []ident.InvocationID
}

// defaultInspectLimit is how many entries are read when no limit is given.
const defaultInspectLimit = 100

// Inspect reads an invocation from one snapshot of what is durable. Its errors
// are ErrUnknownInvocation and those of the store.
func (rt *Runtime) Inspect(_ context.Context, id ident.InvocationID, o InspectOptions) (*Inspection, error) {
	var in *Inspection
	err := rt.options.Store.Read(func(r persistence.Reader) (err error) {
		if in, err = inspect(r, id, o); err != nil {
			return err
		}
		return rt.lookAtAttempt(r, in, o)
	})
	if err != nil {
		return nil, fmt.Errorf("inspect %s: %w", id, err)
	}
	if o.Deadlock {
		if in.Deadlock, err = rt.deadlocks.around(&in.Invocation); err != nil {
			return nil, fmt.Errorf("inspect %s: %w", id, err)
		}
	}
	return in, nil
}

// lookAtAttempt adds what the attempt in memory is doing.
func (rt *Runtime) lookAtAttempt(r persistence.Reader, in *Inspection, o InspectOptions) (err error) {
	if live, found := (liveAttempts{rt.attempts}).Attempt(&in.Invocation); found {
		in.Running, in.Awaiting = live.Running, live.Awaiting
	}
	if o.Waits {
		in.Waits, err = query.Waits(r, &in.Invocation, cmp.Or(in.Awaiting, in.Invocation.Await))
	}
	return err
}

// started reports whether the handler of an attempt has started and not ended.
func (a *attempt) started() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.phase == phaseRunning && !a.code.leaving
}

func inspect(r persistence.Reader, id ident.InvocationID, o InspectOptions) (*Inspection, error) {
	row, err := r.Get((&machine.IDRow{ID: id}).Key())
	if err != nil {
		return nil, err
	}
	if row == nil {
		return nil, ErrUnknownInvocation
	}
	birth := row.(*machine.IDRow).Birth
	row, err = r.Get((&machine.InvocationRow{ID: id, Birth: birth}).Key())
	if err != nil {
		return nil, err
	}
	if row == nil {
		return nil, fmt.Errorf("its record is missing: %w", machine.ErrInconsistent)
	}
	in := &Inspection{Invocation: *row.(*machine.InvocationRow)}
	if in.Place, err = query.NewPlaces(r, query.NewBudget(nil)).Of(&in.Invocation); err != nil {
		return nil, err
	}
	if o.Journal {
		err = in.readJournal(r, o)
	}
	return in, err
}

// readJournal reads a part of the journal: from its rows, and from the record.
func (in *Inspection) readJournal(r persistence.Reader, o InspectOptions) error {
	if o.Limit == 0 {
		o.Limit = defaultInspectLimit
	}
	tail := &machine.JournalRow{First: in.Invocation.InRows(), Entries: in.Invocation.Tail}
	size := 0
	if o.From < tail.First {
		var full bool
		var err error
		if size, full, err = in.readJournalRows(r, o); err != nil || full {
			return err
		}
	}
	in.take(tail, o, size)
	return nil
}

// readJournalRows reads the part of the journal that is in rows of its own, and
// returns how many bytes were read and whether the part ends in them. A row holds
// several entries and is found by the index of the first, so the part may begin
// inside a row, which is looked for among those that begin not far before. Rows
// are read a few at a time, because each may be as large as a payload.
func (in *Inspection) readJournalRows(r persistence.Reader, o InspectOptions) (total int, full bool, err error) {
	key := machine.Key{Partition: in.Invocation.ID.Partition(), Table: machine.TableJournal, A: uint64(in.Invocation.Birth)}
	end := key
	end.A++
	key.C = o.From - min(o.From, inspectReach)
	slice := 1
	for first := true; ; first = false {
		rows, err := r.Scan(key, end, slice)
		if err != nil {
			return total, false, err
		}
		if first && key.C > 0 && len(rows) > 0 && rows[0].(*machine.JournalRow).First > o.From {
			key.C = 0 // the row is longer than any that is written today
			continue
		}
		size := 0
		for _, row := range rows {
			j := row.(*machine.JournalRow)
			n, full := in.take(j, o, total+size)
			if size += n; full {
				return total + size, true, nil
			}
			key.C = j.First + uint32(len(j.Entries))
		}
		total += size
		if len(rows) < slice {
			return total, false, nil
		}
		if slice *= 2; size > inspectSliceBytes {
			slice = 1
		}
		slice = min(slice, inspectSlice)
	}
}

// Bounds of an inspection.
const (
	// maxInspectBytes is the size of entries at which a part of a journal ends.
	// Its first entry is always in it.
	maxInspectBytes = 32 << 20
	// inspectSlice is how many rows are read at a time, and inspectSliceBytes the
	// size of rows after which they are read one by one.
	inspectSlice      = 16
	inspectSliceBytes = 1 << 20
	// inspectReach is more than the entries of one row: an Append has at most
	// maxAppendCommands, each with two completions, and the tail of the record
	// before it had fewer than one of these.
	inspectReach = 4 * maxAppendCommands
)

// take adds the entries of a row that belong to the part, which holds size bytes.
// It returns how many bytes the row has and whether the part ends in it.
func (in *Inspection) take(j *machine.JournalRow, o InspectOptions, size int) (bytes int, full bool) {
	for i := range j.Entries {
		index, e := j.First+uint32(i), &j.Entries[i]
		bytes += len(e.Body)
		switch {
		case index < o.From:
		case uint32(len(in.Journal)) == o.Limit, len(in.Journal) > 0 && size+bytes > maxInspectBytes:
			in.NextFrom = &index
			return bytes, true
		default:
			in.Journal = append(in.Journal, *e)
		}
	}
	return bytes, false
}
