package persistence

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// clock is a time that a test moves.
type clock struct{ ms atomic.Int64 }

func (c *clock) now() time.Time          { return time.UnixMilli(c.ms.Load()) }
func (c *clock) advance(d time.Duration) { c.ms.Add(d.Milliseconds()) }

func TestSecondOpenNamesTheOwner(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	openStore(t, dir)
	_, err := Open(dir, Options{})
	if !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), fmt.Sprintf("pid %d ", os.Getpid())) {
		t.Fatalf("got %v", err)
	}
}

func TestForeignTokenEndsTheStoreBeforeTheCommit(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := openStore(t, dir)
	mustCommit(t, s, mustEncode(t, 1, machine.Write{Put: numbered(1, 10)}))
	if err := os.WriteFile(filepath.Join(dir, ownerFile), []byte("pid 1\ntoken of somebody else\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := s.Commit([]*Batch{mustEncode(t, 2, machine.Write{Put: numbered(2, 10)})}, Marks{})
	if !errors.Is(err, ErrDeposed) || !strings.Contains(err.Error(), "pid 1 ") {
		t.Fatalf("got %v", err)
	}
	if err := s.Commit(nil, Marks{Clock: 1}); !errors.Is(err, ErrClosed) {
		t.Fatalf("commit after the end: %v", err)
	}
	err = s.Read(func(r Reader) error {
		if row, err := r.Get(numbered(2, 10).Key()); err != nil || row != nil {
			return fmt.Errorf("something of the group is there: %v, %w", row, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestUnknownFormatIsRefusedByNameAndNothingChanges(t *testing.T) {
	t.Parallel()
	dir := killed(t, 2, 10)
	path := filepath.Join(dir, formatFile)
	for content, want := range map[string]string{
		string(formatText(99)): fmt.Sprintf("FORMAT says that the data format is 99, of a later build, and this one has %d: run a build that has 99", formatVersion),
		string(formatText(4)):  fmt.Sprintf("FORMAT says that the data format is 4, of an earlier build that was never released, and this one has %d: run the build that wrote it", formatVersion),
		formatPrefix + "05\n":  "which names no format",
		"":                     `FORMAT says "", which names no format`,
		restoring:              "left by a restore that has not ended, and holds only a part of its backup; remove it",
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir, Options{}); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), want) {
			t.Errorf("a directory that says %q: got %v, want %q", content, err, want)
		}
		if _, err := Examine(dir, Examiner{}); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), want) {
			t.Errorf("examining one that says %q: got %v, want %q", content, err, want)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	const gone = "there is no FORMAT file beside"
	if _, err := Open(dir, Options{}); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), gone) {
		t.Fatalf("without the format file: %v", err)
	}
	if _, err := Examine(dir, Examiner{}); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), gone) {
		t.Fatalf("examining one without the format file: %v", err)
	}
	if err := os.WriteFile(path, fmt.Appendf(nil, "%s%d\n", formatPrefix, formatVersion), 0o600); err != nil {
		t.Fatal(err)
	}
	wantNumbered(t, openStore(t, dir), 1, 10)
}

// TestADirectoryOfSomebodyElseIsNotTaken opens directories that have other files: nothing
// is written into them.
func TestADirectoryOfSomebodyElseIsNotTaken(t *testing.T) {
	t.Parallel()
	for name, foreign := range map[string]bool{"main.go": true, "src": true, "data.tmp": true, ".gitkeep": false, "lost+found": false, ballastFile: false, markerFile + tempSuffix: false} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Open(dir, Options{})
		if !foreign {
			if err != nil {
				t.Errorf("beside %s: %v", name, err)
				continue
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			continue
		}
		if !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), "there is "+name+" in it") {
			t.Errorf("beside %s: %v", name, err)
		}
		if list, err := os.ReadDir(dir); err != nil || len(list) != 1 {
			t.Errorf("beside %s there is now %v, %v", name, list, err)
		}
	}
}

func TestCrashDuringTheFirstOpenIsForgotten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := checkFormat(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, formatFile)); err != nil {
		t.Fatal(err)
	}
	s := openStore(t, dir)
	copied := MustCopyLive(t, dir)
	m := marker{State: markerNew}
	if err := m.write(copied); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s := openStore(t, copied); s.Info().Boot != 2 {
		t.Fatalf("boot %d, want 2", s.Info().Boot)
	}
}

func TestOldSnapshotIsCutAndOthersAreNot(t *testing.T) {
	t.Parallel()
	var c clock
	store, err := Open(t.TempDir(), Options{Now: c.now, MaxSnapshotAge: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	s := store.(*badgerStore)
	mustCommit(t, s, mustEncode(t, 1, machine.Write{Put: numbered(1, 10)}))
	err = s.Read(func(old Reader) error {
		c.advance(59 * time.Second)
		mustCommit(t, s, mustEncode(t, 2, machine.Write{Put: numbered(1, 20)}))
		if row, err := old.Get(numbered(1, 10).Key()); err != nil || len(row.(*machine.StateRow).Value) != 10 {
			t.Errorf("a snapshot of 59 s: %v, %v", row, err)
		}
		return s.Read(func(young Reader) error {
			c.advance(2 * time.Second)
			mustCommit(t, s, mustEncode(t, 3, machine.Write{Put: numbered(1, 30)}))
			if _, err := old.Get(numbered(1, 10).Key()); !errors.Is(err, ErrSnapshotExpired) {
				t.Errorf("get of an old snapshot: %v", err)
			}
			if _, err := old.Scan(numbered(0, 0).Key(), machine.Key{}, 5); !errors.Is(err, ErrSnapshotExpired) {
				t.Errorf("scan of an old snapshot: %v", err)
			}
			if row, err := young.Get(numbered(1, 10).Key()); err != nil || len(row.(*machine.StateRow).Value) != 20 {
				t.Errorf("a snapshot of 2 s: %v, %v", row, err)
			}
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	if s.snaps.oldest != nil || s.snaps.newest != nil {
		t.Fatal("snapshots are still registered")
	}
}

func TestDiscardTimestampWaitsForTheOldestReader(t *testing.T) {
	t.Parallel()
	var c clock
	s := snapshots{maxAge: time.Minute, now: c.now}
	s.advance(10)
	first := s.acquire()
	s.advance(11)
	second, third := s.acquire(), s.acquire()
	if got := s.advance(12); got != 10 {
		t.Fatalf("discard at %d, want 10", got)
	}
	s.release(second)
	if got := s.advance(13); got != 10 {
		t.Fatalf("discard at %d, want 10", got)
	}
	s.release(first)
	if got := s.advance(14); got != 11 {
		t.Fatalf("discard at %d, want 11", got)
	}
	s.release(third)
	if got := s.advance(15); got != 15 {
		t.Fatalf("discard at %d, want 15", got)
	}
}

// TestReadersSurviveCompaction overwrites rows until they have been compacted
// away from under a reader that still needs them.
func TestReadersSurviveCompaction(t *testing.T) {
	t.Parallel()
	s := openStore(t, t.TempDir())
	mustCommit(t, s, mustEncode(t, 1, machine.Write{Put: numbered(1, 1000)}))
	err := s.Read(func(r Reader) error {
		for i := range 60 {
			b := mustEncode(t, ident.Seq(i), machine.Write{Put: numbered(1, 2000)}, machine.Write{Put: numbered(2, 4*ChunkBytes-2000)})
			mustCommit(t, s, b)
		}
		if err := s.db.Flatten(1); err != nil {
			return err
		}
		row, err := r.Get(numbered(1, 1000).Key())
		if err != nil || row == nil || len(row.(*machine.StateRow).Value) != 1000 {
			return fmt.Errorf("the old row is lost: %v, %w", row, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestCloseEndsReadsUnderWay(t *testing.T) {
	t.Parallel()
	s := openStore(t, t.TempDir())
	inside, closed := make(chan struct{}), make(chan error)
	go func() {
		<-inside
		closed <- s.Close()
	}()
	err := s.Read(func(r Reader) error {
		close(inside)
		for {
			if _, err := r.Get(numbered(1, 1).Key()); err != nil {
				return err
			}
		}
	})
	if !errors.Is(err, ErrClosed) {
		t.Fatalf("got %v", err)
	}
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
}

func TestFailedCommitMakesTheNextOpeningRewriteTheLogs(t *testing.T) {
	t.Parallel()
	dir := failedCommit(t, func(string) {})
	if m, err := readMarker(dir); err != nil || !m.CommitFailed {
		t.Fatalf("marker %+v, %v", m, err)
	}
	wantRewritten(t, dir)
}

// TestFailedCommitIsNotedAlsoWhenTheMarkerCannotBeWritten, because what fails a sync of
// the log fails that of the marker.
func TestFailedCommitIsNotedAlsoWhenTheMarkerCannotBeWritten(t *testing.T) {
	t.Parallel()
	blocked := markerFile + ".tmp"
	dir := failedCommit(t, func(dir string) {
		if err := os.Mkdir(filepath.Join(dir, blocked), 0o700); err != nil {
			t.Fatal(err)
		}
	})
	wantRewritten(t, dir)
	// It does so once.
	if _, err := os.Stat(filepath.Join(dir, failedFile)); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("the note is still there: %v", err)
	}
}

// failedCommit returns what is left of a store that was changed and then failed to
// commit. Directories are not.
func failedCommit(t *testing.T, change func(dir string)) string {
	t.Helper()
	dir := t.TempDir()
	s := openStore(t, dir)
	for i := range 3 {
		mustCommit(t, s, mustEncode(t, ident.Seq(i), machine.Write{Put: numbered(i, 100)}))
	}
	change(dir)
	s.log.engine = &failing{s.log.engine, 0}
	if err := s.Commit([]*Batch{mustEncode(t, 9, machine.Write{Put: numbered(9, 100)})}, Marks{}); !errors.Is(err, errPower) {
		t.Fatalf("got %v", err)
	}
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		if f.IsDir() {
			if err := os.Remove(filepath.Join(dir, f.Name())); err != nil {
				t.Fatal(err)
			}
		}
	}
	return MustCopyLive(t, dir)
}

// wantRewritten opens a store and fails unless its logs have become tables.
func wantRewritten(t *testing.T, dir string) {
	t.Helper()
	log := new(strings.Builder)
	s, err := Open(dir, Options{Logger: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if s.Info().Clean {
		t.Fatal("a store with a failed commit is clean")
	}
	tables, err := filepath.Glob(filepath.Join(dir, "*"+tableSuffix))
	if err != nil || len(tables) == 0 || !strings.Contains(log.String(), "rewrote the logs") {
		t.Fatalf("the logs were not rewritten: %v, %v, %s", tables, err, log)
	}
	if m, err := readMarker(dir); err != nil || m.CommitFailed {
		t.Fatalf("marker of the open store %+v, %v", m, err)
	}
	for i := range 3 {
		wantNumbered(t, s, i, 100)
	}
}

func TestMarkerFollowsTheLogFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := openStore(t, dir)
	seen := map[string]uint64{}
	for i := range 24 {
		mustCommit(t, s, mustEncode(t, ident.Seq(i), machine.Write{Put: numbered(i, 4*ChunkBytes)}))
		m, err := readMarker(dir)
		if err != nil {
			t.Fatal(err)
		}
		seen[m.LogFile] = m.LastCommit
	}
	if len(seen) < 2 {
		t.Fatalf("the marker named %v during 24 MiB of commits", seen)
	}
}

func TestNoValueLogIsEverWritten(t *testing.T) {
	t.Parallel()
	dir := killed(t, 6, 5*ChunkBytes)
	logs, err := filepath.Glob(filepath.Join(dir, "*"+valueLogSuffix))
	if err != nil || len(logs) == 0 {
		t.Fatalf("value logs %v, %v", logs, err)
	}
	for _, path := range logs {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range content[logHeader:] {
			if b != 0 {
				t.Fatalf("%s holds data", path)
			}
		}
	}
}

func TestEngineLimitsAreThoseThatTheLogCountsWith(t *testing.T) {
	t.Parallel()
	s := openStore(t, t.TempDir())
	if s.db.MaxBatchSize() < maxTxnBytes+100_000 || s.db.MaxBatchCount() < maxTxnRows+2000 {
		t.Fatalf("the engine takes %d bytes and %d rows", s.db.MaxBatchSize(), s.db.MaxBatchCount())
	}
	var group []*Batch
	for i := range 8 {
		var writes []machine.Write
		for j := range MaxBatchRows {
			writes = append(writes, machine.Write{Put: &machine.SignalRow{Partition: 1, Birth: ident.Seq(i), Index: uint32(j)}})
		}
		group = append(group, mustEncode(t, ident.Seq(i), writes...))
	}
	mustCommit(t, s, group...)
}

// TestStoreLeavesNoGoroutine is not parallel: it counts all of them.
func TestStoreLeavesNoGoroutine(t *testing.T) {
	before := goleak.IgnoreCurrent()
	s, err := Open(t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	// The engine ends some of its goroutines shortly after its Close.
	if err := goleak.Find(before); err != nil {
		t.Fatal(err)
	}
}

// TestAMarkerWithoutItsFilesIsNoNewDirectory removes everything else: what is said
// to have been there must not be forgotten.
func TestAMarkerWithoutItsFilesIsNoNewDirectory(t *testing.T) {
	t.Parallel()
	base := killed(t, 3, 10)
	for what, content := range map[string][]byte{"that of a killed process": nil, "a damaged one": []byte("{}")} {
		dir := t.TempDir()
		if content == nil {
			var err error
			if content, err = os.ReadFile(filepath.Join(base, markerFile)); err != nil {
				t.Fatal(err)
			}
		}
		path := filepath.Join(dir, markerFile)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		refused(t, dir, what, markerFile)
		if left, err := os.ReadFile(path); err != nil || string(left) != string(content) {
			t.Errorf("%s: it is changed to %q, %v", what, left, err)
		}
	}
	dir := t.TempDir() // of a process that was killed between the two files of its first start
	m := marker{State: markerNew}
	if err := m.write(dir); err != nil {
		t.Fatal(err)
	}
	openStore(t, dir)
}
