package persistence

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// CopyLive copies the directory of an open store as a kill would leave it. The
// engine flushes and compacts meanwhile, so the logs are copied before the
// tables that replace them, and the copy is made again when the manifest has
// changed or a file has gone.
func CopyLive(t *testing.T, from string) (to string) {
	t.Helper()
	for range 100 {
		to = t.TempDir()
		before, _, err := manifestSum(from)
		if err != nil {
			t.Fatal(err)
		}
		err = errors.Join(
			copyFiles(from, to, func(name string) bool { return strings.HasSuffix(name, logSuffix) }),
			copyFiles(from, to, func(name string) bool { return !strings.HasSuffix(name, logSuffix) && name != ballastFile }))
		after, _, sumErr := manifestSum(from)
		if err == nil && sumErr == nil && before == after {
			return to
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	t.Fatal("the directory changes all the time")
	return ""
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

// writeSparse writes a file whose trailing zeros take no space.
func writeSparse(path string, content []byte) error {
	if err := os.WriteFile(path, content[:dataEnd(content)], 0o600); err != nil {
		return err
	}
	return os.Truncate(path, int64(len(content)))
}
