package audit

import (
	"errors"
	"fmt"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// partition is what is known of one partition while it is read.
type partition struct {
	*audit
	number ident.Partition

	sweeps  sweeps
	objects map[ident.ObjectKey]*object
	byID    map[ident.ObjectID]*object
	records map[ident.Seq]*record
	// order lists the records as they came.
	order []*record
	check journalCheck

	// timers are those that somebody waits for, listeners likewise, markers those
	// that an expiry row names, patches the places in queues that name one. What
	// is left of them at the end was not found.
	timers    map[timerKey]*record
	listeners map[listenerKey]listening
	markers   map[markerKey]bool
	patches   map[ident.Seq]*object
	promises  map[promiseKey]bool
	// unsure says that a row was unreadable which may own others.
	unsure bool
}

// partition reads one partition.
func (a *audit) partition(n ident.Partition) error {
	p := &partition{
		audit: a, number: n,
		objects: map[ident.ObjectKey]*object{}, byID: map[ident.ObjectID]*object{},
		records: map[ident.Seq]*record{}, timers: map[timerKey]*record{},
		listeners: map[listenerKey]listening{}, markers: map[markerKey]bool{},
		patches: map[ident.Seq]*object{}, promises: map[promiseKey]bool{},
	}
	p.sweeps.init()
	steps := []func() error{
		func() error { return each(p, machine.TableChore, p.chore) },
		func() error { return each(p, machine.TableHead, p.head) },
		p.invocations,
		func() error { return each(p, machine.TableStatus, p.status) },
		func() error { return each(p, machine.TableID, p.id) },
		func() error { return each(p, machine.TableAlias, p.alias) },
		func() error { return each(p, machine.TableTimer, p.timer) },
		func() error { return each(p, machine.TableExpiry, p.expiry) },
		func() error { return each(p, machine.TableMarker, p.marker) },
		func() error { return each(p, machine.TableInbox, p.inbox) },
		func() error { return each(p, machine.TablePatch, p.patch) },
		func() error { return each(p, machine.TableState, p.state) },
		func() error { return each(p, machine.TablePromise, p.promise) },
		func() error { return each(p, machine.TableListener, p.listener) },
		func() error { return each(p, machine.TableOutbox, p.outbox) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	p.finish()
	return nil
}

// finish judges what can be told only when every table was read.
func (p *partition) finish() {
	for _, r := range p.order {
		p.finishRecord(r)
	}
	for _, o := range p.objects {
		p.finishObject(o)
	}
	p.finishTimers()
	p.finishListeners()
	for m := range p.markers {
		p.find(RuleExpiry, m.id.String(), "there is a row that removes its marker in hour %d, and no marker of birth %v", m.hour, m.birth)
	}
	for seq, o := range p.patches {
		p.find(RuleQueue, o.name(), "patch %v has a place in the queue and no row", seq)
	}
}

// each walks over the rows of a table. A row that cannot be read is a finding, and
// the walk goes on.
func each[R machine.Row](p *partition, t machine.Table, fn func(R) error) error {
	it := p.r.Rows(machine.Key{Partition: p.number, Table: t}, machine.Key{}, persistence.Ascending)
	defer it.Close()
	for it.Next() {
		row, err := it.Row()
		if err != nil {
			if err := p.unreadable(it.Key(), err); err != nil {
				return err
			}
			continue
		}
		if row == nil {
			continue // it was removed
		}
		p.report.Rows++
		typed, ok := row.(R)
		if !ok {
			return fmt.Errorf("a row of table %s is a %T", tableName(t), row)
		}
		if err := fn(typed); err != nil {
			return err
		}
	}
	return p.walked(t, it.Err())
}

// walked judges what has ended a walk.
func (p *partition) walked(t machine.Table, err error) error {
	if err == nil {
		return nil
	}
	p.unsure = true
	if p.damaged(fmt.Sprintf("partition %d", p.number), "the rest of table "+tableName(t), err) {
		return nil
	}
	return err
}

// unreadable notes a row that cannot be read, so that nothing is said of what it
// would have explained.
func (p *partition) unreadable(k machine.Key, err error) error {
	p.report.Rows++
	if !errors.Is(err, persistence.ErrCorrupt) {
		return err
	}
	switch k.Table {
	case machine.TableHead:
		o := p.object(machine.Headed(k))
		o.unreadable, o.stored = true, true
	case machine.TableInvocation:
		p.records[ident.Seq(k.A)] = &record{birth: ident.Seq(k.A), unreadable: true}
	case machine.TableState, machine.TableInbox, machine.TablePromise, machine.TableListener:
		if o := p.byID[k.Object]; o != nil {
			o.unreadable = true
			p.damaged(o.name(), "a "+tableName(k.Table)+" row", err)
			return nil
		}
		p.unsure = true
	case machine.TableTimer, machine.TableExpiry:
		p.blame(ident.Seq(k.B), "a "+tableName(k.Table)+" row", err)
		return nil
	case machine.TableJournal, machine.TableSignal, machine.TablePending, machine.TableWaiter, machine.TableActive:
		p.blame(ident.Seq(k.A), "a "+tableName(k.Table)+" row", err)
		return nil
	default:
		p.unsure = true
	}
	p.damaged(rowName(k), "the row", err)
	return nil
}

// blame makes a finding of a row of an invocation that cannot be read.
func (p *partition) blame(birth ident.Seq, what string, err error) {
	r := p.records[birth]
	if r == nil {
		p.unsure = true
		p.damaged(fmt.Sprintf("birth %v", birth), what, err)
		return
	}
	r.unreadable = true
	p.damaged(r.name(), what, err)
}

// cursor is one of the walks that are joined by birth.
type cursor struct {
	p     *partition
	table machine.Table
	it    persistence.Iterator
	// birth is that of the next row, which is nil when it cannot be read; over
	// says that there is none.
	birth ident.Seq
	row   machine.Row
	over  bool
	// broken is why the next row cannot be read.
	broken error
}

func (p *partition) cursor(t machine.Table) (*cursor, error) {
	c := &cursor{p: p, table: t, it: p.r.Rows(machine.Key{Partition: p.number, Table: t}, machine.Key{}, persistence.Ascending)}
	return c, c.step()
}

// step goes to the next row.
func (c *cursor) step() error {
	for c.it.Next() {
		c.row, c.broken = c.it.Row()
		if c.row == nil && c.broken == nil {
			continue // it was removed
		}
		if c.broken != nil && !errors.Is(c.broken, persistence.ErrCorrupt) {
			return c.broken
		}
		if c.row != nil {
			c.p.report.Rows++
		}
		c.birth = ident.Seq(c.it.Key().A)
		return nil
	}
	c.row, c.over = nil, true
	return c.p.walked(c.table, c.it.Err())
}

// each hands every row of a birth to fn.
func (c *cursor) each(birth ident.Seq, fn func(machine.Row)) error {
	for !c.over && c.birth == birth {
		if c.broken != nil {
			if err := c.p.unreadable(c.it.Key(), c.broken); err != nil {
				return err
			}
		} else {
			fn(c.row)
		}
		if err := c.step(); err != nil {
			return err
		}
	}
	return nil
}

// invocations joins the tables that are sorted by birth.
func (p *partition) invocations() error {
	tables := [...]machine.Table{
		machine.TableInvocation, machine.TableJournal, machine.TableSignal, machine.TablePending, machine.TableWaiter, machine.TableActive,
	}
	cursors := make([]*cursor, 0, len(tables))
	defer func() {
		for _, c := range cursors {
			c.it.Close()
		}
	}()
	for _, t := range tables {
		c, err := p.cursor(t)
		cursors = append(cursors, c)
		if err != nil {
			return err
		}
	}
	for {
		birth, over := ident.Seq(0), true
		for _, c := range cursors {
			if !c.over && (over || c.birth < birth) {
				birth, over = c.birth, false
			}
		}
		if over {
			return nil
		}
		if err := p.life(birth, cursors); err != nil {
			return err
		}
	}
}

// life reads what lies under one birth.
func (p *partition) life(birth ident.Seq, cursors []*cursor) error {
	l := life{p: p, birth: birth}
	takes := [...]func(machine.Row){l.record, l.journal, l.signal, l.pending, l.waiter, l.active}
	for i, c := range cursors {
		if err := c.each(birth, takes[i]); err != nil {
			return err
		}
	}
	l.judge()
	return nil
}
