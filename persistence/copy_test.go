package persistence

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// MustCopyLive copies the directory of an open store as a kill would leave it.
func MustCopyLive(t *testing.T, from string) (to string) {
	t.Helper()
	to = t.TempDir()
	if err := CopyLive(from, to); err != nil {
		t.Fatal(err)
	}
	return to
}

// TestALogThatIsBeingRemovedIsNotCopied shows both steps in which the engine removes a
// log file: one that was read between them is cut at any place.
func TestALogThatIsBeingRemovedIsNotCopied(t *testing.T) {
	t.Parallel()
	const name = "00001" + logSuffix
	steps := []struct {
		name string
		do   func(path string) error
	}{
		{"cut", func(path string) error { return os.Truncate(path, 0) }},
		{"removed", os.Remove},
	}
	for _, step := range steps {
		t.Run(step.name, func(t *testing.T) {
			t.Parallel()
			from, to := t.TempDir(), t.TempDir()
			for _, dir := range []string{from, to} {
				if err := os.WriteFile(filepath.Join(dir, name), make([]byte, 100), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := wholeLogs(from, to); err != nil {
				t.Fatalf("a log that is there: %v", err)
			}
			if err := step.do(filepath.Join(from, name)); err != nil {
				t.Fatal(err)
			}
			if err := wholeLogs(from, to); !errors.Is(err, fs.ErrNotExist) {
				t.Fatalf("a log that was %s: %v, want one that says it is gone", step.name, err)
			}
		})
	}
}
