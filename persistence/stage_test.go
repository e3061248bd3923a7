package persistence

import (
	"fmt"
	"log/slog"
	"slices"
	"testing"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// counters are objects of the core, by key.
type counters [64]*machine.Object

// writesOfCall gives fn what the core writes for the n-th call of a keyed handler
// that sets one value: at its acceptance, and at its end.
func (c *counters) writesOfCall(tb testing.TB, n int, fn func(ident.Seq, []machine.Write)) {
	i := n % len(c)
	target := ident.Target{Service: "Counter", Key: fmt.Sprintf("key-%08d", i), Handler: "add", Kind: ident.KindExclusive}
	if c[i] == nil {
		c[i] = machine.New(ident.KeyPartitionKey(target.Key).Partition(), ident.ObjectKey{Service: target.Service, Key: target.Key})
	}
	object := c[i]
	seq := uint64(2 * n)
	var out machine.Output
	apply := func(ev machine.Event) {
		seq++
		at := machine.Stamp{Seq: ident.NewSeq(1, seq), Now: 1_800_000_000_000}
		object.Settle(ident.NewSeq(1, seq-1))
		for needs := []machine.Need{{}}; len(needs) > 0; {
			out.Reset(at.Seq)
			needs = object.Apply(at, ev, &out)
			for _, need := range needs {
				if err := object.Loaded(need, nil); err != nil {
					tb.Fatal(err)
				}
			}
		}
		fn(at.Seq, out.Writes)
	}
	const day = 24 * 3_600_000
	apply(&machine.Invoke{
		Token: 1, ID: ident.RandomID(target, 0, [16]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}), Target: target, Value: []byte("1"),
		InvokedBy: machine.ByIngress, Retention: machine.Retention{Completion: day, Journal: day},
	})
	at := slices.IndexFunc(out.Now, func(ef machine.Effect) bool { _, ok := ef.(*machine.StartAttempt); return ok })
	if at < 0 {
		tb.Fatal("the invocation is not started")
	}
	start := out.Now[at].(*machine.StartAttempt)
	end := &machine.Append{Birth: start.Birth, Epoch: start.Epoch, Ended: true}
	for _, c := range []journal.Command{&journal.SetState{Key: "n", Value: []byte("12345")}, &journal.Output{Result: journal.ValueOf([]byte("12345"))}} {
		end.Proposals = append(end.Proposals, machine.Proposal{Entry: journal.NewEntry(c, 1_800_000_000_000, journal.Sidecar{}), Parsed: c})
	}
	apply(end)
}

// BenchmarkStageEncode encodes what a call of a keyed handler writes. The core
// runs between the encodings, because rows belong to the object until its next
// event, and every batch is committed, as in life; neither is measured.
func BenchmarkStageEncode(b *testing.B) {
	var objects counters
	s, rows, bytes, n := NewMemory(), 0, 0, 0
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		objects.writesOfCall(b, n, func(seq ident.Seq, writes []machine.Write) {
			b.StartTimer()
			batch, err := s.Encode(seq, writes)
			b.StopTimer()
			if err != nil {
				b.Fatal(err)
			}
			rows, bytes = rows+batch.Rows, bytes+batch.Bytes
			if err := s.Commit([]*Batch{batch}, Marks{}); err != nil {
				b.Fatal(err)
			}
		})
		n++
		b.StartTimer()
	}
	b.ReportMetric(float64(rows)/float64(n), "rows/call")
	b.ReportMetric(float64(bytes)/float64(n), "bytes/call")
}

// BenchmarkStageCommit commits groups of 64 calls, each of another key, with the sync where
// there is one. An operation is a group.
func BenchmarkStageCommit(b *testing.B) {
	calls := len(counters{})
	for _, on := range []string{"memory", "badger"} {
		b.Run(on, func(b *testing.B) {
			s := NewMemory()
			if on == "badger" {
				var err error
				if s, err = Open(b.TempDir(), Options{Logger: slog.New(slog.DiscardHandler)}); err != nil {
					b.Fatal(err)
				}
			}
			defer s.Close()
			written := s.(interface{ Written() Written }).Written
			var objects counters
			n, before := 0, written()
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				var group []*Batch
				for range calls {
					objects.writesOfCall(b, n, func(seq ident.Seq, writes []machine.Write) {
						batch, err := s.Encode(seq, writes)
						if err != nil {
							b.Fatal(err)
						}
						group = append(group, batch)
					})
					n++
				}
				b.StartTimer()
				if err := s.Commit(group, Marks{}); err != nil {
					b.Fatal(err)
				}
			}
			w := written()
			b.ReportMetric(float64(w.Rows-before.Rows)/float64(n), "stored-rows/call")
			b.ReportMetric(float64(w.Syncs-before.Syncs)/float64(n), "syncs/call")
		})
	}
}
