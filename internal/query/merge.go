package query

import (
	"container/heap"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// Merge walks several iterators as one, in the order of a comparison. It is an
// Iterator itself: a removed row of one of them is a step of the whole at which
// Row returns nil, in its place in the order. So the key of the last step is a
// position from which another merge may go on, wherever this one stopped.
//
// The first step opens all iterators and costs one row of each.
type Merge struct {
	all    []persistence.Iterator
	order  persistence.Order
	budget *Budget
	heap   mergeHeap
	begun  bool
	err    error
}

// NewMerge returns a merge of iterators, each of which must already be in the
// order of compare, or in its reverse when order is Descending. The merge closes
// them. Every step of every iterator is counted in budget, which does not end
// the walk: that is for the caller to do.
func NewMerge(all []persistence.Iterator, order persistence.Order, compare func(a, b machine.Key) int, budget *Budget) *Merge {
	sign := 1
	if order == persistence.Descending {
		sign = -1
	}
	return &Merge{all: all, order: order, budget: budget, heap: mergeHeap{compare: func(a, b machine.Key) int { return sign * compare(a, b) }}}
}

// OverPartitions returns one iterator for each partition. bounds returns the
// range of a partition, ok false when it has none.
func OverPartitions(r persistence.Reader, order persistence.Order, bounds func(p ident.Partition) (from, to machine.Key, ok bool)) []persistence.Iterator {
	var all []persistence.Iterator
	for p := range ident.Partition(ident.Partitions) {
		if from, to, ok := bounds(p); ok {
			all = append(all, r.Rows(from, to, order))
		}
	}
	return all
}

// Next implements Iterator.
func (m *Merge) Next() bool {
	if m.err != nil {
		return false
	}
	if !m.begun {
		m.begun = true
		for _, it := range m.all {
			m.enter(it)
		}
		heap.Init(&m.heap)
	} else if len(m.heap.standing) > 0 {
		m.advance()
	}
	if m.err != nil {
		m.heap.standing = nil
	}
	return len(m.heap.standing) > 0
}

// enter takes the first step of an iterator.
func (m *Merge) enter(it persistence.Iterator) {
	if m.err != nil {
		return
	}
	if m.step(it) {
		m.heap.standing = append(m.heap.standing, standing{it: it, key: it.Key()})
	}
}

// advance moves the iterator that was in front.
func (m *Merge) advance() {
	front := &m.heap.standing[0]
	if m.step(front.it) {
		front.key = front.it.Key()
		heap.Fix(&m.heap, 0)
	} else {
		heap.Pop(&m.heap)
	}
}

// step moves one iterator. What is not there costs nothing.
func (m *Merge) step(it persistence.Iterator) bool {
	if it.Next() {
		m.budget.Spend(1)
		return true
	}
	m.err = it.Err()
	return false
}

// Key implements Iterator.
func (m *Merge) Key() machine.Key { return m.heap.standing[0].key }

// Row implements Iterator.
func (m *Merge) Row() (machine.Row, error) {
	row, err := m.heap.standing[0].it.Row()
	if err != nil && m.err == nil {
		m.err = m.heap.standing[0].it.Err()
	}
	return row, err
}

// Err implements Iterator.
func (m *Merge) Err() error { return m.err }

// Close implements Iterator.
func (m *Merge) Close() {
	for _, it := range m.all {
		it.Close()
	}
	m.heap.standing = nil
}

// standing is an iterator that stands at a row.
type standing struct {
	it  persistence.Iterator
	key machine.Key
}

// mergeHeap has the iterator whose row comes first in front.
type mergeHeap struct {
	standing []standing
	compare  func(a, b machine.Key) int
}

func (h *mergeHeap) Len() int           { return len(h.standing) }
func (h *mergeHeap) Less(i, j int) bool { return h.compare(h.standing[i].key, h.standing[j].key) < 0 }
func (h *mergeHeap) Swap(i, j int)      { h.standing[i], h.standing[j] = h.standing[j], h.standing[i] }
func (h *mergeHeap) Push(x any)         { h.standing = append(h.standing, x.(standing)) }
func (h *mergeHeap) Pop() any {
	last := h.standing[len(h.standing)-1]
	h.standing = h.standing[:len(h.standing)-1]
	return last
}
