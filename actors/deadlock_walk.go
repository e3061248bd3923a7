package actors

import (
	"fmt"
	"strings"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// Bounds of one walk. Beyond them nothing is said.
const (
	maxWalkNodes = 512
	maxWalkRows  = 8192
)

// walk is one look: who waits for whom, from a root on.
//
// An invocation is stuck when it waits for nothing but invocations that are
// stuck: a queued one for the holder of its key; one that waits for several, by
// its tree. So all are taken for stuck until one is met that can go on, and that
// is passed back to those who wait for it. When the root can go on, the walk is
// over. When everything that can be reached has been visited and the root
// cannot, then nothing that it reaches can, and following any of its ways comes
// round.
type walk struct {
	d     *deadlocks
	nodes map[ident.Seq]*node
	rows  int
	// unread are nodes that have not been visited.
	unread []*node
	// asked says that a handler waits in memory and is about to say for what.
	asked bool
}

// finding is what a walk has found.
type finding struct {
	// cycle is nil when the root can go on.
	cycle cycle
	// behind says that the store does not have the start of the attempt that
	// has asked, asked that the answer of a handler is about to come: then
	// another walk may find something else.
	behind, asked bool
}

// node is one invocation.
type node struct {
	partition ident.Partition
	birth     ident.Seq
	record    *machine.InvocationRow
	// free says that it can go on.
	free bool
	// holder is set when it queues, await when it waits for answers; then
	// callees are those that invocations owe, by completion.
	holder  *node
	await   *journal.Future
	callees map[uint32]callee
	// behind are the nodes that wait for this one.
	behind []*node
}

type callee struct {
	*node
	// called tells a call from an attach.
	called bool
}

// walk looks from one root.
func (d *deadlocks) walk(r root) (f finding, err error) {
	w := &walk{d: d, nodes: map[ident.Seq]*node{}}
	birth := r.birth
	if birth == 0 {
		if birth, err = d.holder(r); birth == 0 || err != nil {
			return finding{}, err
		}
	}
	start := w.node(nil, r.partition, birth)
	for len(w.unread) > 0 && !start.free {
		n := w.unread[len(w.unread)-1]
		w.unread = w.unread[:len(w.unread)-1]
		if err := w.visit(n); err != nil {
			return finding{}, fmt.Errorf("look at the invocation born at %v: %w", n.birth, err)
		}
		n.settle()
	}
	switch {
	case r.epoch != 0 && (start.record == nil || start.record.Epoch < r.epoch):
		return finding{behind: d.rt.attempts.get(birth, r.epoch) != nil}, nil
	case start.free:
		return finding{asked: w.asked}, nil
	default:
		return finding{cycle: start.follow()}, nil
	}
}

// holder returns who holds a key that others queue for, 0 for nobody.
func (d *deadlocks) holder(r root) (holder ident.Seq, err error) {
	d.reads.Add(1)
	err = d.rt.options.Store.Read(func(s persistence.Reader) error {
		row, err := s.Get(machine.HeadKey(r.partition, r.object))
		if head, ok := row.(*machine.HeadRow); ok && head.InboxLength > 0 {
			holder = head.Holder
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("look for the holder of a key: %w", err)
	}
	return holder, nil
}

// node returns the node of a birth, for which by waits.
func (w *walk) node(by *node, p ident.Partition, birth ident.Seq) *node {
	n := w.nodes[birth]
	if n == nil {
		n = &node{partition: p, birth: birth}
		w.nodes[birth] = n
		w.unread = append(w.unread, n)
	}
	if by != nil {
		n.behind = append(n.behind, by)
	}
	return n
}

// visit reads what a node waits for.
func (w *walk) visit(n *node) error {
	if len(w.nodes) > maxWalkNodes || w.rows > maxWalkRows {
		n.free = true // too large to tell
		return nil
	}
	w.d.mark(n.birth)
	w.d.reads.Add(1)
	err := w.d.rt.options.Store.Read(func(r persistence.Reader) error { return w.read(n, r) })
	if n.record == nil || n.record.Status == machine.StatusCompleted {
		w.d.unmark(n.birth)
	}
	return err
}

func (w *walk) read(n *node, r persistence.Reader) error {
	row, err := w.get(r, machine.Key{Partition: n.partition, Table: machine.TableInvocation, A: uint64(n.birth)})
	if err != nil || row == nil {
		n.free = true // its answer is on its way
		return err
	}
	n.record = row.(*machine.InvocationRow)
	switch n.record.Status {
	case machine.StatusPending:
		return w.readHolder(n, r)
	case machine.StatusSuspended:
		n.await = n.record.Await
	case machine.StatusReady:
		var asked bool
		n.await, asked = w.d.rt.awaits(n.record.Birth, n.record.Epoch)
		w.asked = w.asked || asked
	}
	if n.await == nil {
		n.free = true // it runs, or a timer or somebody outside lets it go on
		return nil
	}
	return w.readCallees(n, r)
}

func (w *walk) readHolder(n *node, r persistence.Reader) error {
	key := ident.ObjectKeyOf(n.record.Target, n.record.ID)
	row, err := w.get(r, machine.HeadKey(n.partition, key))
	head, ok := row.(*machine.HeadRow)
	if err != nil || !ok || head.Holder == 0 {
		n.free = true
		return err
	}
	n.holder = w.node(n, n.partition, head.Holder)
	return nil
}

// readCallees finds the invocations that owe n an answer. One that is not there
// yet will be: then it is free.
func (w *walk) readCallees(n *node, r persistence.Reader) error {
	for leaf := range n.await.Leaves() {
		if _, twice := n.callees[leaf.Completion]; leaf.Completion == 0 || twice || w.rows > maxWalkRows {
			continue
		}
		row, err := w.get(r, (&machine.PendingRow{Partition: n.partition, Birth: n.birth, Completion: leaf.Completion}).Key())
		if err != nil {
			return err
		}
		pending, ok := row.(*machine.PendingRow)
		if !ok || pending.Callee.IsZero() {
			continue
		}
		row, err = w.get(r, (&machine.IDRow{ID: pending.Callee}).Key())
		if err != nil {
			return err
		}
		if id, ok := row.(*machine.IDRow); ok {
			if n.callees == nil {
				n.callees = map[uint32]callee{}
			}
			n.callees[leaf.Completion] = callee{node: w.node(n, pending.Callee.Partition(), id.Birth), called: pending.Called}
		}
	}
	return nil
}

func (w *walk) get(r persistence.Reader, k machine.Key) (machine.Row, error) {
	w.rows++
	return r.Get(k)
}

// settle finds out whether n can go on, and tells those who wait for it.
func (n *node) settle() {
	if !n.free && n.stuck() {
		return
	}
	n.free = true
	for _, behind := range n.behind {
		if !behind.free {
			behind.settle()
		}
	}
}

func (n *node) stuck() bool {
	if n.holder != nil {
		return !n.holder.free
	}
	return n.await != nil && !n.decidable(n.await)
}

// decidable reports whether f can be decided by something that can happen. A
// node that asks for all its children needs every one of them. Any other one may
// be decided by one, whatever its outcome will be.
func (n *node) decidable(f *journal.Future) bool {
	children, able := 0, 0
	count := func(can bool) {
		children++
		if can {
			able++
		}
	}
	for _, completion := range f.Completions {
		c, owed := n.callees[completion]
		count(!owed || c.free)
	}
	for _, signal := range f.Signals {
		if signal != ident.CancelSignal {
			count(true)
		}
	}
	for range f.Named {
		count(true)
	}
	for _, nested := range f.Nested {
		count(n.decidable(nested))
	}
	if f.Combinator == journal.AllCompleted || children == 0 {
		return able == children
	}
	return able > 0
}

// next returns one of those that n, which is stuck, waits for.
func (n *node) next() link {
	if n.holder != nil {
		return link{node: n, to: n.holder}
	}
	for leaf := range n.await.Leaves() {
		if c, owed := n.callees[leaf.Completion]; owed && !c.free {
			return link{node: n, to: c.node, completion: leaf.Completion, called: c.called}
		}
	}
	panic(fmt.Sprintf("actors: invocation %s is stuck and waits for nobody: %s", n.record.ID, n.await))
}

// follow goes from n to who it waits for until it comes round.
func (n *node) follow() cycle {
	var path cycle
	at := map[*node]int{}
	for {
		if i, again := at[n]; again {
			return path[i:]
		}
		at[n] = len(path)
		l := n.next()
		path = append(path, l)
		n = l.to
	}
}

// link is one invocation that waits for another one.
type link struct {
	*node
	to *node
	// completion is what it waits for, 0 when it queues behind to; called tells
	// a call from an attach.
	completion uint32
	called     bool
}

// cycle is invocations each of which waits for the next, and the last for the
// first.
type cycle []link

// key names a cycle, wherever it begins.
func (c cycle) key() string {
	first := 0
	for i := range c {
		if c[i].birth < c[first].birth {
			first = i
		}
	}
	var b strings.Builder
	for _, l := range c.from(first) {
		fmt.Fprintf(&b, "%v/%d ", l.birth, l.completion)
	}
	return b.String()
}

// from returns the cycle as it is seen from its i-th member.
func (c cycle) from(i int) cycle { return append(c[i:len(c):len(c)], c[:i]...) }

// awaits returns what an attempt waits for, as far as it has
// said so; nil when it does not wait, or when something has arrived. An attempt
// that is marked and has not said it is asked; asked reports that it waits and
// will answer at once.
func (rt *Runtime) awaits(birth, epoch ident.Seq) (await *journal.Future, asked bool) {
	a := rt.attempts.get(birth, epoch)
	if a == nil {
		return nil, false
	}
	a.mu.Lock()
	await = a.awaits
	moving := len(a.feed.arrivals) > 0 || a.woken || a.stopped != 0
	a.mu.Unlock()
	switch {
	case moving:
		return nil, false
	case await == nil:
		a.rouse()
		return nil, rt.hot.has(a)
	default:
		return await, false
	}
}

// tell says what a marked attempt waits for. It is called on the handler's
// goroutine, once in a wait; what is said holds until untell.
func (a *attempt) tell(wait awaiting) {
	await, _ := wait()
	a.mu.Lock()
	a.awaits = await
	a.mu.Unlock()
	a.rt.deadlocks.examine(root{partition: a.entry.partition, birth: a.birth, epoch: a.epoch})
}

// untell says that the wait is over.
func (a *attempt) untell() {
	a.mu.Lock()
	a.awaits = nil
	a.mu.Unlock()
}
