package persistence

import (
	"log/slog"
	"time"
)

// Options adjust Open. The zero value works.
type Options struct {
	// Logger gets what the store and its engine have to say. Nil takes
	// slog.Default().
	Logger *slog.Logger
	// SoftFree is the free space of the file system, in bytes, below which the
	// store reports PressureSoft. Default 512 MiB.
	SoftFree uint64
	// HardFree is the free space, in bytes, below which it reports PressureHard
	// and takes no further commit: what one set of memtables and one compaction
	// may still write. Default 192 MiB.
	HardFree uint64
	// MaxSnapshotAge is how long a Read may last before what it looks at may be
	// thrown away. Default 10 minutes.
	MaxSnapshotAge time.Duration
	// MaxBackupAge is how long a Backup may last, likewise. Default 1 hour.
	MaxBackupAge time.Duration
	// Probe measures what is left of the resources of the directory. Nil asks
	// the operating system.
	Probe func(dir string) (Room, error)
	// disk measures before each transaction what is left of the file system: another
	// program may fill it between two readings of Probe. It is nil when Probe is not.
	disk func(dir string) (Room, error)
	// Now tells the time for the age of snapshots and of readings. Nil is
	// time.Now.
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.SoftFree == 0 {
		o.SoftFree = 512 << 20
	}
	if o.HardFree == 0 {
		o.HardFree = 192 << 20
	}
	if o.MaxSnapshotAge == 0 {
		o.MaxSnapshotAge = 10 * time.Minute
	}
	if o.MaxBackupAge == 0 {
		o.MaxBackupAge = time.Hour
	}
	if o.Probe == nil {
		o.Probe, o.disk = probe, probeDisk
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}
