package persistence

import (
	"errors"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
)

func activeRow(p ident.Partition, n int) *machine.ActiveRow {
	return &machine.ActiveRow{Partition: p, Birth: ident.Seq(n), Object: ident.ObjectKey{Service: "Counter", Key: "key"}}
}

// emptied returns a store on disk in which n rows were removed a moment ago.
func emptied(t testing.TB, n int) Store {
	t.Helper()
	s, err := Open(t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	for _, gone := range []bool{false, true} {
		for i := 0; i < n; i += 1000 {
			var writes []machine.Write
			for j := range 1000 {
				w := machine.Write{Put: activeRow(5, i+j)}
				if gone {
					w = machine.Write{Delete: activeRow(5, i+j).Key()}
				}
				writes = append(writes, w)
			}
			b, err := s.Encode(1, writes)
			if err == nil {
				err = s.Commit([]*Batch{b}, Marks{})
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return s
}

func TestRemovedRowIsAStepOfItsOwn(t *testing.T) {
	t.Parallel()
	s := emptied(t, 5000)
	err := s.Read(func(r Reader) error {
		for _, order := range []Order{Ascending, Descending} {
			it := r.Rows(machine.Key{Partition: 5, Table: machine.TableActive}, machine.Key{}, order)
			for step := range 5000 {
				want := uint64(step)
				if order == Descending {
					want = uint64(4999 - step)
				}
				if !it.Next() || it.Key().A != want {
					t.Fatalf("%s: step %d stands at %d, error %v", order, step, it.Key().A, it.Err())
				}
				if row, err := it.Row(); row != nil || err != nil {
					t.Fatalf("%s: step %d: row %v, %v", order, step, row, err)
				}
			}
			if it.Next() {
				t.Errorf("%s: there is a step behind the last one", order)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestWalkOfAnExpiredSnapshotFails(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	store, err := Open(t.TempDir(), Options{Now: func() time.Time { return now }, MaxSnapshotAge: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	s := store.(*badgerStore)
	commit := func() {
		mustCommit(t, s, mustEncode(t, 1, machine.Write{Put: activeRow(5, 1)}, machine.Write{Put: activeRow(5, 2)}))
	}
	commit()
	err = s.Read(func(r Reader) error {
		walks := []Iterator{}
		for _, order := range []Order{Ascending, Descending} {
			walks = append(walks, r.Rows(machine.Key{Partition: 5, Table: machine.TableActive}, machine.Key{}, order))
			if !walks[order].Next() {
				t.Fatalf("%s: nothing to walk", order)
			}
		}
		now = now.Add(2 * time.Minute)
		commit()
		for order, it := range walks {
			if _, err := it.Row(); !errors.Is(err, ErrSnapshotExpired) || !errors.Is(it.Err(), ErrSnapshotExpired) {
				t.Errorf("%s: row of an old snapshot: %v, %v", Order(order), err, it.Err())
			}
			if it.Next() {
				t.Errorf("%s: the walk goes on", Order(order))
			}
			if it := r.Rows(machine.Key{Partition: 5, Table: machine.TableActive}, machine.Key{}, Order(order)); it.Next() || !errors.Is(it.Err(), ErrSnapshotExpired) {
				t.Errorf("%s: a new walk of an old snapshot: %v", Order(order), it.Err())
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// BenchmarkRows opens a walk of one table in every partition and takes its
// first row, and walks over rows and over what is left of removed ones.
func BenchmarkRows(b *testing.B) {
	s := emptied(b, 100_000)
	var writes []machine.Write
	for p := range ident.Partition(ident.Partitions) {
		for n := range 60 {
			writes = append(writes, machine.Write{Put: activeRow(p, 1_000_000+n)})
		}
	}
	batch, err := s.Encode(1, writes)
	if err == nil {
		err = s.Commit([]*Batch{batch}, Marks{})
	}
	if err != nil {
		b.Fatal(err)
	}
	for _, order := range []Order{Ascending, Descending} {
		b.Run("open64/"+order.String(), func(b *testing.B) {
			for b.Loop() {
				err = s.Read(func(r Reader) error {
					for p := range ident.Partition(ident.Partitions) {
						if it := r.Rows(machine.Key{Partition: p, Table: machine.TableActive}, machine.Key{}, order); !it.Next() {
							return errors.New("there is no first row")
						}
					}
					return nil
				})
			}
		})
		b.Run("removed/"+order.String(), func(b *testing.B) { walkSteps(b, s, order) })
	}
	if err != nil {
		b.Fatal(err)
	}
}

// walkSteps reports the steps per millisecond of walks of 5,000 steps.
func walkSteps(b *testing.B, s Store, order Order) {
	steps := 0
	for b.Loop() {
		err := s.Read(func(r Reader) error {
			it := r.Rows(machine.Key{Partition: 5, Table: machine.TableActive}, machine.Key{}, order)
			for range 5000 {
				if !it.Next() {
					return errors.New("the walk is too short")
				}
				if _, err := it.Row(); err != nil {
					return err
				}
				steps++
			}
			return it.Err()
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(steps)/float64(b.Elapsed().Milliseconds()), "steps/ms")
}
