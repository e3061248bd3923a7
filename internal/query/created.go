package query

import (
	"math"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

const (
	// maxBirth is above every birth.
	maxBirth = math.MaxUint64
	// skew is more than the time between the moments at which an invocation gets
	// its birth and its time of creation, in milliseconds.
	skew = 60_000
	// probeSteps is how many removed rows a probe of the search steps over.
	probeSteps = 16
)

// Births grow with the time of creation and do not hold it. So the bound of time
// at which a list begins becomes a bound of birth by a binary search over the
// records of one partition: births are numbers of the whole store, and what is
// found holds for all of it. The list ends with the first record that lies behind
// the other bound.

// window is a range of births: low <= birth < high.
type window struct{ low, high uint64 }

// narrow moves the side of the window at which the list begins as far as the
// bounds of time allow.
func (w *window) narrow(r persistence.Reader, b *Budget, order persistence.Order, after, before int64) (err error) {
	switch {
	case order == persistence.Ascending && after > 0:
		w.low, _, err = searchCreated(r, b, after-skew)
	case order == persistence.Descending && before < math.MaxInt64-skew:
		_, w.high, err = searchCreated(r, b, before+skew)
	}
	return err
}

// behind reports whether a record and all that follow it in this order lie behind
// the bound of time at which the list ends.
func behind(row *machine.InvocationRow, order persistence.Order, after, before int64) bool {
	if order == persistence.Ascending {
		return before < math.MaxInt64-skew && row.CreatedAt >= before+skew
	}
	return row.CreatedAt < after-skew
}

// searchCreated returns two births: all below low are of invocations that were
// created before ms, and all from high on of those created at or after it. It
// takes a bounded number of probes, whatever the time.
func searchCreated(r persistence.Reader, b *Budget, ms int64) (low, high uint64, err error) {
	p, found, err := inhabited(r, b)
	if !found || err != nil {
		return 0, maxBirth, err
	}
	high = maxBirth
	for end := uint64(maxBirth); low < end && b.Left() > 0; {
		middle := low + (end-low)/2
		row, gaveUp, err := probe(r, b, p, middle)
		switch {
		case err != nil:
			return 0, maxBirth, err
		case gaveUp:
			return low, high, nil
		case row == nil:
			end = middle
		case row.CreatedAt >= ms:
			end, high = middle, uint64(row.Birth)
		default:
			low = uint64(row.Birth) + 1
		}
	}
	return low, high, nil
}

// inhabited returns a partition that has records.
func inhabited(r persistence.Reader, b *Budget) (p ident.Partition, found bool, err error) {
	for p := range ident.Partition(ident.Partitions) {
		row, gaveUp, err := probe(r, b, p, 0)
		if row != nil || gaveUp || err != nil {
			return p, row != nil, err
		}
	}
	return 0, false, nil
}

// probe returns the first record of a partition whose birth is not below from,
// nil when there is none.
func probe(r persistence.Reader, b *Budget, p ident.Partition, from uint64) (row *machine.InvocationRow, gaveUp bool, err error) {
	it := r.Rows(machine.Key{Partition: p, Table: machine.TableInvocation, A: from}, machine.Key{}, persistence.Ascending)
	defer it.Close()
	for range probeSteps {
		if !it.Next() {
			return nil, false, it.Err()
		}
		b.Spend(1)
		found, err := it.Row()
		if err != nil {
			return nil, false, err
		}
		if found != nil {
			return found.(*machine.InvocationRow), false, nil
		}
	}
	return nil, true, nil
}
