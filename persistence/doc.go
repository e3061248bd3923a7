// Package persistence makes the machine's rows durable and finds them again.
//
// A Store takes whole outputs (Batch) in groups and gives back typed rows. There
// are two: Open returns the one on Badger, NewMemory its twin without a disk.
// Both run the same code down to the moment when one atomic transaction is
// handed to an engine, so what a test learns on the twin holds for the other;
// package storetest is the suite that both pass.
//
//	writes ──Encode──► Batch ──Commit──► group ──► transactions ──► engine
//	                   (any goroutine)    (one caller)               badger | memory
//
// # Ordering law
//
// Commit makes batches durable in the order of the group, each of them whole:
// after a crash the store holds the batches of every earlier group and a prefix
// of the last one. Commit returns after the sync. A Reader sees only what is
// durable, and all its reads see the same moment.
//
// # Rows
//
// Keys are fixed-width and big-endian, so that byte order is key order; values
// carry a version, flags and a CRC32C over key and value. The table of all rows
// stands in codec_key.go. A payload over ChunkBytes is written in chunk rows of
// its own ahead of the row that names it; chunk.go tells how such rows come and
// go without a leak.
//
// # The envelope of the engine
//
// Badger loses or falsifies data outside of a narrow range of options and
// habits. What we keep it from, and how, stands in badger.go (options), guard.go
// (damaged files), marker.go (missing files), owner.go (a second process),
// space.go (full disks) and snapshot.go (reads that outlive their data).
//
// The package must not know actors, attempts, HTTP or the meaning of a row.
package persistence
