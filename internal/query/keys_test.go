package query

import (
	"cmp"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// bothStores runs a test on the store in memory and on the one on disk.
func bothStores(t *testing.T, test func(t *testing.T, s persistence.Store)) {
	t.Helper()
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		test(t, persistence.NewMemory())
	})
	t.Run("disk", func(t *testing.T) {
		t.Parallel()
		test(t, onDisk(t))
	})
}

func onDisk(t testing.TB) persistence.Store {
	t.Helper()
	s, err := persistence.Open(t.TempDir(), persistence.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// town is a naive model of objects with a holder, a queue, and awakeables.
type town struct {
	rng   *rand.Rand
	birth ident.Seq
	keys  map[ident.ObjectKey]*townKey
	// awakeables are the lines that a list should have.
	awakeables map[string]string
	writes     []machine.Write
	// crowded is a key with more invocations than a page gathers.
	crowded string
}

type townKey struct {
	status KeyStatus
	queue  uint64
	held   int64
}

const townNow = 1_000_000

func newTown(seed uint64) *town {
	return &town{
		rng: rand.New(rand.NewPCG(seed, 7)), birth: 100,
		keys: map[ident.ObjectKey]*townKey{}, awakeables: map[string]string{},
	}
}

func (w *town) put(r machine.Row) { w.writes = append(w.writes, machine.Write{Put: r}) }

// settle adds an object, perhaps removed again, which leaves a removed row.
func (w *town) settle() {
	key := ident.ObjectKey{Service: []string{"A", "AB", "B"}[w.rng.IntN(3)], Key: fmt.Sprint("k", w.rng.IntN(1000))}
	if w.keys[key] != nil {
		return
	}
	p := ident.KeyPartitionKey(key.Key).Partition()
	head := &machine.HeadRow{Partition: p, Object: key, Inline: []machine.StateValue{{Name: "a", Value: []byte("1")}}}
	if w.rng.IntN(3) == 0 {
		w.put(head)
		w.writes = append(w.writes, machine.Write{Delete: head.Key()})
		return
	}
	k := &townKey{status: KeyStatuses()[w.rng.IntN(5)]}
	if k.status != KeyIdle {
		w.hold(key, k, head)
	}
	w.keys[key] = k
	w.put(head)
}

// hold gives the key a holder and a queue.
func (w *town) hold(key ident.ObjectKey, k *townKey, head *machine.HeadRow) {
	w.birth++
	k.queue, k.held = uint64(w.rng.IntN(4)), int64(w.rng.IntN(townNow))
	inv := &machine.InvocationRow{
		Birth: w.birth, ID: w.id(key.Key), Target: ident.Target{Service: key.Service, Key: key.Key, Handler: "h", Kind: ident.KindExclusive},
		Status: map[KeyStatus]machine.Status{
			KeyRunning: machine.StatusReady, KeySuspended: machine.StatusSuspended, KeyBackingOff: machine.StatusBackingOff, KeyPaused: machine.StatusPaused,
		}[k.status],
		RunningAt: townNow - k.held, ModifiedAt: townNow - 5,
	}
	w.hand(inv, k.queue)
	head.Holder, head.HolderID, head.InboxLength = inv.Birth, inv.ID, k.queue
	for n := range k.queue {
		w.birth++
		row := &machine.InboxRow{Partition: head.Partition, Object: key.ID(), Seq: w.birth, Birth: w.birth, QueuedAt: townNow - 10 + int64(n)}
		if n == 0 {
			head.InboxFirst = row.Seq
		}
		w.put(row)
	}
	w.put(inv)
	w.put(&machine.IDRow{ID: inv.ID, Birth: inv.Birth, Object: key})
	if inv.Status == machine.StatusReady {
		w.put(&machine.ActiveRow{Partition: head.Partition, Birth: inv.Birth, ID: inv.ID, Object: key})
	} else {
		w.put(&machine.StatusRow{Partition: head.Partition, Class: inv.Class(), Birth: inv.Birth})
	}
}

func (w *town) id(key string) (id ident.InvocationID) {
	var uuid [16]byte
	for i := range uuid {
		uuid[i] = byte(w.rng.IntN(256))
	}
	return ident.NewInvocationID(ident.KeyPartitionKey(key), uuid)
}

// hand gives an invocation some awakeables, of which some are answered.
func (w *town) hand(inv *machine.InvocationRow, queue uint64) {
	n := uint32(w.rng.IntN(5))
	inv.Allocated.Signals, inv.IssuedAwakeables = n, n > 0
	if n > 0 && inv.Status == machine.StatusSuspended {
		inv.Await = &journal.Future{Combinator: journal.FirstCompleted, Signals: []uint32{ident.CancelSignal, ident.FirstAwakeable + n - 1}}
	}
	for i := range n + 2 {
		index, state := ident.FirstAwakeable+i, AwakeableCreated
		answered := i >= n && n > 0 || i < n-min(n, 1) && w.rng.IntN(2) == 0
		if answered {
			inv.Signals++
			w.put(&machine.SignalRow{Partition: inv.ID.Partition(), Birth: inv.Birth, Index: index})
		}
		switch {
		case i >= n && answered:
			state = AwakeableEarly
		case i >= n || answered:
			continue
		case inv.Await != nil && i == n-1:
			state = AwakeableAwaited
		}
		id := ident.AwakeableID{Invocation: inv.ID, Index: index}.String()
		w.awakeables[id] = fmt.Sprintf("%s %s %v %d", inv.Target.Service, id, state, queue)
	}
}

// crowd gives one key more invocations than a page gathers.
func (w *town) crowd() {
	for key, k := range w.keys {
		if k.status == KeySuspended {
			w.crowded = key.Key
		}
	}
	for range gatherSteps + 1 {
		w.birth++
		w.put(&machine.IDRow{ID: w.id(w.crowded), Birth: w.birth, Object: ident.ObjectKey{Service: "Z", Key: w.crowded}})
	}
}

func (w *town) commit(t testing.TB, s persistence.Store) {
	t.Helper()
	commit(t, s, w.writes...)
	w.writes = nil
}

// allPages follows the cursors of a list to its end.
func allPages[T any](t testing.TB, s persistence.Store, limit int, ask func(persistence.Reader, Paging) (Page[T], error)) (items []T) {
	t.Helper()
	for p := (Paging{Limit: limit}); ; {
		var page Page[T]
		err := s.Read(func(r persistence.Reader) (err error) {
			page, err = ask(r, p)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if page.Examined > MaxSteps+200 || len(page.Items) > limit {
			t.Fatalf("a page of %d has %d items and has looked at %d rows", limit, len(page.Items), page.Examined)
		}
		items = append(items, page.Items...)
		if p.Cursor = page.Next; p.Cursor == "" {
			return items
		}
	}
}

// TestListsAgreeWithANaiveModel compares the lists of keys and awakeables with what
// a model knows, for random contents, filters and sizes of pages.
func TestListsAgreeWithANaiveModel(t *testing.T) {
	t.Parallel()
	bothStores(t, func(t *testing.T, s persistence.Store) {
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		w := newTown(seed)
		for range 300 {
			w.settle()
		}
		w.crowd()
		w.commit(t, s)
		// Time stands still: how much an order sees in 250 ms depends on the machine.
		at := Moment{Now: townNow, Clock: func() time.Time { return time.Time{} }}
		for range 40 {
			w.compareKeys(t, s, at)
			w.compareAwakeables(t, s, at)
		}
	})
}

func (w *town) compareKeys(t *testing.T, s persistence.Store, at Moment) {
	t.Helper()
	f := KeyFilter{Service: []string{"A", "AB", "B", "C"}[w.rng.IntN(4)], Order: KeyOrder(w.rng.IntN(3))}
	if w.rng.IntN(2) == 0 {
		f.Prefix = fmt.Sprint("k", w.rng.IntN(10))
	}
	for _, status := range KeyStatuses() {
		if w.rng.IntN(5) == 0 {
			f.Statuses = append(f.Statuses, status)
		}
	}
	if w.rng.IntN(3) == 0 {
		f.MinQueueDepth = uint64(w.rng.IntN(4))
	}
	if w.rng.IntN(3) == 0 {
		f.MinAgeMs = int64(w.rng.IntN(townNow))
	}
	limit := 1 + w.rng.IntN(60)
	ask := func(r persistence.Reader, p Paging) (Page[KeyItem], error) { return Keys(r, at, f, p) }
	var got, want []string
	for _, k := range allPages(t, s, limit, ask) {
		got = append(got, fmt.Sprintf("%s %v %d %d", k.Key, k.Status, k.QueueDepth, k.HeldMs))
		if k.QueueDepth > 0 && k.OldestQueuedMs != 10 || k.StateBytes != 1 {
			t.Errorf("key %s: the first has waited for %d ms, %d bytes", k.Key, k.OldestQueuedMs, k.StateBytes)
		}
	}
	for _, key := range w.wanted(&f, limit) {
		k := w.keys[key]
		want = append(want, fmt.Sprintf("%s %v %d %d", key.Key, k.status, k.queue, k.held))
	}
	if !slices.Equal(got, want) {
		t.Errorf("filter %+v with pages of %d:\n%s\nwant\n%s", f, limit, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// wanted returns the keys that a filter chooses, in its order.
func (w *town) wanted(f *KeyFilter, limit int) (keys []ident.ObjectKey) {
	for key, k := range w.keys {
		if key.Service == f.Service && strings.HasPrefix(key.Key, f.Prefix) && k.queue >= f.MinQueueDepth &&
			(len(f.Statuses) == 0 || slices.Contains(f.Statuses, k.status)) &&
			(f.MinAgeMs == 0 || k.status != KeyIdle && k.held >= f.MinAgeMs) && (f.Order == ByKey || k.status != KeyIdle) {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(a, b ident.ObjectKey) int {
		ka, kb, by := w.keys[a], w.keys[b], 0
		switch f.Order {
		case ByQueueDepth:
			by = cmp.Compare(kb.queue, ka.queue)
		case ByAge:
			by = cmp.Compare(kb.held, ka.held)
		}
		return cmp.Or(by, strings.Compare(a.Key, b.Key))
	})
	if f.Order != ByKey {
		keys = keys[:min(len(keys), limit)]
	}
	return keys
}

func (w *town) compareAwakeables(t *testing.T, s persistence.Store, at Moment) {
	t.Helper()
	f := AwakeableFilter{Service: []string{"", "A", "B"}[w.rng.IntN(3)]}
	if w.rng.IntN(3) == 0 {
		f.HasKey, f.Key = true, w.crowded
		for key := range w.keys {
			if w.rng.IntN(2) == 0 {
				f.Key = key.Key
				break
			}
		}
	}
	if w.rng.IntN(2) == 0 {
		f.States = []AwakeableState{AwakeableStates()[w.rng.IntN(3)]}
	}
	ask := func(r persistence.Reader, p Paging) (Page[AwakeableItem], error) { return Awakeables(r, at, f, p) }
	var got, want []string
	for _, a := range allPages(t, s, 1+w.rng.IntN(60), ask) {
		got = append(got, fmt.Sprintf("%s %s %v %d", a.Invocation.Target.Service, a.ID, a.State, a.QueueDepth))
	}
	for text, line := range maps.All(w.awakeables) {
		id, err := ident.ParseAwakeableID(text)
		if err != nil {
			t.Fatal(err)
		}
		ofKey := !f.HasKey || id.Invocation.PartitionKey() == ident.KeyPartitionKey(f.Key)
		ofState := len(f.States) == 0 || strings.Contains(line, f.States[0].String())
		if ofKey && ofState && (f.Service == "" || strings.HasPrefix(line, f.Service+" ")) {
			want = append(want, line)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("filter %+v:\n%s\nwant\n%s", f, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestPagesGoForwardOverKeysThatWereRemoved: 6,000 keys in front of the only one
// were removed a moment ago. Every page is bounded and goes forward.
func TestPagesGoForwardOverKeysThatWereRemoved(t *testing.T) {
	t.Parallel()
	s := onDisk(t)
	var writes, removals []machine.Write
	for i := range 6000 {
		key := ident.ObjectKey{Service: "S", Key: fmt.Sprintf("a%05d", i)}
		p := ident.KeyPartitionKey(key.Key).Partition()
		head := &machine.HeadRow{Partition: p, Object: key, InboxLength: 1}
		active := &machine.ActiveRow{Partition: p, Birth: ident.Seq(i + 1), Object: key}
		for _, row := range []machine.Row{head, active} {
			writes = append(writes, put(row))
			removals = append(removals, machine.Write{Delete: row.Key()})
		}
	}
	commit(t, s, writes...)
	commit(t, s, removals...)
	last := ident.ObjectKey{Service: "S", Key: "b"}
	p := ident.KeyPartitionKey("b").Partition()
	head := &machine.HeadRow{Partition: p, Object: last, Workflow: machine.WorkflowHead{Generation: 5, Promises: 1}}
	commit(t, s, machine.Write{Put: head},
		machine.Write{Put: &machine.PromiseRow{Partition: p, Object: last.ID(), Generation: 5, Name: "p", Number: 1}})
	at := Moment{Now: townNow, Clock: func() time.Time { return time.Time{} }}
	keys := allPages(t, s, 10, func(r persistence.Reader, p Paging) (Page[KeyItem], error) {
		return Keys(r, at, KeyFilter{Service: "S"}, p)
	})
	if len(keys) != 1 || keys[0].Key != "b" {
		t.Errorf("keys are %+v", keys)
	}
	promises := allPages(t, s, 10, func(r persistence.Reader, p Paging) (Page[PromiseItem], error) {
		return Promises(r, at, PromiseFilter{Services: []string{"R", "S", "T"}}, p)
	})
	if len(promises) != 1 || promises[0].Name != "p" {
		t.Errorf("promises are %+v", promises)
	}
	awakeables := allPages(t, s, 10, func(r persistence.Reader, p Paging) (Page[AwakeableItem], error) {
		return Awakeables(r, at, AwakeableFilter{}, p)
	})
	if len(awakeables) != 0 {
		t.Errorf("awakeables are %+v", awakeables)
	}
}

// TestAPageThatIsLateHasLookedAtSomething: with a clock that is late at once every
// page still goes forward.
func TestAPageThatIsLateHasLookedAtSomething(t *testing.T) {
	t.Parallel()
	s := persistence.NewMemory()
	w := newTown(3)
	for range 200 {
		w.settle()
	}
	w.commit(t, s)
	now := time.Unix(1, 0)
	at := Moment{Now: townNow, Clock: func() time.Time {
		now = now.Add(time.Hour)
		return now
	}}
	keys := allPages(t, s, 1000, func(r persistence.Reader, p Paging) (Page[KeyItem], error) {
		return Keys(r, at, KeyFilter{Service: "A"}, p)
	})
	if want := w.wanted(&KeyFilter{Service: "A"}, 0); len(keys) != len(want) {
		t.Errorf("%d keys of %d", len(keys), len(want))
	}
	awakeables := allPages(t, s, 1000, func(r persistence.Reader, p Paging) (Page[AwakeableItem], error) {
		return Awakeables(r, at, AwakeableFilter{}, p)
	})
	if len(awakeables) != len(w.awakeables) {
		t.Errorf("%d awakeables of %d", len(awakeables), len(w.awakeables))
	}
}
