package actors

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
	restate "github.com/dormouse-run/dormouse/objects"
)

// Random programs on few keys. With the option everything ends, because every
// deadlock is found and one of its calls fails. Without it, everything that does
// not end is shown its deadlock.
func TestARandomStoryHasNoDeadlockThatIsNotFound(t *testing.T) {
	t.Parallel()
	for seed := range uint64(24) {
		for _, fail := range []bool{false, true} {
			t.Run(fmt.Sprintf("seed %d fail %t", seed, fail), func(t *testing.T) {
				t.Parallel()
				w := &knots{}
				var options []restate.ServiceDefinitionOption
				if fail {
					options = append(options, restate.WithFailOnDeadlock())
				}
				o := w.options(options...)
				r := rand.New(rand.NewPCG(9, seed))
				o.InactivityTimeout = []time.Duration{0, -1, time.Second}[r.IntN(3)]
				inBubble(t, o, func(t *testing.T, b *bench) {
					ids := w.play(b, r)
					w.check(b, ids, fail)
				})
			})
		}
	}
}

const storyKeys = "abcd"

// program returns random steps.
func program(r *rand.Rand) []string {
	var steps []string
	for range 1 + r.IntN(4) {
		key := func() string { return storyKeys[r.IntN(len(storyKeys)):][:1] }
		steps = append(steps, []string{
			"call " + key(), "call " + key(), "via " + key(), "late " + key(), "timed " + key(),
			"both " + key() + " " + key(), "gate", "call " + key() + "#" + key(),
		}[r.IntN(8)])
	}
	if steps[len(steps)-1] != "gate" {
		steps = append(steps, "gate")
	}
	return steps
}

// play starts programs, answers awakeables, and crashes now and then.
func (w *knots) play(b *bench, r *rand.Rand) (ids []ident.InvocationID) {
	for range 10 {
		key := storyKeys[r.IntN(len(storyKeys)):][:1]
		ids = append(ids, send(b, knot(key, program(r)...)))
		if r.IntN(2) == 0 {
			advance(time.Duration(r.IntN(3000)) * time.Millisecond)
			w.open(b)
		}
		if r.IntN(8) == 0 {
			synctest.Wait()
			b.crash()
		}
	}
	for range 60 {
		advance(time.Minute)
		synctest.Wait()
		w.open(b)
	}
	advance(10 * time.Minute)
	return ids
}

// open answers the latest awakeable of each key.
func (w *knots) open(b *bench) {
	for _, key := range strings.Split(storyKeys, "") {
		w.mu.Lock()
		_, there := w.ids[key]
		w.mu.Unlock()
		if there {
			b.resolve(&w.world, key, "go")
		}
	}
}

func (w *knots) check(b *bench, ids []ident.InvocationID, fail bool) {
	stuck := 0
	for _, id := range ids {
		in, err := b.rt.Inspect(b.t.Context(), id, InspectOptions{Deadlock: true})
		if err != nil {
			b.t.Fatal(err)
		}
		switch done := in.Invocation.Status == machine.StatusCompleted; {
		case done && len(in.Deadlock) > 0:
			b.t.Errorf("%s has ended and is shown the deadlock %v", id, in.Deadlock)
		case !done && fail:
			b.t.Errorf("%s of %s does not end: it is %s and waits for %v", id, in.Invocation.Target, in.Invocation.Status, in.Invocation.Await)
		case !done && len(in.Deadlock) == 0:
			b.t.Errorf("%s of %s does not end and is in no deadlock: it is %s and waits for %v", id, in.Invocation.Target, in.Invocation.Status, in.Invocation.Await)
		case !done:
			stuck++
		}
	}
	if stuck > 0 && b.rt.Stats().Deadlocks == 0 {
		b.t.Errorf("%d invocations are stuck and no deadlock was found", stuck)
	}
	if b.t.Failed() {
		b.t.Log(w.log.String())
	}
	b.t.Logf("%d of %d are stuck, %d deadlocks", stuck, len(ids), b.rt.Stats().Deadlocks)
}

// When there was no room for a mark, the queues are looked at again.
func TestWhatHadNoRoomIsFoundLater(t *testing.T) {
	t.Parallel()
	w := &knots{}
	inBubble(t, w.options(), func(t *testing.T, b *bench) {
		id := send(b, knot("a", "late a"))
		look()
		d := b.rt.deadlocks
		d.mu.Lock()
		clear(d.marks)
		d.marked.Store(0)
		d.lose()
		d.mu.Unlock()
		b.resolve(&w.world, "a", "go")
		look()
		w.found(b, 0)
		advance(2 * resweepPause)
		look()
		w.found(b, 1)
		if _, ids := b.deadlock(id); len(ids) != 2 {
			t.Errorf("the cycle is %v", ids)
		}
	})
}

// TestATreeIsStuckWhenNothingThatCanHappenDecidesIt: completions 1 and 2 are
// calls that are stuck, 3 one that is not, 4 a sleep or a Run.
func TestATreeIsStuckWhenNothingThatCanHappenDecidesIt(t *testing.T) {
	t.Parallel()
	stuck, free := callee{node: &node{}}, callee{node: &node{free: true}}
	n := &node{callees: map[uint32]callee{1: stuck, 2: stuck, 3: free}}
	tree := func(c journal.Combinator, completions ...uint32) *journal.Future {
		return &journal.Future{Combinator: c, Completions: completions, Signals: []uint32{ident.CancelSignal}}
	}
	over := func(c journal.Combinator, nested ...*journal.Future) *journal.Future {
		return &journal.Future{Combinator: c, Nested: nested}
	}
	const first, all, anyOK, allOK = journal.FirstCompleted, journal.AllCompleted, journal.FirstSucceededOrAllFailed, journal.AllSucceededOrFirstFailed
	for _, row := range []struct {
		tree *journal.Future
		able bool
	}{
		{tree(first, 1), false},
		{tree(first, 1, 2), false},
		{tree(first, 1, 3), true},
		{tree(first, 1, 4), true},
		{tree(journal.Unknown, 1, 2), false},
		{tree(all, 1, 3), false},
		{tree(all, 3, 4), true},
		{tree(anyOK, 1, 4), true},
		{tree(anyOK, 1, 2), false},
		{tree(allOK, 1, 4), true}, // 4 may fail
		{tree(allOK, 1, 2), false},
		{tree(first), true},
		{over(all, tree(first, 1, 3), tree(first, 4)), true},
		{over(all, tree(first, 1, 3), tree(all, 2, 4)), false},
		{over(first, tree(all, 1, 3), tree(all, 2, 4)), false},
		{&journal.Future{Combinator: first, Completions: []uint32{1}, Named: []string{"go"}}, true},
		{&journal.Future{Combinator: first, Completions: []uint32{1}, Signals: []uint32{1, 17}}, true},
	} {
		if got := n.decidable(row.tree); got != row.able {
			t.Errorf("%v: decidable %t, want %t", row.tree, got, row.able)
		}
	}
}

// A chain that is too long to be followed is no deadlock, and no trouble.
func TestACycleIsFollowedUpToABound(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]uint64{100: 1, maxWalkNodes + 10: 0} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			w := &knots{}
			o := w.options(restate.WithFailOnDeadlock())
			inBubble(t, o, func(t *testing.T, b *bench) {
				var steps []string
				for i := range n {
					steps = append(steps, fmt.Sprintf("call k%d", i+1))
				}
				id := send(b, knot("k0", append(steps, "call k0")...))
				advance(time.Duration(n) * 2 * deadlockPause) // each look asks one more handler
				look()
				w.found(b, want)
				if want == 0 {
					_, err := b.rt.Operate(t.Context(), machine.OpKill, id)
					if err != nil {
						t.Fatal(err)
					}
					return
				}
				answer := wantFailureOf508(t, b, id)
				if !strings.Contains(answer, ", and so on, which") || len(answer) > 4096 {
					t.Errorf("the message is %q", answer)
				}
			})
		})
	}
}
