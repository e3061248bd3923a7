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
	k := ranking{r: r, at: at, m: &meter{Budget: newBudget(at.Clock, math.MaxInt, maxRankedTime)}, filter: &f, limit: limit}
	for partition := range ident.Partition(ident.Partitions) {
		if err := k.look(partition); err != nil {
			return page, err
		}
		if k.partial {
			break
		}
	}
	page.Items, err = k.items()
	page.Examined, page.Partial = k.m.Examined(), k.partial
	return page, err
}

// ranking collects the first keys of an order.
type ranking struct {
	r      persistence.Reader
	at     Moment
	m      *meter
	filter *KeyFilter
	limit  int
	best   []ranked
	// floor is the last of the best, once there are enough.
	floor *ranked
	// looked counts invocations; partial says that there were more.
	looked  int
	partial bool
}

// ranked is a key of a ranking.
type ranked struct {
	KeyItem
	head *machine.HeadRow
}

// compare puts what comes first in the order first.
func (k *ranking) compare(a, b ranked) int {
	by := cmp.Compare(b.QueueDepth, a.QueueDepth)
	if k.filter.Order == ByAge {
		by = cmp.Compare(b.HeldMs, a.HeldMs)
	}
	return cmp.Or(by, strings.Compare(a.Key, b.Key))
}

// add keeps a key while it is among the best.
func (k *ranking) add(item ranked) {
	if k.best = append(k.best, item); len(k.best) >= 2*k.limit {
		k.cut()
	}
}

func (k *ranking) cut() {
	slices.SortFunc(k.best, k.compare)
	if len(k.best) >= k.limit {
		clear(k.best[k.limit:])
		k.best = k.best[:k.limit]
		floor := k.best[k.limit-1]
		k.floor = &floor
	}
}

// items returns the best, with the ages of their queues.
func (k *ranking) items() ([]KeyItem, error) {
	k.cut()
	items := make([]KeyItem, len(k.best))
	for i := range k.best {
		if err := k.best[i].readOldest(k.r, k.at, k.m, k.best[i].head); err != nil {
			return nil, err
		}
		items[i] = k.best[i].KeyItem
	}
	return items, nil
}

// look looks at everybody of a partition who may hold a key.
func (k *ranking) look(p ident.Partition) error {
	walk := openWaiting(k.r, k.m, p, 0, k.filter.classes())
	defer walk.close()
	for {
		step, more, err := walk.next()
		if err != nil || !more {
			return err
		}
		if k.looked++; k.looked > MaxRanked || k.m.over() {
			k.partial = true
			return nil
		}
		if step.present {
			if err := k.lookAt(p, step.birth); err != nil {
				return err
			}
		}
	}
}

// lookAt adds the key that an invocation holds, if it holds one that belongs to the
// list. The head is read last: of most invocations the record says enough.
func (k *ranking) lookAt(p ident.Partition, birth ident.Seq) error {
	f := k.filter
	inv, err := readInvocation(k.r, k.m, p, birth)
	if inv == nil || err != nil || inv.Target.Service != f.Service || !strings.HasPrefix(inv.Target.Key, f.Prefix) || !holds(inv) {
		return err
	}
	if k.floor != nil && f.Order == ByAge && heldMs(k.at, inv) < k.floor.HeldMs {
		return nil
	}
	head, err := readHead(k.r, k.m, p, ident.ObjectKey{Service: f.Service, Key: inv.Target.Key})
	if head == nil || err != nil || cmp.Or(head.Holder, head.Workflow.Run) != birth {
		return err
	}
	if item := newKeyItem(k.at, head, inv); f.matches(&item) {
		k.add(ranked{KeyItem: item, head: head})
	}
	return nil
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
