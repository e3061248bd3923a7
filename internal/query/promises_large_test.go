package query

import (
	"fmt"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// TestLargePromisesEndAPageBeforeItIsTooLarge lists values that together are
// larger than what a page of state may have.
func TestLargePromisesEndAPageBeforeItIsTooLarge(t *testing.T) {
	t.Parallel()
	const size, count = 4 << 20, 20
	s := persistence.NewMemory()
	key := ident.ObjectKey{Service: "S", Key: "k"}
	p := ident.KeyPartitionKey(key.Key).Partition()
	commit(t, s, put(&machine.HeadRow{Partition: p, Object: key, Workflow: machine.WorkflowHead{Generation: 5, Promises: count}}))
	for i := range count {
		commit(t, s, put(&machine.PromiseRow{
			Partition: p, Object: key.ID(), Generation: 5, Name: fmt.Sprintf("p%02d", i), Number: uint32(i + 1), Result: journal.ValueOf(make([]byte, size)),
		}))
	}
	at := Moment{Now: townNow, Clock: func() time.Time { return time.Time{} }}
	err := s.Read(func(r persistence.Reader) error {
		k, err := ReadKey(r, at, key, KeyOptions{})
		if err == nil && (!k.PromisesTruncated || len(k.Promises)*size != MaxStateBytes) {
			t.Errorf("a key shows %d of %d promises, truncated %t", len(k.Promises), count, k.PromisesTruncated)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range []*string{nil, &key.Key} {
		n := 0
		all := allPages(t, s, 1000, func(r persistence.Reader, p Paging) (Page[PromiseItem], error) {
			page, err := Promises(r, at, PromiseFilter{Services: []string{"S"}, Key: one}, p)
			if len(page.Items)*size > MaxStateBytes {
				t.Errorf("a page has %d promises", len(page.Items))
			}
			n++
			return page, err
		})
		if len(all) != count || n < 3 {
			t.Errorf("%d promises on %d pages", len(all), n)
		}
	}
}
