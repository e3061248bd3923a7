package persistence

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestEveryFlippedBitOfTheManifestIsRefusedByName flips those, too, that make a record
// longer than the file. It looks like one whose write a crash has cut short, and the tables
// that it names are not missed until the log behind them is read.
func TestEveryFlippedBitOfTheManifestIsRefusedByName(t *testing.T) {
	t.Parallel()
	dir := flushed(t)
	path := filepath.Join(dir, manifestFile)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m, err := readMarker(dir)
	if err != nil || m.State != markerOpen {
		t.Fatalf("the marker says %+v, %v", m, err)
	}
	for bit := range 8 * len(content) {
		damaged := bytes.Clone(content)
		damaged[bit/8] ^= 1 << (bit % 8)
		if err := os.WriteFile(path, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		g := guard{dir: dir, marker: m}
		if _, err := g.inspect(); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), manifestFile) {
			t.Errorf("bit %d of byte %d has flipped, and the error does not name %s: %v", bit%8, bit/8, manifestFile, err)
		}
		found, err := Examine(dir, Examiner{})
		if err != nil || len(found.Damage) == 0 || !strings.Contains(found.Damage[0].File+found.Damage[0].Err.Error(), manifestFile) {
			t.Errorf("bit %d of byte %d has flipped, and an examination finds %+v, %v", bit%8, bit/8, found, err)
		}
	}
}
