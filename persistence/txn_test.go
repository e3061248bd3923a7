package persistence

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// recording is an engine that notes what is written.
type recording struct {
	engine
	txns [][]string
}

func (r *recording) write(ts uint64, entries []entry) error {
	const nameAt = keyHeader + 16 + 8
	var list []string
	for _, e := range entries {
		switch {
		case len(e.key) < nameAt:
			list = append(list, "")
		case e.value == nil:
			list = append(list, "delete "+string(e.key[nameAt:]))
		default:
			list = append(list, "put "+string(e.key[nameAt:]))
		}
	}
	r.txns = append(r.txns, list)
	return r.engine.write(ts, entries)
}

// TestGroupIsCoalescedWithinATransaction shows what reaches the engine. Rows
// are named by the last part of their key; each transaction ends with the meta
// row, shown as nothing.
func TestGroupIsCoalescedWithinATransaction(t *testing.T) {
	t.Parallel()
	row := func(name string) machine.Row {
		return &machine.StateRow{Partition: 1, Name: name, Value: []byte("v")}
	}
	put := func(name string) machine.Write { return machine.Write{Put: row(name)} }
	fresh := func(name string) machine.Write { return machine.Write{Put: row(name), Fresh: true} }
	remove := func(name string) machine.Write { return machine.Write{Delete: row(name).Key()} }
	for _, c := range []struct {
		outputs [][]machine.Write
		want    []string
	}{
		{[][]machine.Write{{put("a")}, {put("b")}, {put("a")}}, []string{"put a", "put b", ""}},
		{[][]machine.Write{{put("a")}, {remove("a")}}, []string{"delete a", ""}},
		{[][]machine.Write{{fresh("a")}, {remove("a")}}, []string{""}},
		{[][]machine.Write{{fresh("a"), put("a")}, {remove("a")}}, []string{""}},
		{[][]machine.Write{{fresh("a")}, {remove("a"), fresh("a")}}, []string{"put a", ""}},
		{[][]machine.Write{{remove("a"), fresh("a"), remove("a")}}, []string{"delete a", ""}},
		{[][]machine.Write{{put("a"), fresh("a"), remove("a")}}, []string{"delete a", ""}},
	} {
		m := memory()
		r := &recording{engine: m.log.engine}
		m.log.engine = r
		var group []*Batch
		for i, writes := range c.outputs {
			group = append(group, mustEncode(t, ident.Seq(i), writes...))
		}
		mustCommit(t, m, group...)
		if len(r.txns) != 1 || !slices.Equal(r.txns[0], c.want) {
			t.Errorf("got %q, want %q", r.txns, c.want)
		}
	}
}

// TestBatchIsNeverDividedAndNothingIsCoalescedBetweenTransactions commits
// batches of which three fill a transaction; all of them write one common row.
func TestBatchIsNeverDividedAndNothingIsCoalescedBetweenTransactions(t *testing.T) {
	t.Parallel()
	m := memory()
	r := &recording{engine: m.log.engine}
	m.log.engine = r
	var group []*Batch
	for i := range 7 {
		writes := []machine.Write{{Put: &machine.StateRow{Partition: 1, Name: "common", Value: []byte{byte(i)}}, Fresh: i == 0}}
		for j := range 3 {
			name := fmt.Sprintf("%d.%d", i, j)
			writes = append(writes, machine.Write{Put: &machine.StateRow{Partition: 1, Name: name, Value: make([]byte, 250_000)}, Fresh: true})
		}
		group = append(group, mustEncode(t, ident.Seq(i), writes...))
	}
	group = append(group, mustEncode(t, 9, machine.Write{Delete: (&machine.StateRow{Partition: 1, Name: "common"}).Key()}))
	mustCommit(t, m, group...)
	seen := 0
	for i, list := range r.txns {
		if !strings.HasSuffix(list[0], " common") {
			t.Fatalf("transaction %d begins with %q", i, list[0])
		}
		if (len(list)-2)%3 != 0 || len(list) < 5 {
			t.Fatalf("transaction %d divides a batch: %q", i, list)
		}
		seen += (len(list) - 2) / 3
	}
	if last := r.txns[len(r.txns)-1]; seen != 7 || len(r.txns) < 3 || last[0] != "delete common" {
		t.Fatalf("%d batches in %d transactions, the last %q", seen, len(r.txns), last)
	}
}

// TestIndexFindsEveryKey fills a transaction far beyond the first size of its
// index, with every third row written twice.
func TestIndexFindsEveryKey(t *testing.T) {
	t.Parallel()
	x := newTxn()
	for round := range 2 {
		const rows = 10_000
		for i := range rows {
			key := fmt.Appendf(nil, "key %d", i)
			x.add(key, []byte("first"), isFresh)
			if i%3 == 0 {
				x.add(slices.Clone(key), []byte("second"), 0)
			}
		}
		if len(x.entries) != rows {
			t.Fatalf("round %d: %d entries for %d keys", round, len(x.entries), rows)
		}
		for i := range x.entries {
			want := "first"
			if i%3 == 0 {
				want = "second"
			}
			if e := &x.entries[i]; string(e.key) != fmt.Sprintf("key %d", i) || string(e.value) != want || e.claims != isFresh {
				t.Fatalf("round %d: entry %d is %q with %q and claims %d", round, i, e.key, e.value, e.claims)
			}
		}
		x.reset()
	}
}

// TestMemoryOfABatchIsReusedOnlyAfterItsCommit encodes outputs of all sizes one
// after the other, commits some together and others alone, and reads all rows.
func TestMemoryOfABatchIsReusedOnlyAfterItsCommit(t *testing.T) {
	t.Parallel()
	m := memory()
	value := func(i int) []byte { return bytes.Repeat([]byte{byte(i)}, 1+i*37%6000) }
	var group []*Batch
	const outputs = 300
	for i := range outputs {
		b, err := m.Encode(ident.NewSeq(1, uint64(i+1)), []machine.Write{{Put: &machine.StateRow{Partition: 1, Name: fmt.Sprint(i), Value: value(i)}}})
		if err != nil {
			t.Fatal(err)
		}
		if group = append(group, b); i%7 == 0 || i == outputs-1 {
			if err := m.Commit(group, Marks{}); err != nil {
				t.Fatal(err)
			}
			group = group[:0]
		}
	}
	err := m.Read(func(r Reader) error {
		for i := range outputs {
			row, err := r.Get((&machine.StateRow{Partition: 1, Name: fmt.Sprint(i)}).Key())
			if err != nil {
				return err
			}
			if s, ok := row.(*machine.StateRow); !ok || !bytes.Equal(s.Value, value(i)) {
				t.Errorf("row %d is %v", i, row)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestBatchIsCommittedOnce(t *testing.T) {
	t.Parallel()
	m := memory()
	b, err := m.Encode(1, []machine.Write{{Put: &machine.StateRow{Partition: 1, Name: "a"}}})
	if err == nil {
		err = m.Commit([]*Batch{b}, Marks{})
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Commit([]*Batch{b}, Marks{}); err == nil || !strings.Contains(err.Error(), "a second time") {
		t.Fatalf("committed again: %v", err)
	}
}
