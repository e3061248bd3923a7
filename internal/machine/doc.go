// Package machine is what one key does: the deterministic core of Dormouse.
//
// An Object is the state of one key. Apply takes one event, changes the object
// in memory and fills an Output: rows to write, effects to perform at once, and
// effects that must wait for the disk. The same events with the same stamps
// give the same outputs, so everything that can go wrong in scheduling, queueing,
// resuming and ending can be tested without a clock, a disk or a goroutine.
//
//	         invoke (delayed)                   invoke, key busy
//	none ──────────────► Scheduled ─────┐   ┌──────────► Pending
//	  │                                 ▼   │               │ head of the inbox, key free
//	  └── invoke, key free ───────────► Ready ◄─────────────┘
//	                                    │ ▲ │ │
//	       park, nothing awaited is done│ │ │ └── end ──────► Completed ── retention over ──► none
//	                                    ▼ │ │
//	                             Suspended│ └── fail, retryable ──► BackingOff ── timer ──► Ready
//	                                (signal,                           │
//	                                 timer,                            └── exhausted ──► Paused ── resume ──► Ready
//	                                 result)
//
// Cancel ends a Scheduled or Pending invocation, and is delivered to every other
// one as a signal; it resumes a Paused one. Kill ends from every status. A key
// is held from Ready to Completed, whatever lies between.
//
// # Rows that are not in memory
//
// The object holds its head, the invocations that are at work and the first
// places of its queue. When an event needs another row, Apply returns needs and
// has changed nothing; the caller reads the rows, hands them to Loaded and
// applies the same event again. So the order of events is kept, and the core
// needs no parking place of its own. A row is forgotten only after Settle has
// said that the output which wrote it is durable: what is read back is never
// older than what was written.
//
// # What must not be here
//
// No time, context, io, os, sync, log, net or math/rand: the stamp of an event
// carries number and time, the event carries whatever was drawn. Apply never
// blocks, never fails on a valid event, and panics only on a broken invariant.
package machine
