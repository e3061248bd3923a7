package actors

import (
	"fmt"
	"sync"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// routes finds the key of an invocation whose Invoke is on its way: from before
// it is posted until the output that accepted or refused it is durable, after
// which its row can be read. Without it a signal that follows a send would find
// nobody.
type routes struct{ shards [routeShards]routeShard }

const routeShards = 64

type routeShard struct {
	mu   sync.Mutex
	byID map[ident.InvocationID]route
}

// route is one way to a key; n counts the messages that hold it open.
type route struct {
	key ident.ObjectKey
	n   int
}

func newRoutes() *routes {
	t := new(routes)
	for i := range t.shards {
		t.shards[i].byID = make(map[ident.InvocationID]route)
	}
	return t
}

func (t *routes) shard(id ident.InvocationID) *routeShard {
	return &t.shards[id[len(id)-1]%routeShards]
}

func (t *routes) enter(id ident.InvocationID, key ident.ObjectKey) {
	s := t.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byID[id] = route{key: key, n: s.byID[id].n + 1}
}

func (t *routes) leave(id ident.InvocationID) {
	s := t.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.byID[id]
	if r.n--; r.n <= 0 {
		delete(s.byID, id)
	} else {
		s.byID[id] = r
	}
}

func (t *routes) find(id ident.InvocationID) (ident.ObjectKey, bool) {
	s := t.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	r, found := s.byID[id]
	return r.key, found
}

// find returns the key of an invocation: one that is on its way, or one that
// has a row. The order matters, because a route is dropped when there is a row.
func (rt *Runtime) find(id ident.InvocationID) (key ident.ObjectKey, known bool, err error) {
	if key, known = rt.routes.find(id); known {
		return key, true, nil
	}
	err = rt.options.Store.Read(func(r persistence.Reader) error {
		row, err := r.Get((&machine.IDRow{ID: id}).Key())
		if err != nil || row == nil {
			return err
		}
		key, known = row.(*machine.IDRow).Object, true
		return nil
	})
	if err != nil {
		return ident.ObjectKey{}, false, fmt.Errorf("look up invocation %s: %w", id, err)
	}
	return key, known, nil
}

// deliverer hands outbox rows to their receivers, in the order in which they
// are posted. Most rows name their receiver and are handed over at once. A row
// that is addressed by an id which has to be looked up goes to a goroutine of
// its own, with everything behind it, so that the order stays and the committer
// never reads the store.
type deliverer struct {
	loop
	rt *Runtime

	mu    sync.Mutex
	queue []*machine.OutboxRow
	// held keeps new rows back while start-up posts the old ones.
	held bool
	// busy says that the goroutine has rows that it took.
	busy bool
}

func newDeliverer(rt *Runtime) *deliverer {
	return &deliverer{loop: newLoop(rt.sched), rt: rt, held: true}
}

// post hands over a new row. It never blocks.
func (d *deliverer) post(row *machine.OutboxRow) {
	d.mu.Lock()
	if !d.held && !d.busy && len(d.queue) == 0 && d.rt.handOver(row, nil, false) {
		d.mu.Unlock()
		return
	}
	d.queue = append(d.queue, row)
	d.mu.Unlock()
	d.wake.Notify()
}

// open lets new rows pass: every old one has been posted.
func (d *deliverer) open() {
	d.mu.Lock()
	d.held = false
	d.mu.Unlock()
	d.wake.Notify()
}

// run is the goroutine. It ends when there is nothing to deliver, or when new
// rows are held.
func (d *deliverer) run() {
	for {
		d.mu.Lock()
		d.busy = false
		var rows []*machine.OutboxRow
		if !d.held {
			rows, d.queue = d.queue, nil
			d.busy = len(rows) > 0
		}
		d.mu.Unlock()
		if len(rows) == 0 && d.stopping.Load() {
			return
		}
		for _, row := range rows {
			d.rt.handOver(row, nil, true)
		}
		if len(rows) == 0 {
			d.wake.Wait()
		}
	}
}

// handOver posts a row to its receiver. Without lookup it reports false when
// only the store knows who that is.
func (rt *Runtime) handOver(row *machine.OutboxRow, from *slice, lookup bool) bool {
	env := &envelope{event: row.Message.Sent(row.Ref), origin: origin{slice: from}}
	key, partition := ident.ObjectKey{}, ident.Partition(0)
	var id *ident.InvocationID // of a receiver whose key is to be looked up: handlers name any id, that of zeros too
	switch m := row.Message.(type) {
	case *machine.Invoke:
		key, partition = ident.ObjectKeyOf(m.Target, m.ID), m.ID.Partition()
		env.origin = rt.route(m, key)
		env.origin.slice = from
	case *machine.Returned:
		key, partition = m.To.Object, m.To.ID.Partition()
	case *machine.Signal:
		id = &m.ID
	case *machine.Attach:
		id = &m.ID
	case *machine.Operate:
		id = &m.ID
	default:
		panic(fmt.Sprintf("actors: outbox row %v holds a %T", row.Ref, row.Message))
	}
	if id != nil {
		found := false
		if key, found = rt.routes.find(*id); !found {
			if !lookup {
				return false
			}
			if key, found = rt.findReceiver(row, *id, from); !found {
				return true
			}
		}
		partition = id.Partition()
	}
	if !rt.registry.deliver(key, partition, env) {
		rt.settle(&env.origin)
		return true
	}
	rt.trace.pass(PointHandedOver)
	return true
}

// findReceiver looks a receiver up. When there is none, the row is removed.
func (rt *Runtime) findReceiver(row *machine.OutboxRow, id ident.InvocationID, from *slice) (ident.ObjectKey, bool) {
	key, known, err := rt.findFor(row.Message, id)
	switch {
	case err != nil:
		// The row stays on disk for the next start, like one of a quarantined
		// key.
		rt.logger.Error("an outbox row stays until the next start", "row", fmt.Sprint(row.Ref), "error", err)
		rt.settle(&origin{slice: from})
		return key, false
	case !known && rt.registry.closed.Load():
		// The row that makes the receiver may have been refused, and waits for the
		// next start. So does this one.
		rt.settle(&origin{slice: from})
	case !known:
		rt.undeliverable(row, from)
	}
	return key, known
}

// undeliverable removes a row whose receiver does not exist. Who waits for an
// answer gets one, through a row of the same batch.
func (rt *Runtime) undeliverable(row *machine.OutboxRow, from *slice) {
	at := rt.stamp()
	writes := []machine.Write{{Delete: row.Ref.Key(), ForeignOutbox: true}}
	o := &op{seq: at.Seq, origin: origin{slice: from}}
	if m, ok := row.Message.(*machine.Attach); ok && m.Waiter.Birth != 0 {
		back := &machine.OutboxRow{
			Partition: row.Ref.Partition, Ref: machine.OutboxRef{Partition: row.Ref.Partition, Seq: at.Seq},
			Message: &machine.Returned{To: m.Waiter, Type: journal.TypeAttachCompletion, Result: journal.FailureOf(404, fmt.Sprintf("no invocation %s is known here", m.ID))},
		}
		writes = append(writes, machine.Write{Put: back, Fresh: true})
		o.gated = []machine.Effect{&machine.Deliver{Row: back}}
	}
	batch, err := rt.options.Store.Encode(at.Seq, writes)
	if err != nil {
		rt.logger.Error("an outbox row stays until the next start", "row", fmt.Sprint(row.Ref), "error", err)
		rt.settle(&o.origin)
		return
	}
	o.batch = batch
	rt.committer.enqueue(o)
}

// slice counts work in flight, so that start-up and sweeps hold a bounded part
// of it.
type slice struct {
	wake Signal
	mu   sync.Mutex
	n    int
}

func newSlice(sched Scheduler) *slice { return &slice{wake: sched.Signal()} }

func (s *slice) add() {
	s.mu.Lock()
	s.n++
	s.mu.Unlock()
}

func (s *slice) done() {
	s.mu.Lock()
	s.n--
	s.mu.Unlock()
	s.wake.Notify()
}

// wait blocks until at most n are in flight, or until over reports true.
func (s *slice) wait(n int, over func() bool) {
	for {
		s.mu.Lock()
		left := s.n
		s.mu.Unlock()
		if left <= n || over() {
			return
		}
		s.wake.Wait()
	}
}
