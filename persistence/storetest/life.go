package storetest

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

func marksMove(t *testing.T, h Harness) {
	s := h.Open(t)
	if got := s.Info().Marks; got != (persistence.Marks{}) {
		t.Fatalf("marks of a new store are %+v", got)
	}
	for _, c := range []struct{ set, want persistence.Marks }{
		{persistence.Marks{Timers: 100, Clock: 90}, persistence.Marks{Timers: 100, Clock: 90}},
		{persistence.Marks{}, persistence.Marks{Timers: 100, Clock: 90}},
		{persistence.Marks{Timers: 50}, persistence.Marks{Timers: 50, Clock: 90}},
		{persistence.Marks{Clock: 200}, persistence.Marks{Timers: 50, Clock: 200}},
		{persistence.Marks{Timers: 300, Clock: 300}, persistence.Marks{Timers: 300, Clock: 300}},
	} {
		if err := s.Commit(encode(t, s, put(active(1))), c.set); err != nil {
			t.Fatal(err)
		}
		s = h.Crash(t, s)
		if got := s.Info().Marks; got != c.want {
			t.Fatalf("after marks %+v: got %+v, want %+v", c.set, got, c.want)
		}
	}
	if err := s.Commit(nil, persistence.Marks{Clock: 400}); err != nil {
		t.Fatal(err)
	}
	if s = h.Crash(t, s); s.Info().Marks.Clock != 400 {
		t.Fatalf("marks without batches are lost: %+v", s.Info().Marks)
	}
}

func overviewTells(t *testing.T, h Harness) {
	s := h.Open(t)
	defer closeStore(t, s)
	look := func(want persistence.Marks, keys ...machine.Key) {
		t.Helper()
		if err := s.Read(func(r persistence.Reader) error {
			o := r.(persistence.Overview)
			marks, err := o.Marks()
			if err != nil || marks != want {
				t.Errorf("the marks are %+v, %v, want %+v", marks, err, want)
			}
			tables, err := o.Tables()
			if err != nil || !slices.Equal(tables, keys) {
				t.Errorf("the tables are %v, %v, want %v", tables, err, keys)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	look(persistence.Marks{})
	large := state("large", pattern(2*persistence.ChunkBytes)) // its chunks are told of nowhere
	low, high := active(1), active(2)
	low.Partition, high.Partition = 0, ident.Partitions-1
	commit(t, s, put(large, low, high))
	if err := s.Commit(nil, persistence.Marks{Timers: 7, Clock: 9}); err != nil {
		t.Fatal(err)
	}
	table := func(r machine.Row) machine.Key {
		return machine.Key{Partition: r.Key().Partition, Table: r.Key().Table}
	}
	look(persistence.Marks{Timers: 7, Clock: 9}, table(low), table(large), table(high))
	commit(t, s, remove(low.Key(), large.Key()))
	look(persistence.Marks{Timers: 7, Clock: 9}, table(high))
}

func emptyCommitIsHarmless(t *testing.T, h Harness) {
	s := h.Open(t)
	if err := s.Commit(nil, persistence.Marks{}); err != nil {
		t.Fatal(err)
	}
	commit(t, s, nil, put(active(1)), nil)
	want(t, s, active(1))
}

func snapshotStaysAtItsMoment(t *testing.T, h Harness) {
	s := h.Open(t)
	large := pattern(700 << 10)
	commit(t, s, put(active(1), active(2), state("x", large)))
	err := s.Read(func(r persistence.Reader) error {
		for i := range 5 {
			commit(t, s, append(put(active(10+i), state("x", []byte("new"))), remove(active(1).Key())...))
			if err := s.Tidy(); err != nil {
				return err
			}
			rows, err := r.Scan(machine.Key{Partition: partition, Table: machine.TableActive}, machine.Key{}, 100)
			if err != nil || len(rows) != 2 {
				return fmt.Errorf("pass %d: %d rows, error %w", i, len(rows), err)
			}
			row, err := r.Get(state("x", nil).Key())
			if err != nil {
				return err
			}
			if got := row.(*machine.StateRow); len(got.Value) != len(large) {
				return fmt.Errorf("pass %d: a value of %d bytes, want %d", i, len(got.Value), len(large))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	wantNone(t, s, active(1).Key())
	want(t, s, state("x", []byte("new")))
}

// readersRunBesideCommits commits pairs of rows that must agree.
func readersRunBesideCommits(t *testing.T, h Harness) {
	s := h.Open(t)
	pair := func(i int) []machine.Write {
		v := fmt.Appendf(nil, "%d", i)
		return put(state("a", v), state("b", v))
	}
	commit(t, s, pair(0))
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if err := s.Read(pairAgrees); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for i := range 60 {
		if err := s.Commit(encode(t, s, pair(2*i), pair(2*i+1)), persistence.Marks{}); err != nil {
			t.Error(err)
		}
	}
	close(done)
	readers.Wait()
}

func pairAgrees(r persistence.Reader) error {
	rows, err := r.Scan(state("a", nil).Key(), state("c", nil).Key(), 10)
	if err != nil {
		return err
	}
	b, err := r.Get(state("b", nil).Key())
	if err != nil {
		return err
	}
	first, second, got := rows[0].(*machine.StateRow), rows[1].(*machine.StateRow), b.(*machine.StateRow)
	if string(first.Value) != string(second.Value) || string(second.Value) != string(got.Value) {
		return fmt.Errorf("one snapshot shows %s, %s and %s", first.Value, second.Value, got.Value)
	}
	return nil
}

func bootCounterNeverRepeats(t *testing.T, h Harness) {
	s := h.Open(t)
	for boot := uint32(1); boot < 7; boot++ {
		if got := s.Info().Boot; got != boot {
			t.Fatalf("boot %d, want %d", got, boot)
		}
		if boot%2 == 0 {
			s = h.Crash(t, s)
			continue
		}
		closeStore(t, s)
		s = h.Open(t)
	}
}

func cleanTellsACloseFromACrash(t *testing.T, h Harness) {
	s := h.Open(t)
	if !s.Info().Clean {
		t.Fatal("a new store is not clean")
	}
	commit(t, s, put(active(1)))
	closeStore(t, s)
	if s = h.Open(t); !s.Info().Clean {
		t.Fatal("a store that was closed is not clean")
	}
	if s = h.Crash(t, s); s.Info().Clean {
		t.Fatal("a store that was killed is clean")
	}
	closeStore(t, s)
	if s = h.Open(t); !s.Info().Clean {
		t.Fatal("a store that was closed after a crash is not clean")
	}
}

func crashKeepsWhatWasCommitted(t *testing.T, h Harness) {
	s := h.Open(t)
	for i := range 20 {
		commit(t, s, fresh(active(i)), put(state("n", fmt.Appendf(nil, "%d", i))))
		encode(t, s, fresh(active(1000+i)))
		if i%5 == 4 {
			s = h.Crash(t, s)
		}
		if got := len(scan(t, s, active(0).Key(), machine.Key{}, 100)); got != i+1 {
			t.Fatalf("%d rows after %d commits", got, i+1)
		}
		want(t, s, state("n", fmt.Appendf(nil, "%d", i)))
	}
}

func rowsSurviveManyReopenings(t *testing.T, h Harness) {
	s := h.Open(t)
	for i := range 8 {
		commit(t, s, put(active(i), state("last", fmt.Appendf(nil, "%d", i))))
		closeStore(t, s)
		s = h.Open(t)
		for j := range i + 1 {
			want(t, s, active(j))
		}
		want(t, s, state("last", fmt.Appendf(nil, "%d", i)))
	}
}

func closedStoreRefusesEverything(t *testing.T, h Harness) {
	s := h.Open(t)
	group := encode(t, s, put(active(1)))
	closeStore(t, s)
	closeStore(t, s)
	wantError(t, "commit", s.Commit(group, persistence.Marks{}), persistence.ErrClosed)
	wantError(t, "read", s.Read(func(persistence.Reader) error { return nil }), persistence.ErrClosed)
	wantError(t, "tidy", s.Tidy(), persistence.ErrClosed)
	if s = h.Open(t); get(t, s, active(1).Key()) != nil {
		t.Fatal("the closed store took a commit")
	}
	if s.Info().Boot != 2 || ident.NewSeq(s.Info().Boot, 1).Boot() != 2 {
		t.Fatalf("boot %d, want 2", s.Info().Boot)
	}
}
