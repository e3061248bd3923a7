package actors

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/internal/query"
	restate "github.com/dormouse-run/dormouse/objects"
)

// many is a page that holds everything.
func many() query.Paging { return query.Paging{Limit: 1000} }

// keys lists keys in pages of limit, and checks that the pages are one list.
func (b *bench) keys(f query.KeyFilter, limit int) (items []query.KeyItem) {
	b.t.Helper()
	p := query.Paging{Limit: limit}
	for {
		page, err := b.rt.Keys(b.t.Context(), f, p)
		if err != nil {
			b.t.Fatalf("keys: %v", err)
		}
		if len(page.Items) > limit {
			b.t.Fatalf("a page of %d has %d items", limit, len(page.Items))
		}
		items = append(items, page.Items...)
		if p.Cursor = page.Next; p.Cursor == "" {
			return items
		}
	}
}

func namesOf(items []query.KeyItem) (names []string) {
	for i := range items {
		names = append(names, items[i].Key)
	}
	return names
}

func (b *bench) key(service, key string, o query.KeyOptions) *query.Key {
	b.t.Helper()
	k, err := b.rt.Key(b.t.Context(), ident.ObjectKey{Service: service, Key: key}, o)
	if err != nil {
		b.t.Fatalf("key %s/%s: %v", service, key, err)
	}
	return k
}

// awakeables lists awakeables, one line each.
func (b *bench) awakeables(f query.AwakeableFilter, limit int) (lines []string) {
	b.t.Helper()
	p := query.Paging{Limit: limit}
	for {
		page, err := b.rt.Awakeables(b.t.Context(), f, p)
		if err != nil {
			b.t.Fatalf("awakeables: %v", err)
		}
		for i := range page.Items {
			a := &page.Items[i]
			lines = append(lines, fmt.Sprintf("%s %d %v %v for %ds behind %d", a.Invocation.Target, a.ID.Index, a.State, a.Invocation.Status, a.AgeMs/1000, a.QueueDepth))
		}
		if p.Cursor = page.Next; p.Cursor == "" {
			return lines
		}
	}
}

func (b *bench) promises(f query.PromiseFilter, limit int) (items []query.PromiseItem) {
	b.t.Helper()
	p := query.Paging{Limit: limit}
	for {
		page, err := b.rt.Promises(b.t.Context(), f, p)
		if err != nil {
			b.t.Fatalf("promises: %v", err)
		}
		items = append(items, page.Items...)
		if p.Cursor = page.Next; p.Cursor == "" {
			return items
		}
	}
}

func wantNames(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s are\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestKeysAreListedInTheirOrderOverAllPartitions(t *testing.T) {
	t.Parallel()
	w := &world{}
	o := Options{Services: append(w.services(), restate.NewObject("Count").Handler("ask", restate.NewObjectHandler(w.ask)))}
	inBubble(t, o, func(t *testing.T, b *bench) {
		var all, some []string
		for i := range 150 {
			key := fmt.Sprintf("k%03d", i)
			call(b, ask("Counter", key, "add", i))
			all = append(all, key)
			if strings.HasPrefix(key, "k07") {
				some = append(some, key)
			}
		}
		call(b, ask("Counter", "", "add", 1)) // the empty key
		send(b, ask("Desk", "k000", "ask", "x"))
		for _, limit := range []int{1, 7, 1000} {
			wantNames(t, "keys", namesOf(b.keys(query.KeyFilter{Service: "Counter"}, limit)), append([]string{""}, all...))
			wantNames(t, "keys with a prefix", namesOf(b.keys(query.KeyFilter{Service: "Counter", Prefix: "k07"}, limit)), some)
		}
		if got := b.keys(query.KeyFilter{Service: "Count"}, 10); len(got) != 0 {
			t.Errorf("a service whose name is the beginning of another one has keys %v", namesOf(got))
		}
	})
}

func TestAServiceThatIsNotBoundIsUnknownUnlessItHasKeys(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		call(b, ask("Counter", "a", "add", 1))
		b.options.Services = []restate.ServiceDefinition{w.services()[0]}
		b.crash()
		if got := namesOf(b.keys(query.KeyFilter{Service: "Counter"}, 10)); !slices.Equal(got, []string{"a"}) {
			t.Errorf("keys of a service that is not bound any more are %q", got)
		}
		if got := b.keys(query.KeyFilter{Service: "Counter", Prefix: "b"}, 10); len(got) != 0 {
			t.Errorf("no key begins with b, and there are %v", namesOf(got))
		}
		if k := b.key("Counter", "a", query.KeyOptions{}); !k.Exists {
			t.Errorf("the key of a service that is not bound any more is not found")
		}
		_, err := b.rt.Keys(t.Context(), query.KeyFilter{Service: "Nope"}, many())
		_, err1 := b.rt.Key(t.Context(), ident.ObjectKey{Service: "Counter", Key: "b"}, query.KeyOptions{})
		if !errors.Is(err, ErrUnknownService) || !errors.Is(err1, ErrUnknownService) {
			t.Errorf("errors are %v and %v", err, err1)
		}
		if _, err := b.rt.Keys(t.Context(), query.KeyFilter{Service: "Echo"}, many()); !errors.Is(err, ErrInvalid) {
			t.Errorf("keys of a service without keys: %v", err)
		}
	})
}

func TestAKeyShowsWhoHoldsItAndWhoWaits(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		holder := send(b, ask("Desk", "x", "ask", "1"))
		synctest.Wait()
		advance(10 * time.Second)
		second := send(b, ask("Desk", "x", "ask", "2"))
		third := send(b, ask("Desk", "x", "nap", 5))
		advance(5 * time.Second)
		for _, want := range []query.KeyStatus{query.KeyRunning, query.KeySuspended, query.KeyPaused} {
			switch want {
			case query.KeySuspended:
				advance(5 * time.Minute)
			case query.KeyPaused:
				if _, err := b.rt.Operate(t.Context(), machine.OpPause, holder); err != nil {
					t.Fatal(err)
				}
			}
			synctest.Wait()
			items := b.keys(query.KeyFilter{Service: "Desk", Statuses: []query.KeyStatus{want}}, 10)
			if len(items) != 1 {
				t.Fatalf("%d keys are %v", len(items), want)
			}
			k := b.key("Desk", "x", query.KeyOptions{InboxLimit: 10})
			for _, item := range []query.KeyItem{items[0], k.KeyItem} {
				age := time.Since(time.UnixMilli(item.OldestQueuedAt)).Milliseconds()
				if item.Status != want || item.Holder == nil || item.Holder.ID != holder || item.QueueDepth != 2 || item.HeldMs != item.OldestQueuedMs+10_000 || item.OldestQueuedMs != age {
					t.Errorf("%v: the key is %+v", want, item)
				}
			}
			if len(k.Inbox) != 2 || k.Inbox[0].ID != second || k.Inbox[0].Handler != "ask" || k.Inbox[1].ID != third || k.Inbox[1].Handler != "nap" || k.Inbox[1].Position != 2 {
				t.Errorf("the queue is %+v", k.Inbox)
			}
			if running := k.HolderLive.Running; running != (want == query.KeyRunning) {
				t.Errorf("%v: an attempt is in memory: %t", want, running)
			}
		}
		if k := b.key("Desk", "x", query.KeyOptions{InboxLimit: 1}); len(k.Inbox) != 1 || k.QueueDepth != 2 {
			t.Errorf("one place of the queue is %+v of %d", k.Inbox, k.QueueDepth)
		}
	})
}

func TestSharedHandlersThatRunAreCountedWithTheirKey(t *testing.T) {
	t.Parallel()
	w := &world{}
	o := Options{Services: append(w.services(), signup())}
	inBubble(t, o, func(t *testing.T, b *bench) {
		send(b, ask("Signup", "a", "wait", "p"))
		send(b, ask("Signup", "a", "nap", 1))
		send(b, ask("Signup", "b", "nap", 1))
		run := send(b, ask("Signup", "a", "run", false))
		synctest.Wait()
		k := b.key("Signup", "a", query.KeyOptions{})
		if k.SharedRunning != 2 || k.Holder == nil || k.Holder.ID != run || k.Status != query.KeyRunning {
			t.Errorf("%d shared handlers run, the holder is %v", k.SharedRunning, k.Holder)
		}
		if n := b.key("Desk", "a", query.KeyOptions{}).SharedRunning; n != 0 {
			t.Errorf("%d shared handlers of another service run", n)
		}
		call(b, ask("Signup", "a", "sign", "yes"))
		wantValue(t, attach(b, run), `"yes"`)
		synctest.Wait()
		if k = b.key("Signup", "a", query.KeyOptions{}); k.Holder != nil || k.Status != query.KeyIdle || !k.Exists {
			t.Errorf("after its run the workflow is %v, held by %v", k.Status, k.Holder)
		}
	})
}

func TestKeysAreRankedByQueueAndByAge(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		for i, key := range []string{"c", "a", "d", "b"} {
			for n := range []int{2, 4, 1, 3}[i] {
				send(b, ask("Desk", key, "ask", fmt.Sprint(key, n)))
			}
			advance(3 * time.Minute)
		}
		synctest.Wait()
		call(b, ask("Counter", "z", "add", 1)) // another service
		for _, hours := range []int{0, 1} {
			advance(time.Duration(hours) * time.Hour)
			wantNames(t, "queues", namesOf(b.keys(query.KeyFilter{Service: "Desk", Order: query.ByQueueDepth}, 3)), []string{"a", "b", "c"})
			wantNames(t, "ages", namesOf(b.keys(query.KeyFilter{Service: "Desk", Order: query.ByAge}, 3)), []string{"c", "a", "d"})
			wantNames(t, "deep queues", namesOf(b.keys(query.KeyFilter{Service: "Desk", MinQueueDepth: 2}, 3)), []string{"a", "b"})
		}
		wantNames(t, "old ones", namesOf(b.keys(query.KeyFilter{Service: "Desk", MinAgeMs: 4_130_000}, 3)), []string{"a", "c"})
		old := query.KeyFilter{Service: "Desk", Order: query.ByAge, MinAgeMs: 4_130_000, Prefix: "c"}
		wantNames(t, "old ones with a prefix", namesOf(b.keys(old, 3)), []string{"c"})
		_, err := b.rt.Keys(t.Context(), query.KeyFilter{Service: "Desk", Order: query.ByAge}, query.Paging{Limit: 1, Cursor: "x"})
		if !errors.Is(err, query.ErrNoPages) {
			t.Errorf("a cursor gives %v", err)
		}
	})
}

// asker is an object whose handler creates three awakeables and waits for the
// first one, then for the last one.
func asker(w *world) restate.ServiceDefinition {
	three := func(ctx restate.ObjectContext, what string) (string, error) {
		first := restate.Awakeable[string](ctx)
		w.put(what, first.Id())
		restate.Awakeable[string](ctx)
		last := restate.Awakeable[string](ctx)
		if _, err := first.Result(); err != nil {
			return "", err
		}
		restate.Set(ctx, "half", true)
		if what == "broken" {
			return "", errors.New("try again")
		}
		return last.Result()
	}
	shared := func(ctx restate.ObjectSharedContext, what string) (string, error) {
		a := restate.Awakeable[string](ctx)
		w.put(what, a.Id())
		return a.Result()
	}
	return restate.NewObject("Asker").
		Handler("three", restate.NewObjectHandler(three)).
		Handler("aside", restate.NewObjectSharedHandler(shared))
}

func (b *bench) answer(w *world, name string, index uint32) {
	b.t.Helper()
	id := w.awakeable(b.t, name)
	if _, err := b.rt.Signal(b.t.Context(), id.Invocation, journal.SignalID(index), valueOf("yes")); err != nil {
		b.t.Fatal(err)
	}
}

func TestAwakeablesAreAwaitedCreatedOrEarly(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: []restate.ServiceDefinition{asker(w)}}, func(t *testing.T, b *bench) {
		send(b, ask("Asker", "k", "three", "x"))
		send(b, ask("Asker", "k", "three", "queued"))
		send(b, ask("Asker", "k", "aside", "s"))
		synctest.Wait()
		b.answer(w, "x", 25)
		advance(20 * time.Second)
		page := func(status string, seconds int) []string {
			return []string{
				fmt.Sprintf("Asker/k/three 17 awaited %s for %ds behind 1", status, seconds),
				fmt.Sprintf("Asker/k/three 18 created %s for %ds behind 1", status, seconds),
				fmt.Sprintf("Asker/k/three 19 created %s for %ds behind 1", status, seconds),
				fmt.Sprintf("Asker/k/three 25 early %s for %ds behind 1", status, seconds),
				fmt.Sprintf("Asker/k/aside 17 awaited %s for %ds behind 0", status, seconds),
			}
		}
		for _, limit := range []int{1, 2, 100} {
			wantNames(t, "awakeables in memory", b.awakeables(query.AwakeableFilter{}, limit), page("ready", 20))
		}
		advance(time.Minute)
		synctest.Wait()
		for _, limit := range []int{1, 2, 100} {
			wantNames(t, "awakeables of suspended handlers", b.awakeables(query.AwakeableFilter{}, limit), page("suspended", 20))
		}
		b.answer(w, "x", 17)
		synctest.Wait()
		wantNames(t, "awakeables after the first answer", b.awakeables(query.AwakeableFilter{Handler: "three"}, 100), []string{
			"Asker/k/three 18 created ready for 0s behind 1", "Asker/k/three 19 awaited ready for 0s behind 1", "Asker/k/three 25 early ready for 0s behind 1",
		})
	})
}

func TestAwakeablesOfABrokenHandlerAreFound(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: []restate.ServiceDefinition{asker(w)}}, func(t *testing.T, b *bench) {
		id := send(b, ask("Asker", "k", "three", "broken"))
		advance(2 * time.Minute)
		b.answer(w, "broken", 17)
		advance(10 * time.Minute)
		synctest.Wait()
		if got := b.status(id); got != "backing-off" {
			t.Fatalf("the invocation is %s", got)
		}
		list := func() (lines []string) {
			for _, line := range b.awakeables(query.AwakeableFilter{}, 100) {
				head, _, _ := strings.Cut(line, " for ")
				lines = append(lines, head)
			}
			return lines
		}
		wantNames(t, "awakeables", list(), []string{"Asker/k/three 18 created backing-off", "Asker/k/three 19 created backing-off"})
		advance(24 * time.Hour)
		synctest.Wait()
		wantNames(t, "awakeables", list(), []string{"Asker/k/three 18 created paused", "Asker/k/three 19 created paused"})
	})
}

func TestAwakeablesAreFilteredAndPaged(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: append(w.services(), asker(w))}, func(t *testing.T, b *bench) {
		var id ident.InvocationID
		for i := range 40 {
			send(b, ask("Desk", fmt.Sprint(i), "ask", fmt.Sprint(i)))
			id = send(b, ask("Asker", fmt.Sprint(i), "three", fmt.Sprint("a", i)))
		}
		advance(5 * time.Minute)
		send(b, ask("Desk", "young", "ask", "young"))
		synctest.Wait()
		all := b.awakeables(query.AwakeableFilter{}, 7)
		if len(all) != 40+3*40+1 {
			t.Errorf("there are %d awakeables", len(all))
		}
		slices.Sort(all)
		if len(slices.Compact(all)) != 161 {
			t.Errorf("some are listed twice")
		}
		if n := len(b.awakeables(query.AwakeableFilter{Service: "Desk"}, 7)); n != 41 {
			t.Errorf("%d awakeables of Desk", n)
		}
		if n := len(b.awakeables(query.AwakeableFilter{States: []query.AwakeableState{query.AwakeableCreated}}, 7)); n != 80 {
			t.Errorf("%d awakeables are created", n)
		}
		if n := len(b.awakeables(query.AwakeableFilter{MinAgeMs: 60_000}, 7)); n != 160 {
			t.Errorf("%d awakeables are old", n)
		}
		if n := len(b.awakeables(query.AwakeableFilter{HasKey: true, Key: "7"}, 2)); n != 4 {
			t.Errorf("%d awakeables of key 7", n)
		}
		if n := len(b.awakeables(query.AwakeableFilter{Invocation: id}, 2)); n != 3 {
			t.Errorf("%d awakeables of one invocation", n)
		}
		if n := len(b.awakeables(query.AwakeableFilter{Invocation: ident.NewInvocationID(1, [16]byte{1})}, 2)); n != 0 {
			t.Errorf("%d awakeables of an invocation that is not there", n)
		}
		page, err := b.rt.Awakeables(t.Context(), query.AwakeableFilter{}, query.Paging{Limit: 2})
		if err != nil {
			t.Fatal(err)
		}
		_, err = b.rt.Awakeables(t.Context(), query.AwakeableFilter{Service: "Desk"}, query.Paging{Limit: 2, Cursor: page.Next})
		if !errors.Is(err, query.ErrForeignCursor) {
			t.Errorf("the cursor of another filter gives %v", err)
		}
	})
}

func TestTheStateOfAKeyIsReadInPagesAndHasItsVersion(t *testing.T) {
	t.Parallel()
	size := func(i int) int { return 1 + i%3*600 } // in the head record, in a row, in a row
	big := restate.NewObject("Big").Handler("fill", restate.NewObjectHandler(func(ctx restate.ObjectContext, n int) (restate.Void, error) {
		restate.ClearAll(ctx)
		for i := range n {
			restate.Set(ctx, fmt.Sprintf("v%05d", i), bytes.Repeat([]byte("x"), size(i)), restate.WithBinary)
		}
		return restate.Void{}, nil
	}))
	inBubble(t, Options{Services: []restate.ServiceDefinition{big}}, func(t *testing.T, b *bench) {
		if k := b.key("Big", "k", query.KeyOptions{}); k.Exists || k.Status != query.KeyIdle || k.StateVersion != machine.StateVersion(nil) {
			t.Errorf("a key that nobody has used is %+v", k)
		}
		for _, n := range []int{1, 30, 1000, 2500} {
			call(b, ask("Big", "k", "fill", n))
			var want []machine.StateValue
			total := 0
			for i := range n {
				want = append(want, machine.StateValue{Name: fmt.Sprintf("v%05d", i), Value: bytes.Repeat([]byte("x"), size(i))})
				total += size(i)
			}
			k := b.key("Big", "k", query.KeyOptions{})
			got := k.State
			for pages := 1; k.StateTruncated; pages++ {
				if k.StateVersion != "" || pages > 3 {
					t.Fatalf("page %d of the state, with version %q", pages, k.StateVersion)
				}
				k = b.key("Big", "k", query.KeyOptions{StateAfter: &k.StateNext})
				got = append(got, k.State...)
			}
			if machine.StateVersion(got) != machine.StateVersion(want) || k.StateEntries != n {
				t.Errorf("the state has %d values of %d", len(got), n)
			}
			if n <= query.MaxStateValues && (k.StateVersion != machine.StateVersion(want) || !k.Measured || k.StateBytes != total) {
				t.Errorf("%d values have version %q and %d bytes, want %d bytes", n, k.StateVersion, k.StateBytes, total)
			}
		}
	})
}

func TestPromisesShowTheirWaitersAndTheirResults(t *testing.T) {
	t.Parallel()
	o := Options{Services: []restate.ServiceDefinition{signup()}}
	inBubble(t, o, func(t *testing.T, b *bench) {
		var waiters []ident.InvocationID
		for range 3 {
			waiters = append(waiters, send(b, ask("Signup", "a", "wait", "p")))
			synctest.Wait()
		}
		send(b, ask("Signup", "a", "wait", "o"))
		call(b, ask("Signup", "a", "sign", "yes"))
		for i := range 10 {
			call(b, ask("Signup", fmt.Sprint("w", i), "sign", "no"))
		}
		synctest.Wait()
		lines := func(f query.PromiseFilter, limit int) (lines []string) {
			for _, p := range b.promises(f, limit) {
				lines = append(lines, fmt.Sprintf("%s/%s %q %t %s %d", p.Service, p.Key, p.Name, p.Completed(), p.Result.Value, len(p.Waiters)))
				if p.Name == "p" && !slices.Equal(p.Waiters, waiters) {
					t.Errorf("the waiters are %v, want %v", p.Waiters, waiters)
				}
			}
			return lines
		}
		a := []string{`Signup/a "o" false  1`, `Signup/a "p" false  3`, `Signup/a "signed" true "yes" 0`}
		all := slices.Clone(a)
		for i := range 10 {
			all = append(all, fmt.Sprintf(`Signup/w%d "signed" true "no" 0`, i))
		}
		for _, limit := range []int{1, 2, 3, 100} {
			wantNames(t, "promises", lines(query.PromiseFilter{}, limit), all)
			wantNames(t, "promises of the service", lines(query.PromiseFilter{Services: []string{"Signup"}}, limit), all)
			wantNames(t, "promises of one key", lines(query.PromiseFilter{Key: new("a")}, limit), a)
			wantNames(t, "promises of one name", lines(query.PromiseFilter{Name: new("p")}, limit), a[1:2])
			wantNames(t, "open promises", lines(query.PromiseFilter{Completed: new(false)}, limit), a[:2])
			wantNames(t, "completed promises", lines(query.PromiseFilter{Completed: new(true)}, limit), all[2:])
		}
		if k := b.key("Signup", "a", query.KeyOptions{}); len(k.Promises) != 3 || k.PromisesTruncated {
			t.Errorf("the key has %d promises", len(k.Promises))
		}
	})
}

func TestWhatAnInvocationWaitsForIsExplained(t *testing.T) {
	t.Parallel()
	w := &world{}
	wait := restate.NewObject("Waiter").Handler("all", restate.NewObjectHandler(func(ctx restate.ObjectContext, _ restate.Void) (restate.Void, error) {
		a := restate.Awakeable[string](ctx)
		nap := restate.After(ctx, 50*time.Hour)
		asked := restate.Object[string](ctx, "Desk", "x", "ask").RequestFuture("x")
		_, err := restate.WaitFirst(ctx, a, nap, asked)
		return restate.Void{}, err
	}))
	o := Options{Services: append(w.services(), wait, signup())}
	inBubble(t, o, func(t *testing.T, b *bench) {
		id := send(b, ask("Waiter", "k", "all", nil))
		promised := send(b, ask("Signup", "a", "wait", "p"))
		explain := func(id ident.InvocationID) string {
			in, err := b.rt.Inspect(t.Context(), id, InspectOptions{Waits: true})
			if err != nil {
				t.Fatal(err)
			}
			var text []string
			for _, wait := range in.Waits {
				s := wait.ID.String()
				if wait.Command != 0 {
					s += " " + wait.Command.String()
				}
				if wait.WakeUpAt != 0 {
					s += " " + time.UnixMilli(wait.WakeUpAt).Sub(time.UnixMilli(in.Invocation.CreatedAt)).String()
				}
				if wait.Callee != (ident.InvocationID{}) {
					s += " " + wait.Target.String()
				}
				text = append(text, s+wait.Promise)
			}
			slices.Sort(text)
			return strings.Join(text, ", ")
		}
		for _, pause := range []time.Duration{0, 5 * time.Minute} {
			advance(pause)
			synctest.Wait()
			if got, want := explain(id), "completion 1 Sleep 50h0m0s, completion 3 Call Desk/x/ask, signal 1, signal 17"; got != want {
				t.Errorf("after %v it waits for %s, want %s", pause, got, want)
			}
			if got, want := explain(promised), "completion 1 GetPromisep, signal 1"; got != want {
				t.Errorf("after %v it waits for %s, want %s", pause, got, want)
			}
		}
	})
}
