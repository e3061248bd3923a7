package actors

import (
	"fmt"
	"math"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// oldestLooks is how many records one round looks at that stay: those who have
// waited for longer than others are kept.
const oldestLooks = 100_000

// oldest walks over the records, in order of creation, up to those that are so
// young that nothing like them has expired, and has the usual ones removed: they
// have no row that lists when they expire (see machine.InvocationRow.Usual). Each
// record is looked at once in the life of the process. One that is not usual by
// then never will be.
type oldest struct {
	rt     *Runtime
	remove func(*machine.ExpiryRow)
	over   func() bool
	// partition is where the walk goes on, births what comes next in each.
	partition ident.Partition
	births    [ident.Partitions]ident.Seq
}

// round goes on with the walk, at most once around.
func (o *oldest) round() error {
	until := o.rt.clock.nowMs() - machine.UsualKeep - machine.Promptly
	looks := oldestLooks
	for range ident.Partitions {
		for more := true; more; {
			if o.over() || looks <= 0 {
				return nil
			}
			var stay int
			var err error
			if stay, more, err = o.slice(until); err != nil {
				return fmt.Errorf("read the oldest records of partition %d: %w", o.partition, err)
			}
			looks -= stay
		}
		o.partition = (o.partition + 1) % ident.Partitions
	}
	return nil
}

// slice walks over the next records of the present partition, in one snapshot, and
// has those removed that have expired. It returns how many stay, and whether more
// records may be as old. What is damaged is passed: its key is named when it is
// used, and others must not have to wait for that.
func (o *oldest) slice(until int64) (stay int, more bool, err error) {
	var gone []machine.ExpiryRow
	next := o.births[o.partition]
	err = o.rt.options.Store.Read(func(r persistence.Reader) error {
		gone, stay, more, next = gone[:0], 0, false, o.births[o.partition]
		from := machine.Key{Partition: o.partition, Table: machine.TableInvocation, A: uint64(next)}
		to := from
		to.A = math.MaxUint64
		rows := r.Rows(from, to, persistence.Ascending)
		defer rows.Close()
		for steps := 0; rows.Next(); steps++ {
			if more = steps == rowSlice; more {
				break
			}
			row, err := rows.Row()
			record, ok := row.(*machine.InvocationRow)
			switch {
			case err != nil || !ok:
			case record.CreatedAt > until:
				return nil
			case record.Usual():
				gone = append(gone, record.Expiry(ident.ObjectKeyOf(record.Target, record.ID)))
			default:
				stay++
			}
			next = ident.Seq(rows.Key().A) + 1
		}
		return rows.Err()
	})
	if err != nil {
		return 0, false, err
	}
	o.births[o.partition] = next
	for i := range gone {
		o.remove(&gone[i])
	}
	return stay, more, nil
}
