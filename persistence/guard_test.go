package persistence

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/dgraph-io/ristretto/v2/z"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
)

func openStore(t *testing.T, dir string) *badgerStore {
	t.Helper()
	s, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s.(*badgerStore)
}

// killed returns a directory of a store that was killed after n commits, the
// i-th of which put a state row named i.
func killed(t *testing.T, n, size int) string {
	t.Helper()
	dir := t.TempDir()
	s := openStore(t, dir)
	for i := range n {
		mustCommit(t, s, mustEncode(t, ident.Seq(i), machine.Write{Put: numbered(i, size)}))
	}
	copied := MustCopyLive(t, dir)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return copied
}

func numbered(i, size int) *machine.StateRow {
	random := rand.New(rand.NewPCG(uint64(i), 1))
	r := stateRow(fmt.Sprintf("%04d", i), size)
	for j := 0; j+8 <= size; j += 8 {
		binary.LittleEndian.PutUint64(r.Value[j:], random.Uint64())
	}
	return r
}

// onlyLog returns the one log file of dir and its content without the zeros
// behind the data.
func onlyLog(t *testing.T, dir string) (path string, data []byte) {
	t.Helper()
	logs, err := (&guard{dir: dir}).logs()
	if err != nil || len(logs) != 1 {
		t.Fatalf("log files %v, %v", logs, err)
	}
	path = filepath.Join(dir, logs[0])
	data, err = os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, data[:dataEnd(data)]
}

// boundaries returns the offsets at which transactions of a log begin, and its
// end.
func boundaries(t *testing.T, data []byte) (list []int) {
	t.Helper()
	list = []int{logHeader}
	for pos := logHeader; pos < len(data); {
		r, ok := parseRecord(data[pos:])
		if !ok {
			t.Fatalf("no record at %d", pos)
		}
		pos += r.size
		if r.meta == recordEnd {
			list = append(list, pos)
		}
	}
	return list
}

// padded returns data with the zeros that the engine has behind it.
func padded(data []byte) []byte { return append(bytes.Clone(data), make([]byte, 2*pageBytes)...) }

func TestEveryFlippedBitOfALogIsFound(t *testing.T) {
	t.Parallel()
	_, data := onlyLog(t, killed(t, 4, 40))
	whole, err := scanLog(padded(data), 1)
	if err != nil || whole.first != 1 || whole.last != 5 {
		t.Fatalf("whole log: %+v, %v", whole, err)
	}
	for bit := range len(data) * 8 {
		damaged := padded(data)
		damaged[bit/8] ^= 1 << (bit % 8)
		span, err := scanLog(damaged, 1)
		if err == nil && span != whole {
			t.Fatalf("bit %d of byte %d of %d: found %+v without an error", bit%8, bit/8, len(data), span)
		}
		if err != nil && (!errors.Is(err, ErrCorrupt) || bit/8 >= 8 && bit/8 < logHeader) {
			t.Fatalf("bit %d of byte %d: %v", bit%8, bit/8, err)
		}
	}
}

func TestOverwrittenRangesOfALogAreFound(t *testing.T) {
	t.Parallel()
	_, data := onlyLog(t, killed(t, 6, 600))
	random := rand.New(rand.NewPCG(1, 9))
	for trial := range 2000 {
		n := 1 + random.IntN(800)
		at := logHeader + random.IntN(len(data)-logHeader-n)
		damaged := padded(data)
		for i := range n {
			damaged[at+i] ^= byte(1 + random.IntN(255))
		}
		if span, err := scanLog(damaged, 1); err == nil {
			t.Fatalf("trial %d: %d bytes at %d of %d: %+v without an error", trial, n, at, len(data), span)
		}
	}
}

func TestTornLastTransactionIsDropped(t *testing.T) {
	t.Parallel()
	_, data := onlyLog(t, killed(t, 3, 3000))
	ends := boundaries(t, data)
	last := ends[len(ends)-2]
	for cut := last; cut < len(data)-3; cut++ {
		torn := padded(data[:cut])
		span, err := scanLog(torn, 1)
		if err != nil || span.last != 3 {
			t.Fatalf("cut at %d, the last transaction is at %d to %d: %+v, %v", cut, last, len(data), span, err)
		}
	}
}

// TestLongCopyWithoutItsBeginningIsDropped is what a kill left: the copy of a
// long record stores its unaligned beginning last.
func TestLongCopyWithoutItsBeginningIsDropped(t *testing.T) {
	t.Parallel()
	_, data := onlyLog(t, killed(t, 3, 3000))
	ends := boundaries(t, data)
	last := ends[len(ends)-2]
	for head := 1; head <= 32; head++ {
		for cut := last + 33; cut < last+3000; cut += 97 {
			torn := padded(data[:cut])
			clear(torn[last : last+head])
			if span, err := scanLog(torn, 1); err != nil || span.last != 3 {
				t.Fatalf("cut at %d without the first %d bytes: %+v, %v", cut, head, span, err)
			}
		}
	}
}

func TestTransactionWithUnwrittenPagesIsDropped(t *testing.T) {
	t.Parallel()
	_, data := onlyLog(t, killed(t, 2, 40_000))
	ends := boundaries(t, data)
	last := ends[len(ends)-2]
	random := rand.New(rand.NewPCG(2, 9))
	for trial := range 300 {
		torn := padded(data)
		lost := false
		for page := last / pageBytes; page*pageBytes < len(data); page++ {
			from, to := max(page*pageBytes, last), min((page+1)*pageBytes, len(data))
			if random.IntN(4) == 0 && to-from > 3 {
				clear(torn[from:to])
				lost = true
			}
		}
		span, err := scanLog(torn, 1)
		if err != nil || lost && span.last != 2 {
			t.Fatalf("trial %d: %+v, %v", trial, span, err)
		}
	}
}

// refused fails unless Open names the damage and what was damaged.
func refused(t *testing.T, dir, what, name string) {
	t.Helper()
	s, err := Open(dir, Options{})
	if err == nil {
		t.Fatalf("%s: the store opens; %v", what, s.Close())
	}
	if !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), name) {
		t.Fatalf("%s: the error does not name %s: %v", what, name, err)
	}
}

func TestDamagedLogIsRefusedByName(t *testing.T) {
	t.Parallel()
	base := killed(t, 20, 500)
	path, data := onlyLog(t, base)
	for i := range 8 {
		dir := MustCopyLive(t, base)
		damaged := bytes.Clone(data)
		damaged[logHeader+i*(len(data)-logHeader)/8+10] ^= 4
		name := filepath.Base(path)
		if err := os.WriteFile(filepath.Join(dir, name), padded(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		refused(t, dir, fmt.Sprintf("flip %d", i), name)
	}
}

func TestMissingLogIsRefusedByName(t *testing.T) {
	t.Parallel()
	dir := killed(t, 20, 500)
	path, _ := onlyLog(t, dir)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	refused(t, dir, "the only log is missing", filepath.Base(path))
}

const flushedRows, flushedSize = 40, 2000

// flushed returns the directory of a killed store that has two tables and a
// log.
func flushed(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for opening := range 3 {
		s := openStore(t, dir)
		for i := range flushedRows {
			if i%3 == opening {
				mustCommit(t, s, mustEncode(t, ident.Seq(i), machine.Write{Put: numbered(i, flushedSize)}))
			}
		}
		if opening == 2 {
			dir = MustCopyLive(t, dir)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestMissingFileBesideOthersIsRefusedByName(t *testing.T) {
	t.Parallel()
	base := flushed(t)
	s := openStore(t, MustCopyLive(t, base))
	for i := range flushedRows {
		wantNumbered(t, s, i, flushedSize)
	}
	path, _ := onlyLog(t, base)
	tables, err := filepath.Glob(filepath.Join(base, "*"+tableSuffix))
	if err != nil || len(tables) != 2 {
		t.Fatalf("tables %v, %v", tables, err)
	}
	for _, path := range append(tables, path, manifestFile, markerFile) {
		dir, name := MustCopyLive(t, base), filepath.Base(path)
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		refused(t, dir, name+" is missing", name)
	}
}

// TestMissingOlderLogIsRefused divides a log into three, as the engine does
// with longer ones, and removes each.
func TestMissingOlderLogIsRefused(t *testing.T) {
	t.Parallel()
	base := killed(t, 9, 100)
	path, data := onlyLog(t, base)
	ends := boundaries(t, data)
	names := []string{filepath.Base(path), "00002.mem", "00003.mem"}
	for i, name := range names {
		part := append(bytes.Clone(data[:logHeader]), data[ends[3*i]:ends[min(3*i+3, len(ends)-1)]]...)
		if i == len(names)-1 {
			part = append(bytes.Clone(data[:logHeader]), data[ends[3*i]:]...)
		}
		if err := os.WriteFile(filepath.Join(base, name), padded(part), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m, err := readMarker(base)
	if err != nil {
		t.Fatal(err)
	}
	m.LastCommit, m.LogFile = 8, names[2]
	if err := m.write(base); err != nil {
		t.Fatal(err)
	}
	wantNumbered(t, openStore(t, MustCopyLive(t, base)), 8, 100)
	for _, name := range names {
		dir := MustCopyLive(t, base)
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		refused(t, dir, name+" is missing", logSuffix)
	}
	if err := os.WriteFile(filepath.Join(base, names[1]), padded(data[:logHeader]), 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, base, "the middle log is empty", names[2])
}

func wantNumbered(t *testing.T, s Store, i, size int) {
	t.Helper()
	err := s.Read(func(r Reader) error {
		row, err := r.Get(numbered(i, size).Key())
		if err == nil && !reflect.DeepEqual(row, numbered(i, size)) {
			err = fmt.Errorf("row %d is not what was written", i)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestDamagedTableIsRefusedByName(t *testing.T) {
	t.Parallel()
	base := flushed(t)
	tables, err := filepath.Glob(filepath.Join(base, "*"+tableSuffix))
	if err != nil || len(tables) == 0 {
		t.Fatalf("no tables: %v", err)
	}
	name := filepath.Base(tables[0])
	content, err := os.ReadFile(tables[0])
	if err != nil {
		t.Fatal(err)
	}
	for i := range 6 {
		dir, damaged := MustCopyLive(t, base), bytes.Clone(content)
		damaged[i*(len(content)-1)/5] ^= 16
		if err := os.WriteFile(filepath.Join(dir, name), damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		refused(t, dir, fmt.Sprintf("flip %d of 6", i), name)
	}
}

func TestDamagedManifestIsRefusedByName(t *testing.T) {
	t.Parallel()
	base := flushed(t)
	content, err := os.ReadFile(filepath.Join(base, manifestFile))
	if err != nil {
		t.Fatal(err)
	}
	damage := map[string]func([]byte) []byte{
		"flipped":      func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
		"flipped head": func(b []byte) []byte { b[0] ^= 1; return b },
		"empty":        func([]byte) []byte { return nil },
	}
	for what, f := range damage {
		dir := MustCopyLive(t, base)
		if err := os.WriteFile(filepath.Join(dir, manifestFile), f(bytes.Clone(content)), 0o600); err != nil {
			t.Fatal(err)
		}
		refused(t, dir, what, manifestFile)
	}
	dir := MustCopyLive(t, base)
	if err := os.Remove(filepath.Join(dir, manifestFile)); err != nil {
		t.Fatal(err)
	}
	refused(t, dir, "missing", manifestFile)
}

// TestCutManifestIsRefused cuts the manifest after each of its records: tables
// that were flushed are not named any more, and their logs are gone.
func TestCutManifestIsRefused(t *testing.T) {
	t.Parallel()
	base := flushed(t)
	content, err := os.ReadFile(filepath.Join(base, manifestFile))
	if err != nil {
		t.Fatal(err)
	}
	const head = 8
	for pos := head; pos < len(content); {
		dir := MustCopyLive(t, base)
		if err := os.WriteFile(filepath.Join(dir, manifestFile), content[:pos], 0o600); err != nil {
			t.Fatal(err)
		}
		before, _ := filepath.Glob(filepath.Join(dir, "*"+tableSuffix))
		refused(t, dir, fmt.Sprintf("cut at %d of %d", pos, len(content)), manifestFile)
		after, _ := filepath.Glob(filepath.Join(dir, "*"+tableSuffix))
		if len(before) != len(after) {
			t.Fatalf("cut at %d: %d tables before, %d after the refusal", pos, len(before), len(after))
		}
		pos += head + int(binary.BigEndian.Uint32(content[pos:]))
	}
}

func TestDamageAfterACleanCloseIsRefusedByName(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	s := openStore(t, base)
	for i := range 5 {
		mustCommit(t, s, mustEncode(t, ident.Seq(i), machine.Write{Put: numbered(i, 100)}))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(base, manifestFile))
	if err != nil {
		t.Fatal(err)
	}
	for cut := range len(content) {
		dir := MustCopyLive(t, base)
		if err := os.WriteFile(filepath.Join(dir, manifestFile), content[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		refused(t, dir, fmt.Sprintf("cut at %d", cut), manifestFile)
	}
	dir := MustCopyLive(t, base)
	if err := os.WriteFile(filepath.Join(dir, "00009.mem"), make([]byte, 100), 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, dir, "a log file more", logSuffix)
	s = openStore(t, MustCopyLive(t, base))
	wantNumbered(t, s, 4, 100)
}

func TestDamagedMarkerIsRefusedByName(t *testing.T) {
	t.Parallel()
	dir := killed(t, 3, 10)
	path := filepath.Join(dir, markerFile)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	content[12] ^= 1
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, dir, "flip", markerFile)
}

func TestEmptyFilesOfAKillDoNotKeepTheStoreShut(t *testing.T) {
	t.Parallel()
	dir := killed(t, 3, 10)
	for _, name := range []string{"00007.mem", "000009.vlog"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	wantNumbered(t, openStore(t, dir), 2, 10)
}

// TestAPageThatTheDiskDoesNotGiveIsAnError cuts a file behind the back of its map,
// which for a reader is the same.
func TestAPageThatTheDiskDoesNotGiveIsAnError(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, make([]byte, 1<<16), 0o600); err != nil {
		t.Fatal(err)
	}
	sum := byte(0)
	err := mapped(path, func(f *z.MmapFile) error {
		defer f.Close(-1)
		if err := os.Truncate(path, 0); err != nil {
			return err
		}
		for _, b := range f.Data {
			sum += b
		}
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "cannot be read") {
		t.Errorf("got %v and %d", err, sum)
	}
}

// TestALogOfLongAgoBringsNothingBack puts back a log whose rows were removed, and whose
// removal compactions have forgotten: by an unlink that a power cut has undone, by a
// reader who kept it until the process was killed, or by hand.
func TestALogOfLongAgoBringsNothingBack(t *testing.T) {
	skipLong(t)
	t.Parallel()
	old := killed(t, 20, 2_000)
	path, stale := onlyLog(t, old)
	dir := MustCopyLive(t, old)
	for round := range 10 { // each makes a table, and four of them a compaction
		s := openStore(t, dir)
		if round < 4 {
			for i := range 5 {
				mustCommit(t, s, mustEncode(t, 1, machine.Write{Delete: numbered(5*round+i, 1).Key()}))
			}
		}
		mustCommit(t, s, mustEncode(t, 1, machine.Write{Put: numbered(100+round, 2_000)}))
		if round == 9 {
			if err := s.db.Flatten(1); err != nil {
				t.Fatal(err)
			}
			dir = MustCopyLive(t, dir)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"00000.mem", filepath.Base(path), "00099.mem"} {
		dir := MustCopyLive(t, dir)
		at := filepath.Join(dir, name)
		if _, err := os.Stat(at); err == nil {
			continue
		}
		if err := os.WriteFile(at, padded(stale), 0o600); err != nil {
			t.Fatal(err)
		}
		wantGood(t, dir, false, 10)
		s := openStore(t, dir)
		if n := countNumbered(t, s); n != 10 {
			t.Errorf("with %s there are %d rows", name, n)
		}
	}
}

// TestACutTableIsNamedInOneLine cuts a table at places where the engine, which looks for
// an index at its end, finds something else.
func TestACutTableIsNamedInOneLine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := openStore(t, dir)
	mustCommit(t, s, mustEncode(t, 1, machine.Write{Put: numbered(1, 200_000)}))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	tables, err := filepath.Glob(filepath.Join(dir, "*"+tableSuffix))
	if err != nil || len(tables) == 0 {
		t.Fatal(tables, err)
	}
	info, err := os.Stat(tables[0])
	if err != nil {
		t.Fatal(err)
	}
	for size := info.Size() - 1; size > 0; size /= 2 {
		if err := os.Truncate(tables[0], size); err != nil {
			t.Fatal(err)
		}
		_, err := Open(dir, Options{})
		if !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), filepath.Base(tables[0])) || strings.Contains(err.Error(), "\n") {
			t.Errorf("with %d bytes: %v", size, err)
		}
	}
}
