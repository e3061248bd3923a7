package query

import (
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// maxPlace is how many rows of a queue are walked to find a position.
const maxPlace = 1000

// Place is where an invocation stands in the queue of its key. The zero value is
// that of one that is not queued.
type Place struct {
	// QueuedAt is when it was queued, in milliseconds since the epoch.
	QueuedAt int64
	// Position is 1 for the next one, and 0 when it is not known because the
	// place lies far behind.
	Position int
}

// Places finds places in queues. It remembers the fronts of the queues that it
// has seen, so that a page full of places of one queue walks that once.
type Places struct {
	reader persistence.Reader
	budget *Budget
	queues map[ident.ObjectID]map[ident.Seq]Place
}

// NewPlaces returns places of one snapshot.
func NewPlaces(r persistence.Reader, budget *Budget) *Places {
	return &Places{reader: r, budget: budget, queues: map[ident.ObjectID]map[ident.Seq]Place{}}
}

// Cost returns how many rows Of may examine.
func (p *Places) Cost(row *machine.InvocationRow) int {
	switch {
	case row.Status != machine.StatusPending:
		return 0
	case p.queues[ident.ObjectKeyOf(row.Target, row.ID).ID()] != nil:
		return 1
	default:
		return maxPlace + 2
	}
}

// Of returns the place of an invocation.
func (p *Places) Of(row *machine.InvocationRow) (Place, error) {
	if row.Status != machine.StatusPending {
		return Place{}, nil
	}
	object := ident.ObjectKeyOf(row.Target, row.ID)
	queue := p.queues[object.ID()]
	if queue == nil {
		queue = map[ident.Seq]Place{}
		p.queues[object.ID()] = queue
		if err := p.walk(row.ID.Partition(), object, queue); err != nil {
			return Place{}, err
		}
	}
	if place, ok := queue[row.InboxSeq]; ok {
		return place, nil
	}
	p.budget.Spend(1)
	own, err := p.reader.Get((&machine.InboxRow{Partition: row.ID.Partition(), Object: object.ID(), Seq: row.InboxSeq}).Key())
	if own == nil || err != nil {
		return Place{}, err
	}
	return Place{QueuedAt: own.(*machine.InboxRow).QueuedAt}, nil
}

// walk numbers the front of a queue. It begins where the head says: what was
// there before has left its traces.
func (p *Places) walk(partition ident.Partition, object ident.ObjectKey, queue map[ident.Seq]Place) error {
	p.budget.Spend(1)
	row, err := p.reader.Get(machine.HeadKey(partition, object))
	if row == nil || err != nil {
		return err
	}
	from := machine.Key{Partition: partition, Table: machine.TableInbox, Object: object.ID(), A: uint64(row.(*machine.HeadRow).InboxFirst)}
	to := from
	to.A = maxBirth
	it := p.reader.Rows(from, to, persistence.Ascending)
	defer it.Close()
	for steps := 0; steps < maxPlace && it.Next(); steps++ {
		p.budget.Spend(1)
		row, err := it.Row()
		if err != nil {
			return err
		}
		if in, ok := row.(*machine.InboxRow); ok {
			queue[in.Seq] = Place{QueuedAt: in.QueuedAt, Position: len(queue) + 1}
		}
	}
	return it.Err()
}
