package persistence

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
)

const compactedRows = 6

// twoLevels returns an open store with tables in two levels, so that the engine has
// something to compact when it is told to, and not before.
func twoLevels(t *testing.T) *badgerStore {
	t.Helper()
	dir := t.TempDir()
	for i := range compactedRows {
		s := open(t, dir)
		mustCommit(t, s, mustEncode(t, ident.Seq(i+1), machine.Write{Put: numbered(i, 1000)}))
		if i == compactedRows-2 {
			compact(t, s)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return open(t, dir)
}

func open(t *testing.T, dir string) *badgerStore {
	t.Helper()
	s, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s.(*badgerStore)
}

func compact(t *testing.T, s *badgerStore) {
	t.Helper()
	if err := s.db.Flatten(1); err != nil {
		t.Fatal(err)
	}
}

// tablesOf lists the files of tables.
func tablesOf(t *testing.T, dir string) (names []string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*"+tableSuffix))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		names = append(names, filepath.Base(path))
	}
	return names
}

// wantCompacted fails unless all rows are there.
func wantCompacted(t *testing.T, s Store) {
	t.Helper()
	for i := range compactedRows {
		wantNumbered(t, s, i, 1000)
	}
}

func TestACompactionKeepsOldTablesUntilTheNewOnesAreCounted(t *testing.T) {
	t.Parallel()
	s := twoLevels(t)
	defer s.Close()
	before := tablesOf(t, s.dir)
	compact(t, s)
	after := tablesOf(t, s.dir)
	if s.compactions.counted == 0 {
		t.Fatal("the engine does not say any more when it compacts: its tables are not watched")
	}
	if len(before) < 2 || len(after) != 1 || after[0] == before[len(before)-1] {
		t.Errorf("there were %v, and there are %v: the old ones have to go", before, after)
	}
	wantCompacted(t, s)
}

// TestACompactionThatLosesATableLosesNothing lets the engine find the names of its next
// tables taken. It says nothing of that.
func TestACompactionThatLosesATableLosesNothing(t *testing.T) {
	t.Parallel()
	s := twoLevels(t)
	var last int
	for _, name := range tablesOf(t, s.dir) {
		var n int
		if _, err := fmt.Sscanf(name, "%d"+tableSuffix, &n); err != nil {
			t.Fatal(err)
		}
		last = max(last, n)
	}
	var taken []string
	for n := range 20 {
		taken = append(taken, fmt.Sprintf("%s/%06d%s", s.dir, last+1+n, tableSuffix))
		if err := os.Mkdir(taken[n], 0o700); err != nil {
			t.Fatal(err)
		}
	}
	compact(t, s) // it reports success
	err := s.Commit([]*Batch{mustEncode(t, 99, machine.Write{Put: numbered(99, 10)})}, Marks{})
	if err == nil || !strings.Contains(err.Error(), "tables of") {
		t.Errorf("a commit behind it gives %v", err)
	}
	if err := s.Read(func(Reader) error { return nil }); !errors.Is(err, ErrClosed) {
		t.Errorf("a read behind it gives %v", err)
	}
	if h := s.Health(); h.Pressure != PressureHard {
		t.Errorf("its health is %+v", h)
	}
	if err := s.Close(); err == nil || !strings.Contains(err.Error(), "not closed") {
		t.Errorf("Close gives %v", err)
	}
	for _, path := range taken {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	dir := MustCopyLive(t, s.dir)
	if found, _ := examine(t, dir); len(found.Damage) > 0 || found.Unread != nil {
		t.Errorf("an examination finds %+v", found)
	}
	next := open(t, dir)
	defer next.Close()
	wantCompacted(t, next)
	compact(t, next)
	wantCompacted(t, next)
}

// TestACompactionThatNobodyHasJudgedIsTakenBack kills the process between the manifest
// and the end of the old tables, with and without new ones.
func TestACompactionThatNobodyHasJudgedIsTakenBack(t *testing.T) {
	t.Parallel()
	for _, lost := range []bool{false, true} {
		s := twoLevels(t)
		release := pin(s.db)
		old := tablesOf(t, s.dir)
		compact(t, s)
		dir := MustCopyLive(t, s.dir)
		release()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		for _, name := range tablesOf(t, dir) {
			if lost && name > old[len(old)-1] {
				if err := os.Remove(filepath.Join(dir, name)); err != nil {
					t.Fatal(err)
				}
			}
		}
		again := open(t, dir)
		wantCompacted(t, again)
		if got := tablesOf(t, dir); !strings.HasPrefix(strings.Join(got, " "), strings.Join(old, " ")) {
			t.Errorf("there are %v, and there were %v", got, old)
		}
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
		once := open(t, dir) // what was taken back is not taken back again
		wantCompacted(t, once)
		if err := once.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestAJudgedCompactionStays: one of its old tables is gone.
func TestAJudgedCompactionStays(t *testing.T) {
	t.Parallel()
	s := twoLevels(t)
	defer s.Close()
	compact(t, s)
	dir := MustCopyLive(t, s.dir)
	if u, err := findUndo(dir); err != nil || len(u.sets) > 0 {
		t.Fatalf("%d compactions would be taken back, %v", len(u.sets), err)
	}
	again := open(t, dir)
	defer again.Close()
	wantCompacted(t, again)
}

func TestATornManifestIsReadToItsLastWholeSet(t *testing.T) {
	t.Parallel()
	s := twoLevels(t)
	defer s.Close()
	path := filepath.Join(t.TempDir(), manifestFile)
	content, err := os.ReadFile(filepath.Join(s.dir, manifestFile))
	if err != nil {
		t.Fatal(err)
	}
	whole, err := readManifestLog(filepath.Join(s.dir, manifestFile), manifestHeader)
	if err != nil || whole.end != int64(len(content)) {
		t.Fatalf("it ends at %d of %d, %v", whole.end, len(content), err)
	}
	for n := manifestHeader; n <= len(content); n++ {
		if err := os.WriteFile(path, content[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := readManifestLog(path, manifestHeader)
		if err != nil || l.end > int64(n) || n < len(content) && len(l.sets) >= len(whole.sets) {
			t.Fatalf("of %d bytes: %d sets up to %d, %v", n, len(l.sets), l.end, err)
		}
	}
	content[len(content)-1] ^= 1
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readManifestLog(path, manifestHeader); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a flipped bit gives %v", err)
	}
}

// TestAnOpeningDoesNotWaitForACompaction: the compaction would wait for the opening.
func TestAnOpeningDoesNotWaitForACompaction(t *testing.T) {
	t.Parallel()
	dir := flushed(t)
	s := open(t, dir)
	defer s.Close()
	if s.toplevel != 3 {
		t.Errorf("two tables and a log are counted as %d", s.toplevel)
	}
	s.toplevel = 40
	if stall := s.engineOptions().NumLevelZeroTablesStall; stall <= s.toplevel {
		t.Errorf("with %d tables and logs, flushes wait from %d tables on", s.toplevel, stall)
	}
}
