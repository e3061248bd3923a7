package faults_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/dormouse-run/dormouse/internal/faults"
)

// newDisk skips the test where disks cannot be made.
func newDisk(t *testing.T) *faults.Disk {
	t.Helper()
	d, err := faults.NewDisk(t.TempDir(), faults.DiskOptions{Bytes: 256 << 20})
	if errors.Is(err, faults.ErrUnavailable) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// write writes a file over what it holds, and syncs it or does not.
func write(t *testing.T, path, content string, sync bool) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err = f.WriteString(content); err == nil && sync {
		err = f.Sync()
	}
	if err != nil {
		t.Fatal(err)
	}
}

func holds(t *testing.T, path, want string) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	if string(content) != want {
		t.Errorf("%s holds %q, want %q", filepath.Base(path), content, want)
	}
}

func TestACutTakesWhatNobodyHasFlushedAndNothingElse(t *testing.T) {
	t.Parallel()
	d := newDisk(t)
	at := func(name string) string { return filepath.Join(d.Path(), name) }
	for round := range 3 {
		write(t, at("over"), "old", true)
		write(t, at("never"), "", true)
		write(t, at("over"), "new", false)
		write(t, at("never"), "lost", false)
		write(t, at("kept"), "kept", true)
		write(t, at("after"), "lost", false)
		if round == 1 { // the drive has it in its cache, and nobody has flushed that
			if err := faults.WritePart(at("over"), 0, 3); err != nil {
				t.Fatal(err)
			}
		}
		if err := faults.CutPower(d.Power()); err != nil {
			t.Fatal(err)
		}
		if f, err := os.OpenFile(at("kept"), os.O_WRONLY, 0); err == nil {
			_, writeErr := f.WriteString("dead")
			if err := errors.Join(writeErr, f.Sync()); err == nil {
				t.Error("a sync of a disk without power succeeds")
			}
			f.Close()
		}
		if err := d.Restore(); err != nil {
			t.Fatal(err)
		}
		holds(t, at("kept"), "kept")
		holds(t, at("after"), "")
		if content, err := os.ReadFile(at("over")); err != nil || string(content) == "new" {
			t.Errorf("round %d: what was not synced holds %q, %v", round, content, err)
		}
		if content, err := os.ReadFile(at("never")); err != nil || string(content) == "lost" {
			t.Errorf("round %d: what was not synced holds %q, %v", round, content, err)
		}
		for _, name := range []string{"over", "never", "kept"} {
			if err := os.Remove(at(name)); err != nil {
				t.Fatal(err)
			}
		}
	}
}
