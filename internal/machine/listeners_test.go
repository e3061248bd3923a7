package machine

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
)

// The tests of this file are about promises for which many wait: rules R10 and
// R11. What one output cannot do is left to chores, and the end is the same.

// join accepts an invocation of a workflow: the run when it has that name.
func (w *world) join(name string) {
	kind := ident.KindShared
	if name == "run" {
		kind = ident.KindWorkflow
	}
	w.apply(&Invoke{ID: w.id(name), Target: ident.Target{Service: w.key.Service, Key: w.key.Key, Handler: "h", Kind: kind},
		Retention: Retention{Completion: 3_600_000, Journal: 3_600_000, OfWorkflow: true, Workflow: 3_600_000}})
}

// issue lets the attempt of name issue commands, in one output.
func (w *world) issue(name string, ended bool, lines ...string) *Output {
	row := w.inv(name)
	ev := &Append{Birth: row.Birth, Epoch: row.Epoch, Ended: ended}
	for _, line := range lines {
		ev.Proposals = append(ev.Proposals, w.proposal(strings.Fields(line)))
	}
	return w.apply(ev)
}

// crowd makes n shared invocations wait for promise p, suspended and on disk.
func (w *world) crowd(n int) {
	for i := range n {
		name := fmt.Sprint("q", i)
		w.join(name)
		w.issue(name, false, "get 1 p")
		row := w.inv(name)
		w.apply(&Park{Birth: row.Birth, Epoch: row.Epoch, Taken: 1,
			Await: &journal.Future{Combinator: journal.FirstCompleted, Signals: []uint32{1}, Completions: []uint32{1}}})
	}
	w.commit()
	w.activate()
}

// told returns how many of the crowd have an answer that contains want.
func (w *world) told(n int, want string) (told int) {
	for i := range n {
		if strings.Contains(w.printEntries(fmt.Sprint("q", i)), want) && w.inv(fmt.Sprint("q", i)).Status == StatusReady {
			told++
		}
	}
	return told
}

// bounded fails unless an output could be stored.
func (w *world) bounded(out *Output) {
	w.t.Helper()
	bytes := 0
	for _, write := range out.Writes {
		var entries []journal.Entry
		switch r := write.Put.(type) {
		case *JournalRow:
			entries = r.Entries
		case *InvocationRow:
			entries = r.Tail
		}
		for _, e := range entries {
			bytes += len(e.Body)
		}
	}
	if len(out.Writes) > 2048 || bytes > 512<<10 {
		w.t.Errorf("an output writes %d rows and %d bytes of entries", len(out.Writes), bytes)
	}
}

// grind does chores, with a crash before every third slice.
func (w *world) grind() {
	for n := 0; ; n++ {
		w.commit()
		if n%3 == 2 {
			w.crash()
		}
		var chore *ChoreRow
		for _, r := range w.disk {
			if c, ok := r.(*ChoreRow); ok {
				chore = c
			}
		}
		if chore == nil {
			return
		}
		w.bounded(w.apply(&DoChore{Chore: *chore}))
	}
}

func (w *world) count(table Table) (n int) {
	for k := range w.disk {
		if k.Table == table {
			n++
		}
	}
	return n
}

func TestManyListenersAreAnsweredInBoundedSlices(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, inlineListeners, inlineListeners + 1, 2*fanOut + 10} {
		for _, size := range []int{1, 20_000} {
			t.Run(fmt.Sprintf("%d with %d bytes", n, size), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, ident.ObjectKey{Service: "Wf", Key: "k"})
				w.crowd(n)
				w.join("run")
				value := strings.Repeat("v", size)
				w.bounded(w.issue("run", false, "resolve 1 p "+value))
				w.grind()
				if got := w.told(n, value); got != n {
					t.Errorf("%d of %d listeners were told", got, n)
				}
				if l, p := w.count(TableListener), w.count(TablePending); l+p != 0 {
					t.Errorf("%d listeners and %d pending rows are left", l, p)
				}
			})
		}
	}
}

// TestManyPromisesOfOneOutputStayWithinItsBounds completes more promises, each
// with listeners, than one output can answer.
func TestManyPromisesOfOneOutputStayWithinItsBounds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ident.ObjectKey{Service: "Wf", Key: "k"})
	const promises, each = 40, 40
	var resolves []string
	for i := range promises {
		resolves = append(resolves, fmt.Sprintf("resolve %d p%d v", i+1, i))
	}
	for n := range each {
		name := fmt.Sprint("q", n)
		w.join(name)
		var gets []string
		for i := range promises {
			gets = append(gets, fmt.Sprintf("get %d p%d", i+1, i))
		}
		w.issue(name, false, gets...)
	}
	w.commit()
	w.join("run")
	w.bounded(w.issue("run", false, resolves...))
	w.grind()
	for n := range each {
		if got := strings.Count(w.printEntries(fmt.Sprint("q", n)), `"v"`); got != promises {
			t.Fatalf("q%d has %d of %d answers", n, got, promises)
		}
	}
}

func TestTheEndOfARunEndsTheWaitsOfManyInBoundedSlices(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ident.ObjectKey{Service: "Wf", Key: "k"})
	const n = fanOut + 10
	w.crowd(n)
	w.join("run")
	w.issue("run", true, "output done")
	w.now += 2 * 3_600_000
	w.commit()
	for _, r := range w.disk {
		if e, ok := r.(*ExpiryRow); ok && e.ID == w.id("run") && e.What == ExpireInvocation {
			w.bounded(w.apply(&Expire{Expiry: *e}))
		}
	}
	w.grind()
	if got := w.told(n, "404"); got != n {
		t.Errorf("the waits of %d of %d have ended", got, n)
	}
	if w.disk[(&IDRow{ID: w.id("run")}).Key()] == nil {
		t.Error("the run is removed while its workflow has unfinished invocations")
	}
}

// TestWhatIsCompletedWhileAWorkflowExpiresIsTold has a chore of a completion
// under way when the retention ends: its listeners get the value, not 404.
func TestWhatIsCompletedWhileAWorkflowExpiresIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ident.ObjectKey{Service: "Wf", Key: "k"})
	const n = inlineListeners + 10
	w.crowd(n)
	w.join("run")
	w.issue("run", true, "resolve 1 p late", "output done")
	w.now += 2 * 3_600_000
	w.commit()
	w.apply(&Expire{Expiry: ExpiryRow{Partition: w.part, Hour: hourOf(w.inv("run").ExpiresAt), Birth: w.inv("run").Birth, ID: w.id("run"), What: ExpireInvocation}})
	w.grind()
	if got := w.told(n, `"late"`); got != n {
		t.Errorf("%d of %d got the value", got, n)
	}
}

// TestAnEndStopsListeningToManyPromises ends invocations that wait for more
// promises than one output can leave, by themselves and by a kill.
func TestAnEndStopsListeningToManyPromises(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(w *world){
		"at the end": func(w *world) { w.bounded(w.issue("q", true, "output done")) },
		"at a kill":  func(w *world) { w.bounded(w.apply(&Operate{ID: w.id("q"), Op: OpKill})) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, ident.ObjectKey{Service: "Wf", Key: "k"})
			w.join("q")
			for i := range 3 * fanOut {
				w.issue("q", false, fmt.Sprintf("get %d p%d", i+1, i))
			}
			w.commit()
			end(w)
			w.join("run") // resolves while the chore is under way
			w.issue("run", false, "resolve 1 p700 v")
			w.grind()
			if n := w.count(TableListener) + w.count(TablePending); n != 0 {
				t.Errorf("%d listeners and pending rows are left", n)
			}
			if got := w.count(TablePromise); got != 3*fanOut {
				t.Errorf("%d promises are left, want %d", got, 3*fanOut)
			}
		})
	}
}

// TestAListenerThatIsDurableIsFoundBesideOneThatIsNot completes a promise whose
// first listener has left memory while the second is on its way to the disk.
func TestAListenerThatIsDurableIsFoundBesideOneThatIsNot(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ident.ObjectKey{Service: "Wf", Key: "k"})
	w.join("q0")
	w.issue("q0", false, "get 1 p")
	first := w.line
	w.line = nil
	w.join("q1")
	w.issue("q1", false, "get 1 p")
	rest := w.line
	w.line = first
	w.commit()
	w.line = rest
	w.join("run") // settles what is durable
	w.issue("run", false, "resolve 1 p v")
	w.commit()
	if got := w.told(2, `"v"`); got != 2 {
		t.Errorf("%d of 2 listeners were told", got)
	}
}

// TestPromisesDoNotPileUpInMemory reads and waits for many promises.
func TestPromisesDoNotPileUpInMemory(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ident.ObjectKey{Service: "Wf", Key: "k"})
	w.join("q")
	for i := range 500 {
		w.issue("q", false, fmt.Sprintf("peek %d absent%d", 2*i+1, i), fmt.Sprintf("get %d p%d", 2*i+2, i))
		w.commit()
	}
	if n := len(w.object.promises.byName); n > 4 {
		t.Errorf("%d promises are in memory", n)
	}
}

// TestANewLifeOfAWorkflowHearsNothingOfTheOldOne leaves chores of an old life
// undone while the next one uses the same names.
func TestANewLifeOfAWorkflowHearsNothingOfTheOldOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ident.ObjectKey{Service: "Wf", Key: "k"})
	w.join("run")
	w.issue("run", true, "set s old", "resolve 1 p old", "output done")
	w.apply(&Operate{ID: w.id("run"), Op: OpPurge})
	w.join("run")
	w.issue("run", false, "peek 1 p", "get 2 p", "resolve 3 p new")
	w.commit()
	w.grind()
	if got := w.printEntries("run"); strings.Contains(got, "old") || strings.Contains(got, "409") || !strings.Contains(got, `GetPromiseCompletion 2: "new"`) {
		t.Errorf("the new life has\n%s", got)
	}
	if n := w.count(TablePromise); n != 1 {
		t.Errorf("%d promises are left, want 1", n)
	}
	if n := len(w.object.state.names()); n != 0 {
		t.Errorf("%d state values are left of the old life", n)
	}
}
