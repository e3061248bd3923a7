package persistence

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// CopyLive copies the directory of an open store to to, which must exist, as
// the kill of its process would leave it: what was committed before the call is
// in the copy, and a commit under way is there whole or not at all. It is what a
// test opens instead of killing the process. It says nothing about a power cut:
// what the system has not written to the disk yet is copied as well.
//
// The engine flushes and compacts meanwhile, so the logs are copied before the
// tables that replace them, and the copy is made again when the manifest has
// changed, a file has gone, or a log is not as long as its copy: the engine cuts
// a log to nothing before it removes it, under the hands of who reads it.
func CopyLive(from, to string) error {
	if _, err := os.Stat(to); err != nil {
		return fmt.Errorf("copy store %s: %w", from, err)
	}
	for range 100 {
		before, _, err := manifestSum(from)
		if err != nil {
			return fmt.Errorf("copy store %s: %w", from, err)
		}
		err = errors.Join(empty(to),
			copyFiles(from, to, func(name string) bool { return strings.HasSuffix(name, logSuffix) }),
			copyFiles(from, to, func(name string) bool { return !strings.HasSuffix(name, logSuffix) && name != ballastFile }))
		after, _, sumErr := manifestSum(from)
		err = errors.Join(err, sumErr, wholeLogs(from, to))
		if err == nil && before == after {
			return nil
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("copy store %s: %w", from, err)
		}
	}
	return fmt.Errorf("copy store %s: its files change all the time: try again when it is less busy", from)
}

// empty removes the files of an earlier try.
func empty(dir string) error {
	list, err := os.ReadDir(dir)
	for _, f := range list {
		err = errors.Join(err, os.Remove(filepath.Join(dir, f.Name())))
	}
	return err
}

func copyFiles(from, to string, wanted func(name string) bool) error {
	list, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, f := range list {
		if !wanted(f.Name()) {
			continue
		}
		content, err := os.ReadFile(filepath.Join(from, f.Name()))
		if err == nil {
			err = writeSparse(filepath.Join(to, f.Name()), content)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// wholeLogs returns an error that is fs.ErrNotExist when a log file of from has been
// removed, or has begun to be, since it was copied to to.
func wholeLogs(from, to string) error {
	list, err := os.ReadDir(to)
	if err != nil {
		return err
	}
	for _, f := range list {
		if !strings.HasSuffix(f.Name(), logSuffix) {
			continue
		}
		copied, err := f.Info()
		if err != nil {
			return err
		}
		now, err := os.Stat(filepath.Join(from, f.Name()))
		if err != nil {
			return err
		}
		if now.Size() != copied.Size() {
			return fmt.Errorf("%s has %d bytes, and %d were copied: %w", f.Name(), now.Size(), copied.Size(), fs.ErrNotExist)
		}
	}
	return nil
}

// writeSparse writes a file whose trailing zeros take no space.
func writeSparse(path string, content []byte) error {
	if err := os.WriteFile(path, content[:dataEnd(content)], 0o600); err != nil {
		return err
	}
	return os.Truncate(path, int64(len(content)))
}
