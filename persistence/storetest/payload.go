package storetest

import (
	"testing"

	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// carriers returns a row of every type that can carry a large payload.
func carriers(value []byte) []machine.Row {
	return []machine.Row{
		state("doc", value),
		completed(value),
		&machine.JournalRow{Partition: partition, Birth: 10, First: 0, Entries: append(entries(value), entries(value)...)},
		outbox(0, invoke(value)),
		outbox(1, &machine.Signal{ID: id, Signal: journal.SignalID(17), Result: journal.ValueOf(value)}),
		outbox(2, &machine.Returned{To: reply, Type: journal.TypeAttachCompletion, Result: journal.ValueOf(value)}),
		&machine.ChoreRow{Partition: partition, Seq: 14, Object: object, Kind: machine.ChoreAnswer, Result: journal.ValueOf(value)},
		promise(value),
		&machine.PatchRow{Partition: partition, Seq: 12, Values: []machine.StateValue{{Name: "a", Value: value}, {Name: "b", Value: []byte("1")}}},
	}
}

func largePayloadsComeBack(t *testing.T, h Harness) {
	s := h.Open(t)
	for _, n := range []int{persistence.ChunkBytes - 1, persistence.ChunkBytes, persistence.ChunkBytes + 1, 2 * persistence.ChunkBytes, 3<<20 + 3} {
		rows := carriers(pattern(n))
		if n > 1<<20 {
			rows = rows[:4]
		}
		commit(t, s, put(rows...))
		for _, r := range rows {
			want(t, s, r)
		}
		s = h.Crash(t, s)
		for _, r := range rows {
			want(t, s, r)
		}
		if got := scan(t, s, rows[0].Key(), machine.Key{}, 10); len(got) != 1 {
			t.Fatalf("scan finds %d state rows, want 1", len(got))
		}
	}
}

func largeRowsCanBeReplacedAndRemoved(t *testing.T, h Harness) {
	s := h.Open(t)
	large, other := pattern(600<<10), pattern(300<<10)
	commit(t, s, put(carriers(large)...))
	mustBackUp(t, s)
	commit(t, s, put(carriers(other)...), put(carriers(large)...), put(carriers(other)...))
	mustBackUp(t, s)
	for _, r := range carriers(other) {
		want(t, s, r)
	}
	if err := s.Tidy(); err != nil {
		t.Fatal(err)
	}
	s = h.Crash(t, s)
	for _, r := range carriers(other) {
		want(t, s, r)
		commit(t, s, fresh(active(1)), remove(r.Key()))
		wantNone(t, s, r.Key())
	}
	mustBackUp(t, s)
	commit(t, s, fresh(carriers(large)...), remove(state("doc", nil).Key()))
	mustBackUp(t, s)
	wantNone(t, s, state("doc", nil).Key())
	want(t, s, carriers(large)[1])
}

func manyMiddleSizedPayloadsFit(t *testing.T, h Harness) {
	s := h.Open(t)
	row := &machine.JournalRow{Partition: partition, Birth: 10}
	for range 10 {
		row.Entries = append(row.Entries, journal.Entry{Type: journal.TypeRun, Body: pattern(200 << 10)})
	}
	commit(t, s, put(row, active(1)))
	want(t, s, row)
	want(t, s, active(1))
}

func groupMayExceedOneTransaction(t *testing.T, h Harness) {
	s := h.Open(t)
	var outputs [][]machine.Write
	var rows []machine.Row
	for i := range 12 {
		output := []machine.Row{active(i)}
		for j := range 4 {
			output = append(output, state(string(rune('a'+i))+string(rune('a'+j)), pattern(200<<10)))
		}
		rows = append(rows, output...)
		outputs = append(outputs, put(output...))
	}
	commit(t, s, outputs...)
	s = h.Crash(t, s)
	for _, r := range rows {
		want(t, s, r)
	}
}
