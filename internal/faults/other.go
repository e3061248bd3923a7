//go:build !linux

package faults

import (
	"fmt"
	"runtime"
	"syscall"
	"time"
)

func unavailable() error { return fmt.Errorf("on %s: %w", runtime.GOOS, ErrUnavailable) }

// Disk is a file system whose power can be cut, on Linux.
type Disk struct{}

// DiskOptions adjust NewDisk.
type DiskOptions struct {
	Bytes  int64
	Inodes int
}

// NewDisk is unavailable here.
func NewDisk(string, DiskOptions) (*Disk, error) { return nil, unavailable() }

// Path is empty here.
func (d *Disk) Path() string { return "" }

// Power is empty here.
func (d *Disk) Power() string { return "" }

// Restore is unavailable here.
func (d *Disk) Restore() error { return unavailable() }

// Close does nothing here.
func (d *Disk) Close() error { return nil }

// CutPower is unavailable here.
func CutPower(string) error { return unavailable() }

// WritePart is unavailable here.
func WritePart(string, int64, int64) error { return unavailable() }

// Allocate is unavailable here.
func Allocate(string, int64) error { return unavailable() }

// IgnoreMsync is unavailable here.
func IgnoreMsync() error { return unavailable() }

// Syncs decides what becomes of each sync of this process, on Linux.
type Syncs struct{}

// WatchSyncs is unavailable here.
func WatchSyncs() (*Syncs, error) { return nil, unavailable() }

// Slow does nothing here.
func (s *Syncs) Slow(time.Duration) {}

// Fail does nothing here.
func (s *Syncs) Fail(syscall.Errno) {}

// Seen is zero here.
func (s *Syncs) Seen() int { return 0 }

// Maps are memory maps that were taken to have fewer left, on Linux.
type Maps struct{}

// TakeMaps is unavailable here.
func TakeMaps(int) (*Maps, error) { return nil, unavailable() }

// Give does nothing here.
func (m *Maps) Give() error { return nil }
