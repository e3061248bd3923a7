package actors

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// The committer makes outputs durable, in the order in which they were queued,
// and then releases their effects, in that order.
//
// The naive way is one commit per output; each would wait for a sync of its
// own. Instead one goroutine takes everything that has come while the previous
// sync lasted: the sync is the batching window, and no output waits for a timer.
//
// Laws: a batch is never split over two commits; an output without writes keeps
// its place in the line, so its effects wait for every earlier output; after a
// commit that failed nothing is released and nothing more is committed. The
// committer never waits for an actor, an attempt or a client: release appends.

// op is the output of one event on its way to the disk. It belongs to the actor
// until it is queued, then to the committer, which uses its memory again when
// everything is released: nobody keeps a pointer to one.
type op struct {
	entry *entry
	seq   ident.Seq
	// batch is nil when the output has no writes.
	batch *persistence.Batch
	gated []machine.Effect
	// timer is set when the event was a timer that fired: once this output is
	// durable, the row of the timer is gone.
	timer *machine.TimerRow
	// permit is given back when the output is durable.
	permit permit
	// origin is what else is settled with this output.
	origin origin
	// seen is nil when nobody wants the events of this output.
	seen *observation
}

// A group is closed before it exceeds these. One batch is at most as large.
const (
	maxGroupBytes = persistence.MaxBatchBytes
	maxGroupRows  = persistence.MaxBatchRows
	maxGroupOps   = 4096
)

type committer struct {
	store   persistence.Store
	sched   Scheduler
	release func(*op)
	fail    func(error)
	trace   tracer

	// marks gives the marks to store with a group. It is called when release has
	// returned for every earlier output, so every timer that is on disk has been
	// set. timerRemoved is told of each timer that fired and whose row is gone.
	// Both may be nil, and are set before start.
	marks        func() persistence.Marks
	timerRemoved func(machine.TimerRow)

	wake, ended Signal
	depth       atomic.Int64 // outputs queued or in the group under way

	mu       sync.Mutex
	queue    []*op
	started  bool
	stopping bool
	failure  error
	// version is that of the hub: an output of a key, with writes, whose events
	// were not derived under it is not taken. 0 takes everything.
	version uint32

	// The rest belongs to the goroutine of run.
	work      []*op
	batches   []*persistence.Batch
	timerMark int64 // the mark on disk
	// hurried is until when the committer does not step back, overlong how often in
	// a row, up to 5, it has taken too long.
	hurried  time.Time
	overlong int

	commits, ops, rows, bytes atomic.Uint64

	free sync.Pool // of *op, empty but for the memory of gated

	// meter takes how long commits last; it may be nil. lapse stands still unless it
	// is set. Both are set before start.
	meter *commitMeter
	lapse func() time.Time
}

// committerStats counts what a committer has done.
type committerStats struct {
	Commits, Ops, Rows, Bytes uint64
	// Depth is how many outputs wait.
	Depth int
}

// newCommitter makes a committer that does nothing before start. release must
// not block. fail is called once, with the error that made the outcome of a
// group unknown. trace may be nil.
func newCommitter(store persistence.Store, sched Scheduler, release func(*op), fail func(error), trace func(Point)) *committer {
	return &committer{
		store: store, sched: sched, release: release, fail: fail, trace: trace,
		wake: sched.Signal(), ended: sched.Signal(),
		timerMark: store.Info().Marks.Timers, lapse: func() time.Time { return time.Time{} },
	}
}

// start begins to commit. It is called once.
func (c *committer) start() {
	c.mu.Lock()
	c.started = true
	c.mu.Unlock()
	c.sched.Go(goCommitter, c.run)
}

// stop commits and releases what is queued, also what the releases queue, and
// returns when the goroutine has ended. It may be called again, and before
// start, by one goroutine at a time. What is queued afterwards is dropped.
func (c *committer) stop() {
	c.mu.Lock()
	c.stopping = true
	started := c.started
	c.mu.Unlock()
	if !started {
		return
	}
	c.wake.Notify()
	c.ended.Wait()
	c.ended.Notify()
}

// abort makes every output that is not yet in a commit stay out of the store,
// as after a failed commit. It does not call fail.
func (c *committer) abort(cause error) {
	c.mu.Lock()
	if c.failure == nil {
		c.failure = cause
	}
	c.mu.Unlock()
}

// output returns an empty op, whose gated may have memory.
func (c *committer) output() *op {
	if o, ok := c.free.Get().(*op); ok {
		return o
	}
	return new(op)
}

// maxKeptEffects bounds what an op that is kept holds on to.
const maxKeptEffects = 64

// recycle keeps the memory of an output that is released.
func (c *committer) recycle(o *op) {
	if cap(o.gated) > maxKeptEffects {
		return
	}
	clear(o.gated)
	*o = op{gated: o.gated[:0]}
	c.free.Put(o)
}

// enqueue queues an output. It never blocks, and the queue has no bound: an
// event that has been applied can no longer be refused. It returns false, and has
// done nothing, when the events of the output have to be derived first.
func (c *committer) enqueue(o *op) (taken bool) {
	c.mu.Lock()
	if c.version > 0 && o.entry != nil && o.batch != nil && (o.seen == nil || o.seen.version < c.version) {
		c.mu.Unlock()
		return false
	}
	c.append(o)
	return true
}

// append queues an output. The caller holds mu, which append gives up.
func (c *committer) append(o *op) {
	c.depth.Add(1)
	c.queue = append(c.queue, o)
	first := len(c.queue) == 1
	c.mu.Unlock()
	if first {
		c.wake.Notify()
	}
}

// observe makes outputs carry what a version of the hub asks for, from marker on,
// which is queued behind those that do not. Version 0 ends it, without a marker.
func (c *committer) observe(version uint32, marker *op) {
	c.mu.Lock()
	c.version = version
	if marker == nil {
		c.mu.Unlock()
		return
	}
	c.append(marker)
}

// queued returns how many outputs are not yet released.
func (c *committer) queued() int { return int(c.depth.Load()) }

func (c *committer) stats() committerStats {
	return committerStats{
		Commits: c.commits.Load(), Ops: c.ops.Load(), Rows: c.rows.Load(), Bytes: c.bytes.Load(),
		Depth: c.queued(),
	}
}

func (c *committer) run() {
	defer c.ended.Notify()
	for {
		failure, stopping := c.take()
		switch {
		case failure != nil:
			c.drop()
		case len(c.work) > 0:
			if c.linger() != nil {
				continue
			}
			if err := c.commitGroup(c.group()); err != nil {
				c.abort(err)
				c.fail(err)
			}
			continue
		}
		if stopping {
			return
		}
		c.wake.Wait()
	}
}

// take moves what has come to the work of the loop.
func (c *committer) take() (failure error, stopping bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.work = append(c.work, c.queue...)
	clear(c.queue)
	c.queue = c.queue[:0]
	if cap(c.queue) > 2*maxGroupOps {
		c.queue = nil
	}
	return c.failure, c.stopping
}

// drop forgets the work after a failure: nobody may be told that it is done.
func (c *committer) drop() {
	c.depth.Add(-int64(len(c.work)))
	c.work = nil
}

// group returns how many outputs of the work the next commit takes, at least
// one, and gathers their batches.
func (c *committer) group() int {
	bytes, rows := 0, 0
	c.batches = c.batches[:0]
	for n, o := range c.work {
		if n == maxGroupOps {
			return n
		}
		if o.batch == nil {
			continue
		}
		bytes += o.batch.Bytes
		rows += o.batch.Rows
		if len(c.batches) > 0 && (bytes > maxGroupBytes || rows > maxGroupRows) {
			return n
		}
		c.batches = append(c.batches, o.batch)
	}
	return len(c.work)
}

// commitGroup makes the first n outputs durable and releases them.
func (c *committer) commitGroup(n int) error {
	if len(c.batches) > 0 {
		if err := c.commit(); err != nil {
			return err
		}
	}
	for _, o := range c.work[:n] {
		c.release(o)
		o.permit.release()
		if o.timer != nil && c.timerRemoved != nil {
			c.timerRemoved(*o.timer)
		}
		c.recycle(o)
		c.depth.Add(-1)
	}
	c.ops.Add(uint64(n))
	rest := copy(c.work, c.work[n:])
	clear(c.work[rest:])
	if c.work = c.work[:rest]; rest == 0 && cap(c.work) > 2*maxGroupOps {
		c.work = nil
	}
	return nil
}

// commit writes the gathered batches.
func (c *committer) commit() error {
	switch h := c.store.Health(); {
	case h.Lost != nil:
		return fmt.Errorf("commit %d outputs: %w", len(c.batches), h.Lost)
	case h.Pressure == persistence.PressureHard:
		return fmt.Errorf("commit %d outputs: %w: %s", len(c.batches), ErrLowSpace, h.Reason)
	}
	marks := c.nextMarks()
	c.trace.pass(PointBeforeCommit)
	done := c.meter.begin(len(c.batches), c.lapse)
	if err := c.store.Commit(c.batches, marks); err != nil {
		return fmt.Errorf("commit %d outputs: %w", len(c.batches), err)
	}
	c.meter.end(done, c.lapse)
	c.trace.pass(PointAfterCommit)
	if marks.Timers != 0 {
		c.timerMark = marks.Timers
	}
	c.commits.Add(1)
	for _, b := range c.batches {
		c.rows.Add(uint64(b.Rows))
		c.bytes.Add(uint64(b.Bytes))
	}
	clear(c.batches)
	return nil
}

// nextMarks returns the marks of the gathered group. The mark of the timers
// rises to what the timer service knows to be free of rows, but no row of this
// very group may lie below it: nobody has heard of those yet.
func (c *committer) nextMarks() persistence.Marks {
	var m persistence.Marks
	if c.marks != nil {
		m = c.marks()
	}
	low := m.Timers
	if low == 0 {
		low = c.timerMark
	}
	for _, b := range c.batches {
		if b.EarliestTimer > 0 && b.EarliestTimer < low {
			low = b.EarliestTimer
		}
	}
	m.Timers = 0
	if low != c.timerMark {
		m.Timers = low
	}
	return m
}
