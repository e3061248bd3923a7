package actors

import (
	"slices"
	"time"
)

// maxYields and maxLinger bound how often, and for how long, the committer steps
// back for the handlers that it has just let start: some tens of microseconds,
// against hundreds of a sync. Where others want the processor, a single step back
// may take milliseconds.
const (
	maxYields = 500
	maxLinger = 500 * time.Microsecond
)

// longLinger is what no stepping back takes where only the runtime is at work: half
// a time slice of the Go scheduler. It counts for no more than maxOverlong: a
// process that was stopped for an hour has met no neighbour.
const (
	longLinger  = 5 * time.Millisecond
	maxOverlong = 200 * time.Millisecond
)

// linger gives handlers a moment to end while nobody waits for the disk. A
// handler starts when its invocation is applied, and a short one ends before a
// sync would; then acceptance and result need one group instead of two.
//
// Once somebody waits for anything in the queue, it goes on for as long as each
// step back brings more. Those who were let go by the last group are on their way
// to the next: leaving without them costs a sync that they would have shared, and
// on an idle machine there is nobody to step back for. It returns an error when
// the queue was aborted meanwhile.
//
// Where the program around us keeps the processors busy, a step back ends when the
// scheduler says so, after tens of milliseconds. Then the next ones are left out:
// see hurry.
func (c *committer) linger() error {
	begun := c.lapse()
	if begun.Before(c.hurried) {
		return nil
	}
	defer func() { c.hurry(begun) }()
	until := begun.Add(maxLinger)
	awaited := false
	for range maxYields {
		// All of them, as a handler may begin to wait for one that is in the queue.
		awaited = awaited || slices.ContainsFunc(c.work, (*op).awaited)
		before := len(c.work)
		c.sched.Yield()
		if failure, _ := c.take(); failure != nil {
			return failure
		}
		if awaited && len(c.work) == before || c.lapse().After(until) {
			return nil
		}
	}
	return nil
}

// hurry notes how long the committer has stepped back. When that was too long it
// does not for four times as long, and after each further time for twice that, up
// to 128 times: one long time may be the engine, which flushes a memtable now and
// then; it is neighbours who do not stop that must not cost more than a hundredth.
func (c *committer) hurry(begun time.Time) {
	now := c.lapse()
	took := now.Sub(begun)
	if took <= longLinger {
		c.overlong = 0
		return
	}
	c.hurried = now.Add(min(took, maxOverlong) << (2 + c.overlong))
	c.overlong = min(c.overlong+1, 5)
}

// awaited reports whether anything happens when the output is durable. A handler
// may begin to wait at the barrier of its key when the output is in the queue
// already.
func (o *op) awaited() bool {
	return len(o.gated) > 0 || o.entry == nil || o.entry.barriers.some()
}
