// Package audit judges a whole snapshot of a store by its rows alone.
//
// The machine looks after one key at a time, and a runtime after what is in
// memory. What nobody looks after is that all rows fit each other: that every
// row belongs to something that lives, that every count is true, and that every
// invocation which has not ended has exactly one reason to go on. A healthy
// runtime leaves such a store behind at every boundary of two commits, so a
// crash can be anywhere and Check still finds nothing. What it finds is damage,
// or a fault of ours.
//
// # How it reads
//
// Partition by partition, each table once, in the order of the keys:
//
//	chores ─► heads ─► records, journals, signals, pending, waiters, active
//	                   (six walks that are joined by birth, as each is sorted by it)
//	       ─► status, ids, aliases, timers, expiries, markers
//	       ─► inbox, patches, state, promises, listeners ─► outbox
//
// Chores come first: they say which rows have lost their owner and are about to
// go. Of an invocation a small struct is kept until its partition is done, of a
// call between keys a few bytes until all partitions are. No body is kept.
//
// # What it must not know
//
// Attempts, actors, clocks. Whether something is late is nothing that rows say.
package audit
