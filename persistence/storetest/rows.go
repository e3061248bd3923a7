package storetest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

func everyRowComesBack(t *testing.T, h Harness) {
	s := h.Open(t)
	rows := sampleRows()
	commit(t, s, put(rows...))
	for _, r := range rows {
		want(t, s, r)
	}
	s = h.Crash(t, s)
	for _, r := range rows {
		want(t, s, r)
	}
	for _, r := range rows {
		commit(t, s, remove(r.Key()))
		wantNone(t, s, r.Key())
	}
}

func encodeKeepsNoReference(t *testing.T, h Harness) {
	s := h.Open(t)
	row, large := state("x", []byte("before")), state("y", bytes.Repeat([]byte("a"), persistence.ChunkBytes+1))
	group := encode(t, s, put(row, large))
	copy(row.Value, "after!")
	large.Value[0] = 'b'
	if err := s.Commit(group, persistence.Marks{}); err != nil {
		t.Fatal(err)
	}
	want(t, s, state("x", []byte("before")))
	large.Value[0] = 'a'
	want(t, s, large)
}

func batchTellsItsEarliestTimer(t *testing.T, h Harness) {
	s := h.Open(t)
	timer := func(due int64) machine.Row { return &machine.TimerRow{Partition: partition, Due: due} }
	b := encode(t, s, put(timer(30), timer(10), timer(20)), put(active(1)))
	if b[0].EarliestTimer != 10 || b[1].EarliestTimer != 0 {
		t.Fatalf("earliest timers are %d and %d, want 10 and 0", b[0].EarliestTimer, b[1].EarliestTimer)
	}
	if b[0].Rows != 3 || b[0].Bytes == 0 || b[0].Seq != ident.NewSeq(s.Info().Boot, 1) {
		t.Fatalf("batch says %d rows, %d bytes and number %v", b[0].Rows, b[0].Bytes, b[0].Seq)
	}
}

func oversizedOutputIsRefused(t *testing.T, h Harness) {
	s := h.Open(t)
	var many []machine.Row
	for i := range persistence.MaxBatchRows + 1 {
		many = append(many, active(i))
	}
	_, err := s.Encode(1, put(many...))
	wantError(t, "too many rows", err, persistence.ErrTooLarge)
	inline := &machine.HeadRow{Partition: partition, Object: object, Inline: []machine.StateValue{{Name: "x", Value: make([]byte, persistence.MaxBatchBytes)}}}
	_, err = s.Encode(1, put(inline))
	wantError(t, "too many bytes", err, persistence.ErrTooLarge)
	_, err = s.Encode(1, put(&machine.HeadRow{Partition: partition, Object: ident.ObjectKey{Service: "s", Key: string(make([]byte, 1<<16))}}))
	wantError(t, "too long a key", err, persistence.ErrTooLarge)

	commit(t, s, put(many[1:]...))
	if got := scan(t, s, many[0].Key(), machine.Key{}, 1<<20); len(got) != persistence.MaxBatchRows {
		t.Fatalf("%d rows, want %d", len(got), persistence.MaxBatchRows)
	}
}

func scanIsOrderedAndBounded(t *testing.T, h Harness) {
	s := h.Open(t)
	var rows []machine.Row
	for i := range 300 {
		rows = append(rows, active(i*7))
	}
	shuffled := append([]machine.Row(nil), rows...)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	commit(t, s, put(shuffled[:150]...))
	commit(t, s, put(shuffled[150:]...))
	all := machine.Key{Partition: partition, Table: machine.TableActive}
	for _, c := range []struct {
		from, to machine.Key
		limit    int
		want     []machine.Row
	}{
		{all, machine.Key{}, 1000, rows},
		{all, machine.Key{}, 10, rows[:10]},
		{all, machine.Key{}, 0, nil},
		{active(70).Key(), active(140).Key(), 1000, rows[10:20]},
		{active(71).Key(), active(141).Key(), 1000, rows[11:21]},
		{active(70).Key(), active(140).Key(), 3, rows[10:13]},
		{active(140).Key(), active(70).Key(), 1000, nil},
		{active(70).Key(), active(70).Key(), 1000, nil},
		{active(299*7 + 1).Key(), machine.Key{}, 1000, nil},
	} {
		if got := scan(t, s, c.from, c.to, c.limit); !reflect.DeepEqual(got, c.want) {
			t.Fatalf("scan from %d to %d limit %d: %d rows, want %d", c.from.A, c.to.A, c.limit, len(got), len(c.want))
		}
	}
}

func partitionsAndTablesAreSeparate(t *testing.T, h Harness) {
	s := h.Open(t)
	var writes []machine.Write
	for p := range ident.Partition(ident.Partitions) {
		writes = append(writes, put(
			&machine.ActiveRow{Partition: p, Birth: 1}, &machine.ActiveRow{Partition: p, Birth: ^ident.Seq(0)},
			&machine.SignalRow{Partition: p, Birth: 1}, &machine.SignalRow{Partition: p, Birth: ^ident.Seq(0), Index: ^uint32(0)},
			&machine.PendingRow{Partition: p, Birth: 1}, &machine.StateRow{Partition: p, Name: "\xff\xff", Value: []byte{1}},
		)...)
	}
	commit(t, s, writes)
	for p := range ident.Partition(ident.Partitions) {
		for table, n := range map[machine.Table]int{machine.TableActive: 2, machine.TableSignal: 2, machine.TablePending: 1, machine.TableState: 1, machine.TableChore: 0} {
			rows := scan(t, s, machine.Key{Partition: p, Table: table}, machine.Key{}, 100)
			for _, r := range rows {
				if k := r.Key(); k.Partition != p || k.Table != table {
					t.Fatalf("scan of %d/%c returned %+v", p, table, k)
				}
			}
			if len(rows) != n {
				t.Fatalf("scan of %d/%c returned %d rows, want %d", p, table, len(rows), n)
			}
		}
	}
	err := s.Read(func(r persistence.Reader) error {
		_, err := r.Scan(machine.Key{Partition: 1, Table: machine.TableActive}, machine.Key{Partition: 2, Table: machine.TableActive}, 1)
		return err
	})
	if err == nil {
		t.Fatal("a scan over two partitions was not refused")
	}
	if _, err := s.Encode(1, put(&machine.ActiveRow{Partition: ident.Partitions})); err == nil {
		t.Fatal("a row in a partition that does not exist was encoded")
	}
}

func lastWriteOfAGroupWins(t *testing.T, h Harness) {
	s := h.Open(t)
	commit(t, s, put(state("x", []byte("0"))))
	commit(t, s,
		put(state("x", []byte("1")), state("y", []byte("1"))),
		append(put(state("x", []byte("2"))), remove(state("y", nil).Key())...),
		put(state("x", []byte("3")), state("y", []byte("3"))),
	)
	for range 2 {
		want(t, s, state("x", []byte("3")))
		want(t, s, state("y", []byte("3")))
		s = h.Crash(t, s)
	}
}

func deleteInAGroupHidesTheRowOnDisk(t *testing.T, h Harness) {
	s := h.Open(t)
	x := state("x", []byte("old"))
	commit(t, s, put(x))
	commit(t, s, put(state("x", []byte("new"))), remove(x.Key()))
	wantNone(t, s, x.Key())
	commit(t, s, put(x))
	commit(t, s, remove(x.Key()), fresh(x), remove(x.Key()))
	wantNone(t, s, x.Key())
	s = h.Crash(t, s)
	wantNone(t, s, x.Key())
}

func freshRowDeletedInItsGroupIsGone(t *testing.T, h Harness) {
	s := h.Open(t)
	x, y := state("x", []byte("1")), state("y", []byte("1"))
	commit(t, s, fresh(x, y), remove(x.Key()))
	commit(t, s, fresh(state("z", nil)), remove(state("z", nil).Key()), put(state("z", []byte("2"))))
	for range 2 {
		wantNone(t, s, x.Key())
		want(t, s, y)
		want(t, s, state("z", []byte("2")))
		s = h.Crash(t, s)
	}
}

func tidyChangesNoRow(t *testing.T, h Harness) {
	s := h.Open(t)
	for round := range 12 {
		var rows []machine.Row
		for i := range 1000 {
			rows = append(rows, state(fmt.Sprint(i), fmt.Appendf(nil, "%d/%d", round, i)))
		}
		commit(t, s, put(rows...))
	}
	if err := s.Tidy(); err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		want(t, s, state(fmt.Sprint(i), fmt.Appendf(nil, "11/%d", i)))
	}
}
