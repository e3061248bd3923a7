package actors

import (
	"fmt"
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/persistence"
)

// oneSync is how long a commit takes in these tests. Nothing else takes time, so
// the time that somebody waits is the number of groups he has waited for.
const oneSync = time.Millisecond

// calmScheduler yields until nobody else can go on, which makes exact what the
// committer leaves to the handlers in front of a group.
type calmScheduler struct{ Goroutines }

func (s *calmScheduler) Yield() { <-time.After(1) }

// register is a runtime that says what things have cost.
type register struct {
	t  *testing.T
	rt *Runtime
	b  *bench // for the helpers that make requests
}

// atTheRegister runs a test in a bubble with a runtime whose commits take oneSync.
func atTheRegister(t *testing.T, test func(t *testing.T, register *register)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		store := persistence.NewMemory().(*persistence.Memory)
		store.SetHooks(persistence.Hooks{BeforeCommit: func([]*persistence.Batch, persistence.Marks) error {
			<-time.After(oneSync)
			return nil
		}})
		rt, err := Open(t.Context(), Options{Store: store, Scheduler: new(calmScheduler), Services: pricedServices()})
		if err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Second) // what a start does is over
		test(t, &register{t: t, rt: rt, b: &bench{t: t, rt: rt}})
		if err := rt.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
}

// pricedServices have a handler for each line of the budget. Those of Shop return
// how many groups they have waited for inside.
func pricedServices() []restate.ServiceDefinition {
	groups := func(since time.Time) int { return int(time.Since(since) / oneSync) }
	shop := restate.NewObject("Shop").
		Handler("nothing", restate.NewObjectHandler(func(restate.ObjectContext, int) (int, error) { return 0, nil })).
		Handler("state", restate.NewObjectHandler(func(ctx restate.ObjectContext, n int) (int, error) {
			began := time.Now()
			old, err := restate.Get[int](ctx, "n")
			restate.Set(ctx, "n", old+n)
			return groups(began), err
		})).
		Handler("runs", restate.NewObjectHandler(func(ctx restate.ObjectContext, n int) (int, error) {
			began := time.Now()
			for range n {
				if _, err := restate.Run(ctx, func(restate.RunContext) (int, error) { return 1, nil }); err != nil {
					return 0, err
				}
			}
			return groups(began), nil
		})).
		Handler("ask", restate.NewObjectHandler(func(ctx restate.ObjectContext, _ int) (int, error) {
			began := time.Now()
			a := restate.Awakeable[time.Time](ctx) // resolved with the time of the request
			inside := groups(began)
			asked, err := a.Result()
			return inside + groups(asked), err
		})).
		Handler("call", restate.NewObjectHandler(func(ctx restate.ObjectContext, _ int) (int, error) {
			began := time.Now()
			_, err := restate.Object[int](ctx, "Shop", restate.Key(ctx)+"'", "nothing").Request(0)
			return groups(began), err
		}))
	return []restate.ServiceDefinition{shop}
}

// bill is what one operation has cost.
type bill struct {
	// waited are the groups that whoever asked has waited for; inside those that
	// the handler has.
	waited, inside int
	// groups are all, until nothing was left to do; 0 where that is left to chance,
	// because a handler ends while the group of its acceptance is on its way.
	groups uint64
	// rows are counted before a group drops what it overwrites itself.
	rows   uint64
	waits  map[string]uint64
	events map[string]EventCount
}

func (b bill) String() string {
	return fmt.Sprintf("waited %d, inside %d, groups %d, rows %d, waits %v, events %v", b.waited, b.inside, b.groups, b.rows, b.waits, b.events)
}

// price runs an operation, and everything that follows from it, alone.
func (r *register) price(op func() (inside int)) bill {
	r.t.Helper()
	before, counted := r.rt.Stats(), r.rt.Metrics()
	began := time.Now()
	inside := op()
	waited := int(time.Since(began) / oneSync)
	<-time.After(time.Second)
	after, m := r.rt.Stats(), r.rt.Metrics()
	b := bill{
		waited: waited, inside: inside, groups: after.Commits - before.Commits, rows: after.Rows - before.Rows,
		waits: map[string]uint64{}, events: map[string]EventCount{},
	}
	for i, w := range m.Waits {
		if n := w.Count - counted.Waits[i].Count; n > 0 {
			b.waits[w.Reason] = n
		}
	}
	for i, e := range m.Events {
		if n := e.Outputs - counted.Events[i].Outputs; n > 0 {
			b.events[e.Event] = EventCount{Event: e.Event, Outputs: n, Rows: e.Rows - counted.Events[i].Rows}
		}
	}
	return b
}

func (r *register) call(key, handler string, n int) (inside int) {
	r.t.Helper()
	result := call(r.b, ask("Shop", key, handler, n)).Result
	if _, err := fmt.Sscan(string(result.Value), &inside); err != nil {
		r.t.Fatalf("%s returned %+v", handler, result)
	}
	return inside
}

// TestTheBudgetOfCommitsIsKept holds the table of docs/storage.md: what is waited
// for on the caller's path, and what a call costs in rows. Each figure is exact.
func TestTheBudgetOfCommitsIsKept(t *testing.T) {
	t.Parallel()
	for _, line := range []struct {
		name string
		op   func(r *register) int
		want bill
	}{
		{"a call without steps waits for one group", func(r *register) int { return r.call("a", "nothing", 0) },
			bill{waited: 1, groups: 1, rows: 7, waits: map[string]uint64{"answer": 1}}},
		{"state costs no group", func(r *register) int { return r.call("b", "state", 1) },
			bill{waited: 1, groups: 1, rows: 7, waits: map[string]uint64{"answer": 1}}},
		{"a send waits for one group", func(r *register) int { send(r.b, ask("Shop", "c", "nothing", 0)); return 0 },
			bill{waited: 1, rows: 7, waits: map[string]uint64{"answer": 1}}},
		{"a Run waits for its acceptance and for its result", func(r *register) int { return r.call("d", "runs", 1) },
			bill{waited: 3, inside: 2, groups: 3, rows: 8, waits: map[string]uint64{"answer": 1, "barrier": 1, "run": 1}}},
		{"each further Run waits for one group", func(r *register) int { return r.call("e", "runs", 5) },
			bill{waited: 7, inside: 6, groups: 7, rows: 12, waits: map[string]uint64{"answer": 1, "barrier": 1, "run": 5}}},
		{"a call between keys waits for a group on each side", func(r *register) int { return r.call("f", "call", 0) },
			bill{waited: 3, inside: 2, groups: 3, rows: 22, waits: map[string]uint64{"answer": 1, "delivery": 2}}},
	} {
		t.Run(line.name, func(t *testing.T) {
			t.Parallel()
			atTheRegister(t, func(t *testing.T, r *register) { r.compare(r.price(func() int { return line.op(r) }), line.want) })
		})
	}
}

func (r *register) compare(got, want bill) {
	r.t.Helper()
	if want.groups == 0 {
		got.groups = 0
	}
	if got.waited != want.waited || got.inside != want.inside || got.groups != want.groups || got.rows != want.rows || !maps.Equal(got.waits, want.waits) {
		r.t.Errorf("got  %v\nwant %v", got, want)
	}
	rows := uint64(0)
	for _, e := range got.events {
		rows += e.Rows
	}
	if rows != got.rows {
		r.t.Errorf("the events have written %d rows, and %d were committed: %v", rows, got.rows, got.events)
	}
}

// TestAnAwakeableCostsNothingUntilItIsResolved: to make one and to wait for it
// is free, the handler that waits in memory hears of the answer at once, and whoever
// resolves waits for one group.
func TestAnAwakeableCostsNothingUntilItIsResolved(t *testing.T) {
	t.Parallel()
	atTheRegister(t, func(t *testing.T, r *register) {
		id := send(r.b, ask("Shop", "a", "ask", 0))
		<-time.After(time.Second) // it waits
		resolve := func() int {
			if _, err := r.rt.Signal(t.Context(), id, journal.SignalID(ident.FirstAwakeable), valueOf(time.Now())); err != nil {
				t.Fatal(err)
			}
			return 0
		}
		r.compare(r.price(resolve), bill{waited: 1, rows: 5, waits: map[string]uint64{"answer": 1}})
		wantValue(t, attach(r.b, id), "0")
	})
}

// TestASuspensionWaitsForOneGroup, as does the handler that is brought back.
func TestASuspensionWaitsForOneGroup(t *testing.T) {
	t.Parallel()
	atTheRegister(t, func(t *testing.T, r *register) {
		id := send(r.b, ask("Shop", "a", "ask", 0))
		r.compare(r.price(func() int { <-time.After(2 * time.Minute); return 0 }),
			bill{waited: 120_000, groups: 1, rows: 3, waits: map[string]uint64{"suspension": 1}})
		if s := r.b.status(id); s != "suspended" {
			t.Errorf("it is %s", s)
		}
	})
}
