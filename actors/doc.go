// Package actors is the shell that moves: it runs the objects of package
// machine as actors, makes what they write durable, and runs the attempts of
// their handlers. A Runtime is all of it, for one store.
//
// # The story of one call
//
// Every arrow is a message or a function that only appends; the one arrow that
// waits for the disk is drawn with a cross.
//
//	sequenceDiagram
//	    participant R as request (its own goroutine)
//	    participant K as actor of the key
//	    participant A as attempt (handler's goroutine)
//	    participant C as committer
//	    R->>R: admission, register the waiter, enter the route
//	    R->>K: Invoke
//	    K->>K: Apply, encode
//	    K->>A: start (not gated: nobody has been told anything)
//	    K->>C: output 1
//	    A->>K: Append(commands), one message at a time
//	    K->>C: outputs 2, 3, …
//	    A->>C: barrier before a Run: is what I have seen durable?
//	    C--xC: commit a group, sync
//	    C->>A: durable; the closure runs
//	    A->>K: Append(Run result)
//	    C->>A: the result, once durable
//	    A->>K: Append(Output), ended
//	    C->>R: Finished, once durable
//
// A mermaid reader draws the block above.
//
// # Who owns what
//
// The actor of a key owns its machine.Object and the list of attempts whose code
// may still run. It never blocks on anything but reads of rows. The committer is
// one goroutine: it commits outputs in the order in which they were queued and
// then performs their gated effects, each of which only appends somewhere: to a
// mailbox, a feed, the heap of timers, the answer of a request. Actors take turns
// on goroutines that are kept: see workers. A handler has a goroutine of its own,
// and so has each closure of Run; they share an attempt with the actor, under its
// lock. Requests wait in a table, not in actors, because actors leave.
//
// # The law of order
//
// Effects that are not gated are performed by the actor before it queues the
// output; gated ones by the committer after the sync; effects of one key in the
// order of its outputs. Notifications reach a handler in the order of its
// journal, although the result of a Run takes the way over the disk and others
// do not: see feed. Rows that one key owes another are handed over in the order
// in which they became durable, those of before the start first: see deliverer
// and recovery.
//
// # When memory is given up
//
// An actor leaves when its object is idle, no code of an attempt is left, and
// nothing it knows is missing in the store: see registry. One whose key was used
// once, by a plain service, leaves at that moment, the others when they have not
// been used for a while. A handler that waits
// is suspended after its inactivity timeout, when too many wait, or when the
// runtime drains: it tells the machine what it waits for and how much of its
// journal it has taken, and is unwound when that is durable.
//
// Go cannot end a goroutine. So a key is handed on, and Close returns, when the
// code of an attempt has ended, or when it had its time; what is left then is
// abandoned: it is named in the log, and everything it does is ignored.
//
// # What must not be here
//
// No rule of what an event means: that is package machine. No bytes: those are
// package persistence. No reflection and no codec: package objects. No HTTP.
// The go statement stands in one file, every wait is a Signal, and time,
// randomness and goroutines come from Options, so that a simulator can choose
// what happens next.
package actors
