package persistence

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// names lists what is in a directory.
func names(t *testing.T, dir string) (list []string) {
	t.Helper()
	found, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		list = append(list, f.Name())
	}
	return list
}

// TestAFailedRestoreLeavesNothing restores what cannot be restored, to where
// nothing is and to an empty directory.
func TestAFailedRestoreLeavesNothing(t *testing.T) {
	t.Parallel()
	whole := smallBackup(t)
	flipped := bytes.Clone(whole)
	flipped[len(flipped)-50] ^= 1
	headOf := func(format, boot uint32) []byte {
		var b bytes.Buffer
		w := newBackupWriter(&b)
		if err := errors.Join(w.begin(BackupInfo{Format: format, Boot: boot}), w.end()); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	for name, c := range map[string]struct {
		content []byte
		want    error
		says    string
	}{
		"a flipped bit at the end":  {flipped, ErrBackupDamaged, "checksum"},
		"a cut end":                 {whole[:len(whole)-1], ErrBackupIncomplete, "ends at byte"},
		"an earlier data format":    {headOf(formatVersion-1, 1), ErrBackupFormat, fmt.Sprintf("format %d where this build writes %d", formatVersion-1, formatVersion)},
		"a later data format":       {headOf(formatVersion+1, 1), ErrBackupFormat, "data format"},
		"a boot counter at its end": {headOf(formatVersion, ident.MaxBoot-bootStep), ErrBackupFormat, "boot counter"},
		"a row of no partition":     {forged(t, func(b *backupWriter) error { return b.row(sealedRow("\xff\xffM", 1)) }), ErrBackupDamaged, "none of a store"},
		"a key of one byte":         {forged(t, func(b *backupWriter) error { return b.row(sealedRow("\x00", 1)) }), ErrBackupDamaged, "none of a store"},
		"a row that was damaged later": {forged(t, func(b *backupWriter) error {
			err := b.row([]byte("\x00\x05a\x00\x00\x00\x00\x00\x00\x00\x01"), []byte("nonsense"))
			b.audit.damaged = 0
			return err
		}), ErrBackupDamaged, "1 of its rows are damaged"},
	} {
		for _, exists := range []bool{false, true} {
			parent := t.TempDir()
			dir := filepath.Join(parent, "data")
			var left []string
			if exists {
				left = []string{"data"}
				if err := os.Mkdir(dir, 0o700); err != nil {
					t.Fatal(err)
				}
			}
			_, err := Restore(t.Context(), bytes.NewReader(c.content), dir, Options{})
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: %v", name, err)
			}
			if got := names(t, parent); !slices.Equal(got, left) {
				t.Errorf("%s: %q are left", name, got)
			}
			if exists && len(names(t, dir)) > 0 {
				t.Errorf("%s: %q are left in the directory", name, names(t, dir))
			}
		}
	}
}

func TestARestoreTouchesNothingThatIsThere(t *testing.T) {
	t.Parallel()
	whole := smallBackup(t)
	parent := t.TempDir()
	dir := filepath.Join(parent, "data")
	if err := os.MkdirAll(filepath.Join(dir, "lost+found"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(t.Context(), bytes.NewReader(whole), dir, Options{}); !errors.Is(err, ErrNotEmpty) || !strings.Contains(err.Error(), "lost+found") {
		t.Errorf("into a directory with something in it: %v", err)
	}
	file := filepath.Join(parent, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(t.Context(), bytes.NewReader(whole), file, Options{}); err == nil {
		t.Error("a file was replaced")
	}
	other := filepath.Join(parent, "other")
	if err := os.Mkdir(other+partialSuffix, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(t.Context(), bytes.NewReader(whole), other, Options{}); !errors.Is(err, ErrNotEmpty) || !strings.Contains(err.Error(), "other.partial exists") {
		t.Errorf("beside another restore: %v", err)
	}
	if _, err := Restore(t.Context(), bytes.NewReader(whole), filepath.Join(parent, "no", "data"), Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("into a directory of a directory that does not exist: %v", err)
	}
	if got := names(t, parent); !slices.Equal(got, []string{"data", "file", "other.partial"}) {
		t.Errorf("%q are there", got)
	}
}

func TestARestoreEndsWithItsContext(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Restore(ctx, bytes.NewReader(smallBackup(t)), filepath.Join(parent, "data"), Options{})
	if !errors.Is(err, context.Canceled) || len(names(t, parent)) != 0 {
		t.Errorf("%v, and %q are left", err, names(t, parent))
	}
}

// TestARestoreOnAFullDiskFailsByName runs out of space at the beginning and in the
// middle.
func TestARestoreOnAFullDiskFailsByName(t *testing.T) {
	t.Parallel()
	s := memory()
	for i := range 40 {
		mustCommit(t, s, mustEncode(t, ident.Seq(i+1), machine.Write{Put: numbered(i, 100_000)}))
	}
	whole := backupOf(t, s)
	for _, after := range []int{0, 1 << 20} {
		parent, g := t.TempDir(), newGauge()
		r := io.MultiReader(bytes.NewReader(whole[:after]), readerFunc(func([]byte) (int, error) {
			g.set(func(r *Room) { r.Bytes = 1 << 20 })
			return 0, io.EOF
		}), bytes.NewReader(whole[after:]))
		_, err := Restore(t.Context(), r, filepath.Join(parent, "data"), g.options())
		if !errors.Is(err, ErrNoSpace) || len(names(t, parent)) != 0 {
			t.Errorf("after %d bytes: %v, and %q are left", after, err, names(t, parent))
		}
	}
}

// TestWhatAKilledRestoreLeavesIsNoStore opens the directory of a restore as a kill
// would leave it, with some of its rows.
func TestWhatAKilledRestoreLeavesIsNoStore(t *testing.T) {
	t.Parallel()
	s := memory()
	for i := range 40 {
		mustCommit(t, s, mustEncode(t, ident.Seq(i+1), machine.Write{Put: numbered(i, 100_000)}))
	}
	whole := backupOf(t, s)
	dir := filepath.Join(t.TempDir(), "data")
	for _, after := range []int{100, len(whole) - 50, len(whole)} {
		left := t.TempDir()
		r := io.MultiReader(bytes.NewReader(whole[:after]), readerFunc(func([]byte) (int, error) {
			if err := CopyLive(dir+partialSuffix, left); err != nil {
				return 0, err
			}
			return 0, io.EOF
		}), iotest.ErrReader(io.ErrUnexpectedEOF))
		if _, err := Restore(t.Context(), r, dir, Options{}); err == nil {
			t.Fatal("it is restored")
		}
		if _, err := Open(left, Options{}); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), "restore that has not ended") {
			t.Errorf("killed after %d bytes: %v", after, err)
		}
	}
}

// TestARestoreIsMarkedBeforeThereIsAStore looks at what FORMAT says whenever the store
// of a restore asks how much room there is, the first time before it has any file of the
// engine.
func TestARestoreIsMarkedBeforeThereIsAStore(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	looks, empty := 0, 0
	look := func(string) (Room, error) {
		looks++
		files, err := engineFiles(dir + partialSuffix)
		if err == nil && len(files) == 0 {
			empty++
		}
		if text, err := os.ReadFile(filepath.Join(dir+partialSuffix, formatFile)); err != nil || string(text) != restoring {
			t.Errorf("it says %q, %v", text, err)
		}
		return newGauge().room, err
	}
	if _, err := Restore(t.Context(), bytes.NewReader(smallBackup(t)), dir, Options{Probe: look}); err != nil || looks < 2 || empty == 0 {
		t.Errorf("%v after %d looks, %d at an empty directory", err, looks, empty)
	}
	openStore(t, dir)
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// TestTwoRestoresOfOneBackupDrawDifferentNumbers restores the same file again and
// again.
func TestTwoRestoresOfOneBackupDrawDifferentNumbers(t *testing.T) {
	t.Parallel()
	whole := smallBackup(t)
	seen := map[uint32]bool{}
	for range 8 {
		dir := t.TempDir()
		if _, err := Restore(t.Context(), bytes.NewReader(whole), dir, Options{}); err != nil {
			t.Fatal(err)
		}
		boot := openStore(t, dir).Info().Boot
		if boot <= 1+bootStep || boot > 2*bootStep+1 {
			t.Errorf("boot %d behind boot 1", boot)
		}
		seen[boot] = true
	}
	if len(seen) < 7 { // by chance two of eight in 65,536 meet once in 2,000 times
		t.Errorf("boots repeat: %v", seen)
	}
}

// TestTheLargestFramesFitATransaction restores frames that the reader still takes:
// the largest row, and as many rows and bytes as there may be.
func TestTheLargestFramesFitATransaction(t *testing.T) {
	t.Parallel()
	content := forged(t, func(b *backupWriter) error {
		name := strings.Repeat("x", 60_000)
		key := "\x00\x05h" + name
		if err := b.row(sealedRow(key, MaxBatchBytes-1-valueHeader)); err != nil {
			return err
		}
		if err := b.flushRows(); err != nil {
			return err
		}
		for i := range uint64(maxBackupFrameRows) { // in one frame, which the writer would have ended earlier
			k, v := sealedRow("\x00\x06a"+string(binary.BigEndian.AppendUint64(nil, i)), 108)
			b.frame = append(append(append(append(b.frame, byte(len(k))), k...), byte(len(v))), v...)
			b.info.Rows++
			b.info.Bytes += uint64(len(k) + len(v))
		}
		if n := len(b.frame) - frameHeader; n > maxBackupFrameBytes || n < maxBackupFrameBytes*9/10 {
			t.Errorf("the frame has %d bytes", n)
		}
		return b.flush(frameRows)
	})
	info, err := Restore(t.Context(), bytes.NewReader(content), t.TempDir(), Options{})
	if err != nil || info.Rows != maxBackupFrameRows+1 || info.Damaged != 0 {
		t.Errorf("%+v, %v", info, err)
	}
}
