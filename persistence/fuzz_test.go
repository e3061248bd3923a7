package persistence

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/dgraph-io/badger/v4/pb"
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"google.golang.org/protobuf/proto"
)

// The targets of this file are what a start reads before it believes anything:
// keys, the log files of the engine, and the small files beside them.

// FuzzKey: a key that is read is written as the same bytes.
func FuzzKey(f *testing.F) {
	for _, r := range rowTypes() {
		key, _ := encodeOne(f, r)
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		k, err := parseKey(b)
		if err != nil {
			if !errors.Is(err, ErrCorrupt) || k != (machine.Key{}) {
				t.Fatalf("%x: %v, %v", b, k, err)
			}
			return
		}
		if k.Partition >= ident.Partitions {
			return
		}
		if again, err := appendKey(nil, &k); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%x is read as %v, which is written as %x, %v", b, k, again, err)
		}
	})
}

// FuzzFormat: each version is said in one way, and every other one is refused.
func FuzzFormat(f *testing.F) {
	for _, s := range []string{string(formatText(formatVersion)), string(formatText(99)), formatPrefix + "05\n", formatPrefix + "-1\n", formatPrefix + "5", ""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		version, ok := parseFormat(content)
		if ok && !bytes.Equal(formatText(version), content) {
			t.Fatalf("%q is read as %d", content, version)
		}
		err := sameFormat(content)
		if good := bytes.Equal(content, formatText(formatVersion)); good != (err == nil) || err != nil && !errors.Is(err, ErrFormat) {
			t.Fatalf("%q: %v", content, err)
		}
		if err != nil && len(err.Error()) > 500 {
			t.Fatalf("an error of %d bytes", len(err.Error()))
		}
	})
}

// FuzzMarker: what is read is written, and then read as the same; a sum that does
// not fit is refused.
func FuzzMarker(f *testing.F) {
	for _, m := range []marker{{State: markerNew}, {State: markerClean, LastCommit: 7, LogFile: "00003.mem", LogFiles: 1, ManifestSize: 40, ManifestCRC: 9}} {
		dir := f.TempDir()
		if err := m.write(dir); err != nil {
			f.Fatal(err)
		}
		content, err := os.ReadFile(filepath.Join(dir, markerFile))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content[:len(content)-10], true)
		f.Add(content, false)
	}
	f.Fuzz(func(t *testing.T, content []byte, sealed bool) {
		if sealed {
			content = fmt.Appendf(bytes.Clone(content), "\n%08x\n", crc32.Checksum(content, castagnoli()))
		}
		m, err := parseMarker(content)
		if err != nil {
			if !errors.Is(err, ErrCorrupt) || m != (marker{}) {
				t.Fatalf("%q: %+v, %v", content, m, err)
			}
			return
		}
		text, err := m.encode()
		if err != nil {
			t.Fatal(err)
		}
		if again, err := parseMarker(text); err != nil || again != m {
			t.Fatalf("%+v is written as %q, which is read as %+v, %v", m, text, again, err)
		}
		text[len(text)/3] ^= 1
		if again, err := parseMarker(text); err == nil {
			t.Fatalf("%q is read as %+v", text, again)
		}
	})
}

// FuzzOwner: whoever holds a directory is named in a line, whatever the file says.
func FuzzOwner(f *testing.F) {
	f.Add([]byte("pid 17\ntoken abc\n"))
	f.Add([]byte("pid 17"))
	f.Add([]byte(""))
	file, err := os.Create(filepath.Join(f.TempDir(), ownerFile))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = file.Close() })
	f.Fuzz(func(t *testing.T, content []byte) {
		if err := file.Truncate(0); err != nil {
			t.Fatal(err)
		}
		if _, err := file.WriteAt(content, 0); err != nil {
			t.Fatal(err)
		}
		name := holder(file)
		if len(name) > 64 || bytes.Contains([]byte(name), []byte("\n")) {
			t.Fatalf("%q is held by %q", content, name)
		}
		if line, _, ok := bytes.Cut(content, []byte("\n")); ok && len(line) < 64 && name != string(line) {
			t.Fatalf("%q is held by %q", content, name)
		}
	})
}

// sealedRecord returns a record of the engine's logs with its sum.
func sealedRecord(meta byte, ts uint64, key, value []byte) []byte {
	b := []byte{meta, 0}
	b = binary.AppendUvarint(b, uint64(len(key)+8))
	b = binary.AppendUvarint(b, uint64(len(value)))
	b = append(b, 0)
	b = append(b, key...)
	b = binary.BigEndian.AppendUint64(b, math.MaxUint64-ts)
	b = append(b, value...)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli()))
}

// sealedLog returns a log of two transactions.
func sealedLog() []byte {
	b := make([]byte, logHeader)
	for ts := uint64(1); ts <= 2; ts++ {
		b = append(b, sealedRecord(recordRow, ts, []byte("key"), []byte("value"))...)
		b = append(b, sealedRecord(recordEnd, ts, []byte("end"), fmt.Append(nil, ts))...)
	}
	return append(b, make([]byte, 64)...)
}

// FuzzRecord: a record lies within the bytes, and none of them can be changed.
func FuzzRecord(f *testing.F) {
	f.Add(byte(recordRow), uint64(1), []byte("key"), []byte("value"), 3)
	f.Add(byte(recordEnd), uint64(7), []byte("end"), []byte("7"), 40)
	f.Add(byte(recordDelete), uint64(0), []byte{}, []byte{}, 0)
	f.Fuzz(func(t *testing.T, meta byte, ts uint64, key, value []byte, at int) {
		b := sealedRecord(meta, ts, key, value)
		r, ok := parseRecord(append(b, 1, 2, 3))
		if !ok {
			return
		}
		if r.size != len(b) || r.ts != ts || r.meta != meta {
			t.Fatalf("%x is read as %+v", b, r)
		}
		if _, ok := parseRecord(b[:len(b)-1]); ok {
			t.Fatalf("%x is read without its last byte", b)
		}
		b[uint(at)%uint(len(b))] ^= 1
		if r, ok := parseRecord(b); ok && r.size == len(b) {
			t.Fatalf("%x is read as %+v, and a bit of it was flipped", b, r)
		}
	})
}

// FuzzLog: what is told of a log lies within it, and what was read once is read
// from its beginning alone, where nothing is torn.
func FuzzLog(f *testing.F) {
	f.Add(sealedLog(), uint64(1))
	f.Add(sealedLog()[:60], uint64(1))
	f.Add(make([]byte, 200), uint64(9))
	f.Fuzz(func(t *testing.T, data []byte, next uint64) {
		span, err := scanLog(data, next)
		if span.first > span.last || span.end > len(data) || (span.last == 0) != (span.first == 0) {
			t.Fatalf("%+v of %d bytes", span, len(data))
		}
		if err != nil {
			if !errors.Is(err, ErrCorrupt) {
				t.Fatalf("%v is no damage", err)
			}
			return
		}
		whole := span
		whole.torn = false
		if again, err := scanLog(data[:span.end], next); err != nil || again != whole {
			t.Fatalf("without what is behind its transactions it is %+v, %v; it was %+v", again, err, span)
		}
	})
}

// FuzzManifestLog: whole sets are read, what is torn or damaged is not, and to take a
// compaction back twice is to have it again.
func FuzzManifestLog(f *testing.F) {
	set := &pb.ManifestChangeSet{Changes: []*pb.ManifestChange{
		{Id: 9, Op: pb.ManifestChange_CREATE, Level: 6}, {Id: 3, Op: pb.ManifestChange_DELETE}, {Id: 4, Op: pb.ManifestChange_DELETE},
	}}
	whole, err := encodeSet(set)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(append(make([]byte, manifestHeader), append(whole, whole...)...))
	f.Add(append(make([]byte, manifestHeader), whole[:len(whole)-1]...))
	f.Fuzz(func(t *testing.T, content []byte) {
		l, err := parseManifestLog(content, manifestHeader)
		if err != nil && !errors.Is(err, ErrCorrupt) {
			t.Fatal(err)
		}
		if len(content) >= manifestHeader && l.end > int64(len(content)) {
			t.Fatalf("it ends at %d of %d", l.end, len(content))
		}
		for _, set := range l.sets {
			b, err := encodeSet(set)
			if err != nil {
				t.Fatal(err)
			}
			again, err := parseManifestLog(append(make([]byte, manifestHeader), b...), manifestHeader)
			if err != nil || len(again.sets) != 1 || !proto.Equal(again.sets[0], set) {
				t.Fatalf("%v is read as %v, %v", set, again.sets, err)
			}
			created := map[uint64]*pb.ManifestChange{}
			for _, change := range set.Changes {
				created[change.Id] = &pb.ManifestChange{Id: change.Id, Op: pb.ManifestChange_CREATE}
			}
			if inverse := invert(set, created); inverse == nil || len(inverse.Changes) != len(set.Changes) || len(inverse.Changes)-countDeletes(inverse) != countDeletes(set) {
				t.Fatalf("%v is taken back by %v", set, inverse)
			}
		}
	})
}
