package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

const (
	pageBytes = 4096
	// files is how many files are synced at the same time.
	files = 4
)

// fsync measures a page appended and synced, a page written over inside a file
// that has its blocks, and four files at once.
func (c *config) fsync() error {
	page := make([]byte, pageBytes)
	if err := c.append("fsync-append-4k", 1, page); err != nil {
		return err
	}
	if err := c.overwrite(page); err != nil {
		return err
	}
	return c.append("fsync-append-4k-4files", files, page)
}

func writeAndSync(f *os.File, page []byte) error {
	if _, err := f.Write(page); err != nil {
		return err
	}
	return syscall.Fdatasync(int(f.Fd()))
}

func (c *config) append(name string, workers int, page []byte) (err error) {
	var open []*os.File
	defer func() {
		for _, f := range open {
			err = errors.Join(err, f.Close())
		}
	}()
	for i := range workers {
		f, err := os.Create(filepath.Join(c.dir, fmt.Sprintf("append-%d", i)))
		if err != nil {
			return err
		}
		open = append(open, f)
	}
	l := loop{name: name, workers: workers, op: func(w, _ int) error { return writeAndSync(open[w], page) }}
	return l.measure(c.duration)
}

func (c *config) overwrite(page []byte) (err error) {
	f, err := os.Create(filepath.Join(c.dir, "overwrite"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	zeros := make([]byte, 1<<20)
	for range c.preallocated / int64(len(zeros)) {
		if _, err := f.Write(zeros); err != nil {
			return err
		}
	}
	if err := f.Sync(); err != nil {
		return err
	}
	l := loop{name: "fsync-overwrite-4k-prealloc", workers: 1, op: func(_, i int) error {
		if _, err := f.WriteAt(page, int64(i)*pageBytes%c.preallocated); err != nil {
			return err
		}
		return syscall.Fdatasync(int(f.Fd()))
	}}
	return l.measure(c.duration)
}
