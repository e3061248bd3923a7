package machine

import (
	"fmt"
	"math"
	"slices"

	"github.com/dormouse-run/dormouse/internal/ident"
)

// inboxWindow is how many places of a queue are kept in memory.
const inboxWindow = 64

// inbox is the queue of a key: a window, which is a prefix of the queue, and
// the places behind it that are not durable yet and so cannot be read back.
//
// Invariants: the places in window and tail are in the order of their numbers;
// a place joins the window directly only when nothing is queued behind it;
// every durable place that is in neither lies between the two.
type inbox struct {
	partition ident.Partition
	object    ident.ObjectID
	window    []InboxRow
	tail      []InboxRow
	// last is the number of the last place that left the window, or was in it
	// when it ran empty: reading goes on behind it.
	last ident.Seq
	// gone are places removed from between whose removal may not be durable.
	gone   []goneInbox
	length uint64
}

type goneInbox struct{ place, removedAt ident.Seq }

func newInbox(p ident.Partition, object ident.ObjectID, h *HeadRow) inbox {
	q := inbox{partition: p, object: object, length: h.InboxLength}
	if h.InboxFirst > 0 {
		q.last = h.InboxFirst - 1
	}
	return q
}

// first returns a number from which a reader finds the first place, 0 when the
// queue is empty.
func (q *inbox) first() ident.Seq {
	switch {
	case q.length == 0:
		return 0
	case len(q.window) > 0:
		return q.window[0].Seq
	default:
		return q.last + 1
	}
}

// push adds a place at the end.
func (q *inbox) push(r InboxRow) {
	if q.length == uint64(len(q.window)) && len(q.window) < inboxWindow {
		q.window = append(q.window, r)
	} else {
		q.tail = append(q.tail, r)
	}
	q.length++
}

// need asks for the next places when the head of the queue is not in memory.
func (q *inbox) need() []Need {
	if q.length == 0 || len(q.window) > 0 {
		return nil
	}
	if q.length == uint64(len(q.tail)) {
		q.refill()
		return nil
	}
	from := Key{Partition: q.partition, Table: TableInbox, Object: q.object, A: uint64(q.last) + 1}
	to := from
	to.A = math.MaxUint64
	return []Need{{From: from, To: to, Limit: inboxWindow}}
}

// loaded takes the places read from the store.
func (q *inbox) loaded(rows []Row, limit int) error {
	for _, row := range rows {
		r := row.(*InboxRow)
		if q.isGone(r.Seq) {
			q.last = max(q.last, r.Seq)
			continue
		}
		q.window = append(q.window, *r)
	}
	if len(q.window) > 0 {
		q.dropTail(q.window[len(q.window)-1].Seq)
	}
	if len(rows) < limit {
		q.refill()
		if uint64(len(q.window)+len(q.tail)) != q.length {
			return fmt.Errorf("queue has %d places and should have %d: %w", len(q.window)+len(q.tail), q.length, ErrInconsistent)
		}
	}
	return nil
}

// refill moves places from the tail when nothing lies between it and the
// window.
func (q *inbox) refill() {
	n := min(len(q.tail), max(0, inboxWindow-len(q.window)))
	q.window = append(q.window, q.tail[:n]...)
	q.tail = q.tail[n:]
}

// peek returns the head of the queue; need must have been satisfied.
func (q *inbox) peek() (InboxRow, bool) {
	if len(q.window) == 0 {
		return InboxRow{}, false
	}
	return q.window[0], true
}

// pop removes the head of the queue.
func (q *inbox) pop() {
	q.last = q.window[0].Seq
	q.window = q.window[1:]
	q.length--
}

// remove takes a place out of the middle. removedAt is the output that does.
func (q *inbox) remove(place, removedAt ident.Seq) {
	same := func(r InboxRow) bool { return r.Seq == place }
	if i := slices.IndexFunc(q.window, same); i >= 0 {
		if len(q.window) == 1 {
			q.last = place
		}
		q.window = slices.Delete(q.window, i, i+1)
	} else if i := slices.IndexFunc(q.tail, same); i >= 0 {
		q.tail = slices.Delete(q.tail, i, i+1)
	}
	q.gone = append(q.gone, goneInbox{place: place, removedAt: removedAt})
	q.length--
}

// near reports whether a place is in memory.
func (q *inbox) near(place ident.Seq) bool {
	return len(q.window) > 0 && place <= q.window[len(q.window)-1].Seq
}

func (q *inbox) isGone(place ident.Seq) bool {
	return slices.ContainsFunc(q.gone, func(g goneInbox) bool { return g.place == place })
}

func (q *inbox) dropTail(upTo ident.Seq) {
	n := 0
	for n < len(q.tail) && q.tail[n].Seq <= upTo {
		n++
	}
	q.tail = q.tail[n:]
}

// settle forgets what can be read back.
func (q *inbox) settle(durable ident.Seq) {
	q.dropTail(durable)
	q.gone = slices.DeleteFunc(q.gone, func(g goneInbox) bool { return g.removedAt <= durable })
}
