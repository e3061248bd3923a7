package persistence

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestACutLogIsRefusedByName cuts the log of a killed process inside of its
// transactions. At the boundary of two transactions nothing can be seen: the
// engine itself leaves such a file when it is killed while it opens.
func TestACutLogIsRefusedByName(t *testing.T) {
	skipLong(t)
	t.Parallel()
	base := killed(t, 12, 300)
	path, data := onlyLog(t, base)
	ends := boundaries(t, data)
	for cut := ends[1] + 1; cut < len(data); cut += 37 {
		if slices.Contains(ends, cut) {
			continue
		}
		dir := MustCopyLive(t, base)
		name := filepath.Base(path)
		if err := os.WriteFile(filepath.Join(dir, name), data[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		refused(t, dir, "cut", name)
	}
}
