package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// volume mounts a small file system in memory, for which the test needs the right.
func volume(t *testing.T, dir, size string) {
	t.Helper()
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("a file system cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
}

// TestAFullDiskLeavesNoFile backs up to, and restores to, a file system that is too
// small.
func TestAFullDiskLeavesNoFile(t *testing.T) {
	dir := t.TempDir()
	small := filepath.Join(dir, "small")
	volume(t, small, "1m")
	b := openBank(t, filepath.Join(dir, "data"))
	stock(t, b, 1)
	mustFail(t, exitFailed, "no space left on device", "backup", "-admin", b.admin, filepath.Join(small, "backup"))
	file := filepath.Join(dir, "backup")
	eventually(t, "the end of the one that has failed", func() bool {
		code, _, _ := dormouse(t.Context(), "backup", "-admin", b.admin, file)
		return code == exitGood
	})
	mustFail(t, exitFailed, "not enough room", "restore", file, filepath.Join(small, "restored"))
	if left := entries(t, small); left != "" {
		t.Errorf("%s is left", left)
	}
}

// TestARestoreIntoAVolumeGoesIntoADirectoryOfIt: the root of a volume cannot be
// replaced, which is told before anything is written.
func TestARestoreIntoAVolumeGoesIntoADirectoryOfIt(t *testing.T) {
	dir := t.TempDir()
	root := filepath.Join(dir, "volume")
	volume(t, root, "1g")
	b := openBank(t, filepath.Join(dir, "data"))
	b.call("/Account/a/deposit", "5")
	file := filepath.Join(dir, "backup")
	mustRun(t, "backup", "-admin", b.admin, file)
	mustFail(t, exitFailed, "name a directory in it", "restore", file, root)
	if left := entries(t, root) + entries(t, dir); strings.Contains(left, partialSuffix) {
		t.Errorf("%s is left", left)
	}
	mustRun(t, "restore", file, filepath.Join(root, "data"))
	if s := openBank(t, filepath.Join(root, "data")).look("a"); s.Balance != 5 {
		t.Errorf("the balance is %d", s.Balance)
	}
}
