// Package sim lets whole worlds happen in memory, step by step, under one seed.
//
// A world is a runtime of package actors, all of it, on a store in memory, with
// clients, handlers that do what a plan says, an operator who ends the process again
// and again, and a judge. Every goroutine of it is a task of one loop, in which one
// task runs at a time; where it blocks, the seed chooses the next. The clock is a
// number. So a seed gives the same story each time, and a story that breaks
// something can be looked at, and made smaller, for as long as it takes.
//
//	plan ──► clients, ends of the process ──► runtime ──► disk ──► Memory
//	             │                              │          │
//	             └────────► chronicle ◄── handlers         └──► reference, audit
//
// # What is judged
//
// The disk compares every commit with a second store in which each output was
// committed alone, and that one with the last write of each row. It has package audit
// look at all rows, as a process that ended there would leave them. It knows which
// outputs are not durable, and so sees an actor that reads too early and an outbox row
// that is taken too early, twice, or out of order. Who has asked for patches is told
// of each value that becomes the state of a key, and so sees one that overtakes.
//
// The chronicle has seen what each attempt of each handler was told, and what it
// did. When a closure starts, when a result is given, and when a client is answered,
// it looks on the disk whether what that rests on is there. At the end everything
// that was accepted has to be done, and, when retention is over, gone.
//
// # What it must not know
//
// How the runtime does any of this. It sees the store, the clock, the scheduler and
// the doors that programs use. Nothing in it may depend on anything but the plan:
// no clock of the system, no random number that is not the plan's, and no order of a
// map where that decides what happens.
package sim
