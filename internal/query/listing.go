package query

import (
	"cmp"
	"strings"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// openListing walks the keys of service that begin with prefix and lie behind
// after, a name of an earlier step or empty, in the order of the keys over all
// partitions. A removed key is a step as well, so a page may end behind any step.
func openListing(r persistence.Reader, m *meter, service, prefix, after string) *Merge {
	first := service + "\x00" + prefix
	end := above(first)
	if after != "" && after >= first {
		first = after + "\x00"
	}
	all := OverPartitions(r, persistence.Ascending, func(p ident.Partition) (from, to machine.Key, ok bool) {
		key := machine.Key{Partition: p, Table: machine.TableHead}
		from, to = key, key
		from.Name, to.Name = first, end
		return from, to, true
	})
	return NewMerge(all, persistence.Ascending, compareNames, m.Budget)
}

func compareNames(a, b machine.Key) int {
	return cmp.Or(strings.Compare(a.Name, b.Name), cmp.Compare(a.Partition, b.Partition))
}

// above returns the first name behind all that begin with prefix, which begins
// with a name of a service.
func above(prefix string) string {
	b := []byte(prefix)
	for b[len(b)-1] == 0xFF {
		b = b[:len(b)-1]
	}
	b[len(b)-1]++
	return string(b)
}
