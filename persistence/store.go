package persistence

import (
	"context"
	"io"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// Store keeps the rows of the machine. Commit has one caller at a time; every
// other method may be called concurrently, also with Commit.
//
// A store that was opened has raised its boot counter durably.
type Store interface {
	// Info tells what Open found. It does not change while the store is open.
	Info() Info
	// Encode turns the writes of one output into a batch. It checks the sizes
	// that a commit could not take: a batch is at most MaxBatchBytes and
	// MaxBatchRows after payloads over ChunkBytes have been split off. It
	// keeps no reference to writes.
	Encode(seq ident.Seq, writes []machine.Write) (*Batch, error)
	// Commit makes a group durable: every batch whole, in order, and marks. It
	// returns after the sync. Any error is final: the outcome is unknown and
	// the store accepts no further commit. A batch is committed once: what it
	// holds belongs to the store afterwards.
	Commit(group []*Batch, marks Marks) error
	// Read runs fn on a consistent snapshot of what is durable. The snapshot
	// ends with fn; one held for too long fails with ErrSnapshotExpired.
	Read(fn func(Reader) error) error
	// Health tells how close the store is to limits it must not reach.
	Health() Health
	// Backup writes one consistent snapshot of everything that is durable when
	// it is called to w, while commits go on, and returns what it has written.
	// What w holds is a backup only if there is no error; CheckBackup tells. One
	// is taken at a time, a second one gets ErrBackupUnderWay. It ends when ctx
	// does, at the next write to w; who writes to a slow place must bound the
	// time of a write.
	Backup(ctx context.Context, w io.Writer) (BackupInfo, error)
	// Tidy gives back space after churn. It may take long and is called when
	// the runtime is idle.
	Tidy() error
	// Close flushes and closes. It may be called twice.
	Close() error
}

// Reader reads rows of one snapshot. Rows it returns belong to the caller. A
// row whose checksum or names do not fit is an error that wraps ErrCorrupt.
type Reader interface {
	// Get returns the row under key, or nil when there is none.
	Get(key machine.Key) (machine.Row, error)
	// Scan returns at most limit rows of [from, to) in key order. from and to
	// are of one partition and table.
	Scan(from, to machine.Key, limit int) ([]machine.Row, error)
	// Rows walks the rows of [from, to) in the given order. from and to are of
	// one partition and table; a zero to is the end of the table of from. What
	// is wrong with them is the error of the iterator.
	Rows(from, to machine.Key, order Order) Iterator
}

// Limits of a batch and of the values inside it.
const (
	MaxBatchBytes = 1 << 20
	MaxBatchRows  = 4096
	// ChunkBytes is the size from which a payload is written in rows of its
	// own, ahead of the batch that names them.
	ChunkBytes = 256 << 10
)

// Info is what Open found.
type Info struct {
	// Boot is the number of this opening, from 1. It never repeats.
	Boot uint32
	// Clean says that the previous opening ended with Close. It is true for a
	// new store.
	Clean bool
	// Marks are those of the last commit.
	Marks Marks
}

// Marks are two times, in milliseconds since the epoch, that move with the
// commits. The zero value changes nothing.
type Marks struct {
	// Timers is the low-water mark: no timer row lies below it. To lower it is
	// as good as to raise it; 0 leaves it.
	Timers int64
	// Clock is the highest time the runtime has used; 0 leaves it.
	Clock int64
}

// Pressure says how near a store is to a limit.
type Pressure uint8

// Pressures.
const (
	// PressureNone: everything may be written.
	PressureNone Pressure = iota
	// PressureSoft: nothing new is admitted; what was accepted may finish.
	PressureSoft
	// PressureHard: nothing may be written any more.
	PressureHard
)

// String returns the word used in logs.
func (p Pressure) String() string {
	switch p {
	case PressureNone:
		return "none"
	case PressureSoft:
		return "soft"
	default:
		return "hard"
	}
}

// Health is a reading of the limits.
type Health struct {
	Pressure Pressure
	// Reason names the scarce thing and its figures, "" without pressure.
	Reason string
	At     time.Time
	// Lost, when it is not nil, says that the data is no longer where the store has
	// it: nothing is written any more, and the process has to end. It wraps
	// ErrDeposed when the directory was moved, removed or replaced.
	Lost error
	// Room is what is left; all zero where nothing is measured, and the highest
	// number where there is no limit.
	Room Room
}
