package query

import (
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// Bounds of what is shown of one key.
const (
	// MaxStateValues and MaxStateBytes bound the values of a page of state. The
	// second one also bounds those of a page of promises.
	MaxStateValues = 1000
	MaxStateBytes  = 32 << 20
	// MaxKeyPromises bounds the promises that are shown with a key.
	MaxKeyPromises = 1000
)

// KeyOptions say how much of a key to read.
type KeyOptions struct {
	// InboxLimit is how many places of the queue are read.
	InboxLimit int
	// StateAfter is the name behind which the state is read, nil for all of it.
	StateAfter *string
}

// Key is what the store knows of one key.
type Key struct {
	KeyItem
	// Exists is false for a key that nobody uses.
	Exists bool
	// HolderLive is what the attempt of Holder is doing, zero when it has none in
	// memory.
	HolderLive LiveAttempt
	Inbox      []InboxPlace
	// SharedRunning counts shared handlers of the key that run.
	SharedRunning int
	// State holds values in the order of their names. StateTruncated says that
	// there are more; StateNext is then the name to go on behind.
	State          []machine.StateValue
	StateTruncated bool
	StateNext      string
	// StateVersion is the version of the state, empty unless all of it was read.
	StateVersion string
	// Promises are those of a workflow; PromisesTruncated says that there are more.
	Promises          []PromiseItem
	PromisesTruncated bool
}

// InboxPlace is one place of a queue.
type InboxPlace struct {
	// Position is 1 for the next.
	Position int
	Kind     machine.InboxKind
	QueuedAt int64
	// ID and Handler are set for an invocation.
	ID      ident.InvocationID
	Handler string
}

// ReadKey reads one key. It costs what is shown, and the steps over what was
// removed from queue and state a moment ago, of which there are at most as many
// as a page may look at.
func ReadKey(r persistence.Reader, at Moment, key ident.ObjectKey, o KeyOptions) (*Key, error) {
	// The time does not bound this: what is shown is, and a version of the state
	// that comes or not with the load of the machine would be of no use.
	m := newCount()
	p := ident.KeyPartitionKey(key.Key).Partition()
	k := &Key{KeyItem: KeyItem{Key: key.Key, Measured: true}}
	if at.Live != nil {
		k.SharedRunning = at.Live.Shared(key)
	}
	head, err := readHead(r, m, p, key)
	if err != nil {
		return nil, err
	}
	if head == nil {
		k.StateVersion = machine.StateVersion(nil)
		return k, nil
	}
	holder, err := readHolder(r, m, head)
	if err != nil {
		return nil, err
	}
	k.KeyItem, k.Exists = newKeyItem(at, head, holder), true
	if err := k.readOldest(r, at, m, head); err != nil {
		return nil, err
	}
	if k.Holder != nil && at.Live != nil {
		k.HolderLive, _ = at.Live.Attempt(k.Holder)
	}
	if err := k.readInbox(r, newCount(), head, o.InboxLimit); err != nil {
		return nil, err
	}
	if err := k.readState(r, newCount(), head, o.StateAfter); err != nil {
		return nil, err
	}
	err = k.readPromises(r, newCount(), head)
	return k, err
}

func (k *Key) readInbox(r persistence.Reader, m *meter, head *machine.HeadRow, limit int) error {
	if head.InboxLength == 0 {
		return nil
	}
	rows := openInbox(r, head)
	defer rows.Close()
	for len(k.Inbox) < limit && !m.over() && rows.Next() {
		m.Spend(1)
		row, err := rows.Row()
		if err != nil {
			return err
		}
		q, ok := row.(*machine.InboxRow)
		if !ok {
			continue
		}
		place := InboxPlace{Position: len(k.Inbox) + 1, Kind: q.Kind, QueuedAt: q.QueuedAt}
		if place.Kind == machine.InboxInvocation {
			place.ID = q.ID
			inv, err := readInvocation(r, m, q.ID.Partition(), q.Birth)
			if err != nil {
				return err
			}
			if inv != nil {
				place.Handler = inv.Target.Handler
			}
		}
		k.Inbox = append(k.Inbox, place)
	}
	return rows.Err()
}

// readState merges the values of the head record with those in rows of their own,
// in the order of the names.
func (k *Key) readState(r persistence.Reader, m *meter, head *machine.HeadRow, after *string) error {
	page := statePage{key: k, whole: after == nil}
	inline := head.Inline
	for len(inline) > 0 && after != nil && inline[0].Name <= *after {
		inline = inline[1:]
	}
	if head.StateRows > 0 {
		rows := openState(r, head, after)
		defer rows.Close()
		for rows.Next() {
			m.Spend(1)
			name := rows.Key().Name
			for len(inline) > 0 && inline[0].Name < name {
				if !page.add(inline[0]) {
					return nil
				}
				inline = inline[1:]
			}
			if page.full() || m.over() {
				page.cut()
				return nil
			}
			row, err := rows.Row()
			if err != nil {
				return err
			}
			if v, ok := row.(*machine.StateRow); ok && !page.add(machine.StateValue{Name: v.Name, Value: v.Value}) {
				return nil
			}
			page.last = name
		}
		if err := rows.Err(); err != nil {
			return err
		}
	}
	for _, v := range inline {
		if !page.add(v) {
			return nil
		}
	}
	page.end()
	return nil
}

func openState(r persistence.Reader, head *machine.HeadRow, after *string) persistence.Iterator {
	from := machine.Key{Partition: head.Partition, Table: machine.TableState, Object: head.Object.ID(), A: uint64(head.Generation)}
	to := from
	to.A++
	if after != nil {
		from.Name = *after + "\x00"
	}
	return r.Rows(from, to, persistence.Ascending)
}

// statePage collects values until there are too many.
type statePage struct {
	key    *Key
	digest machine.StateDigest
	bytes  int
	// whole says that the page began with the first value.
	whole bool
	// last is the name up to which everything was seen.
	last string
}

func (p *statePage) full() bool {
	return len(p.key.State) >= MaxStateValues || len(p.key.State) > 0 && p.bytes >= MaxStateBytes
}

// add takes the next value, and reports false when the page is full.
func (p *statePage) add(v machine.StateValue) bool {
	if p.full() {
		p.cut()
		return false
	}
	p.key.State = append(p.key.State, v)
	p.bytes += len(v.Name) + len(v.Value)
	p.last = v.Name
	p.digest.Add(v.Name, v.Value)
	return true
}

// cut ends a page that is not the last one.
func (p *statePage) cut() { p.key.StateTruncated, p.key.StateNext = true, p.last }

// end ends the last page.
func (p *statePage) end() {
	if p.whole {
		p.key.StateVersion = p.digest.Version()
		p.key.StateBytes, p.key.Measured = 0, true
		for _, v := range p.key.State {
			p.key.StateBytes += len(v.Value)
		}
	}
}

func (k *Key) readPromises(r persistence.Reader, m *meter, head *machine.HeadRow) error {
	if head.Workflow.Promises == 0 {
		return nil
	}
	rows := openPromises(r, head, "")
	defer rows.Close()
	size := 0
	for !m.over() && rows.Next() {
		m.Spend(1)
		if len(k.Promises) == MaxKeyPromises || size >= MaxStateBytes {
			k.PromisesTruncated = true
			return nil
		}
		item, err := promiseItem(r, m, head, rows)
		if err != nil {
			return err
		}
		if item != nil {
			k.Promises = append(k.Promises, *item)
			size += len(item.Result.Value)
		}
	}
	k.PromisesTruncated = k.PromisesTruncated || m.over()
	return rows.Err()
}
