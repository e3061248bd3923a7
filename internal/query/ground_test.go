package query

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

func TestCursorComesBackToItsListAndFilterOnly(t *testing.T) {
	t.Parallel()
	text := EncodeCursor("invocations", "status=paused", []byte{1, 2, 3})
	if got, err := DecodeCursor(text, "invocations", "status=paused"); err != nil || !slices.Equal(got, []byte{1, 2, 3}) {
		t.Fatalf("got %v, %v", got, err)
	}
	if got, err := DecodeCursor("", "invocations", "x"); got != nil || err != nil {
		t.Fatalf("no cursor is %v, %v", got, err)
	}
	if _, err := DecodeCursor(text, "objects", "status=paused"); !errors.Is(err, ErrForeignCursor) || !strings.Contains(err.Error(), "invocations") {
		t.Errorf("in another list: %v", err)
	}
	if _, err := DecodeCursor(text, "invocations", "status=ready"); !errors.Is(err, ErrForeignCursor) {
		t.Errorf("with another filter: %v", err)
	}
	if strings.ContainsAny(text, "+/=%&? ") {
		t.Errorf("cursor %s does not fit a query", text)
	}
	for i := range len(text) {
		for _, bad := range []string{text[:i], text[:i] + "~" + text[i+1:], text[:i] + "\n" + text[i:], text + "A", text[:i] + string(text[i]^1) + text[i+1:]} {
			if bad == "" {
				continue
			}
			if _, err := DecodeCursor(bad, "invocations", "status=paused"); !errors.Is(err, ErrCursor) && !errors.Is(err, ErrForeignCursor) {
				t.Fatalf("cursor %q was read: %v", bad, err)
			}
		}
	}
}

func FuzzDecodeCursor(f *testing.F) {
	f.Add(EncodeCursor("invocations", "", []byte{1}))
	f.Fuzz(func(t *testing.T, text string) {
		if p, err := DecodeCursor(text, "invocations", ""); err == nil && text != "" && EncodeCursor("invocations", "", p) != text {
			t.Fatalf("%q was read and is written differently", text)
		}
	})
}

func TestBudgetIsOverBySteps(t *testing.T) {
	t.Parallel()
	now := time.Unix(1, 0)
	b := NewBudget(func() time.Time { return now })
	b.Spend(MaxSteps - 1)
	if b.Over() || b.Left() != 1 {
		t.Fatalf("over %t with %d left", b.Over(), b.Left())
	}
	b.Spend(2)
	if !b.Over() || b.Left() != 0 || b.Examined() != MaxSteps+1 {
		t.Fatalf("over %t with %d left after %d", b.Over(), b.Left(), b.Examined())
	}
	b = NewBudget(func() time.Time { return now })
	now = now.Add(MaxTime + 1)
	if !b.Over() || !b.Late() {
		t.Fatal("not over after its time")
	}
}

// commit writes rows to a store.
func commit(t testing.TB, s persistence.Store, writes ...machine.Write) {
	t.Helper()
	for len(writes) > 0 {
		n := min(len(writes), 1000)
		b, err := s.Encode(1, writes[:n])
		if err == nil {
			err = s.Commit([]*persistence.Batch{b}, persistence.Marks{})
		}
		if err != nil {
			t.Fatal(err)
		}
		writes = writes[n:]
	}
}

func put(r machine.Row) machine.Write { return machine.Write{Put: r} }

// TestMergeIsOneOrderedWalk merges active rows of all partitions and compares it
// with a sorted list, and goes on from every position.
func TestMergeIsOneOrderedWalk(t *testing.T) {
	t.Parallel()
	s := persistence.NewMemory()
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 2))
	var births []uint64
	for i := range 500 {
		birth := uint64(i * 3)
		births = append(births, birth)
		commit(t, s, put(&machine.ActiveRow{Partition: ident.Partition(rng.IntN(ident.Partitions)), Birth: ident.Seq(birth)}))
	}
	err := s.Read(func(r persistence.Reader) error {
		for _, order := range []persistence.Order{persistence.Ascending, persistence.Descending} {
			want := slices.Clone(births)
			if order == persistence.Descending {
				slices.Reverse(want)
			}
			b := NewBudget(nil)
			m := NewMerge(OverPartitions(r, order, func(p ident.Partition) (from, to machine.Key, ok bool) {
				return machine.Key{Partition: p, Table: machine.TableActive}, machine.Key{}, true
			}), order, func(a, b machine.Key) int { return cmp.Compare(a.A, b.A) }, b)
			var got []uint64
			for m.Next() {
				if row, err := m.Row(); err != nil || row.Key() != m.Key() {
					return fmt.Errorf("row %v at %+v: %w", row, m.Key(), err)
				}
				got = append(got, m.Key().A)
			}
			if !slices.Equal(got, want) || m.Err() != nil || m.Next() {
				t.Errorf("seed %d, %s: got %v, %v", seed, order, got, m.Err())
			}
			if b.Examined() != len(births) {
				t.Errorf("%s: %d rows examined, want %d", order, b.Examined(), len(births))
			}
			m.Close()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestMergeEndsWithTheErrorOfOne(t *testing.T) {
	t.Parallel()
	s := persistence.NewMemory()
	commit(t, s, put(&machine.ActiveRow{Birth: 1}))
	err := s.Read(func(r persistence.Reader) error {
		good := r.Rows(machine.Key{Table: machine.TableActive}, machine.Key{}, persistence.Ascending)
		bad := r.Rows(machine.Key{}, machine.Key{}, persistence.Ascending)
		m := NewMerge([]persistence.Iterator{good, bad}, persistence.Ascending, func(a, b machine.Key) int { return cmp.Compare(a.A, b.A) }, NewBudget(nil))
		if m.Next() || m.Err() == nil {
			t.Errorf("walked on, error %v", m.Err())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
