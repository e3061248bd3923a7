//go:build linux || darwin

package persistence

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

const ownerFile = "OWNER"

// owner keeps other processes away from a directory. A lock on the OWNER file
// does it where locks work. Where they do not, on some network file systems,
// the random token in the file does: it is read again before each group, and a
// token of somebody else ends the store before anything of the group is
// acknowledged. So does another file in its place: then the directory is another
// one, or on its way to the bin.
type owner struct {
	file *os.File
	// self is the file that is held.
	self unix.Stat_t
	// token is the whole content of the file: pid and random text.
	token, read []byte
}

// acquire locks dir, which it makes when needed.
func acquire(dir string) (*owner, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, ownerFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lockFor(f, unix.LOCK_EX, func() string { return holder(f) }); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if err := engineAway(dir); err != nil {
		return nil, errors.Join(err, unlock(f))
	}
	o := &owner{file: f, token: fmt.Appendf(nil, "pid %d\ntoken %s\n", os.Getpid(), rand.Text())}
	o.read = make([]byte, len(o.token)) // no more: that would take a second read, for the end of the file
	err = unix.Fstat(int(f.Fd()), &o.self)
	if err == nil {
		err = o.claim()
	}
	if err != nil {
		return nil, errors.Join(err, o.release())
	}
	return o, nil
}

// lockFor locks f without waiting, exclusively (unix.LOCK_EX) or beside others who only
// look (unix.LOCK_SH). It names who has it otherwise: those who look are not in the files.
func lockFor(f *os.File, how int, holder func() string) error {
	err := unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
	if err == nil {
		return nil
	}
	if !errors.Is(err, unix.EWOULDBLOCK) {
		return fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	name := holder()
	if how == unix.LOCK_EX && unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB) == nil {
		name = "an examination (dormouse check)"
	}
	return fmt.Errorf("%s holds it: %w", name, ErrInUse)
}

// unlock gives a lock up before it closes f. A process that is being started at that
// moment has a copy of f until it runs its own program, and would keep the lock.
func unlock(f *os.File) error {
	return errors.Join(unix.Flock(int(f.Fd()), unix.LOCK_UN), f.Close())
}

// lockEngine takes the lock that the engine takes, on the directory itself. It is what
// is left when somebody has removed OWNER.
func lockEngine(dir string, how int) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	err = lockFor(f, how, func() string { return engineHolder(dir) })
	if errors.Is(err, ErrInUse) {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil // where such a lock does not work, the engine will say so
}

// engineAway refuses a directory that an engine has open.
func engineAway(dir string) error {
	f, err := lockEngine(dir, unix.LOCK_EX)
	if err != nil {
		return err
	}
	_ = unlock(f) // it may have none, see lockEngine
	return nil
}

// engineHolder names the process whose engine has dir open.
func engineHolder(dir string) string {
	content, _ := os.ReadFile(filepath.Join(dir, lockFile)) // an unreadable file names nobody
	if pid, err := strconv.Atoi(string(bytes.TrimSpace(content))); err == nil {
		return fmt.Sprintf("pid %d", pid)
	}
	return "a process without a name"
}

// holder names the process that wrote f.
func holder(f *os.File) string {
	content := make([]byte, 64)
	n, _ := f.ReadAt(content, 0) // an unreadable file names nobody
	if pid, _, ok := bytes.Cut(content[:n], []byte("\n")); ok {
		return string(pid)
	}
	return "a process without a name"
}

// claim writes the token.
func (o *owner) claim() error {
	if err := o.file.Truncate(0); err != nil {
		return err
	}
	if _, err := o.file.WriteAt(o.token, 0); err != nil {
		return err
	}
	return o.file.Sync()
}

// standing looks whether the file is still there. It may be called concurrently.
func (o *owner) standing() error {
	var now unix.Stat_t
	err := unix.Stat(o.file.Name(), &now)
	for err == unix.EINTR {
		err = unix.Stat(o.file.Name(), &now)
	}
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENOTDIR):
		return fmt.Errorf("%s is gone: it was removed, or its directory was moved or removed: %w", o.file.Name(), ErrDeposed)
	case err != nil:
		return fmt.Errorf("look at %s: %w", o.file.Name(), err)
	case now.Ino != o.self.Ino || now.Dev != o.self.Dev:
		return fmt.Errorf("%s is another file than the one that was written: its directory was replaced: %w", o.file.Name(), ErrDeposed)
	}
	return nil
}

// check looks whether the file is still there, and reads the token again. It takes
// two microseconds.
func (o *owner) check() error {
	if err := o.standing(); err != nil {
		return err
	}
	n, err := o.file.ReadAt(o.read, 0)
	if bytes.Equal(o.read[:n], o.token) {
		return nil
	}
	if n == 0 && err != nil {
		return fmt.Errorf("read %s: %w", o.file.Name(), err)
	}
	return fmt.Errorf("%s has written %s: %w", holder(o.file), o.file.Name(), ErrDeposed)
}

// release gives the directory up.
func (o *owner) release() error { return unlock(o.file) }
