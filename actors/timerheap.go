package actors

import (
	"cmp"
	"slices"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// timerID is what tells one timer from another. Births are unique over all
// partitions. Retry timers of two attempts may have one key, and only the later
// one is meant: neither may stand for the other.
type timerID struct {
	due   int64
	birth ident.Seq
	slot  uint32
	epoch ident.Seq
}

func idOf(row *machine.TimerRow) timerID {
	return timerID{due: row.Due, birth: row.Birth, slot: row.Slot, epoch: row.Epoch}
}

func (a timerID) Compare(b timerID) int {
	return cmp.Or(cmp.Compare(a.due, b.due), cmp.Compare(a.birth, b.birth), cmp.Compare(a.slot, b.slot), cmp.Compare(a.epoch, b.epoch))
}

// pendingTimer is a timer that is not yet due.
type pendingTimer struct {
	timerID
	row *machine.TimerRow
}

func (a pendingTimer) Compare(b pendingTimer) int { return a.timerID.Compare(b.timerID) }

// minHeap is a binary heap with the least item on top. The zero value is empty.
// Unlike container/heap it does not box its items.
type minHeap[T interface{ Compare(T) int }] []T

func (h minHeap[T]) top() T { return h[0] }

func (h *minHeap[T]) push(item T) {
	*h = append(*h, item)
	s := *h
	for i := len(s) - 1; i > 0; {
		parent := (i - 1) / 2
		if s[parent].Compare(s[i]) <= 0 {
			return
		}
		s[parent], s[i] = s[i], s[parent]
		i = parent
	}
}

func (h *minHeap[T]) pop() T {
	s := *h
	top, last := s[0], len(s)-1
	s[0] = s[last]
	clear(s[last:])
	*h = s[:last]
	h.sink(0)
	if last == 0 {
		*h = nil // a crowd has passed: give its memory back
	}
	return top
}

func (h minHeap[T]) sink(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(h); child++ {
			if h[child].Compare(h[least]) < 0 {
				least = child
			}
		}
		if least == i {
			return
		}
		h[i], h[least] = h[least], h[i]
		i = least
	}
}

// sort puts all items in order. A sorted slice is a heap.
func (h minHeap[T]) sort() { slices.SortFunc(h, T.Compare) }

// keep removes the items that are not wanted.
func (h *minHeap[T]) keep(wanted func(T) bool) {
	before := len(*h)
	*h = slices.DeleteFunc(*h, func(item T) bool { return !wanted(item) })
	if len(*h) < before {
		h.sort()
	}
}
