package persistence

import (
	"bytes"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// callsStore returns a store on disk with the rows of so many calls, and how many
// rows that is.
func callsStore(b *testing.B, calls int) Store {
	b.Helper()
	s, err := Open(b.TempDir(), Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	var objects counters
	var group []*Batch
	for n := range calls {
		objects.writesOfCall(b, n, func(seq ident.Seq, writes []machine.Write) {
			batch, err := s.Encode(seq, writes)
			if err != nil {
				b.Fatal(err)
			}
			group = append(group, batch)
		})
		if len(group) >= 1000 || n == calls-1 {
			if err := s.Commit(group, Marks{}); err != nil {
				b.Fatal(err)
			}
			group = nil
		}
	}
	return s
}

// BenchmarkBackup takes backups of 100,000 completed calls, 200,064 rows, and
// restores them: small rows; and of 1,000 values of 256 KiB.
func BenchmarkBackup(b *testing.B) {
	large := func(b *testing.B) Store {
		s, err := Open(b.TempDir(), Options{Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = s.Close() })
		for i := range 1000 {
			batch, err := s.Encode(ident.Seq(i+1), []machine.Write{{Put: numbered(i, ChunkBytes), Fresh: true}})
			if err == nil {
				err = s.Commit([]*Batch{batch}, Marks{})
			}
			if err != nil {
				b.Fatal(err)
			}
		}
		return s
	}
	for _, c := range []struct {
		name string
		open func(*testing.B) Store
	}{{"calls", func(b *testing.B) Store { return callsStore(b, 100_000) }}, {"large", large}} {
		b.Run(c.name, func(b *testing.B) {
			s := c.open(b)
			b.Run("backup", func(b *testing.B) {
				rate(b, func() (BackupInfo, error) { return s.Backup(b.Context(), io.Discard) })
			})
			content := backupOf(b, s)
			b.Run("check", func(b *testing.B) {
				rate(b, func() (BackupInfo, error) { return CheckBackup(bytes.NewReader(content)) })
			})
			b.Run("restore", func(b *testing.B) {
				rate(b, func() (BackupInfo, error) {
					return Restore(b.Context(), bytes.NewReader(content), filepath.Join(b.TempDir(), "data"), Options{Logger: slog.New(slog.DiscardHandler)})
				})
			})
		})
	}
}

// rate reports rows and megabytes per second.
func rate(b *testing.B, fn func() (BackupInfo, error)) {
	b.ReportAllocs()
	var rows, size uint64
	for b.Loop() {
		info, err := fn()
		if err != nil {
			b.Fatal(err)
		}
		rows, size = rows+info.Rows, size+info.Bytes
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(size)/1e6/b.Elapsed().Seconds(), "MB/s")
	b.ReportMetric(float64(rows)/float64(b.N), "rows/op")
}

// BenchmarkOverwritesBesideABackup overwrites 1,000 rows of 1,000 bytes 300 times,
// compacts, and reports what is left on the disk when no backup is under way, while
// one that does not end holds what was there at its beginning, and after it.
func BenchmarkOverwritesBesideABackup(b *testing.B) {
	for b.Loop() {
		for _, held := range []bool{false, true} {
			store, err := Open(b.TempDir(), Options{Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				b.Fatal(err)
			}
			s := store.(*badgerStore)
			overwrite := func() {
				for n := range 300 {
					var group []*Batch
					for i := range 1000 {
						batch, err := s.Encode(ident.Seq(n+1), []machine.Write{{Put: numbered(i, 1000)}})
						if err != nil {
							b.Fatal(err)
						}
						group = append(group, batch)
					}
					if err := s.Commit(group, Marks{}); err != nil {
						b.Fatal(err)
					}
				}
				if err := s.db.Flatten(1); err != nil {
					b.Fatal(err)
				}
			}
			if held {
				var snap *snapshot
				overwrite()
				snap = s.snaps.hold(time.Hour)
				overwrite()
				b.ReportMetric(float64(tableBytes(b, s.dir))/1e6, "MB-held")
				s.snaps.release(snap)
			}
			overwrite()
			unit := "MB-free"
			if held {
				unit = "MB-afterwards"
			}
			b.ReportMetric(float64(tableBytes(b, s.dir))/1e6, unit)
			if err := s.Close(); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// tableBytes is the size of the tables in a directory.
func tableBytes(b *testing.B, dir string) (n int64) {
	b.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		b.Fatal(err)
	}
	for _, f := range list {
		if info, err := f.Info(); err == nil && strings.HasSuffix(f.Name(), tableSuffix) {
			n += info.Size()
		}
	}
	return n
}
