package persistence

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// keyedCall is what a call of a keyed handler writes at its end.
func keyedCall(n int) []machine.Write {
	object := ident.ObjectKey{Service: "Counter", Key: fmt.Sprintf("key-%08d", n)}
	target := ident.Target{Service: object.Service, Key: object.Key, Handler: "add", Kind: ident.KindExclusive}
	id := ident.RandomID(target, 0, [16]byte{byte(n >> 16), byte(n >> 8), byte(n), 1})
	p, birth := id.Partition(), ident.NewSeq(1, uint64(n))
	entries := make([]journal.Entry, 4)
	for i := range entries {
		entries[i] = journal.Entry{Type: journal.TypeRun, Body: make([]byte, 40), At: 1_800_000_000_000}
	}
	return []machine.Write{
		{Put: &machine.HeadRow{Partition: p, Object: object, Inline: []machine.StateValue{{Name: "count", Value: []byte("12345")}}}},
		{Fresh: true, Put: &machine.InvocationRow{
			Birth: birth, ID: id, Target: target, Status: machine.StatusCompleted, CreatedAt: 1_800_000_000_000, ModifiedAt: 1_800_000_000_001,
			InvokedBy: machine.ByIngress, RandomSeed: 1 << 60, JournalLength: 4, Commands: 3, JournalRows: 1,
			Result: journal.ValueOf([]byte("12345")), CompletedAt: 1_800_000_000_001, ExpiresAt: 1_800_086_400_001,
		}},
		{Fresh: true, Put: &machine.JournalRow{Partition: p, Birth: birth, Entries: entries}},
		{Fresh: true, Put: &machine.IDRow{ID: id, Birth: birth, Object: object}},
		{Fresh: true, Put: &machine.ExpiryRow{Partition: p, Hour: 500_024, Birth: birth, ID: id, Object: object, What: machine.ExpireInvocation}},
	}
}

func BenchmarkEncodeKeyedCall(b *testing.B) {
	writes, e := keyedCall(7), new(encodings)
	b.ReportAllocs()
	for b.Loop() {
		batch, err := e.encode(1, writes)
		if err != nil {
			b.Fatal(err)
		}
		e.reclaim(batch)
	}
}

// BenchmarkCommit commits groups of 64 keyed calls.
func BenchmarkCommit(b *testing.B) {
	disk, err := Open(b.TempDir(), Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer disk.Close()
	for name, s := range map[string]Store{"badger": disk, "memory": NewMemory()} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				group := make([]*Batch, 64)
				for i := range group {
					n++
					if group[i], err = s.Encode(ident.NewSeq(1, uint64(n)), keyedCall(n)); err != nil {
						b.Fatal(err)
					}
				}
				if err := s.Commit(group, Marks{}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(64*float64(b.N)/b.Elapsed().Seconds(), "calls/s")
		})
	}
}

func BenchmarkGet(b *testing.B) {
	disk, err := Open(b.TempDir(), Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer disk.Close()
	writes := keyedCall(7)
	batch, err := disk.Encode(1, writes)
	if err == nil {
		err = disk.Commit([]*Batch{batch}, Marks{})
	}
	if err != nil {
		b.Fatal(err)
	}
	key := writes[0].Put.Key()
	b.ReportAllocs()
	for b.Loop() {
		err := disk.Read(func(r Reader) error {
			_, err := r.Get(key)
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkGetOfManyRows reads records here and there of a store whose rows lie
// in tables.
func BenchmarkGetOfManyRows(b *testing.B) {
	const calls, group = 60_000, 1_000
	disk, err := Open(b.TempDir(), Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer disk.Close()
	keys := make([]machine.Key, 0, calls)
	for n := 0; n < calls; {
		batches := make([]*Batch, group)
		for i := range batches {
			n++
			writes := keyedCall(n)
			keys = append(keys, writes[1].Put.Key())
			if batches[i], err = disk.Encode(ident.NewSeq(1, uint64(n)), writes); err != nil {
				b.Fatal(err)
			}
		}
		if err := disk.Commit(batches, Marks{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	random := rand.New(rand.NewPCG(1, 1))
	for b.Loop() {
		err := disk.Read(func(r Reader) error {
			row, err := r.Get(keys[random.IntN(len(keys))])
			if err == nil && row == nil {
				b.Fatal("a row is gone")
			}
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
