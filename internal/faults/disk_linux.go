package faults

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// Disk is a file system whose power can be cut. It belongs to one goroutine.
type Disk struct {
	// image is the file of the outer file system, which is mounted on outer, and
	// inner the directory that the inner one is mounted on.
	image, outer, inner string
	// mounted are the directories that something is mounted on, in that order.
	mounted []string
}

// DiskOptions adjust NewDisk.
type DiskOptions struct {
	// Bytes is the size of the file system. Default 2 GiB, of which the machine
	// stores what is written.
	Bytes int64
	// Inodes is how many files it can hold. 0 leaves that to mkfs.
	Inodes int
}

// NewDisk makes a file system in home, an empty directory, and mounts it. The caller
// closes it.
func NewDisk(home string, o DiskOptions) (*Disk, error) {
	if os.Geteuid() != 0 {
		return nil, fmt.Errorf("mounting a file system needs root: %w", ErrUnavailable)
	}
	if o.Bytes == 0 {
		o.Bytes = 2 << 30
	}
	d := &Disk{image: filepath.Join(home, "drive"), outer: filepath.Join(home, "cache"), inner: filepath.Join(home, "disk")}
	if err := d.build(o); err != nil {
		return nil, errors.Join(fmt.Errorf("make a disk: %w: %w", err, ErrUnavailable), d.Close())
	}
	return d, nil
}

func (d *Disk) build(o DiskOptions) error {
	const journals = 256 << 20 // of both, and what else a file system takes for itself
	if err := sparse(d.image, o.Bytes+journals); err != nil {
		return err
	}
	if err := errors.Join(os.Mkdir(d.outer, 0o700), os.Mkdir(d.inner, 0o700), run("mkfs.ext4", "-q", "-F", "-m", "0", d.image)); err != nil {
		return err
	}
	if err := d.mount(d.image, d.outer); err != nil {
		return err
	}
	if err := sparse(d.innerImage(), o.Bytes); err != nil {
		return err
	}
	args := []string{"-q", "-F", "-m", "0"}
	if o.Inodes > 0 {
		args = append(args, "-N", strconv.Itoa(o.Inodes))
	}
	if err := run("mkfs.ext4", append(args, d.innerImage())...); err != nil {
		return err
	}
	if err := d.mount(d.innerImage(), d.inner); err != nil {
		return err
	}
	return flush(d.inner)
}

func (d *Disk) innerImage() string { return filepath.Join(d.outer, "disk") }

// Path is the directory that the file system is mounted on.
func (d *Disk) Path() string { return d.inner }

// Power is what CutPower takes to cut the power of this disk, also in another
// process.
func (d *Disk) Power() string { return d.outer }

// Restore gives power back after CutPower: the file systems are mounted again, and
// their logs replayed. Who has used the disk must have ended.
func (d *Disk) Restore() error {
	if err := d.unmount(); err != nil {
		return err
	}
	return errors.Join(d.mount(d.image, d.outer), d.mount(d.innerImage(), d.inner))
}

// Close takes the disk away. It may be called again.
func (d *Disk) Close() error { return d.unmount() }

func (d *Disk) mount(image, dir string) error {
	if err := run("mount", "-o", "loop", image, dir); err != nil {
		return err
	}
	d.mounted = append(d.mounted, dir)
	return nil
}

// unmount unmounts what is mounted. The loop devices go with it. A file that was
// open a moment ago may still be in use for another one.
func (d *Disk) unmount() error {
	for len(d.mounted) > 0 {
		dir := d.mounted[len(d.mounted)-1]
		err := unix.Unmount(dir, 0)
		for tries := 0; errors.Is(err, unix.EBUSY) && tries < 1000; tries++ {
			<-time.After(5 * time.Millisecond)
			err = unix.Unmount(dir, 0)
		}
		if err != nil {
			return fmt.Errorf("unmount %s: %w", dir, err)
		}
		d.mounted = d.mounted[:len(d.mounted)-1]
	}
	return nil
}

// CutPower drops everything that the file system of path has not flushed. Every
// later write and sync fails.
func CutPower(path string) error {
	const (
		shutdown   = 0x8004587d // EXT4_IOC_SHUTDOWN
		noLogFlush = 2
	)
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.IoctlSetPointerInt(int(f.Fd()), shutdown, noLogFlush); err != nil {
		return fmt.Errorf("cut the power of %s: %w", path, err)
	}
	return nil
}

// WritePart begins to write some of the pages of a file that wait in memory, as the
// system does now and then. It does not flush them.
func WritePart(path string, offset, size int64) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.SyncFileRange(int(f.Fd()), offset, size, unix.SYNC_FILE_RANGE_WRITE)
}

// Allocate makes a file of which every byte has its place on the disk.
func Allocate(path string, size int64) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(unix.Fallocate(int(f.Fd()), 0, 0, size), f.Close())
}

func sparse(path string, size int64) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Truncate(size), f.Close())
}

func flush(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(unix.Syncfs(int(f.Fd())), f.Close())
}

func run(name string, args ...string) error {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %.300s", name, err, out)
	}
	return nil
}
