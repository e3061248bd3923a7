package persistence

import (
	"testing"

	"github.com/dormouse-run/dormouse/internal/ident"
)

// TestWhatIsWrittenIsCountedAfterAGroupHasDroppedWhatItOverwrites: two outputs
// write the same five rows, in one group and then in two.
func TestWhatIsWrittenIsCountedAfterAGroupHasDroppedWhatItOverwrites(t *testing.T) {
	t.Parallel()
	disk, err := Open(t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer disk.Close()
	for syncs, s := range map[uint64]Store{2: disk, 0: NewMemory()} {
		written := s.(interface{ Written() Written }).Written
		var batches []*Batch
		for i := range uint64(2) {
			b, err := s.Encode(ident.NewSeq(1, i+1), keyedCall(7))
			if err != nil {
				t.Fatal(err)
			}
			batches = append(batches, b)
		}
		for _, row := range []struct {
			groups [][]*Batch
			want   Written
		}{
			{[][]*Batch{batches}, Written{Transactions: 1, Rows: 5 + 1, Syncs: syncs}},
			{[][]*Batch{batches[:1], batches[1:]}, Written{Transactions: 2, Rows: 2 * (5 + 1), Syncs: 2 * syncs}},
			{[][]*Batch{nil}, Written{}},
		} {
			before := written()
			for _, group := range row.groups {
				if err := s.Commit(group, Marks{}); err != nil {
					t.Fatal(err)
				}
			}
			got := written()
			bytes := int(got.Bytes - before.Bytes)
			got = Written{Transactions: got.Transactions - before.Transactions, Rows: got.Rows - before.Rows, Syncs: got.Syncs - before.Syncs}
			least := int(got.Transactions) * batches[0].Bytes // and a small row of the store's own in each
			if got != row.want || bytes < least || bytes > least+100*int(got.Transactions) {
				t.Errorf("%T, %d groups: %+v and %d bytes, want %+v and at least %d", s, len(row.groups), got, bytes, row.want, least)
			}
		}
	}
}
