package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// walked returns the rows of a walk, without the removed ones.
func walked(r persistence.Reader, from, to machine.Key, order persistence.Order) (found []machine.Row, err error) {
	it := r.Rows(from, to, order)
	defer it.Close()
	for it.Next() {
		row, err := it.Row()
		if err != nil {
			return nil, err
		}
		if row == nil {
			continue
		}
		if row.Key() != it.Key() {
			return nil, fmt.Errorf("key %+v leads to the row of %+v", it.Key(), row.Key())
		}
		found = append(found, row)
	}
	return found, it.Err()
}

func rowsAreWalkedInBothDirections(t *testing.T, h Harness) {
	s := h.Open(t)
	var all []machine.Row
	for i := range 100 {
		all = append(all, active(i*7))
	}
	commit(t, s, put(all...), put(&machine.SignalRow{Partition: partition}, &machine.StateRow{Partition: partition, Name: "\xff"}))
	table := machine.Key{Partition: partition, Table: machine.TableActive}
	for _, c := range []struct {
		from, to machine.Key
		want     []machine.Row
	}{
		{table, machine.Key{}, all},
		{active(70).Key(), active(140).Key(), all[10:20]},
		{active(71).Key(), active(141).Key(), all[11:21]},
		{active(99 * 7).Key(), machine.Key{}, all[99:]},
		{table, active(1).Key(), all[:1]},
		{active(140).Key(), active(70).Key(), nil},
		{active(70).Key(), active(70).Key(), nil},
		{active(99*7 + 1).Key(), machine.Key{}, nil},
	} {
		for _, order := range []persistence.Order{persistence.Ascending, persistence.Descending} {
			err := s.Read(func(r persistence.Reader) error {
				got, err := walked(r, c.from, c.to, order)
				want := slices.Clone(c.want)
				if order == persistence.Descending {
					slices.Reverse(want)
				}
				if !slices.EqualFunc(got, want, func(a, b machine.Row) bool { return reflect.DeepEqual(a, b) }) {
					t.Errorf("%s from %d to %d: %d rows, want %d", order, c.from.A, c.to.A, len(got), len(want))
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

// model is the naive store: the rows by key.
type model map[machine.Key]machine.Row

func (m model) rows(from, to machine.Key, order persistence.Order) (rows []machine.Row) {
	for _, r := range m {
		if k := r.Key(); k.Partition == from.Partition && k.Table == from.Table && k.A >= from.A && (to == (machine.Key{}) || k.A < to.A) {
			rows = append(rows, r)
		}
	}
	slices.SortFunc(rows, func(a, b machine.Row) int {
		if a.Key().A < b.Key().A == (order == persistence.Ascending) {
			return -1
		}
		return 1
	})
	return rows
}

// walksAgreeWithANaiveStore writes, removes and reopens at random, and compares
// every walk with a map. Births are few, so that rows have many versions.
func walksAgreeWithANaiveStore(t *testing.T, h Harness) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 1))
	m, s := model{}, h.Open(t)
	for round := range 60 {
		var writes []machine.Write
		for range rng.IntN(40) {
			row := &machine.ActiveRow{
				Partition: ident.Partition(rng.IntN(2)), Birth: ident.Seq(rng.IntN(30)), ID: id, Object: ident.ObjectKey{Service: "s", Key: fmt.Sprint(round)},
			}
			if rng.IntN(2) == 0 {
				delete(m, row.Key())
				writes = append(writes, remove(row.Key())...)
			} else {
				m[row.Key()] = row
				writes = append(writes, put(row)...)
			}
		}
		commit(t, s, writes)
		switch rng.IntN(10) {
		case 0:
			s = h.Crash(t, s)
		case 1:
			if err := s.Tidy(); err != nil {
				t.Fatal(err)
			}
		}
		if err := compareWalks(s, m, rng); err != nil {
			t.Fatalf("seed %d, round %d: %v", seed, round, err)
		}
	}
}

// compareWalks walks random ranges, several at once.
func compareWalks(s persistence.Store, m model, rng *rand.Rand) error {
	return s.Read(func(r persistence.Reader) error {
		for range 8 {
			from := machine.Key{Partition: ident.Partition(rng.IntN(2)), Table: machine.TableActive, A: uint64(rng.IntN(20))}
			to := from
			to.A += uint64(rng.IntN(20))
			if rng.IntN(3) == 0 {
				to = machine.Key{}
			}
			order := persistence.Order(rng.IntN(2))
			left := r.Rows(from, to, order) // stays open beside the next one
			left.Next()
			got, err := walked(r, from, to, order)
			if err != nil {
				return err
			}
			want := m.rows(from, to, order)
			if !slices.EqualFunc(got, want, func(a, b machine.Row) bool { return reflect.DeepEqual(a, b) }) {
				return fmt.Errorf("%s from %d to %+v: got %v, want %v", order, from.A, to, got, want)
			}
		}
		return nil
	})
}

// hotRowsAreOneStep overwrites and removes the same rows again and again: each
// is still one step.
func hotRowsAreOneStep(t *testing.T, h Harness) {
	s := h.Open(t)
	names := []string{"", "\x00", "a", "a\x00", "a\xff\xff", "b"}
	for round := range 100 {
		for _, name := range names {
			commit(t, s, put(state(name, []byte{byte(round)})))
		}
		if round == 50 {
			commit(t, s, remove(state("a", nil).Key()))
		}
	}
	commit(t, s, remove(state("b", nil).Key()))
	err := s.Read(func(r persistence.Reader) error {
		for _, order := range []persistence.Order{persistence.Ascending, persistence.Descending} {
			it := r.Rows(machine.Key{Partition: partition, Table: machine.TableState}, machine.Key{}, order)
			var got []string
			steps := 0
			for it.Next() {
				steps++
				row, err := it.Row()
				if err != nil {
					return err
				}
				if row != nil {
					got = append(got, row.(*machine.StateRow).Name)
					if v := row.(*machine.StateRow).Value; v[0] != 99 {
						t.Errorf("%s: %q has version %d, want the newest", order, it.Key().Name, v[0])
					}
				}
			}
			want := slices.Clone(names[:len(names)-1])
			if order == persistence.Descending {
				slices.Reverse(want)
			}
			if !slices.Equal(got, want) || steps > len(names) {
				t.Errorf("%s: %d steps found %q, want %q", order, steps, got, want)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func walkStaysAtItsMoment(t *testing.T, h Harness) {
	s := h.Open(t)
	for i := range 50 {
		commit(t, s, put(active(i)))
	}
	err := s.Read(func(r persistence.Reader) error {
		up := r.Rows(active(0).Key(), machine.Key{}, persistence.Ascending)
		down := r.Rows(active(0).Key(), machine.Key{}, persistence.Descending)
		for i := range 50 {
			commit(t, s, put(active(100+i), active(i)), remove(active(49-i).Key()))
			if !up.Next() || !down.Next() || up.Key().A != uint64(i) || down.Key().A != uint64(49-i) {
				return fmt.Errorf("step %d stands at %d and %d", i, up.Key().A, down.Key().A)
			}
			for _, it := range []persistence.Iterator{up, down} {
				if row, err := it.Row(); row == nil || err != nil {
					return fmt.Errorf("step %d: row %v, %w", i, row, err)
				}
			}
		}
		if up.Next() || down.Next() {
			return errors.New("there is a row that was written after the snapshot")
		}
		return errors.Join(up.Err(), down.Err())
	})
	if err != nil {
		t.Fatal(err)
	}
}

func walkRefusesWhatItCannotDo(t *testing.T, h Harness) {
	s := h.Open(t)
	commit(t, s, put(active(1)))
	table := machine.Key{Partition: partition, Table: machine.TableActive}
	err := s.Read(func(r persistence.Reader) error {
		for what, it := range map[string]persistence.Iterator{
			"two partitions": r.Rows(table, machine.Key{Partition: partition + 1, Table: machine.TableActive}, persistence.Ascending),
			"two tables":     r.Rows(table, machine.Key{Partition: partition, Table: machine.TableInbox}, persistence.Ascending),
			"no table":       r.Rows(machine.Key{Partition: partition}, machine.Key{}, persistence.Ascending),
			"no partition":   r.Rows(machine.Key{Partition: ident.Partitions, Table: machine.TableActive}, machine.Key{}, persistence.Descending),
			"no order":       r.Rows(table, machine.Key{}, 7),
		} {
			if it.Next() || it.Err() == nil {
				t.Errorf("%s: was walked, error %v", what, it.Err())
			}
			it.Close()
		}
		it := r.Rows(table, machine.Key{}, persistence.Ascending)
		if _, err := it.Row(); err == nil {
			t.Error("there is a row before the first step")
		}
		for it.Next() {
		}
		if _, err := it.Row(); err == nil || it.Err() != nil || it.Next() {
			t.Errorf("behind the end: row error %v, error %v", err, it.Err())
		}
		it.Close()
		it.Close()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
