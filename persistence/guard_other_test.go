package persistence

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// disturbances put files into a directory that are none of a store.
func disturbances() map[string]func(path string) error {
	dir := func(path string) error { return errors.Join(os.RemoveAll(path), os.Mkdir(path, 0o700)) }
	text := func(path string) error { return os.WriteFile(path, []byte("\x01 something else"), 0o600) }
	full := func(path string) error { return errors.Join(os.RemoveAll(path), os.Symlink("/dev/full", path)) }
	empty := func(path string) error { return os.WriteFile(path, nil, 0o600) }
	return map[string]func(path string) error{
		"LOCK": dir, "MARKER.tmp": dir, "BALLAST": dir, "MANIFEST-REWRITE": dir, "abc.vlog": text, "2.vlog": empty, "00098.vlog": text, "4294967295.vlog": text, "abc.mem": text, "7.mem": text,
		"00077.mem": dir, "000077.vlog": full, "00099.sst": text, "-5.sst": text, "DISCARD": dir, "./DISCARD": full,
		"KEYREGISTRY": text, "./KEYREGISTRY": dir, "000001.vlog": text,
	}
}

// TestWhatIsNoFileOfTheStoreIsNamed: a start refuses what a check finds, by the same
// name, and does not speak of damage where there is none.
func TestWhatIsNoFileOfTheStoreIsNamed(t *testing.T) {
	t.Parallel()
	base := killed(t, 3, 10)
	closed := MustCopyLive(t, base)
	if err := openStore(t, closed).Close(); err != nil {
		t.Fatal(err)
	}
	for _, base := range []string{base, closed} {
		for name, disturb := range disturbances() {
			dir := MustCopyLive(t, base)
			name = filepath.Base(name)
			if err := disturb(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
			found, err := Examine(dir, Examiner{})
			if err != nil || !slices.ContainsFunc(found.Damage, func(d FileDamage) bool { return d.File == name }) {
				t.Errorf("%s: a check finds %+v, %v", name, found, err)
			}
			s, err := Open(dir, Options{})
			if err == nil {
				t.Errorf("%s: the store opens; %v", name, s.Close())
				continue
			}
			damaged := name == "KEYREGISTRY" || name == "000001.vlog"
			if !strings.Contains(err.Error(), name) || errors.Is(err, ErrCorrupt) && !damaged {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	dir := MustCopyLive(t, base) // the engine has no eyes for these
	for _, name := range []string{"abc.sst", "DISCARD.old", "vlog"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("text"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	wantGood(t, dir, false, 3)
	openStore(t, dir)
}

// TestADirectoryIsNoPattern examines one whose name would be one.
func TestADirectoryIsNoPattern(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data[1]")
	if err := os.Rename(killed(t, 3, 10), dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "000001.vlog"), []byte("\x01 a key"), 0o600); err != nil {
		t.Fatal(err)
	}
	if found, err := Examine(dir, Examiner{}); err != nil || len(found.Damage) != 1 {
		t.Errorf("found are %+v, %v", found, err)
	}
}

// TestWhatCouldNotBeReadIsNoDamage: the directory may be whole.
func TestWhatCouldNotBeReadIsNoDamage(t *testing.T) {
	t.Parallel()
	for _, errno := range []error{syscall.EACCES, syscall.EMFILE, syscall.ENOMEM} {
		if err := mistrust(&os.PathError{Op: "open", Path: "x", Err: errno}); errors.Is(err, ErrCorrupt) {
			t.Error(err)
		}
		e := &examination{}
		e.damage("x", errno)
		if len(e.found.Damage) > 0 || !errors.Is(e.cannot, errno) || !strings.Contains(e.cannot.Error(), "x") {
			t.Errorf("%v: %+v, %v", errno, e.found, e.cannot)
		}
	}
	if os.Getuid() == 0 {
		return // who may read everything
	}
	base, _, _ := grown(t)
	for name := range digest(t, base) {
		dir := MustCopyLive(t, base)
		if err := os.Chmod(filepath.Join(dir, name), 0); err != nil {
			t.Fatal(err)
		}
		told := Examiner{Damaged: func(d FileDamage) { t.Errorf("without %s: %+v", name, d) }}
		if found, err := Examine(dir, told); !errors.Is(err, syscall.EACCES) {
			t.Errorf("%s: %+v, %v", name, found, err)
		}
		if s, err := Open(dir, Options{}); err == nil || errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v, %v", name, s, err)
		}
	}
}
