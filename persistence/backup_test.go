package persistence

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// smallBackup is a backup of a few rows, one of them damaged, and one in chunks.
func smallBackup(t testing.TB) []byte {
	t.Helper()
	s := memory()
	b, err := s.Encode(7, []machine.Write{{Put: activeRow(5, 1)}, {Put: activeRow(5, 2)}, {Put: activeRow(6, 3)}})
	if err == nil {
		err = s.Commit([]*Batch{b}, Marks{Timers: 5, Clock: 1_800_000_000_000})
	}
	if err != nil {
		t.Fatal(err)
	}
	key, err := appendKey(nil, &machine.Key{Partition: 9, Table: machine.TableActive, A: 4})
	if err == nil {
		err = s.pages.write(0, []entry{{key: key, value: []byte("nonsense")}})
	}
	if err != nil {
		t.Fatal(err)
	}
	return backupOf(t, s)
}

func backupOf(t testing.TB, s Store) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := s.Backup(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// refusedBackup reports whether an error is one that a file may be refused with.
func refusedBackup(err error) bool {
	for _, reason := range []error{ErrNoBackup, ErrBackupFormat, ErrBackupIncomplete, ErrBackupDamaged} {
		if errors.Is(err, reason) {
			return true
		}
	}
	return false
}

func TestEveryFlippedBitOfABackupIsFound(t *testing.T) {
	t.Parallel()
	whole := smallBackup(t)
	info, err := CheckBackup(bytes.NewReader(whole))
	if err != nil || info.Rows != 4 || info.Damaged != 1 {
		t.Fatalf("%+v, %v", info, err)
	}
	for bit := range len(whole) * 8 {
		flipped := bytes.Clone(whole)
		flipped[bit/8] ^= 1 << (bit % 8)
		if info, err := CheckBackup(bytes.NewReader(flipped)); !refusedBackup(err) {
			t.Fatalf("bit %d of byte %d of %d: %+v, %v", bit%8, bit/8, len(whole), info, err)
		}
	}
}

func TestEveryCutBackupIsIncomplete(t *testing.T) {
	t.Parallel()
	whole := smallBackup(t)
	for n := range whole {
		_, err := CheckBackup(bytes.NewReader(whole[:n]))
		if !errors.Is(err, ErrBackupIncomplete) || !strings.Contains(err.Error(), fmt.Sprintf("byte %d,", n)) {
			t.Fatalf("%d of %d bytes: %v", n, len(whole), err)
		}
	}
	if _, err := CheckBackup(bytes.NewReader(append(bytes.Clone(whole), 0))); !errors.Is(err, ErrBackupDamaged) {
		t.Errorf("a byte too much: %v", err)
	}
	if _, err := CheckBackup(io.MultiReader(bytes.NewReader(whole), bytes.NewReader(whole))); !errors.Is(err, ErrBackupDamaged) {
		t.Errorf("two backups: %v", err)
	}
	if _, err := CheckBackup(io.MultiReader(bytes.NewReader(whole[:99]), iotest.ErrReader(io.ErrClosedPipe))); !errors.Is(err, ErrBackupIncomplete) || !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("a reader that fails: %v", err)
	}
}

// forged writes a backup whose checksums all fit.
func forged(t *testing.T, write func(b *backupWriter) error) []byte {
	t.Helper()
	var b bytes.Buffer
	w := newBackupWriter(&b)
	err := w.begin(BackupInfo{Format: formatVersion, Boot: 3, Transaction: 9, Taken: time.UnixMilli(8)})
	if err == nil {
		err = write(w)
	}
	if err == nil {
		err = w.end()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// sealedRow is a row that fits its checksum.
func sealedRow(key string, n int) (k, v []byte) {
	v = make([]byte, valueHeader+n)
	seal([]byte(key), v, 0)
	return []byte(key), v
}

// TestForgedBackupsAreRefused reads files that are wrong although every checksum
// fits.
func TestForgedBackupsAreRefused(t *testing.T) {
	t.Parallel()
	rows := func(keys ...string) func(*backupWriter) error {
		return func(b *backupWriter) (err error) {
			for _, key := range keys {
				k, v := sealedRow(key, 1)
				err = errors.Join(err, b.row(k, v))
			}
			return err
		}
	}
	raw := func(kind frameKind, payload string) func(*backupWriter) error {
		return func(b *backupWriter) error {
			b.frame = append(b.frame, payload...)
			return b.flush(kind)
		}
	}
	active := func(n byte) string { return "\x00\x05a\x00\x00\x00\x00\x00\x00\x00" + string(n) }
	for name, c := range map[string]struct {
		write func(*backupWriter) error
		says  string
	}{
		"a row twice":            {rows(active(1), active(1)), "does not lie behind"},
		"rows in another order":  {rows(active(2), active(1)), "does not lie behind"},
		"a row without a key":    {rows(""), "does not lie behind"},
		"a key that is too long": {rows("\x00\x05h" + strings.Repeat("x", maxKeyBytes)), "malformed"},
		"a value that is too long": {func(b *backupWriter) error {
			return b.row(sealedRow(active(1), MaxBatchBytes))
		}, "malformed"},
		"a length behind the frame":    {raw(frameRows, "\x0bshort"), "malformed"},
		"a length without end":         {raw(frameRows, strings.Repeat("\xff", 11)), "malformed"},
		"a frame without rows":         {raw(frameRows, ""), "no rows"},
		"a second head":                {raw(frameHead, strings.Repeat("x", headPayload)), "head"},
		"an end in the middle":         {raw(frameEnd, strings.Repeat("\x00", endPayload)), "checksum of the whole"},
		"an end that is short":         {raw(frameEnd, "x"), "malformed"},
		"a cut":                        {raw(frameCut, "no more"), `given it up: "no more"`},
		"a frame of no kind":           {raw('?', ""), "unknown (3f)"},
		"a frame that is left out":     {func(b *backupWriter) error { b.number++; return rows(active(1))(b) }, "frame 2 stands where frame 1 belongs"},
		"counts that are too high":     {func(b *backupWriter) error { b.info.Rows++; return nil }, "its end says 1 of 0"},
		"a frame that is too large":    {func(b *backupWriter) error { return claim(b, maxBackupFrameBytes+1) }, "claims 2097153 bytes"},
		"a frame of four gigabytes":    {func(b *backupWriter) error { return claim(b, 1<<32-1) }, "claims 4294967295 bytes"},
		"more rows than a transaction": {func(b *backupWriter) error { return crowd(b) }, "malformed"},
	} {
		_, err := CheckBackup(bytes.NewReader(forged(t, c.write)))
		if !refusedBackup(err) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
}

// claim writes the beginning of a frame of n bytes.
func claim(b *backupWriter, n uint32) error {
	header := []byte{byte(frameRows), 0, 0, 0, 1, 0, 0, 0, 0}
	binary.BigEndian.PutUint32(header[5:], n)
	return b.write(header)
}

// crowd writes a frame with too many rows.
func crowd(b *backupWriter) error {
	for i := range uint32(maxBackupFrameRows + 1) {
		b.frame = append(b.frame, 4)
		b.frame = binary.BigEndian.AppendUint32(b.frame, i)
		b.frame = append(b.frame, 0)
	}
	return b.flush(frameRows)
}

func TestABackupSaysHowManyRowsAreDamaged(t *testing.T) {
	t.Parallel()
	whole := smallBackup(t)
	dir := t.TempDir()
	info, err := Restore(t.Context(), bytes.NewReader(whole), dir, Options{})
	if err != nil || info.Damaged != 1 {
		t.Fatalf("%+v, %v", info, err)
	}
	s := openStore(t, dir)
	err = s.Read(func(r Reader) error {
		if _, err := r.Get(machine.Key{Partition: 9, Table: machine.TableActive, A: 4}); !errors.Is(err, ErrCorrupt) {
			t.Errorf("the damaged row: %v", err)
		}
		row, err := r.Get(activeRow(6, 3).Key())
		if row == nil {
			t.Error("a row is missing")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// slowBackup takes a backup of s whose writer, at each write, calls fn with the
// number of the write.
func slowBackup(ctx context.Context, s Store, fn func(n int)) ([]byte, error) {
	var b bytes.Buffer
	n := 0
	_, err := s.Backup(ctx, stepWriter(func(p []byte) (int, error) {
		fn(n)
		n++
		return b.Write(p)
	}))
	return b.Bytes(), err
}

type stepWriter func(p []byte) (int, error)

func (f stepWriter) Write(p []byte) (int, error) { return f(p) }

// TestABackupHoldsBackWhatTheEngineDiscards overwrites rows and compacts while a
// backup waits, for longer than any other read may last, and looks for all rows
// in it.
func TestABackupHoldsBackWhatTheEngineDiscards(t *testing.T) {
	skipLong(t)
	t.Parallel()
	var c clock
	store, err := Open(t.TempDir(), Options{Now: c.now, MaxSnapshotAge: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	s := store.(*badgerStore)
	const rows = 200
	rewrite := func(i, size int, more ...machine.Write) {
		mustCommit(t, s, mustEncode(t, ident.Seq(i+1), append(more, machine.Write{Put: numbered(i, size)})...))
	}
	for i := range rows {
		rewrite(i, 1000)
	}
	content, err := slowBackup(t.Context(), s, func(n int) {
		if n != 1 { // behind the first line
			return
		}
		c.advance(30 * time.Minute)
		for i := range rows { // with so much beside it that there is something to compact
			rewrite(i, 2000, machine.Write{Put: numbered(rows, 2*ChunkBytes-2000)})
		}
		if err := s.db.Flatten(1); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	info, err := Restore(t.Context(), bytes.NewReader(content), dir, Options{})
	if err != nil || info.Rows != rows || info.Transaction != rows+1 {
		t.Fatalf("%+v, %v", info, err)
	}
	restored := openStore(t, dir)
	for i := range rows {
		wantNumbered(t, restored, i, 1000)
	}
	if len(s.snaps.held) != 0 {
		t.Error("the snapshot is held for ever")
	}
}

// TestABackupIsGivenUp makes backups last too long, the disk fill up and the store
// close, and reads the reason out of the file.
func TestABackupIsGivenUp(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		do   func(t *testing.T, s *badgerStore, g *gauge)
		want error
		says string
	}{
		"too old": {func(t *testing.T, s *badgerStore, g *gauge) {
			g.advance(time.Hour + time.Second)
			mustCommit(t, s, mustEncode(t, 900, machine.Write{Put: activeRow(5, 1)}))
		}, ErrSnapshotExpired, "it was not over in time"},
		"soft pressure": {func(_ *testing.T, _ *badgerStore, g *gauge) {
			g.set(func(r *Room) { r.Bytes = 300 << 20 })
		}, ErrNoSpace, "bytes of disk space left"},
		"a stop": {func(_ *testing.T, s *badgerStore, _ *gauge) { s.closing.Store(true) }, ErrClosed, "the store is closed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGauge()
			store, err := Open(t.TempDir(), g.options())
			if err != nil {
				t.Fatal(err)
			}
			s := store.(*badgerStore)
			t.Cleanup(func() { s.closing.Store(false); _ = s.Close() })
			for i := range 40 {
				mustCommit(t, s, mustEncode(t, ident.Seq(i+1), machine.Write{Put: numbered(i, 100_000)}))
			}
			content, err := slowBackup(t.Context(), s, func(n int) {
				if n == 2 { // at the first rows
					c.do(t, s, g)
				}
			})
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("the backup: %v", err)
			}
			if _, err = CheckBackup(bytes.NewReader(content)); !errors.Is(err, ErrBackupIncomplete) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("its file: %v", err)
			}
		})
	}
}

// TestABackupGoesOnUnderThePressureItBeganWith: who runs out of space wants a
// backup most.
func TestABackupGoesOnUnderThePressureItBeganWith(t *testing.T) {
	t.Parallel()
	g := newGauge()
	store, err := Open(t.TempDir(), g.options())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	mustCommit(t, store, mustEncode(t, 1, machine.Write{Put: numbered(1, 1000)}))
	g.set(func(r *Room) { r.Bytes = 300 << 20 })
	if _, err := CheckBackup(bytes.NewReader(backupOf(t, store))); err != nil {
		t.Error(err)
	}
}

// FuzzBackup reads any file.
func FuzzBackup(f *testing.F) {
	whole := smallBackup(f)
	f.Add(whole)
	f.Add(backupOf(f, NewMemory()))
	f.Add(whole[:len(whole)/2])
	f.Add([]byte(backupMagic))
	f.Fuzz(checkAny)
}

// FuzzBackupFrame reads files whose checksums fit and which have one frame of any
// kind and content in the place of their rows.
func FuzzBackupFrame(f *testing.F) {
	f.Add(byte(frameRows), []byte("\x05\x00\x05key\x05value"))
	f.Add(byte(frameRows), []byte("\x03key\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"))
	f.Add(byte(frameEnd), make([]byte, endPayload))
	f.Add(byte(frameHead), make([]byte, headPayload))
	f.Add(byte(frameCut), []byte("no more"))
	f.Fuzz(func(t *testing.T, kind byte, payload []byte) {
		checkAny(t, forged(t, func(b *backupWriter) error {
			b.frame = append(b.frame, payload...)
			return b.flush(frameKind(kind))
		}))
	})
}

// checkAny checks a file of any content.
func checkAny(t *testing.T, content []byte) {
	info, err := CheckBackup(bytes.NewReader(content))
	switch {
	case err != nil && !refusedBackup(err):
		t.Fatalf("refused with %v", err)
	case err == nil && (info.Bytes > uint64(len(content)) || info.Rows > uint64(len(content))):
		t.Fatalf("%d bytes hold %+v", len(content), info)
	}
}

// TestABackupCountsRowsWithoutTheirChunks removes and damages chunks of rows, and
// restores what is left.
func TestABackupCountsRowsWithoutTheirChunks(t *testing.T) {
	t.Parallel()
	s := memory()
	rows := largeRows(3*ChunkBytes + 5)
	for i, r := range rows {
		mustCommit(t, s, mustEncode(t, ident.Seq(20+i), machine.Write{Put: r, Fresh: true}))
	}
	var chunks [][]byte
	from, to := tableRange(5, tableChunk)
	if err := s.pages.scan(from, to, 1<<20, func(key, _ []byte) error { chunks = append(chunks, bytes.Clone(key)); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(chunks) != 4*len(rows) {
		t.Fatalf("%d chunks of %d rows", len(chunks), len(rows))
	}
	if info, err := CheckBackup(bytes.NewReader(backupOf(t, s))); err != nil || info.Chunks != uint64(len(chunks)) || info.Rows != uint64(len(chunks)+len(rows)) {
		t.Errorf("%+v, %v", info, err)
	}
	damage := func(e entry) uint64 {
		if err := s.pages.write(0, []entry{e}); err != nil {
			t.Fatal(err)
		}
		content := backupOf(t, s)
		info, err := Restore(t.Context(), bytes.NewReader(content), t.TempDir(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		return info.Damaged
	}
	if n := damage(entry{key: []byte("\x00\x05a\x00\x00\x00\x00\x00\x00\x00\x01"), value: []byte("nonsense")}); n != 1 {
		t.Errorf("before any damage to chunks %d rows are damaged", n)
	}
	if n := damage(entry{key: chunks[1]}); n != 2 {
		t.Errorf("without a chunk %d rows are damaged", n)
	}
	if n := damage(entry{key: chunks[7]}); n != 3 {
		t.Errorf("without two chunks %d rows are damaged", n)
	}
	if n := damage(entry{key: chunks[9], value: []byte("nonsense")}); n != 5 {
		t.Errorf("with a damaged chunk %d rows are damaged", n)
	}
}

// TestTheFirstVersionStaysReadable reads a file that was written once.
func TestTheFirstVersionStaysReadable(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("testdata/version1.backup")
	if err != nil {
		t.Fatal(err)
	}
	info, err := CheckBackup(bytes.NewReader(content))
	want := BackupInfo{
		Format: 5, Boot: 1, Transaction: 2, Taken: time.UnixMilli(1_800_000_000_000),
		Marks: Marks{Timers: 5, Clock: 1_800_000_000_000}, Rows: 4, Bytes: 178, Damaged: 1,
	}
	if err != nil || info != want {
		t.Errorf("got %+v, %v, want %+v", info, err, want)
	}
	if info.Format == formatVersion && !bytes.Equal(content, smallBackup(t)) {
		t.Error("the same store makes another file now: that is another version")
	}
}
