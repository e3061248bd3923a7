package persistence

import (
	"errors"
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
