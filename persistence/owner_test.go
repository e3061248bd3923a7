package persistence

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dormouse-run/dormouse/internal/machine"
)

// replacements are what can become of the directory of a running program.
func replacements(t *testing.T) map[string]func(dir string) error {
	other := killed(t, 2, 10)
	return map[string]func(dir string) error{
		"removed": os.RemoveAll,
		"moved":   func(dir string) error { return os.Rename(dir, dir+".moved") },
		"replaced by an empty one": func(dir string) error {
			return errors.Join(os.Rename(dir, dir+".moved"), os.Mkdir(dir, 0o700))
		},
		"replaced by another one": func(dir string) error {
			return errors.Join(os.Rename(dir, dir+".moved"), os.Mkdir(dir, 0o700), CopyLive(other, dir))
		},
		"without its owner": func(dir string) error { return os.Remove(filepath.Join(dir, ownerFile)) },
	}
}

// TestADirectoryThatIsReplacedEndsTheStore takes the directory away from a running
// store: it acknowledges nothing more, and writes nothing to where it was.
func TestADirectoryThatIsReplacedEndsTheStore(t *testing.T) {
	t.Parallel()
	for what, replace := range replacements(t) {
		for _, commits := range []bool{true, false} {
			dir := filepath.Join(t.TempDir(), "data")
			s := openStore(t, dir)
			mustCommit(t, s, mustEncode(t, 1, machine.Write{Put: numbered(1, 10)}))
			if err := replace(dir); err != nil {
				t.Fatal(err)
			}
			before := there(dir)
			if h := s.health.measure(); !errors.Is(h.Lost, ErrDeposed) || h.Pressure != PressureHard {
				t.Errorf("%s: its health is %+v", what, h)
			}
			if commits {
				err := s.Commit([]*Batch{mustEncode(t, 2, machine.Write{Put: numbered(2, 10)})}, Marks{})
				if !errors.Is(err, ErrDeposed) || !strings.Contains(err.Error(), ownerFile) {
					t.Errorf("%s: the commit ends with %v", what, err)
				}
			}
			if err := s.Close(); !errors.Is(err, ErrDeposed) || !strings.Contains(err.Error(), ownerFile) {
				t.Errorf("%s, commits %v: closing ends with %v", what, commits, err)
			}
			if after := there(dir); after != before {
				t.Errorf("%s: there are %s, and there were %s", what, after, before)
			}
		}
	}
}

// there lists the names in a directory, and the content of its marker.
func there(dir string) string {
	list, _ := os.ReadDir(dir) // none, where there is no directory
	text, _ := os.ReadFile(filepath.Join(dir, markerFile))
	for _, f := range list {
		text = append(append(text, ' '), f.Name()...)
	}
	return string(text)
}

// TestADirectoryInUseIsSo whoever uses it, and whether the file that says so is still
// there.
func TestADirectoryInUseIsSo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := openStore(t, dir)
	inUse := func(what, says string, err error) {
		t.Helper()
		if !errors.Is(err, ErrInUse) || errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", what, err)
		}
	}
	us := fmt.Sprintf("pid %d ", os.Getpid())
	if err := os.Remove(filepath.Join(dir, ownerFile)); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(filepath.Join(dir, markerFile))
	if err != nil {
		t.Fatal(err)
	}
	_, err = Examine(dir, Examiner{})
	inUse("a check without OWNER", us, err)
	_, err = Open(dir, Options{})
	inUse("a start without OWNER", us, err)
	_, err = Open(dir, Options{})
	inUse("a start with an empty OWNER", us, err)
	if after, err := os.ReadFile(filepath.Join(dir, markerFile)); err != nil || string(after) != string(before) {
		t.Errorf("the marker was changed: %s, %v", after, err)
	}
	if err := s.Close(); !errors.Is(err, ErrDeposed) {
		t.Errorf("closing it: %v", err)
	}
}

// TestAStartDuringACheckSaysSo, and not who had the directory before.
func TestAStartDuringACheckSaysSo(t *testing.T) {
	t.Parallel()
	base := killed(t, 3, 10)
	for _, without := range []string{"", ownerFile} {
		dir := MustCopyLive(t, base)
		if without != "" {
			if err := os.Remove(filepath.Join(dir, without)); err != nil {
				t.Fatal(err)
			}
		}
		examined := false
		_, err := Examine(dir, Examiner{Rows: func(Reader) error {
			examined = true
			if _, err := Examine(dir, Examiner{}); err != nil {
				t.Errorf("another check beside it: %v", err)
			}
			if _, err := Open(dir, Options{}); !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), "dormouse check") || strings.Contains(err.Error(), "pid") {
				t.Errorf("a start beside it, without %q: %v", without, err)
			}
			return nil
		}})
		if err != nil || !examined {
			t.Errorf("%v", err)
		}
		openStore(t, dir)
	}
}

func BenchmarkOwnerCheck(b *testing.B) {
	o, err := acquire(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer o.release()
	b.ReportAllocs()
	for b.Loop() {
		if err := o.check(); err != nil {
			b.Fatal(err)
		}
	}
}
