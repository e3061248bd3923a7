package replay

import "github.com/dormouse-run/dormouse/internal/journal"

// notifications holds what has arrived: a queue in the order of entries, and
// what awaits have consumed from it but no future has taken yet.
//
// Ids of callees are kept apart from the queue. They arrive right behind their
// command, nothing waits for them in competition with others, and reading one
// consumes nothing.
type notifications struct {
	// queue[head:] has not been consumed.
	queue []journal.Notification
	head  int

	consumed map[journal.NotificationID]*journal.Notification
	named    map[string][]*journal.Notification
	callees  map[uint32]string
	// unread counts the signals that no future has taken.
	unread uint32
}

// Unread returns how many signals have arrived that nothing has taken: of names
// and awakeables for which the handler has not waited yet, or never will.
func (q *notifications) Unread() uint32 { return q.unread }

// Feed adds notifications that arrived, in the order of their entries. It keeps
// arrived.
func (q *notifications) Feed(arrived []journal.Notification) {
	if q.head == len(q.queue) {
		q.queue, q.head = q.queue[:0], 0
	}
	from := len(q.queue)
	q.queue = append(q.queue, arrived...)
	q.sort(from)
}

// sort moves the ids of callees from queue[from:] to their place.
func (q *notifications) sort(from int) {
	kept := q.queue[:from]
	for _, n := range q.queue[from:] {
		if n.Type != journal.TypeCallInvocationID {
			if n.ID.Deliverable() {
				q.unread++
			}
			kept = append(kept, n)
			continue
		}
		if q.callees == nil {
			q.callees = map[uint32]string{}
		}
		q.callees[n.ID.Completion] = n.Result.InvocationID
	}
	q.queue = kept
}

// Callee returns the id of the invocation that answers this completion id, when
// it has arrived. It consumes nothing.
func (q *notifications) Callee(completion uint32) (id string, arrived bool) {
	id, arrived = q.callees[completion]
	return id, arrived
}

// consume moves one notification from the queue to the consumed ones and
// reports its id. The first of two with one id stays.
func (q *notifications) consume() (id journal.NotificationID, ok bool) {
	if q.head == len(q.queue) {
		return id, false
	}
	n := q.queue[q.head]
	q.head++
	switch {
	case n.ID == cancelID():
	case n.ID.Name != "":
		if q.named == nil {
			q.named = map[string][]*journal.Notification{}
		}
		q.named[n.ID.Name] = append(q.named[n.ID.Name], &n)
	default:
		if q.consumed == nil {
			q.consumed = map[journal.NotificationID]*journal.Notification{}
		}
		if _, dup := q.consumed[n.ID]; !dup {
			q.consumed[n.ID] = &n
		} else if n.ID.Deliverable() {
			q.unread--
		}
	}
	return n.ID, true
}

// take removes the notification with this id, or the next one of this name,
// from the consumed ones.
func (q *notifications) take(id journal.NotificationID) (*journal.Notification, bool) {
	if id.Name != "" {
		waiting := q.named[id.Name]
		if len(waiting) == 0 {
			return nil, false
		}
		q.named[id.Name] = waiting[1:]
		q.unread--
		return waiting[0], true
	}
	n, ok := q.consumed[id]
	if ok {
		delete(q.consumed, id)
		if id.Deliverable() {
			q.unread--
		}
	}
	return n, ok
}
