package query

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// AwakeableState says where an awakeable is that is not done. The zero value is
// none of the states.
type AwakeableState uint8

// States of awakeables.
const (
	// AwakeableAwaited is in what its invocation waits for now.
	AwakeableAwaited AwakeableState = iota + 1
	// AwakeableCreated was handed out, is not answered and not waited for now.
	AwakeableCreated
	// AwakeableEarly is answered, and its handler has not come to it.
	AwakeableEarly
)

// AwakeableStates returns all of them.
func AwakeableStates() []AwakeableState {
	return []AwakeableState{AwakeableAwaited, AwakeableCreated, AwakeableEarly}
}

// String returns the word used over HTTP.
func (s AwakeableState) String() string {
	switch s {
	case AwakeableAwaited:
		return "awaited"
	case AwakeableCreated:
		return "created"
	case AwakeableEarly:
		return "early"
	default:
		return "none"
	}
}

// AwakeableFilter chooses awakeables. Zero fields choose everything.
type AwakeableFilter struct {
	Service, Handler string
	// Key is the key of the invocation; it counts when HasKey is set.
	Key    string
	HasKey bool
	// Invocation is the one to look at.
	Invocation ident.InvocationID
	// States are those of which the awakeable has one; every one when empty.
	States []AwakeableState
	// MinAgeMs is for how long it has been so at least, in milliseconds.
	MinAgeMs int64
}

// AwakeableItem is one awakeable that is not done.
type AwakeableItem struct {
	ID ident.AwakeableID
	// Invocation is the record of who has created it.
	Invocation *machine.InvocationRow
	// Running says that an attempt of it executes or waits in memory.
	Running bool
	State   AwakeableState
	// Since is when the invocation began to wait, as far as it is known, else when
	// its record was last changed; AgeMs is how long ago.
	Since, AgeMs int64
	// QueueDepth is how many invocations wait behind this one, when Exclusive says
	// that it holds a key.
	Exclusive  bool
	QueueDepth uint64
}

// Awakeables lists awakeables that are not done, of the invocations that have
// started and not completed, partition by partition in the order of births. Those
// that were answered before their invocation has started are found by the id of
// that invocation only.
func Awakeables(r persistence.Reader, at Moment, f AwakeableFilter, p Paging) (Page[AwakeableItem], error) {
	limit, from, err := p.begin(awakeableList, f.text(), 1)
	if err != nil {
		return Page[AwakeableItem]{}, err
	}
	w := awakeableWalk{r: r, at: at, m: newMeter(at), filter: f, limit: limit}
	if err := w.resume(from[0]); err != nil {
		return Page[AwakeableItem]{}, err
	}
	if err := w.run(); err != nil {
		return Page[AwakeableItem]{}, err
	}
	page := Page[AwakeableItem]{Items: w.items, Examined: w.m.Examined()}
	if w.stopped {
		page.Next = seal(awakeableList, f.text(), w.place())
	}
	return page, nil
}

// awakeableList is the name of the list in its cursors.
const awakeableList = "awakeables"

func (f *AwakeableFilter) text() string { return fmt.Sprintf("%#v", *f) }

// awakeableWalk is a walk over invocations and the awakeables of each.
type awakeableWalk struct {
	r      persistence.Reader
	at     Moment
	m      *meter
	filter AwakeableFilter
	limit  int
	items  []AwakeableItem

	// partition, birth and index are the place behind which the walk goes on. With
	// an index of 0 the invocation is done.
	partition ident.Partition
	birth     ident.Seq
	index     uint32
	stopped   bool
}

func (w *awakeableWalk) place() string {
	b := binary.BigEndian.AppendUint16(nil, uint16(w.partition))
	return string(binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(b, uint64(w.birth)), w.index))
}

func (w *awakeableWalk) resume(place string) error {
	if place == "" {
		return nil
	}
	if len(place) != 14 {
		return ErrCursor
	}
	b := []byte(place)
	w.partition, w.birth, w.index = ident.Partition(binary.BigEndian.Uint16(b)), ident.Seq(binary.BigEndian.Uint64(b[2:])), binary.BigEndian.Uint32(b[10:])
	if w.partition >= ident.Partitions {
		return ErrCursor
	}
	return nil
}

// full ends a step, and reports whether the page ends behind it.
func (w *awakeableWalk) full() bool {
	over := w.m.over()
	w.stopped = w.stopped || over || len(w.items) >= w.limit
	return w.stopped
}

func (w *awakeableWalk) run() error {
	if w.filter.Invocation != (ident.InvocationID{}) {
		return w.one()
	}
	last := ident.Partition(ident.Partitions - 1)
	if w.filter.HasKey {
		only := ident.KeyPartitionKey(w.filter.Key)
		if last = only.Partition(); w.partition != last {
			w.partition, w.birth, w.index = last, 0, 0
		}
		births, all, err := w.gather(only)
		if err != nil {
			return err
		}
		if all {
			return w.ofKey(births)
		}
	}
	for {
		if err := w.inPartition(); err != nil || w.stopped || w.partition == last {
			return err
		}
		w.partition, w.birth, w.index = w.partition+1, 0, 0
		if w.full() {
			return nil
		}
	}
}

// one walks the awakeables of one invocation.
func (w *awakeableWalk) one() error {
	row, err := get[*machine.IDRow](w.r, w.m, (&machine.IDRow{ID: w.filter.Invocation}).Key())
	if row == nil || err != nil {
		return err
	}
	w.partition, w.birth = w.filter.Invocation.Partition(), row.Birth
	return w.awakeablesOf(row.Birth)
}

// gather returns the births of all invocations of a key from the present one on, in
// their order. all is false when there are too many: then the partition is walked.
func (w *awakeableWalk) gather(key ident.PartitionKey) (births []ident.Seq, all bool, err error) {
	first, last := ident.NewInvocationID(key, [16]byte{}), ident.NewInvocationID(key, ones())
	from := machine.Key{Partition: key.Partition(), Table: machine.TableID, ID: first}
	rows := w.r.Rows(from, machine.Key{}, persistence.Ascending)
	defer rows.Close()
	for steps := 0; rows.Next(); steps++ {
		w.m.Spend(1)
		if id := rows.Key().ID; slices.Compare(id[:], last[:]) > 0 {
			break
		}
		if steps == gatherSteps {
			return nil, false, nil
		}
		row, err := rows.Row()
		if err != nil {
			return nil, false, err
		}
		if id, ok := row.(*machine.IDRow); ok && id.Object.Key == w.filter.Key && id.Birth >= w.birth {
			births = append(births, id.Birth)
		}
	}
	slices.Sort(births)
	return births, true, rows.Err()
}

// ofKey walks the awakeables of the invocations of one key.
func (w *awakeableWalk) ofKey(births []ident.Seq) error {
	for _, birth := range births {
		if birth == w.birth && w.index == 0 {
			continue // it is done
		}
		if birth != w.birth {
			w.birth, w.index = birth, 0
		}
		if err := w.awakeablesOf(birth); err != nil || w.full() {
			return err
		}
	}
	return nil
}

func (w *awakeableWalk) inPartition() error {
	if w.index != 0 {
		if err := w.awakeablesOf(w.birth); err != nil || w.stopped {
			return err
		}
	}
	walk := openWaiting(w.r, w.m, w.partition, w.birth, awakeableClasses())
	defer walk.close()
	for {
		step, more, err := walk.next()
		if err != nil || !more {
			return err
		}
		w.birth, w.index = step.birth, 0
		if step.present {
			if err := w.awakeablesOf(step.birth); err != nil {
				return err
			}
		}
		if w.full() {
			return nil
		}
	}
}

// awakeableClasses are the classes of invocations that may have an awakeable.
func awakeableClasses() []machine.StatusClass {
	return []machine.StatusClass{machine.ClassSuspendedIssued, machine.ClassBackingOff, machine.ClassPaused}
}

// awakeablesOf walks the awakeables of one invocation behind index.
func (w *awakeableWalk) awakeablesOf(birth ident.Seq) error {
	inv, err := readInvocation(w.r, w.m, w.partition, birth)
	if inv == nil || err != nil || !w.wants(inv) {
		w.index = 0
		return err
	}
	o, err := newAwakeableOwner(w, inv)
	if err != nil {
		return err
	}
	return o.walk()
}

// wants reports whether the filter chooses an invocation. Which ones are looked at
// does not depend on the way on which they are found.
func (w *awakeableWalk) wants(inv *machine.InvocationRow) bool {
	f, t := &w.filter, &inv.Target
	return (f.Invocation != ident.InvocationID{} || inv.Status == machine.StatusReady || slices.Contains(awakeableClasses(), inv.Class())) &&
		inv.Status != machine.StatusCompleted &&
		(f.Service == "" || f.Service == t.Service) &&
		(f.Handler == "" || f.Handler == t.Handler) &&
		(!f.HasKey || t.Keyed() && f.Key == t.Key)
}
