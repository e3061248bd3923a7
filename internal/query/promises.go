package query

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// MaxWaiters bounds the waiters that are shown of one promise.
const MaxWaiters = 100

// PromiseFilter chooses promises of workflows. Zero fields choose everything.
type PromiseFilter struct {
	// Services are those that are looked at, sorted by name.
	Services []string
	// Key is the one workflow, nil for all.
	Key *string
	// Name is the name of the promise, nil for all.
	Name *string
	// Completed chooses those with or without a result, nil both.
	Completed *bool
}

// PromiseItem is one promise.
type PromiseItem struct {
	Service, Key, Name string
	// Result is ResultNone while the promise is open.
	Result journal.Result
	// CreatedAt is when it was first named, CompletedAt when it was completed, 0
	// while it is open, in milliseconds since the epoch.
	CreatedAt, CompletedAt int64
	// Waiters are invocations that wait for it, in the order of their coming, at
	// most MaxWaiters; WaitersTruncated says that there are more.
	Waiters          []ident.InvocationID
	WaitersTruncated bool
}

// Completed reports whether the promise has its result.
func (p *PromiseItem) Completed() bool { return p.Result.Kind != journal.ResultNone }

// Promises lists promises in the order of service, key and name.
func Promises(r persistence.Reader, at Moment, f PromiseFilter, p Paging) (Page[PromiseItem], error) {
	limit, from, err := p.begin(promiseList, f.text(), 3)
	if err != nil {
		return Page[PromiseItem]{}, err
	}
	w := promiseWalk{r: r, m: newMeter(at), filter: f, limit: limit}
	w.service, w.at, w.name = from[0], from[1], from[2]
	if err = w.run(); err != nil {
		return Page[PromiseItem]{}, err
	}
	page := Page[PromiseItem]{Items: w.items, Examined: w.m.Examined()}
	if w.stopped {
		page.Next = seal(promiseList, f.text(), w.service, w.at, w.name)
	}
	return page, nil
}

// promiseList is the name of the list in its cursors.
const promiseList = "promises"

// text is the filter as a cursor knows it.
func (f *PromiseFilter) text() string {
	completed := "any"
	if f.Completed != nil {
		completed = strconv.FormatBool(*f.Completed)
	}
	return fmt.Sprintf("%q %s %s %s", f.Services, optional(f.Key), optional(f.Name), completed)
}

func optional(s *string) string {
	if s == nil {
		return "any"
	}
	return strconv.Quote(*s)
}

// promiseWalk is a walk over services, their keys, and the promises of each.
type promiseWalk struct {
	r      persistence.Reader
	m      *meter
	filter PromiseFilter
	limit  int
	items  []PromiseItem
	// bytes is the size of their values.
	bytes int

	// service, at and name are the place behind which the walk goes on: at is the
	// place in the listing of service. Its workflow is done, unless name is "=" and
	// the last promise of it that was seen.
	service, at, name string
	// stopped says that the page ended before the list.
	stopped bool
}

// full ends a step, and reports whether the page ends behind it.
func (w *promiseWalk) full() bool {
	over := w.m.over()
	w.stopped = w.stopped || over || len(w.items) >= w.limit || w.bytes >= MaxStateBytes
	return w.stopped
}

func (w *promiseWalk) run() error {
	for _, service := range w.filter.Services {
		if service < w.service {
			continue
		}
		if service != w.service {
			w.service, w.at, w.name = service, "", ""
		}
		var err error
		if w.filter.Key != nil {
			err = w.one(ident.ObjectKey{Service: service, Key: *w.filter.Key})
		} else {
			err = w.all(service)
		}
		if err != nil || w.stopped {
			return err
		}
	}
	return nil
}

// one walks the promises of one workflow.
func (w *promiseWalk) one(key ident.ObjectKey) error {
	if w.at != "" && w.name == "" {
		return nil // it is done
	}
	w.at = key.Service + "\x00" + key.Key
	return w.promisesOf(key)
}

// all walks the promises of all workflows of a service.
func (w *promiseWalk) all(service string) error {
	if w.at != "" && w.name != "" {
		_, key, _ := strings.Cut(w.at, "\x00")
		if err := w.promisesOf(ident.ObjectKey{Service: service, Key: key}); err != nil || w.stopped {
			return err
		}
	}
	walk := openListing(w.r, w.m, service, "", w.at)
	defer walk.Close()
	for walk.Next() {
		row, err := walk.Row()
		if err != nil {
			return err
		}
		w.at, w.name = walk.Key().Name, ""
		if row != nil {
			if err := w.promisesOf(machine.Headed(walk.Key())); err != nil {
				return err
			}
		}
		if w.full() {
			return nil
		}
	}
	return walk.Err()
}

// promisesOf walks the promises of a workflow that lie behind name. When it ends
// within them it leaves the last in name, else name is empty.
func (w *promiseWalk) promisesOf(key ident.ObjectKey) error {
	head, err := readHead(w.r, w.m, ident.KeyPartitionKey(key.Key).Partition(), key)
	if err != nil {
		return err
	}
	if head == nil || head.Workflow.Promises == 0 {
		w.name = ""
		return nil
	}
	rows := openPromises(w.r, head, w.name)
	defer rows.Close()
	for rows.Next() {
		w.m.Spend(1)
		name := rows.Key().Name
		w.name = "=" + name
		if w.filter.Name == nil || *w.filter.Name == name {
			item, err := promiseItem(w.r, w.m, head, rows)
			if err != nil {
				return err
			}
			if item != nil && (w.filter.Completed == nil || *w.filter.Completed == item.Completed()) {
				w.items = append(w.items, *item)
				w.bytes += len(item.Result.Value)
			}
		}
		if w.full() {
			return nil
		}
	}
	w.name = ""
	return rows.Err()
}

// openPromises walks the promises of a workflow behind "=" and a name, "" for all.
func openPromises(r persistence.Reader, head *machine.HeadRow, after string) persistence.Iterator {
	from := machine.Key{Partition: head.Partition, Table: machine.TablePromise, Object: head.Object.ID(), A: uint64(head.Workflow.Generation)}
	to := from
	to.A++
	if after != "" {
		from.Name = after[1:] + "\x00"
	}
	return r.Rows(from, to, persistence.Ascending)
}

// promiseItem reads the promise at which rows stands, nil for one that is gone.
func promiseItem(r persistence.Reader, m *meter, head *machine.HeadRow, rows persistence.Iterator) (*PromiseItem, error) {
	row, err := rows.Row()
	p, ok := row.(*machine.PromiseRow)
	if !ok || err != nil {
		return nil, err
	}
	item := &PromiseItem{
		Service: head.Object.Service, Key: head.Object.Key, Name: p.Name,
		Result: p.Result, CreatedAt: p.CreatedAt, CompletedAt: p.CompletedAt,
	}
	if !item.Completed() && p.Asked > 0 {
		err = item.readWaiters(r, m, p)
	}
	return item, err
}

func (p *PromiseItem) readWaiters(r persistence.Reader, m *meter, row *machine.PromiseRow) error {
	from := machine.Key{Partition: row.Partition, Table: machine.TableListener, Object: row.Object, A: uint64(row.Generation), B: uint64(row.Number)}
	to := from
	to.B++
	rows := r.Rows(from, to, persistence.Ascending)
	defer rows.Close()
	for steps := 0; rows.Next(); steps++ {
		m.Spend(1)
		if len(p.Waiters) == MaxWaiters || steps == maxWaiterSteps {
			p.WaitersTruncated = true
			return nil
		}
		row, err := rows.Row()
		if err != nil {
			return err
		}
		if l, ok := row.(*machine.ListenerRow); ok {
			p.Waiters = append(p.Waiters, l.ID)
		}
	}
	return rows.Err()
}

// maxWaiterSteps bounds the steps over waiters that have gone.
const maxWaiterSteps = 1000
