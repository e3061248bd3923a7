package actors

import (
	"context"
	"fmt"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// InspectOptions say how much of an invocation to read.
type InspectOptions struct {
	// Journal asks for entries of the journal, from index From on, at most
	// Limit of them; 0 is 100.
	Journal     bool
	From, Limit uint32
	// Deadlock asks whether the invocation waits, directly or through others,
	// for calls that wait for each other.
	Deadlock bool
}

// Inspection is what the store knows of an invocation at one moment.
type Inspection struct {
	Invocation machine.InvocationRow
	// Running says that an attempt executes, or waits in memory, in this
	// process.
	Running bool
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
		in, err = inspect(r, id, o)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("inspect %s: %w", id, err)
	}
	if a := rt.attempts.get(in.Invocation.Epoch); a != nil && in.Invocation.Status == machine.StatusReady {
		in.Running = a.started()
	}
	if o.Deadlock {
		if in.Deadlock, err = rt.deadlocks.around(&in.Invocation); err != nil {
			return nil, fmt.Errorf("inspect %s: %w", id, err)
		}
	}
	return in, nil
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
	if o.Journal {
		err = in.readJournal(r, o)
	}
	return in, err
}

// readJournal reads a part of the journal. A row holds several entries and is
// found by the index of the first, so the part may begin inside a row.
func (in *Inspection) readJournal(r persistence.Reader, o InspectOptions) error {
	if o.Limit == 0 {
		o.Limit = defaultInspectLimit
	}
	inv := &in.Invocation
	key := machine.Key{Partition: inv.ID.Partition(), Table: machine.TableJournal, A: uint64(inv.Birth)}
	end := key
	end.A++
	for index := uint32(0); ; {
		rows, err := r.Scan(key, end, journalSlice)
		if err != nil {
			return err
		}
		for _, row := range rows {
			j := row.(*machine.JournalRow)
			for i, e := range j.Entries {
				index = j.First + uint32(i)
				switch {
				case index < o.From:
				case uint32(len(in.Journal)) == o.Limit:
					in.NextFrom = &index
					return nil
				default:
					in.Journal = append(in.Journal, e)
				}
			}
		}
		if len(rows) < journalSlice {
			return nil
		}
		key.C = index + 1
	}
}
