package query

import (
	"container/heap"
	"strings"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// listing walks the keys of a service in the order of the keys, over all
// partitions.
//
// The naive way is to look for the smallest key of each partition and to take the
// smallest of those. Where a million keys were removed a moment ago, that look
// alone is longer than a page may take, and the next page would begin with it
// again. So a removed row takes part in the merge like any other: every step goes
// forward by one key, and a page may end behind any step.
type listing struct {
	heads listingHeap
	// iterators are all that were opened.
	iterators []persistence.Iterator
	service   string
	err       error
}

// listingStep is one step of a listing.
type listingStep struct {
	partition ident.Partition
	// name is the place of the step: service, NUL, key.
	name   string
	object ident.ObjectKey
	// present is false for a key that was removed.
	present bool
}

// openListing walks the keys of service that begin with prefix and lie behind
// after, a name of an earlier step or empty.
func openListing(r persistence.Reader, service, prefix, after string) *listing {
	first := service + "\x00" + prefix
	end := above(first)
	if after != "" && after >= first {
		first = after + "\x00"
	}
	l := &listing{service: service}
	for p := range ident.Partition(ident.Partitions) {
		from := machine.Key{Partition: p, Table: machine.TableListing, Name: first}
		to := machine.Key{Partition: p, Table: machine.TableListing, Name: end}
		it := r.Rows(from, to, persistence.Ascending)
		l.iterators = append(l.iterators, it)
		l.advance(&listingHead{rows: it})
	}
	return l
}

// above returns the first name behind all that begin with prefix.
func above(prefix string) string {
	b := []byte(prefix)
	for len(b) > 0 {
		if b[len(b)-1] < 0xFF {
			b[len(b)-1]++
			return string(b)
		}
		b = b[:len(b)-1]
	}
	return "\xFF\xFF"
}

// listingHead is one partition of a listing, which stands at key.
type listingHead struct {
	rows persistence.Iterator
	key  machine.Key
}

// advance moves one partition on, and puts it back unless it has ended.
func (l *listing) advance(h *listingHead) {
	if h.rows.Next() {
		h.key = h.rows.Key()
		heap.Push(&l.heads, h)
	} else if err := h.rows.Err(); err != nil && l.err == nil {
		l.err = err
	}
}

// next returns the next step, and false at the end.
func (l *listing) next() (step listingStep, more bool, err error) {
	if l.err != nil || len(l.heads) == 0 {
		return step, false, l.err
	}
	h := heap.Pop(&l.heads).(*listingHead)
	row, err := h.rows.Row()
	if err != nil {
		return step, false, err
	}
	step = listingStep{partition: h.key.Partition, name: h.key.Name, present: row != nil}
	step.object.Service = l.service
	_, step.object.Key, _ = strings.Cut(h.key.Name, "\x00")
	l.advance(h)
	return step, true, nil
}

func (l *listing) close() {
	for _, it := range l.iterators {
		it.Close()
	}
}

// listingHeap orders partitions by where they stand.
type listingHeap []*listingHead

// Len implements heap.Interface.
func (h listingHeap) Len() int { return len(h) }

// Less implements heap.Interface.
func (h listingHeap) Less(i, j int) bool {
	a, b := &h[i].key, &h[j].key
	return a.Name < b.Name || a.Name == b.Name && a.Partition < b.Partition
}

// Swap implements heap.Interface.
func (h listingHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Push implements heap.Interface.
func (h *listingHeap) Push(x any) { *h = append(*h, x.(*listingHead)) }

// Pop implements heap.Interface.
func (h *listingHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}
