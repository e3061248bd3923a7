package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
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
		mustFail(t, exitFailed, "dormouse restore: "+damaged+": ", "restore", damaged, restored)
		mustFail(t, exitFailed, says, "restore", damaged, restored)
		judgeFile(t, damaged, says)
	}
	mustFail(t, exitFailed, dir+" cannot be read", "restore", dir, restored)
	mustFail(t, exitCannot, "no such file", "check", filepath.Join(dir, "none"))
	if out := mustRun(t, "check", file); !strings.Contains(out, file+" is good: ") {
		t.Errorf("it says %q", out)
	}
	mustFail(t, exitFailed, "no such file", "restore", filepath.Join(dir, "none"), restored)
	mustFail(t, exitFailed, "something is there already", "restore", file, filepath.Join(dir, "data"))
	if got := entries(t, dir); got != "backup damaged data" {
		t.Errorf("there are %s", got)
	}
	mustRun(t, "restore", file, restored)
	mustFail(t, exitFailed, "something is there already", "restore", file, restored)
	if err := os.Mkdir(restored+"2.partial", 0o700); err != nil {
		t.Fatal(err)
	}
	mustFail(t, exitFailed, "another restore is under way, or one was killed; remove it then\n", "restore", file, restored+"2")
	piped := console{in: bytes.NewReader(flipped), out: io.Discard, err: io.Discard}
	if code := run(t.Context(), piped, []string{"check", "-"}); code != exitDamaged {
		t.Errorf("a damaged backup that is piped: exit code %d", code)
	}
}

// judgeFile checks a file that is no whole backup: what has another beginning is not
// judged.
func judgeFile(t *testing.T, file, says string) {
	t.Helper()
	code, out, err := dormouse(t.Context(), "check", file)
	want := exitDamaged
	switch {
	case strings.Contains(says, "no backup"):
		want, says = exitCannot, "neither a data directory nor a backup of Dormouse"
	case strings.Contains(says, "begins with"):
		want = exitCannot
	}
	if said := out + err; code != want || !strings.Contains(said, says) || !strings.Contains(said, file) {
		t.Errorf("check exits with %d and says %q, want %d and %q", code, said, want, says)
	}
}
