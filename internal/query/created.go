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

// Births grow with the time of creation and do not hold it, so a bound of time
// becomes a bound of birth by a binary search over the records of one partition:
// births are numbers of the whole store, so what is found holds for all.

// window is a range of births: low <= birth < high.
type window struct{ low, high uint64 }

// narrow raises low and lowers high as far as the bounds of time allow.
func (w *window) narrow(r persistence.Reader, b *Budget, after, before int64) error {
	if after > 0 {
		low, _, err := searchCreated(r, b, after-skew)
		if err != nil {
			return err
		}
		w.low = max(w.low, low)
	}
	if before < math.MaxInt64-skew {
		_, high, err := searchCreated(r, b, before+skew)
		if err != nil {
			return err
		}
		w.high = min(w.high, high)
	}
	return nil
}

// searchCreated returns two births: all below low are of invocations that were
// created before ms, and all from high on of those created at or after it.
func searchCreated(r persistence.Reader, b *Budget, ms int64) (low, high uint64, err error) {
	p, found, err := inhabited(r, b)
	if !found || err != nil {
		return 0, maxBirth, err
	}
	high = maxBirth
	for end := uint64(maxBirth); low < end && !b.Over(); {
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
