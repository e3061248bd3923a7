package persistence

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/dgraph-io/badger/v4"
)

// Files that are written when a store opens, and hold nothing of it: the one in which the
// engine says who has the directory, and its manifest until that takes the place of the one
// before.
const (
	lockFile        = "LOCK"
	manifestRewrite = "MANIFEST-REWRITE"
)

// others looks at what is in the directory beside the stored data, and keeps the engine
// from opening: it ends the process when it cannot open DISCARD, and for the rest it has
// errors that name no file. It returns what is wrong, and how many files it has looked
// into.
func (g *guard) others() (wrong []FileDamage, files int) {
	look := func(name string, err error) {
		if err != nil {
			wrong = append(wrong, FileDamage{name, err})
		}
	}
	list, err := os.ReadDir(g.dir)
	if err != nil {
		return []FileDamage{{".", err}}, 0
	}
	for _, f := range list {
		name, path := f.Name(), filepath.Join(g.dir, f.Name())
		switch {
		case name == lockFile, name == markerFile+tempSuffix, name == manifestRewrite, name == discardFile:
			look(name, writable(path))
		case name == ballastFile:
			look(name, regular(path))
		case name == badger.KeyRegistryFileName:
			files++
			look(name, inspectRegistry(path))
		case strings.HasSuffix(name, valueLogSuffix):
			files++
			look(name, inspectValueLog(path))
		case strings.HasSuffix(name, logSuffix), strings.HasSuffix(name, tableSuffix):
			look(name, inspectName(path))
		}
	}
	return wrong, files
}

// strange ends the error for a file that is none of the store.
const strange = "none of the store: take it away and start again"

// inspectName refuses a file that the engine would take for one of its own, and not find
// under the name it gives it. Of tables it looks at those with a number only.
func inspectName(path string) error {
	name := filepath.Base(path)
	suffix, digits := filepath.Ext(name), 6
	if suffix == logSuffix {
		digits = 5
	}
	number, err := strconv.Atoi(strings.TrimSuffix(name, suffix))
	if err != nil && suffix == tableSuffix {
		return nil
	}
	if err != nil || number < 0 || number >= math.MaxInt32 || name != fmt.Sprintf("%0*d%s", digits, number, suffix) {
		return errors.New("it is " + strange)
	}
	return regular(path)
}

// regular refuses everything that is no file.
func regular(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case info.IsDir():
		return errors.New("it is a directory, and " + strange)
	case !info.Mode().IsRegular():
		return errors.New("it is a device or the like, and " + strange)
	}
	return nil
}

// writable opens a file as whoever opens the store does. Nothing depends on what is in it.
func writable(path string) error {
	if err := regular(path); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, syscall.EROFS) {
		return nil // who opens the store is told of that by other files
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// inspectRegistry looks at the file in which the engine would keep its keys. We have none.
func inspectRegistry(path string) error {
	const sanity, iv = "Hello Badger", 16
	if err := regular(path); err != nil {
		return err
	}
	content, err := os.ReadFile(path)
	if err == nil && (len(content) != iv+len(sanity) || string(content[iv:]) != sanity) {
		err = fmt.Errorf("it is not what the engine has written: %w", ErrCorrupt)
	}
	return err
}

// inspectValueLog looks at the head of a file in which the engine would keep large values:
// it opens none that names a key. Nothing of ours is behind the head.
func inspectValueLog(path string) error {
	if err := inspectName(path); err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	head := make([]byte, 8)
	n, err := io.ReadFull(f, head)
	switch {
	case err != nil && err != io.EOF && err != io.ErrUnexpectedEOF:
		return err
	case len(bytes.Trim(head[:n], "\x00")) > 0:
		return fmt.Errorf("its header names an encryption key: %w", ErrCorrupt)
	}
	return nil
}

// unable reports whether an error says that the system did not let us look, and nothing
// about what is there. The engine passes on the text only.
func unable(err error) bool {
	for _, cause := range []syscall.Errno{syscall.EACCES, syscall.EPERM, syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM} {
		if errors.Is(err, cause) || strings.Contains(err.Error(), cause.Error()) {
			return true
		}
	}
	return false
}

// mistrust is ErrCorrupt behind what was found in a file, but for errors of a system that
// did not let us look.
func mistrust(err error) error {
	if errors.Is(err, fs.ErrNotExist) || !unable(err) {
		return fmt.Errorf("%w: %w", err, ErrCorrupt)
	}
	return err
}
