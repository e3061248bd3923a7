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
		seq, size := uint64(0), 0
		encode := func() *Batch {
			seq++
			b, err := s.Encode(ident.NewSeq(1, seq), keyedCall(7))
			if err != nil {
				t.Fatal(err)
			}
			size = b.Bytes
			return b
		}
		for _, row := range []struct {
			groups []int // outputs in each
			want   Written
		}{
			{[]int{2}, Written{Transactions: 1, Rows: 5 + 1, Syncs: syncs}},
			{[]int{1, 1}, Written{Transactions: 2, Rows: 2 * (5 + 1), Syncs: 2 * syncs}},
			{[]int{0}, Written{}},
		} {
			before := written()
			for _, n := range row.groups {
				var group []*Batch
				for range n {
					group = append(group, encode())
				}
				if err := s.Commit(group, Marks{}); err != nil {
					t.Fatal(err)
				}
			}
			got := written()
			bytes := int(got.Bytes - before.Bytes)
			got = Written{Transactions: got.Transactions - before.Transactions, Rows: got.Rows - before.Rows, Syncs: got.Syncs - before.Syncs}
			least := int(got.Transactions) * size // and a small row of the store's own in each
			if got != row.want || bytes < least || bytes > least+100*int(got.Transactions) {
				t.Errorf("%T, %d groups: %+v and %d bytes, want %+v and at least %d", s, len(row.groups), got, bytes, row.want, least)
			}
		}
	}
}
