package actors

import (
	"bytes"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/dormouse-run/dormouse/internal/machine"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/persistence"
)

// TestALookAtALargeJournalIsBounded: entries are as large as payloads may be, and
// a look reads them all into memory.
func TestALookAtALargeJournalIsBounded(t *testing.T) {
	t.Parallel()
	const runs, size = 60, 1 << 20
	def := restate.NewService("Large").Handler("run", restate.NewServiceHandler(func(ctx restate.Context, _ restate.Void) (restate.Void, error) {
		for i := range runs {
			_, err := restate.Run(ctx, func(restate.RunContext) ([]byte, error) { return bytes.Repeat([]byte{byte(i)}, size), nil }, restate.WithBinary)
			if err != nil {
				return restate.Void{}, err
			}
		}
		_, err := restate.Awakeable[string](ctx).Result()
		return restate.Void{}, err
	}))
	inBubble(t, Options{Services: []restate.ServiceDefinition{def}}, func(t *testing.T, b *bench) {
		id := send(b, ask("Large", "", "run", nil))
		synctest.Wait()
		next, seen, looks := uint32(0), uint32(0), 0
		for more := true; more; looks++ {
			in, err := b.rt.Inspect(t.Context(), id, InspectOptions{Journal: true, From: next, Limit: 1000})
			if err != nil {
				t.Fatal(err)
			}
			total := 0
			for _, e := range in.Journal {
				total += len(e.Body)
			}
			if total > maxInspectBytes {
				t.Errorf("a look has %d bytes", total)
			}
			seen += uint32(len(in.Journal))
			if more = in.NextFrom != nil; more && *in.NextFrom != seen {
				t.Fatalf("%d entries seen, the next is %d", seen, *in.NextFrom)
			}
			next = seen
			if !more && seen != in.Invocation.JournalLength {
				t.Errorf("%d of %d entries seen", seen, in.Invocation.JournalLength)
			}
		}
		if looks < 2 {
			t.Errorf("%d MiB came in one look", runs)
		}
	})
}

// TestALaterPartOfALongJournalIsReadFromThere compares parts with the whole.
func TestALaterPartOfALongJournalIsReadFromThere(t *testing.T) {
	t.Parallel()
	def := restate.NewObject("Long").Handler("run", restate.NewObjectHandler(func(ctx restate.ObjectContext, _ restate.Void) (restate.Void, error) {
		for i := range 5000 {
			restate.Set(ctx, "n", i)
			if i%7 == 0 {
				restate.ServiceSend(ctx, "Echo", "echo").Send(fmt.Sprint(i))
			}
		}
		_, err := restate.Awakeable[string](ctx).Result()
		return restate.Void{}, err
	}))
	w := &world{}
	inBubble(t, Options{Services: append(w.services(), def)}, func(t *testing.T, b *bench) {
		id := send(b, ask("Long", "x", "run", nil))
		synctest.Wait()
		whole, err := b.rt.Inspect(t.Context(), id, InspectOptions{Journal: true, Limit: 100_000})
		if err != nil || len(whole.Journal) < 5000 || whole.NextFrom != nil {
			t.Fatalf("%d entries, %v", len(whole.Journal), err)
		}
		for _, from := range []uint32{0, 1, 255, 256, 1023, 1024, 1025, 3000, uint32(len(whole.Journal)) - 1, uint32(len(whole.Journal)), 1 << 30} {
			part, err := b.rt.Inspect(t.Context(), id, InspectOptions{Journal: true, From: from, Limit: 3})
			if err != nil {
				t.Fatal(err)
			}
			want := whole.Journal[min(int(from), len(whole.Journal)):min(int(from)+3, len(whole.Journal))]
			if fmt.Sprint(part.Journal) != fmt.Sprint(want) {
				t.Errorf("from %d: %d entries, want %d", from, len(part.Journal), len(want))
			}
		}
		rows := 0
		_ = b.store.Read(func(r persistence.Reader) error {
			in := &Inspection{Invocation: whole.Invocation}
			counted := &countingReader{Reader: r, rows: &rows}
			return in.readJournal(counted, InspectOptions{From: uint32(len(whole.Journal)) - 2, Limit: 1})
		})
		if limit := int(whole.Invocation.JournalRows) / 2; rows > limit {
			t.Errorf("the last entries of %d took %d rows of %d", len(whole.Journal), rows, whole.Invocation.JournalRows)
		}
	})
}

// countingReader counts the rows that are read.
type countingReader struct {
	persistence.Reader
	rows *int
}

func (c *countingReader) Scan(from, to machine.Key, limit int) ([]machine.Row, error) {
	rows, err := c.Reader.Scan(from, to, limit)
	*c.rows += len(rows)
	return rows, err
}
