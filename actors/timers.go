package actors

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// The timer service wakes keys when their timers are due.
//
// All timers are rows, ordered by due time; in memory is a heap over the next
// window of them. Every row is in one of four places, and no row may fall
// between them:
//
//	mark            scanned          end
//	 |  fired, heap    |  heap, disk  |  disk
//
// A row due before scanned is on the heap, or has fired. A row due before end
// is put on the heap when it is set. What is due later is left to a refill.
// scanned and end differ only while a refill runs: it raises end first and
// takes its snapshot after that, so a row that is set meanwhile is seen by set
// or by the snapshot, or by both, which is harmless: the machine ignores a
// timer that it does not know.
//
// The mark says where start-up begins to look. It may lag, never lead. A timer
// that has fired stays on disk until the output that it caused removes it, so
// the mark is the earliest of three: the first timer on the heap, the first one
// that has fired and is not yet known to be removed, and scanned. The committer
// asks for it before each group, when all earlier outputs have been released
// and so are known here; rows of that very group it compares itself.
type timers struct {
	store   persistence.Store
	clock   Clock
	sched   Scheduler
	deliver func(machine.TimerRow)
	fail    func(error)
	trace   tracer

	wake, ended Signal

	mu      sync.Mutex
	limits  timerLimits
	heap    minHeap[pendingTimer]
	trimAt  int // the length at which the heap is cut
	scanned int64
	end     int64 // Invariant: scanned <= end, all of the heap is due before end
	// fired counts wakes that are under way; firedOrder holds their ids, and
	// ids that are no longer in fired until they come to the top.
	fired      map[timerID]int
	firedOrder minHeap[timerID]
	paceUntil  int64

	started, stopping, paused bool

	alarm func() bool // stops the alarm; nil when none was set
}

// timerLimits bound the service.
type timerLimits struct {
	// count is about how many timers are kept in memory, span how far ahead
	// they lie.
	count int
	span  time.Duration
	// underWay is how many wakes may be under way before the next ones wait,
	// for them or for pace. A crowd that is due at once comes in portions.
	underWay int
	pace     time.Duration
	// nap is the longest sleep: a clock that leaps is noticed after that.
	nap time.Duration
}

// minFiredOrder keeps small lists from being cleaned all the time.
const minFiredOrder = 64

func defaultTimerLimits() timerLimits {
	return timerLimits{
		count: 100_000, span: time.Hour,
		underWay: 4096, pace: time.Second,
		nap: time.Minute,
	}
}

// newTimers makes a service that does nothing before start. deliver posts a
// timer that is due to its key, and must not block. fail is called, once, when
// the timers cannot be read. trace may be nil.
func newTimers(store persistence.Store, clock Clock, sched Scheduler, deliver func(machine.TimerRow), fail func(error), trace func(Point)) *timers {
	mark := store.Info().Marks.Timers
	limits := defaultTimerLimits()
	return &timers{
		store: store, clock: clock, sched: sched, deliver: deliver, fail: fail, trace: trace,
		wake: sched.Signal(), ended: sched.Signal(),
		limits: limits, trimAt: 2 * limits.count, scanned: mark, end: mark,
		fired: make(map[timerID]int),
	}
}

// start begins to fire. It is called once.
func (t *timers) start() {
	t.mu.Lock()
	t.started = true
	t.mu.Unlock()
	t.sched.Go(goTimers, t.run)
}

// stop fires no more and returns when the goroutine has ended. It may be called
// again, and before start, by one goroutine at a time.
func (t *timers) stop() {
	t.mu.Lock()
	t.stopping = true
	started := t.started
	t.cancelAlarm()
	t.mu.Unlock()
	if !started {
		return
	}
	t.wake.Notify()
	t.ended.Wait()
	t.ended.Notify()
}

// pause holds all timers until resume.
func (t *timers) pause() {
	t.mu.Lock()
	t.paused = true
	t.mu.Unlock()
}

// resume lets timers fire again.
func (t *timers) resume() {
	t.mu.Lock()
	t.paused = false
	t.mu.Unlock()
	t.wake.Notify()
}

// set makes a timer known whose row is durable.
func (t *timers) set(row machine.TimerRow) {
	t.mu.Lock()
	if row.Due >= t.end {
		t.mu.Unlock()
		return
	}
	p := pendingTimer{timerID: idOf(&row), row: &row}
	t.heap.push(p)
	first := t.heap.top().timerID == p.timerID
	if len(t.heap) > t.trimAt {
		t.trim()
	}
	t.mu.Unlock()
	if first {
		t.wake.Notify()
	}
}

// removed says that the output which a fired timer caused is durable.
func (t *timers) removed(row machine.TimerRow) {
	id := idOf(&row)
	t.mu.Lock()
	full := len(t.fired) >= t.limits.underWay
	if n := t.fired[id]; n > 1 {
		t.fired[id] = n - 1
	} else {
		delete(t.fired, id)
	}
	room := full && len(t.fired) < t.limits.underWay
	t.mu.Unlock()
	if room {
		t.wake.Notify()
	}
}

// mark returns a time, in ms since the epoch, before which no timer is due that
// is on disk and whose setting has been announced.
func (t *timers) mark() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	mark := t.scanned
	if len(t.heap) > 0 {
		mark = min(mark, t.heap.top().due)
	}
	for len(t.firedOrder) > 0 {
		first := t.firedOrder.top()
		if t.fired[first] > 0 {
			return min(mark, first.due)
		}
		t.firedOrder.pop()
	}
	return mark
}

// counts returns how many timers are on the heap and how many wakes are under
// way.
func (t *timers) counts() (waiting, underWay int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.heap), len(t.fired)
}

func (t *timers) run() {
	defer t.ended.Notify()
	for {
		due, refill, stopping := t.next()
		if stopping {
			return
		}
		for _, row := range due {
			t.trace.pass(PointTimerFired)
			t.deliver(*row)
		}
		if refill {
			if err := t.refill(); err != nil {
				t.fail(err)
				return
			}
		} else if len(due) == 0 {
			t.wake.Wait()
		}
	}
}

// next decides what the loop does: fire what is due, read the next window, or,
// with the alarm set, wait.
func (t *timers) next() (due []*machine.TimerRow, refill, stopping bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stopping || t.paused {
		return nil, false, t.stopping
	}
	now := t.clock.Now().UnixMilli()
	due = t.popDue(now)
	if t.light() && now >= t.refillAt() {
		return due, true, false
	}
	if len(due) == 0 {
		t.setAlarm(now)
	}
	return due, false, false
}

// popDue takes the next portion of what is due.
func (t *timers) popDue(now int64) (due []*machine.TimerRow) {
	if len(t.fired) >= t.limits.underWay && now < t.paceUntil {
		return nil
	}
	for len(t.heap) > 0 && t.heap.top().due <= now && len(due) < t.limits.underWay {
		p := t.heap.pop()
		for len(t.heap) > 0 && t.heap.top().timerID == p.timerID {
			t.heap.pop()
		}
		t.fired[p.timerID]++
		t.firedOrder.push(p.timerID)
		due = append(due, p.row)
	}
	if len(due) > 0 {
		t.paceUntil = now + t.limits.pace.Milliseconds()
	}
	if len(t.firedOrder) > 2*len(t.fired)+minFiredOrder {
		t.firedOrder.keep(func(id timerID) bool { return t.fired[id] > 0 })
	}
	return due
}

// light reports whether the heap has room for another window. A heavy heap is
// due before scanned, so it becomes light before a refill would be late.
func (t *timers) light() bool { return len(t.heap) < (t.limits.count+1)/2 }

// refillAt returns when the next window should be read: some time before the
// present one ends.
func (t *timers) refillAt() int64 { return t.scanned - t.limits.span.Milliseconds()/4 }

// setAlarm wakes the loop for whatever comes first.
func (t *timers) setAlarm(now int64) {
	at := now + t.limits.nap.Milliseconds()
	if t.light() {
		at = min(at, t.refillAt())
	}
	if len(t.heap) > 0 {
		first := t.heap.top().due
		if first <= now {
			first = t.paceUntil
		}
		at = min(at, first)
	}
	t.cancelAlarm()
	t.alarm = t.clock.AfterFunc(time.Duration(at-now)*time.Millisecond, t.wake.Notify)
}

func (t *timers) cancelAlarm() {
	if t.alarm != nil {
		t.alarm()
		t.alarm = nil
	}
}

// refill reads the next window onto the heap.
func (t *timers) refill() error {
	t.mu.Lock()
	from, to := t.scanned, t.clock.Now().Add(t.limits.span).UnixMilli()
	t.end = max(t.end, to)
	page := max(1, t.limits.count/ident.Partitions)
	t.mu.Unlock()
	rows, end, err := t.scan(from, to, page)
	if err != nil {
		return fmt.Errorf("read the timers due from %d: %w", from, err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	end = min(end, t.end) // the heap may have been cut meanwhile
	t.scanned, t.end = end, end
	t.heap.keep(func(p pendingTimer) bool { return p.due < end })
	for _, row := range rows {
		if row.Due < end {
			t.heap.push(pendingTimer{timerID: idOf(row), row: row})
		}
	}
	return nil
}

// scan reads the rows due in [from, to), or up to an earlier end when there are
// many: those due before the end it returns are complete.
func (t *timers) scan(from, to int64, page int) (rows []*machine.TimerRow, end int64, err error) {
	for {
		rows, end = nil, to
		err = t.store.Read(func(r persistence.Reader) error {
			for p := range ident.Partition(ident.Partitions) {
				more, complete, err := scanTimers(r, p, from, end, page)
				if err != nil {
					return fmt.Errorf("partition %d: %w", p, err)
				}
				rows, end = append(rows, more...), complete
			}
			return nil
		})
		if page == 1 || !errors.Is(err, persistence.ErrSnapshotExpired) {
			return rows, end, err
		}
		page /= 2
	}
}

// scanTimers reads the rows of one partition due in [from, to), a page or a
// little more, and returns the time up to which they are complete. That time
// is after from, whatever the page: rows that are due at from are all read.
func scanTimers(r persistence.Reader, p ident.Partition, from, to int64, page int) (rows []*machine.TimerRow, end int64, err error) {
	next := machine.Key{Partition: p, Table: machine.TableTimer, A: uint64(from)}
	last := machine.Key{Partition: p, Table: machine.TableTimer, A: uint64(to)}
	for from < to {
		got, err := r.Scan(next, last, page)
		if err != nil {
			return nil, 0, err
		}
		for _, row := range got {
			timer, ok := row.(*machine.TimerRow)
			if !ok {
				return nil, 0, fmt.Errorf("found a %T among them", row)
			}
			rows = append(rows, timer)
		}
		if len(got) < page {
			return rows, to, nil
		}
		if cut := rows[len(rows)-1].Due; cut > from {
			return rows, cut, nil
		}
		next = rows[len(rows)-1].Key()
		if next.C++; next.C == 0 {
			next.B++
		}
	}
	return nil, to, nil
}

// trim cuts a heap that has become too long to count timers or a few more and
// leaves the others, which are on disk, to a refill.
func (t *timers) trim() {
	t.heap.sort()
	cut, due := 0, t.heap[t.limits.count].due
	for t.heap[cut].due < due {
		cut++
	}
	if cut == 0 {
		// All of them are due at the same moment: there is no place to cut.
		t.trimAt = 2 * len(t.heap)
		return
	}
	clear(t.heap[cut:])
	t.heap = t.heap[:cut]
	t.end = due
	t.scanned = min(t.scanned, due)
	t.trimAt = 2 * t.limits.count
}
