package dormousetest

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"

	"github.com/dormouse-run/dormouse/persistence"
)

// disk keeps the data of an environment between two lives.
type disk interface {
	// open opens what the last life has left.
	open() (persistence.Store, error)
	// crash takes what is durable at this moment for the next life, while the
	// store of this one is open. free is called when that has been closed.
	crash() (free func() error, err error)
}

// memoryDisk is the disk of Run.
type memoryDisk struct {
	// store is of the present life, or of the last one; next is what a crash
	// has left.
	store, next *persistence.Memory
}

func (d *memoryDisk) open() (persistence.Store, error) {
	switch {
	case d.next != nil:
		d.store, d.next = d.next, nil
	case d.store != nil:
		d.store = d.store.Crash() // after Close this is a clean opening
	default:
		m, ok := persistence.NewMemory().(*persistence.Memory)
		if !ok {
			return nil, errors.New("the store in memory is not a *persistence.Memory")
		}
		d.store = m
	}
	return d.store, nil
}

func (d *memoryDisk) crash() (func() error, error) {
	d.next = d.store.Crash()
	return func() error { return nil }, nil
}

// directoryDisk is the disk of Start: a directory for each crash below root.
type directoryDisk struct {
	root    string
	crashes int
	logger  *slog.Logger
}

func (d *directoryDisk) dir() string { return filepath.Join(d.root, strconv.Itoa(d.crashes)) }

func (d *directoryDisk) open() (persistence.Store, error) {
	store, err := persistence.Open(d.dir(), persistence.Options{Logger: d.logger})
	if err != nil {
		return nil, fmt.Errorf("open the data directory of the test: %w", err)
	}
	return store, nil
}

func (d *directoryDisk) crash() (func() error, error) {
	old := d.dir()
	d.crashes++
	free := func() error { return os.RemoveAll(old) }
	if err := os.Mkdir(d.dir(), 0o700); err != nil {
		return free, err
	}
	return free, persistence.CopyLive(old, d.dir())
}
