package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestADamagedFileIsRefusedWithTheReason damages a file from the command line's
// point of view; the package of the store flips each of its bits.
func TestADamagedFileIsRefusedWithTheReason(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := openBank(t, filepath.Join(dir, "data"))
	b.call("/Account/a/deposit", "5")
	file, damaged, restored := filepath.Join(dir, "backup"), filepath.Join(dir, "damaged"), filepath.Join(dir, "restored")
	mustRun(t, "backup", "-admin", b.admin, file)
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	flipped, later := bytes.Clone(whole), bytes.Clone(whole)
	flipped[len(flipped)/2] ^= 1
	later[16] = '9'
	for says, content := range map[string][]byte{
		"checksum of frame":               flipped,
		"without its end":                 whole[:len(whole)-1],
		"no backup of Dormouse":           []byte("PK\x03\x04 this is something else entirely"),
		"it ends at byte 0":               nil,
		`begins with "dormouse backup 9"`: later,
		"something follows its end":       append(bytes.Clone(whole), '\n'),
	} {
		if err := os.WriteFile(damaged, content, 0o600); err != nil {
			t.Fatal(err)
		}
		mustFail(t, exitFailed, says, "restore", damaged, restored)
	}
	mustFail(t, exitFailed, "no such file", "restore", filepath.Join(dir, "none"), restored)
	mustFail(t, exitFailed, "something is there already", "restore", file, filepath.Join(dir, "data"))
	if got := entries(t, dir); got != "backup damaged data" {
		t.Errorf("there are %s", got)
	}
	mustRun(t, "restore", file, restored)
	mustFail(t, exitFailed, "something is there already", "restore", file, restored)
}
