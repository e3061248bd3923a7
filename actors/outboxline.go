package actors

import (
	"fmt"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// outboxPage is how many rows of each partition are in memory: together as many
// as of one table elsewhere, because each may hold a large payload.
const outboxPage = rowSlice / ident.Partitions

// outboxLine reads the outbox rows of one partition in order.
type outboxLine struct {
	from, to machine.Key
	rows     []machine.Row
	// read says that nothing is left in the store.
	read bool
}

// head returns the first row, nil when there is none.
func (l *outboxLine) head(store persistence.Store) (*machine.OutboxRow, error) {
	if len(l.rows) == 0 && !l.read {
		err := store.Read(func(r persistence.Reader) (err error) {
			l.rows, err = r.Scan(l.from, l.to, outboxPage)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("read the outbox of partition %d: %w", l.from.Partition, err)
		}
		if l.read = len(l.rows) < outboxPage; !l.read {
			l.from = after(l.rows[len(l.rows)-1].Key())
		}
	}
	if len(l.rows) == 0 {
		return nil, nil
	}
	return l.rows[0].(*machine.OutboxRow), nil
}

// eachOwed calls fn for every outbox row that is older than before, in the order
// of their numbers over all partitions, until over reports true. A row that one
// key owes may be about an invocation that another key owes: the signal must not
// come before it.
func eachOwed(store persistence.Store, before ident.Seq, fn func(*machine.OutboxRow), over func() bool) (n int, err error) {
	lines := make([]outboxLine, ident.Partitions)
	for p := range lines {
		lines[p].from = machine.Key{Partition: ident.Partition(p), Table: machine.TableOutbox}
		lines[p].to = machine.Key{Partition: ident.Partition(p), Table: machine.TableOutbox, A: uint64(before)}
	}
	for !over() {
		var first *machine.OutboxRow
		from := 0
		for p := range lines {
			row, err := lines[p].head(store)
			if err != nil {
				return n, err
			}
			if row != nil && (first == nil || row.Ref.Seq < first.Ref.Seq) {
				first, from = row, p
			}
		}
		if first == nil {
			break
		}
		lines[from].rows = lines[from].rows[1:]
		n++
		fn(first)
	}
	return n, nil
}
