package query

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// Bounds of a list of keys that is ordered by something else than the key.
const (
	// MaxRanked is how many invocations are looked at.
	MaxRanked = 10_000
	// maxRankedTime is how long that may take.
	maxRankedTime = 250 * time.Millisecond
)

// ErrNoPages is the error of a cursor for a list that has one page.
var ErrNoPages = errors.New("a list in this order has one page: leave the cursor out, and raise the limit to see more")

// rankedKeys lists the keys with the longest queues, or those that have been held
// for longest. There is no index for either, so it looks at everybody who may hold
// a key.
func rankedKeys(r persistence.Reader, at Moment, f KeyFilter, p Paging) (Page[KeyItem], error) {
	page := Page[KeyItem]{}
	if p.Cursor != "" {
		return page, ErrNoPages
	}
	limit, err := Limit(p.Limit)
	if err != nil {
		return page, err
	}
	m := &meter{Budget: newBudget(at.Clock, math.MaxInt, maxRankedTime)}
	looked := 0
	for partition := range ident.Partition(ident.Partitions) {
		err := eachHeld(r, at, m, partition, &f, func(item *KeyItem) bool {
			if looked++; looked > MaxRanked || m.over() {
				page.Partial = true
				return false
			}
			if item != nil {
				page.Items = f.rank(append(page.Items, *item), 2*limit, limit)
			}
			return true
		})
		if err != nil {
			return page, err
		}
		if page.Partial {
			break
		}
	}
	page.Items = f.rank(page.Items, limit, limit)
	f.sort(page.Items)
	page.Examined = m.Examined()
	return page, nil
}

// rank sorts items and keeps the first n once there are more than limit.
func (f *KeyFilter) rank(items []KeyItem, limit, n int) []KeyItem {
	if len(items) <= limit {
		return items
	}
	f.sort(items)
	clear(items[n:])
	return items[:n]
}

func (f *KeyFilter) sort(items []KeyItem) {
	slices.SortFunc(items, func(a, b KeyItem) int {
		by := cmp.Compare(b.QueueDepth, a.QueueDepth)
		if f.Order == ByAge {
			by = cmp.Compare(b.HeldMs, a.HeldMs)
		}
		return cmp.Or(by, strings.Compare(a.Key, b.Key))
	})
}

// eachHeld calls fn for everybody of a partition who may hold a key: with the key,
// when it is held and the filter chooses it, else with nil.
func eachHeld(r persistence.Reader, at Moment, m *meter, p ident.Partition, f *KeyFilter, fn func(*KeyItem) bool) error {
	walk := openWaiting(r, m, p, 0, f.classes())
	defer walk.close()
	for {
		step, more, err := walk.next(m)
		if err != nil || !more {
			return err
		}
		var item *KeyItem
		if step.present {
			if item, err = heldBy(r, at, m, p, step.birth, f); err != nil {
				return err
			}
		}
		if !fn(item) {
			return nil
		}
	}
}

// heldBy returns the key that an invocation holds, nil when it holds none that the
// filter chooses.
func heldBy(r persistence.Reader, at Moment, m *meter, p ident.Partition, birth ident.Seq, f *KeyFilter) (*KeyItem, error) {
	inv, err := readInvocation(r, m, p, birth)
	if inv == nil || err != nil || inv.Target.Service != f.Service || !strings.HasPrefix(inv.Target.Key, f.Prefix) || !holds(inv) {
		return nil, err
	}
	item, err := keyItem(r, at, m, ident.ObjectKey{Service: f.Service, Key: inv.Target.Key}, p)
	if item == nil || err != nil || item.Holder == nil || item.Holder.Birth != birth || !f.matches(item) {
		return nil, err
	}
	return item, nil
}

// classes returns the classes of the invocations that may hold a key which the
// filter chooses. The active set is looked at in any case.
func (f *KeyFilter) classes() []machine.StatusClass {
	classes := map[KeyStatus][]machine.StatusClass{
		KeySuspended:  {machine.ClassSuspended, machine.ClassSuspendedIssued},
		KeyBackingOff: {machine.ClassBackingOff},
		KeyPaused:     {machine.ClassPaused},
	}
	var wanted []machine.StatusClass
	for _, status := range KeyStatuses() {
		if len(f.Statuses) == 0 || slices.Contains(f.Statuses, status) {
			wanted = append(wanted, classes[status]...)
		}
	}
	return wanted
}
