package persistence

import (
	"errors"
	"slices"
	"testing"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// count returns how many rows of a table the engine holds.
func count(t *testing.T, l *commitLog, table machine.Table) (n int) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for p := range ident.Partition(ident.Partitions) {
		from, to := tableRange(p, table)
		err := l.engine.scan(from, to, 1<<30, func(_, _ []byte) error { n++; return nil })
		if err != nil {
			t.Fatal(err)
		}
	}
	return n
}

func wantCounts(t *testing.T, m *Memory, when string, chunks, intents int) {
	t.Helper()
	wantStrays(t, m, when, 0)
	if c, i := count(t, &m.log, tableChunk), count(t, &m.log, tableIntent); c != chunks || i != intents {
		t.Fatalf("%s: %d chunks and %d intents, want %d and %d", when, c, i, chunks, intents)
	}
}

// wantStrays compares how many strays there are.
func wantStrays(t *testing.T, s Store, when string, want int) {
	t.Helper()
	err := s.Read(func(r Reader) error {
		found, err := r.(Overview).Strays()
		if err == nil && len(found) != want {
			t.Errorf("%s: %d strays, want %d: %v", when, len(found), want, found)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestStrayChunksAreFound writes behind the back of the store.
func TestStrayChunksAreFound(t *testing.T) {
	t.Parallel()
	m := memory()
	r := stateRow("x", 3*ChunkBytes)
	mustCommit(t, m, mustEncode(t, 1, machine.Write{Put: r}))
	wantStrays(t, m, "written", 0)
	key, err := appendKey(nil, &machine.Key{Partition: 5, Table: machine.TableState, Name: "x"})
	if err != nil {
		t.Fatal(err)
	}
	value, err := m.pages.newest(key)
	if err != nil {
		t.Fatal(err)
	}
	list, _, err := blobsOf(key, value)
	if err != nil {
		t.Fatal(err)
	}
	write := func(key, value []byte) {
		if err := m.pages.write(0, []entry{{key: key, value: value}}); err != nil {
			t.Fatal(err)
		}
	}
	beyond := list.appendChunkKey(nil, 0, 3)
	write(beyond, []byte("x"))
	wantStrays(t, m, "a chunk beyond the end", 1)
	write(beyond, nil)
	intent := list.appendIntentKey(nil)
	write(intent, list.appendIntentValue(nil, intent))
	wantStrays(t, m, "an intent for a named blob", 1)
	write(intent, nil)
	write(key, nil)
	wantStrays(t, m, "chunks without their row", 3)
}

func mustEncode(t *testing.T, seq ident.Seq, writes ...machine.Write) *Batch {
	t.Helper()
	b, err := new(encodings).encode(seq, writes)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func mustCommit(t *testing.T, s Store, group ...*Batch) {
	t.Helper()
	if err := s.Commit(group, Marks{}); err != nil {
		t.Fatal(err)
	}
}

func memory() *Memory { return NewMemory().(*Memory) }

func stateRow(name string, n int) *machine.StateRow {
	return &machine.StateRow{Partition: 5, Name: name, Value: make([]byte, n)}
}

// largeRows returns one row of n bytes for each table that owns chunks.
func largeRows(n int) []machine.Row {
	result := journal.ValueOf(make([]byte, n))
	return []machine.Row{
		stateRow("x", n),
		&machine.InvocationRow{Birth: 7, ID: ident.InvocationID{5 << 2}, Status: machine.StatusCompleted, Result: result},
		&machine.JournalRow{Partition: 5, Birth: 7, Entries: []journal.Entry{{Body: result.Value}}},
		&machine.OutboxRow{Partition: 5, Ref: machine.OutboxRef{Partition: 5, Seq: 7}, Message: &machine.Returned{Result: result}},
		&machine.ChoreRow{Partition: 5, Seq: 7, Result: result},
	}
}

func TestChunksGoWithTheirRow(t *testing.T) {
	t.Parallel()
	for _, r := range largeRows(3 * ChunkBytes) {
		m := memory()
		mustCommit(t, m, mustEncode(t, 1, machine.Write{Put: r}))
		wantCounts(t, m, rowName(r)+" written", 3, 0)
		mustCommit(t, m, mustEncode(t, 2, machine.Write{Put: r}))
		wantCounts(t, m, rowName(r)+" overwritten", 6, 1)
		mustCommit(t, m, mustEncode(t, 3, machine.Write{Delete: r.Key()}))
		wantCounts(t, m, rowName(r)+" deleted", 3, 1)
		mustCommit(t, m, mustEncode(t, 4, machine.Write{Put: &machine.ActiveRow{}}))
		wantCounts(t, m, rowName(r)+" forgotten", 0, 0)
	}
}

func TestChunksOfARowThatLivedForOneGroupGo(t *testing.T) {
	t.Parallel()
	for _, fresh := range []bool{false, true} {
		for _, r := range largeRows(3 * ChunkBytes) {
			m := memory()
			mustCommit(t, m,
				mustEncode(t, 1, machine.Write{Put: r, Fresh: fresh}), mustEncode(t, 2, machine.Write{Put: r}),
				mustEncode(t, 3, machine.Write{Delete: r.Key()}))
			if err := m.Tidy(); err != nil {
				t.Fatal(err)
			}
			wantCounts(t, m, rowName(r), 0, 0)
		}
	}
}

func TestRowsOfOneOwnerKeepTheirChunksApart(t *testing.T) {
	t.Parallel()
	m := memory()
	big := make([]byte, 2*ChunkBytes)
	outbox := func(n uint32) *machine.OutboxRow {
		return &machine.OutboxRow{Partition: 5, Ref: machine.OutboxRef{Partition: 5, Seq: 7, N: n}, Message: &machine.Invoke{Value: big}}
	}
	mustCommit(t, m, mustEncode(t, 7, machine.Write{Put: outbox(0)}, machine.Write{Put: outbox(1)}, machine.Write{Put: stateRow("x", len(big))}))
	mustCommit(t, m, mustEncode(t, 8, machine.Write{Delete: outbox(0).Key()}))
	if err := m.Tidy(); err != nil {
		t.Fatal(err)
	}
	wantCounts(t, m, "one of three rows deleted", 4, 0)
	err := m.Read(func(r Reader) error {
		for _, k := range []machine.Key{outbox(1).Key(), stateRow("x", 0).Key()} {
			if row, err := r.Get(k); row == nil || err != nil {
				return errors.Join(err, errors.New("a row is gone"))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestChunksOfASweepGoInSlices(t *testing.T) {
	t.Parallel()
	m := memory()
	var deletes []machine.Write
	for i := range 4 {
		r := stateRow(string(rune('a'+i)), 100*spillBytes)
		b, err := new(encodings).encodeWithin(spillBytes, ident.Seq(i+1), []machine.Write{{Put: r}})
		if err != nil {
			t.Fatal(err)
		}
		mustCommit(t, m, b)
		deletes = append(deletes, machine.Write{Delete: r.Key()})
	}
	// Chunks of this size are few; what is removed at once is bounded by hand.
	before := count(t, &m.log, tableChunk)
	mustCommit(t, m, mustEncode(t, 9, deletes...))
	wantCounts(t, m, "deleted", before, 4)
	m.log.mu.Lock()
	err := errors.Join(m.log.addGarbage(before-2), m.log.flush())
	m.log.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	wantCounts(t, m, "after one slice", 2, 1)
	m = m.Crash()
	wantCounts(t, m, "after a crash between two slices", 0, 0)
}

// failing is an engine that crashes after a number of transactions.
type failing struct {
	engine
	left int
}

var errPower = errors.New("power cut")

func (f *failing) write(ts uint64, entries []entry) error {
	if f.left == 0 {
		return errPower
	}
	f.left--
	return f.engine.write(ts, entries)
}

// TestCrashBetweenTransactionsLeavesNoChunkAndNoHole commits a group that takes
// many transactions and crashes after each of them.
func TestCrashBetweenTransactionsLeavesNoChunkAndNoHole(t *testing.T) {
	t.Parallel()
	const outputs, size = 3, 12 * ChunkBytes
	for left := 0; ; left++ {
		m := memory()
		mustCommit(t, m, mustEncode(t, 1, machine.Write{Put: stateRow("0", size)}))
		m.log.engine = &failing{m.log.engine, left}
		var group []*Batch
		for i := range outputs {
			group = append(group, mustEncode(t, ident.Seq(i+2),
				machine.Write{Put: stateRow(string(rune('0'+i)), size)},
				machine.Write{Put: &machine.ActiveRow{Birth: ident.Seq(i)}}))
		}
		err := m.Commit(group, Marks{})
		if err != nil && !errors.Is(err, errPower) {
			t.Fatal(err)
		}
		if again := m.Commit(nil, Marks{}); err != nil && !errors.Is(again, ErrClosed) {
			t.Fatalf("commit after a failed one: %v", again)
		}
		m = m.Crash()
		n := wantPrefix(t, m, outputs)
		wantCounts(t, m, "after the crash", 12*max(n, 1), 0)
		if err == nil {
			if n != outputs || left < 4 {
				t.Fatalf("%d outputs after %d transactions", n, left)
			}
			return
		}
	}
}

// wantPrefix checks that the outputs of the group are there up to some number,
// which it returns.
func wantPrefix(t *testing.T, m *Memory, outputs int) (n int) {
	t.Helper()
	err := m.Read(func(r Reader) error {
		rows, err := r.Scan(machine.Key{Table: machine.TableActive}, machine.Key{}, 100)
		n = len(rows)
		if err != nil {
			return err
		}
		states, err := r.Scan(machine.Key{Partition: 5, Table: machine.TableState}, machine.Key{}, 100)
		if len(states) != max(n, 1) {
			t.Errorf("%d outputs wrote %d state rows", n, len(states))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestMissingChunkIsCorrupt(t *testing.T) {
	t.Parallel()
	for _, damage := range []func(root *treap, n *treap) *treap{
		func(root, n *treap) *treap { return root.delete(n.key) },
		func(root, n *treap) *treap { return root.put(n.key, n.value[:len(n.value)-1]+"?") },
	} {
		m := memory()
		row := stateRow("x", 3*ChunkBytes)
		mustCommit(t, m, mustEncode(t, 1, machine.Write{Put: row}, machine.Write{Put: stateRow("y", 1)}))
		from, to := tableRange(5, tableChunk)
		var chunks []*treap
		m.pages.root.ascend(string(from), string(to), func(n *treap) bool { chunks = append(chunks, n); return true })
		m.pages.root = damage(m.pages.root, chunks[1])
		err := m.Read(func(r Reader) error {
			if _, err := r.Get(stateRow("y", 1).Key()); err != nil {
				return errors.New("another row is hurt")
			}
			_, err := r.Get(row.Key())
			return err
		})
		if !errors.Is(err, ErrCorrupt) {
			t.Fatalf("got %v", err)
		}
	}
}

// TestOldValueIsLookedAtOnlyWhenItMayOwnChunks counts the reads of a commit.
func TestOldValueIsLookedAtOnlyWhenItMayOwnChunks(t *testing.T) {
	t.Parallel()
	m := memory()
	reads := &counting{engine: m.log.engine}
	m.log.engine = reads
	running := &machine.InvocationRow{Birth: 7, ID: ident.InvocationID{5 << 2}, Status: machine.StatusReady}
	completed := largeRows(1)[1]
	all := func(seq ident.Seq) {
		mustCommit(t, m, mustEncode(t, seq, machine.Write{Put: running}))
		mustCommit(t, m, mustEncode(t, seq+1, machine.Write{Put: completed}), mustEncode(t, seq+2, machine.Write{Put: stateRow("x", 1)}))
		mustCommit(t, m, mustEncode(t, seq+3, machine.Write{Put: stateRow("y", 1), Fresh: true}))
	}
	all(1)
	if reads.n != 0 {
		t.Fatalf("%d reads in a partition without chunks", reads.n)
	}
	mustCommit(t, m, mustEncode(t, 10, machine.Write{Put: stateRow("z", 2*ChunkBytes), Fresh: true}))
	all(11)
	if reads.n != 2 {
		t.Fatalf("%d reads, want one for the completed invocation and one for the state", reads.n)
	}
}

type counting struct {
	engine
	n int
}

func (c *counting) newest(key []byte) ([]byte, error) { c.n++; return c.engine.newest(key) }

func TestTreapSharesAndSorts(t *testing.T) {
	t.Parallel()
	var root *treap
	var keys []string
	for i := range 500 {
		key := string(rune('a' + i*7%500))
		root = root.put(key, key)
		keys = append(keys, key)
	}
	slices.Sort(keys)
	old := root
	for _, k := range keys[:250] {
		root = root.delete(k)
	}
	list := func(r *treap) (got []string) {
		r.ascend("", "\xff\xff\xff\xff", func(n *treap) bool { got = append(got, n.key); return true })
		return got
	}
	if !slices.Equal(list(old), keys) || !slices.Equal(list(root), keys[250:]) {
		t.Fatalf("old holds %d keys, new %d", len(list(old)), len(list(root)))
	}
	if root.find(keys[0]) != nil || old.find(keys[0]) == nil || root.find(keys[499]).value != keys[499] {
		t.Fatal("find disagrees with the list")
	}
}
