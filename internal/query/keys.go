package query

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// KeyStatus says what goes on at a key. The zero value is an idle key.
type KeyStatus uint8

// Statuses of a key. A key whose holder runs, or waits for a handler slot, is
// running.
const (
	KeyIdle KeyStatus = iota
	KeyRunning
	KeyBackingOff
	KeySuspended
	KeyPaused
)

// KeyStatuses returns all of them.
func KeyStatuses() []KeyStatus {
	return []KeyStatus{KeyIdle, KeyRunning, KeyBackingOff, KeySuspended, KeyPaused}
}

// String returns the word used over HTTP.
func (s KeyStatus) String() string {
	switch s {
	case KeyIdle:
		return "idle"
	case KeyRunning:
		return "running"
	case KeyBackingOff:
		return "backing-off"
	case KeySuspended:
		return "suspended"
	case KeyPaused:
		return "paused"
	default:
		return "unknown"
	}
}

// KeyOrder is the order of a list of keys. The zero value is by key.
type KeyOrder uint8

// Orders of keys.
const (
	ByKey KeyOrder = iota
	// ByQueueDepth puts the longest queue first, ByAge the key that has been held
	// for longest. Both look at held keys only.
	ByQueueDepth
	ByAge
)

// String returns the word used over HTTP.
func (o KeyOrder) String() string {
	switch o {
	case ByQueueDepth:
		return "queue_depth"
	case ByAge:
		return "age"
	default:
		return "key"
	}
}

// KeyFilter chooses keys of one service. Zero fields choose everything.
type KeyFilter struct {
	Service string
	// Prefix is what the key begins with.
	Prefix string
	// Statuses are those of which the key has one; every one when empty.
	Statuses []KeyStatus
	// MinQueueDepth is how many invocations wait at least.
	MinQueueDepth uint64
	// MinAgeMs is for how long the key has been held at least, in milliseconds.
	// With more than 0 idle keys are left out.
	MinAgeMs int64
	Order    KeyOrder
}

// KeyItem is one key of a list.
type KeyItem struct {
	Key    string
	Status KeyStatus
	// Holder is the invocation that holds the key: of an object the exclusive one,
	// of a workflow its run until that has completed. Nil for an idle key.
	Holder *machine.InvocationRow
	// HeldMs is for how long, in milliseconds.
	HeldMs     int64
	QueueDepth uint64
	// OldestQueuedAt is when the first of the queue joined it, in milliseconds
	// since the epoch, 0 when the queue is empty; OldestQueuedMs is how long ago.
	OldestQueuedAt, OldestQueuedMs int64
	StateEntries                   int
	// StateBytes is the size of the values. Measured is false when the key has
	// values outside of its head record, which a list counts and does not read.
	StateBytes int
	Measured   bool
}

// Keys lists keys of a service, in the order of the keys over all partitions.
func Keys(r persistence.Reader, at Moment, f KeyFilter, p Paging) (Page[KeyItem], error) {
	if f.Order != ByKey {
		return rankedKeys(r, at, f, p)
	}
	limit, from, err := p.begin(keyList, f.text(), 1)
	if err != nil {
		return Page[KeyItem]{}, err
	}
	m := newMeter(at)
	walk := openListing(r, m, f.Service, f.Prefix, from[0])
	defer walk.Close()
	page := Page[KeyItem]{}
	for walk.Next() {
		if err := addKey(r, at, m, &f, walk, &page); err != nil {
			return page, err
		}
		if over := m.over(); over || len(page.Items) == limit {
			page.Next = seal(keyList, f.text(), walk.Key().Name)
			break
		}
	}
	page.Examined = m.Examined()
	return page, walk.Err()
}

// keyList is the name of the list in its cursors.
const keyList = "objects"

func (f *KeyFilter) text() string { return fmt.Sprintf("%#v", *f) }

// addKey adds the key at which walk stands, if it belongs to the list.
func addKey(r persistence.Reader, at Moment, m *meter, f *KeyFilter, walk *Merge, page *Page[KeyItem]) error {
	row, err := walk.Row()
	head, ok := row.(*machine.HeadRow)
	if !ok || err != nil || head.InboxLength < f.MinQueueDepth {
		return err
	}
	holder, err := readHolder(r, m, head)
	if err != nil {
		return err
	}
	item := newKeyItem(at, head, holder)
	if !f.matches(&item) {
		return nil
	}
	if err := item.readOldest(r, at, m, head); err != nil {
		return err
	}
	page.Items = append(page.Items, item)
	return nil
}

func (f *KeyFilter) matches(k *KeyItem) bool {
	return (len(f.Statuses) == 0 || slices.Contains(f.Statuses, k.Status)) &&
		k.QueueDepth >= f.MinQueueDepth &&
		(f.MinAgeMs == 0 || k.Holder != nil && k.HeldMs >= f.MinAgeMs) &&
		strings.HasPrefix(k.Key, f.Prefix)
}

// newKeyItem makes what a list shows of a key, without the age of its queue.
func newKeyItem(at Moment, head *machine.HeadRow, holder *machine.InvocationRow) KeyItem {
	item := KeyItem{
		Key: head.Object.Key, Holder: holder, QueueDepth: head.InboxLength,
		StateEntries: len(head.Inline) + int(head.StateRows), Measured: head.StateRows == 0,
	}
	for _, v := range head.Inline {
		item.StateBytes += len(v.Value)
	}
	if holder != nil {
		item.Status, item.HeldMs = keyStatus(holder.Status), heldMs(at, holder)
	}
	return item
}

func heldMs(at Moment, holder *machine.InvocationRow) int64 { return max(0, at.Now-heldSince(holder)) }

// readOldest adds since when the first of the queue waits.
func (k *KeyItem) readOldest(r persistence.Reader, at Moment, m *meter, head *machine.HeadRow) (err error) {
	if head.InboxLength == 0 {
		return nil
	}
	k.OldestQueuedAt, err = oldestQueued(r, m, head)
	if k.OldestQueuedAt != 0 {
		k.OldestQueuedMs = max(0, at.Now-k.OldestQueuedAt)
	}
	return err
}

// readHead returns the head record of a key, nil when it has none.
func readHead(r persistence.Reader, m *meter, p ident.Partition, key ident.ObjectKey) (*machine.HeadRow, error) {
	head, err := get[*machine.HeadRow](r, m, machine.HeadKey(p, key))
	if head == nil || head.Object != key {
		return nil, err
	}
	return head, err
}

// readHolder returns who holds a key: the exclusive invocation, or the run of a
// workflow that has not completed.
func readHolder(r persistence.Reader, m *meter, head *machine.HeadRow) (*machine.InvocationRow, error) {
	birth := head.Holder
	if birth == 0 {
		birth = head.Workflow.Run
	}
	if birth == 0 {
		return nil, nil
	}
	inv, err := readInvocation(r, m, head.Partition, birth)
	if inv == nil || err != nil || !holds(inv) {
		return nil, err
	}
	return inv, nil
}

// holds reports whether an invocation that is named by a head has its key now.
func holds(inv *machine.InvocationRow) bool {
	switch inv.Target.Kind {
	case ident.KindExclusive, ident.KindWorkflow:
		return keyStatus(inv.Status) != KeyIdle
	default:
		return false
	}
}

// keyStatus returns the status of a key whose holder has status s.
func keyStatus(s machine.Status) KeyStatus {
	switch s {
	case machine.StatusReady:
		return KeyRunning
	case machine.StatusBackingOff:
		return KeyBackingOff
	case machine.StatusSuspended:
		return KeySuspended
	case machine.StatusPaused:
		return KeyPaused
	default:
		return KeyIdle
	}
}

// heldSince returns when an invocation was given its key.
func heldSince(inv *machine.InvocationRow) int64 {
	if inv.RunningAt != 0 {
		return inv.RunningAt
	}
	return inv.ModifiedAt
}

// oldestQueued returns when the first of the queue joined it. 0 when it was not
// found within the bound.
func oldestQueued(r persistence.Reader, m *meter, head *machine.HeadRow) (int64, error) {
	rows := openInbox(r, head)
	defer rows.Close()
	for rows.Next() {
		m.Spend(1)
		row, err := rows.Row()
		if err != nil {
			return 0, err
		}
		if q, ok := row.(*machine.InboxRow); ok {
			return q.QueuedAt, nil
		}
		if m.over() {
			return 0, nil
		}
	}
	return 0, rows.Err()
}

// openInbox walks the queue of a key from its first place.
func openInbox(r persistence.Reader, head *machine.HeadRow) persistence.Iterator {
	object := head.Object.ID()
	from := machine.Key{Partition: head.Partition, Table: machine.TableInbox, Object: object, A: uint64(head.InboxFirst)}
	to := from
	to.A = ^uint64(0)
	return r.Rows(from, to, persistence.Ascending)
}
