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
	// has says which tables have rows.
	has [256]bool

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
	// failed is why the partition cannot be read.
	failed error
	// lost says of which tables a row cannot be read: nothing that may have stood
	// there is missed. unsure says that such a row may own others.
	lost   [256]bool
	unsure bool
}

// reset prepares for a partition. The maps are used again.
func (p *partition) reset(n ident.Partition, has *[256]bool) {
	if p.objects == nil {
		p.objects, p.byID, p.records = map[ident.ObjectKey]*object{}, map[ident.ObjectID]*object{}, map[ident.Seq]*record{}
		p.timers, p.listeners, p.markers = map[timerKey]*record{}, map[listenerKey]listening{}, map[markerKey]bool{}
		p.patches, p.promises = map[ident.Seq]*object{}, map[promiseKey]bool{}
		p.sweeps.init()
	}
	clear(p.objects)
	clear(p.byID)
	clear(p.records)
	clear(p.timers)
	clear(p.listeners)
	clear(p.markers)
	clear(p.patches)
	clear(p.promises)
	p.sweeps.clear()
	clear(p.order)
	p.number, p.has, p.order, p.unsure, p.failed = n, *has, p.order[:0], false, nil
	p.lost = [256]bool{}
}

// read reads one partition. Chores come first, heads next.
func (p *partition) read() error {
	each(p, machine.TableChore, p.chore)
	each(p, machine.TableHead, p.head)
	p.join()
	each(p, machine.TableStatus, p.status)
	each(p, machine.TableID, p.id)
	each(p, machine.TableAlias, p.alias)
	each(p, machine.TableTimer, p.timer)
	each(p, machine.TableExpiry, p.expiry)
	each(p, machine.TableMarker, p.marker)
	each(p, machine.TableInbox, p.inbox)
	each(p, machine.TablePatch, p.patch)
	each(p, machine.TableState, p.state)
	each(p, machine.TablePromise, p.promise)
	each(p, machine.TableListener, p.listener)
	each(p, machine.TableOutbox, p.outbox)
	return p.failed
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
		if p.lost[machine.TableMarker] {
			break
		}
		p.find(RuleExpiry, m.id.String(), "there is a row that removes its marker in hour %d, and no marker of birth %v", m.hour, m.birth)
	}
	for seq, o := range p.patches {
		if p.lost[machine.TablePatch] {
			break
		}
		p.find(RuleQueue, o.name(), "patch %v has a place in the queue and no row", seq)
	}
}

// each walks over the rows of a table. A row that cannot be read is a finding, and
// the walk goes on. After a failure there are no more walks.
func each[R machine.Row](p *partition, t machine.Table, fn func(R)) {
	if !p.has[t] || p.failed != nil {
		return
	}
	it := p.r.Rows(machine.Key{Partition: p.number, Table: t}, machine.Key{}, persistence.Ascending)
	defer it.Close()
	for p.failed == nil && it.Next() {
		row, err := it.Row()
		switch {
		case err != nil:
			p.failed = p.unreadable(it.Key(), err)
		case row != nil: // else it was removed
			p.report.Rows++
			fn(row.(R))
		}
	}
	if p.failed == nil {
		p.failed = p.walked(t, it.Err())
	}
}

// walked judges what has ended a walk.
func (p *partition) walked(t machine.Table, err error) error {
	if err == nil {
		return nil
	}
	p.unsure, p.lost[t], p.unpaid = true, true, true
	if p.damaged(fmt.Sprintf("partition %d", p.number), "the rest of table "+TableName(t), err) {
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
	p.lost[k.Table] = true
	switch k.Table {
	case machine.TableHead:
		o := p.object(machine.Headed(k))
		o.unreadable = true
		p.byID[o.key.ID()] = o
	case machine.TableInvocation:
		p.records[ident.Seq(k.A)] = &record{birth: ident.Seq(k.A), unreadable: true}
		p.unpaid = true
	case machine.TableState, machine.TableInbox, machine.TablePromise, machine.TableListener:
		if o := p.byID[k.Object]; o != nil {
			o.unreadable = true
			p.damaged(o.name(), "a "+TableName(k.Table)+" row", err)
			return nil
		}
		p.unsure = true
	case machine.TableTimer, machine.TableExpiry:
		p.blame(ident.Seq(k.B), "a "+TableName(k.Table)+" row", err)
		return nil
	case machine.TableJournal, machine.TableSignal, machine.TablePending, machine.TableWaiter, machine.TableActive:
		p.check.faulty, p.unpaid = true, true
		p.blame(ident.Seq(k.A), "a "+TableName(k.Table)+" row", err)
		return nil
	case machine.TableOutbox:
		p.unpaid = true
	case machine.TableChore:
		p.unsure = true
	}
	p.damaged(RowName(k), "the row", err)
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

func (p *partition) cursor(t machine.Table) *cursor {
	c := &cursor{p: p, table: t, over: true}
	if p.has[t] {
		c.it = p.r.Rows(machine.Key{Partition: p.number, Table: t}, machine.Key{}, persistence.Ascending)
		c.step()
	}
	return c
}

// step goes to the next row.
func (c *cursor) step() {
	c.over = true
	for c.p.failed == nil && c.it.Next() {
		c.row, c.broken = c.it.Row()
		if c.row == nil && c.broken == nil {
			continue // it was removed
		}
		if c.row != nil {
			c.p.report.Rows++
		}
		c.birth, c.over = ident.Seq(c.it.Key().A), false
		return
	}
	if c.p.failed == nil {
		c.p.failed = c.p.walked(c.table, c.it.Err())
	}
}

// each hands every row of a birth to fn.
func (c *cursor) each(birth ident.Seq, fn func(machine.Row)) {
	for !c.over && c.birth == birth {
		if c.broken != nil {
			c.p.failed = c.p.unreadable(c.it.Key(), c.broken)
		} else {
			fn(c.row)
		}
		c.step()
	}
}

// join reads the tables that are sorted by birth.
func (p *partition) join() {
	tables := [...]machine.Table{
		machine.TableInvocation, machine.TableJournal, machine.TableSignal, machine.TablePending, machine.TableWaiter, machine.TableActive,
	}
	var cursors [len(tables)]*cursor
	defer func() {
		for _, c := range cursors {
			if c.it != nil {
				c.it.Close()
			}
		}
	}()
	for i, t := range tables {
		cursors[i] = p.cursor(t)
	}
	for p.failed == nil {
		birth, over := ident.Seq(0), true
		for _, c := range cursors {
			if !c.over && (over || c.birth < birth) {
				birth, over = c.birth, false
			}
		}
		if over {
			return
		}
		p.life(birth, cursors[:])
	}
}

// life reads what lies under one birth.
func (p *partition) life(birth ident.Seq, cursors []*cursor) {
	l := life{p: p, birth: birth}
	takes := [...]func(machine.Row){l.record, l.journal, l.signal, l.pending, l.waiter, l.active}
	for i, c := range cursors {
		c.each(birth, takes[i])
	}
	if p.failed == nil {
		l.judge()
	}
}
