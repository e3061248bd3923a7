package actors

import (
	"errors"
	"math"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// A start has lost the marks and the looks of the process before. It takes them
// again from what every cycle has on disk: a call that queues, or a waiter that
// has joined an invocation which was there before. For calls of invocations that
// they themselves have begun lead to younger and younger ones, and never round.

// deadlockSweep is a look at every key that has a queue, and at every invocation
// that has waiters. Its zero value is at the beginning.
type deadlockSweep struct {
	began     time.Time
	done      bool
	partition ident.Partition
	// waiters says that the queues of the partition are done. next is where the
	// search goes on.
	waiters bool
	next    machine.Key
}

// sweepStep is how many places are looked at in one piece of a sweep.
const sweepStep = 64

// sweepSome looks at the next places.
func (d *deadlocks) sweepSome() {
	for n := 0; n < sweepStep && !d.sweep.done && !d.over(); {
		row, err := d.sweepNext()
		switch {
		case errors.Is(err, persistence.ErrClosed):
			return
		case err != nil:
			d.rt.logger.Warn("whether calls of a partition wait for each other cannot be told", "partition", d.sweep.partition, "error", err)
		}
		switch row := row.(type) {
		case *machine.InboxRow:
			d.sweepQueue(row)
		case *machine.WaiterRow:
			d.sweep.next = row.Key()
			d.sweep.next.B = math.MaxUint64
			d.look(root{partition: row.Partition, birth: row.Birth})
		default:
			d.sweep.advance()
			continue
		}
		n++
	}
}

// sweepQueue looks at the key in whose queue a place is. The record of who stands
// there says which key that is; behind a patch, which has none, the next place
// does.
func (d *deadlocks) sweepQueue(place *machine.InboxRow) {
	d.sweep.next = place.Key()
	d.sweep.next.A++
	if place.Kind == machine.InboxPatch {
		return
	}
	d.reads.Add(1)
	var record *machine.InvocationRow
	err := d.rt.options.Store.Read(func(r persistence.Reader) error {
		row, err := r.Get((&machine.InvocationRow{ID: place.ID, Birth: place.Birth}).Key())
		record, _ = row.(*machine.InvocationRow)
		return err
	})
	if err != nil || record == nil {
		return // it has left the queue, or its key is damaged: the next place knows
	}
	d.sweep.next.A = math.MaxUint64
	d.look(root{partition: place.Partition, object: ident.ObjectKeyOf(record.Target, record.ID)})
}

// advance goes on to the next table.
func (s *deadlockSweep) advance() {
	if !s.waiters {
		s.waiters, s.next = true, machine.Key{}
		return
	}
	*s = deadlockSweep{began: s.began, partition: s.partition + 1}
	s.done = s.partition == ident.Partitions
}

// sweepNext returns a row of the next queue, or one of the next invocation that
// has waiters, nil when the table has no more. It passes over the rest of the
// queue and of the waiters before: a long one costs no more than a short one.
func (d *deadlocks) sweepNext() (first machine.Row, err error) {
	from := d.sweep.next
	if from == (machine.Key{}) {
		from = machine.Key{Partition: d.sweep.partition, Table: machine.TableInbox}
		if d.sweep.waiters {
			from.Table = machine.TableWaiter
		}
	}
	to := machine.Key{Partition: from.Partition, Table: from.Table, A: math.MaxUint64}
	if !d.sweep.waiters {
		for i := range to.Object {
			to.Object[i] = 0xff
		}
	}
	d.reads.Add(1)
	err = d.rt.options.Store.Read(func(r persistence.Reader) error {
		rows, err := r.Scan(from, to, 1)
		if len(rows) > 0 {
			first = rows[0]
		}
		return err
	})
	return first, err
}
