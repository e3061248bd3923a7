package persistence

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dormouse-run/dormouse/internal/machine"
)

// digest returns what is in a directory: size, time and content of each file.
func digest(t *testing.T, dir string) map[string]string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	sums := map[string]string{}
	for _, f := range list {
		content, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		info, err := f.Info()
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(content[:dataEnd(content)])
		sums[f.Name()] = fmt.Sprint(info.ModTime(), info.Mode(), info.Size(), sum)
	}
	return sums
}

// examine examines a directory, which must stay as it is, and returns how many
// rows it has handed over.
func examine(t *testing.T, dir string) (found *Examination, rows int) {
	t.Helper()
	before := digest(t, dir)
	found, err := Examine(dir, Examiner{Rows: func(r Reader) error {
		all, err := r.Scan(machine.Key{Partition: 5, Table: machine.TableState}, machine.Key{}, 1<<20)
		rows = len(all)
		if errors.Is(err, ErrCorrupt) {
			err = nil // in a damaged table
		}
		return err
	}})
	if err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(before, digest(t, dir)) {
		t.Errorf("the directory was changed")
	}
	return found, rows
}

func wantGood(t *testing.T, dir string, clean bool, want int) {
	t.Helper()
	found, rows := examine(t, dir)
	if len(found.Damage) > 0 || found.Unread != nil || found.Clean != clean || rows != want {
		t.Errorf("found are %+v and %d rows of %d", found, rows, want)
	}
}

// grown returns the directory of a store that has tables and logs, as a kill and
// as a close would leave it, and how many rows are in it.
func grown(t *testing.T) (killed, closed string, rows int) {
	t.Helper()
	closed = t.TempDir()
	for range 3 { // each close makes a table
		s := openStore(t, closed)
		for range 20 {
			mustCommit(t, s, mustEncode(t, 1, machine.Write{Put: numbered(rows, 3_000)}))
			rows++
		}
		killed = t.TempDir()
		if err := errors.Join(CopyLive(closed, killed), s.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return killed, closed, rows
}

func TestAGoodDirectoryIsGoodAndStaysAsItIs(t *testing.T) {
	skipLong(t)
	t.Parallel()
	wantGood(t, killed(t, 12, 300), false, 12)
	unclean, clean, rows := grown(t)
	wantGood(t, unclean, false, rows)
	wantGood(t, clean, true, rows)

	fresh := t.TempDir()
	if err := openStore(t, fresh).Close(); err != nil {
		t.Fatal(err)
	}
	wantGood(t, fresh, true, 0)

	chunks := t.TempDir()
	s := openStore(t, chunks)
	mustCommit(t, s, mustEncode(t, 1, machine.Write{Put: numbered(0, 3*ChunkBytes)}))
	wantGood(t, MustCopyLive(t, chunks), false, 1)
}

// TestDamageOfEachFileIsNamed damages one file at a time. What it leaves readable
// is read.
func TestDamageOfEachFileIsNamed(t *testing.T) {
	skipLong(t)
	t.Parallel()
	unclean, clean, _ := grown(t)
	flip := func(at float64) func([]byte) []byte {
		return func(b []byte) []byte {
			b[int(float64(dataEnd(b)-1)*at)] ^= 4
			return b
		}
	}
	for _, base := range []string{unclean, clean} {
		names := slices.Sorted(maps.Keys(digest(t, base)))
		for _, name := range names {
			changes := map[string]func([]byte) []byte{"a bit": flip(0.5), "the last bit": flip(1)}
			switch {
			case strings.HasSuffix(name, valueLogSuffix):
				changes = map[string]func([]byte) []byte{"the number of a key": func(b []byte) []byte { b[7] ^= 4; return b }}
			case name == "DISCARD", name == ownerFile, name == "LOCK", name == formatFile, name == ballastFile:
				continue // nothing depends on them, or a refusal names them
			case name == "KEYREGISTRY":
				changes = map[string]func([]byte) []byte{"the last bit": flip(1)}
			case strings.HasSuffix(name, logSuffix), strings.HasSuffix(name, tableSuffix):
				changes["a cut"] = func(b []byte) []byte { return b[:dataEnd(b)/2] }
			}
			for what, change := range changes {
				dir := MustCopyLive(t, base)
				path := filepath.Join(dir, name)
				content, err := os.ReadFile(path)
				if err == nil {
					err = os.WriteFile(path, change(content), 0o600)
				}
				if err != nil {
					t.Fatal(err)
				}
				found, _ := examine(t, dir)
				if !slices.ContainsFunc(found.Damage, func(d FileDamage) bool { return d.File == name }) {
					t.Errorf("%s of %s: found are %+v", what, name, found)
				}
			}
		}
	}
}

func TestAMissingFileIsNamed(t *testing.T) {
	skipLong(t)
	t.Parallel()
	unclean, clean, _ := grown(t)
	for _, base := range []string{unclean, clean} {
		for name := range digest(t, base) {
			if name == manifestFile || name == markerFile || strings.HasSuffix(name, tableSuffix) || base == unclean && strings.HasSuffix(name, logSuffix) {
				dir := MustCopyLive(t, base)
				if err := os.Remove(filepath.Join(dir, name)); err != nil {
					t.Fatal(err)
				}
				if found, _ := examine(t, dir); len(found.Damage) == 0 {
					t.Errorf("nothing is found without %s", name)
				}
			}
		}
	}
}

func TestWhatCannotBeExaminedIsNoVerdict(t *testing.T) {
	t.Parallel()
	for what, tc := range map[string]struct {
		dir  func() string
		want error
	}{
		"no directory": {func() string { return filepath.Join(t.TempDir(), "none") }, fs.ErrNotExist},
		"another one":  {t.TempDir, ErrFormat},
		"in use":       {func() string { dir := t.TempDir(); openStore(t, dir); return dir }, ErrInUse},
		"newer": {func() string {
			dir := killed(t, 1, 10)
			if err := os.WriteFile(filepath.Join(dir, formatFile), []byte(formatPrefix+"99\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			return dir
		}, ErrFormat},
	} {
		dir := tc.dir()
		if found, err := Examine(dir, Examiner{}); !errors.Is(err, tc.want) {
			t.Errorf("%s: %+v, %v", what, found, err)
		}
		if what == "another one" {
			if left := digest(t, dir); len(left) > 0 {
				t.Errorf("%s: %v was made", what, left)
			}
		}
	}
}

// TestAnExaminationEndsWhenItIsTold: before it has begun, and while it reads rows.
func TestAnExaminationEndsWhenItIsTold(t *testing.T) {
	t.Parallel()
	dir, done := killed(t, 3, 10), make(chan struct{})
	_, err := Examine(dir, Examiner{Done: done, Rows: func(r Reader) (err error) {
		close(done)
		for err == nil {
			_, err = r.Get(numbered(1, 10).Key())
		}
		return err
	}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("while it reads rows: %v", err)
	}
	_, err = Examine(dir, Examiner{Done: done, Rows: func(Reader) error { t.Error("it has read rows"); return nil }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("before: %v", err)
	}
}
