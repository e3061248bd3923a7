package actors

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/internal/stream"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/persistence"
)

// TestAModelFedByEventsEqualsTheStore tells random stories and builds, from
// events alone, what the lists would show: invocations with their status, keys
// with their standing, awakeables that are waited for, and journals. Some
// subscribers come and go on the way, and must not notice.
func TestAModelFedByEventsEqualsTheStore(t *testing.T) {
	t.Parallel()
	for seed := range uint64(*eventStories) {
		for name, o := range map[string]Options{
			"in memory": {}, "suspended at once": {InactivityTimeout: -1, Linger: -1}, "few slots": {MaxRunningHandlers: 1, MaxHotWaiters: 2},
		} {
			t.Run(fmt.Sprint(name, " ", seed), func(t *testing.T) {
				t.Parallel()
				w := &world{}
				settings := restate.DefaultSettings()
				settings.JournalRetention, settings.IdempotencyRetention = time.Hour, time.Hour
				o.Services, o.Defaults = w.services(), &settings
				inBubble(t, o, func(t *testing.T, b *bench) {
					s := eventStory{b: b, w: w, r: rand.New(rand.NewPCG(seed, 7)), journals: map[ident.InvocationID]*follower{}}
					s.run()
				})
			})
		}
	}
}

var eventStories = flag.Int("actors.events", 5, "random stories of events, of each kind")

type eventStory struct {
	b    *bench
	w    *world
	r    *rand.Rand
	made int
	ids  []ident.InvocationID

	whole    *follower
	pieces   []*stream.Event
	guest    *follower
	journals map[ident.InvocationID]*follower
}

func (s *eventStory) run() {
	everything := EventOptions{Filter: stream.Filter{Topics: allTopics}}
	s.whole, s.guest = follow(s.b, everything), follow(s.b, everything)
	for range 150 {
		s.step()
		if s.r.IntN(3) == 0 {
			synctest.Wait()
		}
		if s.r.IntN(10) == 0 {
			s.change()
			s.guest = follow(s.b, EventOptions{Filter: everything.Filter, After: s.guest.last()})
		}
	}
	advance(time.Duration(s.r.IntN(2)) * 3 * time.Hour) // what has ended may expire
	for range 20 {
		s.step()
	}
	synctest.Wait()
	s.change()
	s.check()
}

// change lets the guest leave.
func (s *eventStory) change() {
	if err := s.guest.leave(); err != nil || len(s.guest.resets) > 0 {
		s.b.t.Fatalf("the guest left with %v and %v", err, s.guest.resets)
	}
	s.pieces = append(s.pieces, s.guest.events...)
}

func (s *eventStory) step() {
	rt, ctx := s.b.rt, s.b.t.Context()
	key := fmt.Sprint("k", s.r.IntN(4))
	pick := func() ident.InvocationID { return s.ids[s.r.IntN(len(s.ids))] }
	var err error
	switch n := s.r.IntN(100); {
	case n < 35 || len(s.ids) == 0:
		s.send(key)
	case n < 60:
		name := fmt.Sprint(s.r.IntN(s.made))
		s.w.mu.Lock()
		text, issued := s.w.ids[name]
		s.w.mu.Unlock()
		if id, e := ident.ParseAwakeableID(text); issued && e == nil {
			_, err = rt.Signal(ctx, id.Invocation, signalOf(id), valueOf("yes"))
		}
	case n < 65: // an answer that comes early
		_, err = rt.Signal(ctx, pick(), journal.SignalID(17), valueOf("early"))
	case n < 80:
		ops := []machine.Operation{machine.OpCancel, machine.OpKill, machine.OpPause, machine.OpResume, machine.OpPurge}
		_, err = rt.Operate(ctx, ops[s.r.IntN(len(ops))], pick())
	case n < 85:
		if id := pick(); s.journals[id] == nil && len(s.journals) < 8 && s.r.IntN(2) == 0 {
			s.journals[id] = follow(s.b, EventOptions{Filter: stream.Filter{Invocation: id}})
		}
	case n < 97:
		advance(time.Duration(s.r.IntN(3000)) * time.Millisecond)
	default:
		advance(3 * time.Minute)
	}
	if err != nil {
		s.b.t.Logf("refused: %v", err)
	}
}

func (s *eventStory) send(key string) {
	name := fmt.Sprint(s.made)
	s.made++
	r := []Request{
		ask("Desk", key, "ask", name), ask("Desk", key, "ask", name), ask("Desk", key, "nap", 1+s.r.IntN(100)),
		ask("Desk", key, "flaky", nil), ask("Counter", key, "add", 1), ask("Echo", "", "echo", name), ask("Echo", "", "relay", key),
	}[s.r.IntN(7)]
	if s.r.IntN(4) == 0 {
		r.Delay = new(time.Duration(s.r.IntN(5000)) * time.Millisecond)
	}
	s.ids = append(s.ids, send(s.b, r))
}

func (s *eventStory) check() {
	t := s.b.t
	whole, pieces := s.whole.got(), make([]string, len(s.pieces))
	for i, e := range s.pieces {
		pieces[i] = describe(e)
	}
	if !slices.Equal(whole, pieces) {
		t.Errorf("%d events came in one, %d in pieces", len(whole), len(pieces))
	}
	store := readStore(t, s.b.rt)
	now := checkChains(t, s.whole, true)
	if len(now) != len(store.statuses) {
		t.Errorf("%d invocations are in the store, %d in the model", len(store.statuses), len(now))
	}
	for id, status := range store.statuses {
		if now[id] != status {
			t.Errorf("%s is %q, and %q in the model", id, status, now[id])
		}
	}
	s.checkKeys(store)
	s.checkAwakeables(store)
	for id, f := range s.journals {
		f.mu.Lock()
		next := -1
		for _, e := range f.events {
			if e.Kind != stream.InvocationJournal {
				continue
			}
			if next >= 0 && int(e.Index) != next {
				t.Errorf("entry %d comes where %d should", e.Index, next)
			}
			next = int(e.Index) + 1
		}
		if row := store.rows[id]; row != nil && next >= 0 && next != int(row.JournalLength) {
			t.Errorf("the last entry that was told is %d of %d", next-1, row.JournalLength)
		}
		f.mu.Unlock()
	}
}

func (s *eventStory) checkKeys(store *stored) {
	t := s.b.t
	model := map[ident.ObjectKey]stream.KeyStanding{}
	for _, e := range s.whole.events {
		if e.Kind == stream.ObjectChanged {
			model[e.Object] = e.Key
		}
	}
	for key, standing := range store.keys {
		if model[key] != standing {
			t.Errorf("%s is %+v, and %+v in the model", key, standing, model[key])
		}
	}
	for key, standing := range model {
		if _, there := store.keys[key]; !there && (standing.Status != "idle" || standing.Queued != 0) {
			t.Errorf("%s has no head, and is %+v in the model", key, standing)
		}
	}
}

func (s *eventStory) checkAwakeables(store *stored) {
	t := s.b.t
	model := map[ident.AwakeableID]stream.AwakeableState{}
	for _, e := range s.whole.events {
		switch e.Kind {
		case stream.AwakeablePending, stream.AwakeableCompleted:
			id := ident.AwakeableID{Invocation: e.Invocation.ID, Index: e.Awakeable.Index}
			if model[id] == stream.AwakeableAnswered {
				t.Errorf("%v: %s comes after the answer", e.At, describe(e))
			}
			model[id] = e.Awakeable.State
		}
	}
	for id, row := range store.rows {
		if row.Await == nil {
			continue
		}
		for leaf := range row.Await.Leaves() {
			a := ident.AwakeableID{Invocation: id, Index: leaf.Signal}
			if leaf.Signal >= ident.FirstAwakeable && model[a] != stream.AwakeableAwaited {
				t.Errorf("%s waits for %d, which is %v in the model", row.Target, leaf.Signal, model[a])
			}
		}
	}
	for id, state := range model {
		row := store.rows[id.Invocation]
		if row == nil || row.Status == machine.StatusCompleted {
			continue
		}
		if answered := store.answered[id]; answered != (state == stream.AwakeableAnswered) {
			t.Errorf("%s: the model says %v, the store that it is answered: %t", id, state, answered)
		}
	}
}

// stored is what the store has at the end of a story.
type stored struct {
	rows     map[ident.InvocationID]*machine.InvocationRow
	statuses map[ident.InvocationID]string
	keys     map[ident.ObjectKey]stream.KeyStanding
	answered map[ident.AwakeableID]bool
}

func readStore(t *testing.T, rt *Runtime) *stored {
	t.Helper()
	s := &stored{
		rows: map[ident.InvocationID]*machine.InvocationRow{}, statuses: map[ident.InvocationID]string{},
		keys: map[ident.ObjectKey]stream.KeyStanding{}, answered: map[ident.AwakeableID]bool{},
	}
	births := map[ident.Seq]ident.InvocationID{}
	err := rt.options.Store.Read(func(r persistence.Reader) error {
		for _, table := range []machine.Table{machine.TableInvocation, machine.TableSignal, machine.TableHead} {
			for p := range ident.Partition(ident.Partitions) {
				rows, err := r.Scan(machine.Key{Partition: p, Table: table}, machine.Key{}, 100_000)
				if err != nil {
					return err
				}
				for _, row := range rows {
					s.add(rt, births, row)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *stored) add(rt *Runtime, births map[ident.Seq]ident.InvocationID, row machine.Row) {
	switch r := row.(type) {
	case *machine.InvocationRow:
		births[r.Birth], s.rows[r.ID] = r.ID, r
		s.statuses[r.ID] = r.Status.String()
		if a := rt.attempts.get(r.Birth, r.Epoch); r.Status == machine.StatusReady && a != nil && a.started() {
			s.statuses[r.ID] = stream.WordRunning
		}
	case *machine.SignalRow:
		s.answered[ident.AwakeableID{Invocation: births[r.Birth], Index: r.Index}] = true
	case *machine.HeadRow:
		k := stream.KeyStanding{Status: stream.WordIdle, Queued: r.InboxLength}
		holder := r.HolderID
		if r.Workflow.Run != 0 {
			holder = ident.WorkflowID(r.Object.Service, r.Object.Key)
		}
		if row := s.rows[holder]; row != nil && row.Status != machine.StatusScheduled && row.Status != machine.StatusCompleted {
			k.HolderID, k.Status = holder, row.Status.String()
			if row.Status == machine.StatusReady {
				k.Status = stream.WordRunning
			}
		}
		s.keys[r.Object] = k
	}
}
