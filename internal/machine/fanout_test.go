package machine

import (
	"fmt"
	"testing"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
)

// start accepts an invocation by name and makes it durable.
func (w *world) start(name string) (birth, epoch ident.Seq) {
	w.apply(&Invoke{
		ID: w.id(name), Target: ident.Target{Service: w.key.Service, Key: w.key.Key, Handler: "h", Kind: ident.KindExclusive},
		InvokedBy: ByIngress, Retention: Retention{Completion: 3_600_000},
	})
	w.commit()
	row := w.inv(name)
	return row.Birth, row.Epoch
}

// call appends n calls of an attempt, with even completion ids from 2.
func (w *world) call(birth, epoch ident.Seq, n int) {
	const step = 100
	for first := 1; first <= n; first += step {
		ev := &Append{Birth: birth, Epoch: epoch}
		for i := first; i < first+step && i <= n; i++ {
			ev.Proposals = append(ev.Proposals, w.proposal([]string{"call", fmt.Sprint(2 * i), fmt.Sprint("callee", i)}))
		}
		w.apply(ev)
	}
	w.commit()
}

// waiters makes n other invocations wait for the result of name.
func (w *world) waiters(name string, n int) {
	for i := range n {
		w.apply(&Attach{ID: w.id(name), Waiter: Address{Object: w.key, ID: w.id("other"), Birth: 7, Completion: uint32(i + 1)}})
	}
	w.commit()
}

// work does the chores on disk in turns, a slice of each, until none is left,
// and returns how many messages of each type they and what came before sent.
func (w *world) work() map[string]int {
	for {
		w.commit()
		var chores []*ChoreRow
		for _, r := range w.disk {
			if c, ok := r.(*ChoreRow); ok {
				chores = append(chores, c)
			}
		}
		if len(chores) == 0 {
			break
		}
		for _, c := range chores {
			w.apply(&DoChore{Chore: *c})
			w.commit()
		}
	}
	sent := map[string]int{}
	for _, r := range w.disk {
		if o, ok := r.(*OutboxRow); ok {
			sent[fmt.Sprintf("%T", o.Message)]++
		}
	}
	return sent
}

// TestAPurgeTakesNoWaitersFromTheChoreThatAnswersThem purges an invocation
// while its many waiters are being answered.
func TestAPurgeTakesNoWaitersFromTheChoreThatAnswersThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ident.ObjectKey{Service: "Obj", Key: "k"})
	birth, epoch := w.start("a")
	const waiters = 3 * choreSlice
	w.waiters("a", waiters)
	w.apply(&Append{Birth: birth, Epoch: epoch, Proposals: []Proposal{w.proposal([]string{"output", "done"})}, Ended: true})
	w.apply(&Operate{ID: w.id("a"), Op: OpPurge})
	if got := w.work()["*machine.Returned"]; got != waiters {
		t.Errorf("%d of %d waiters were answered", got, waiters)
	}
	w.onlyOutboxIsLeft()
}

// TestAPurgeTakesNoCalleesFromTheChoreThatKillsThem is the same for a kill.
func TestAPurgeTakesNoCalleesFromTheChoreThatKillsThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ident.ObjectKey{Service: "Obj", Key: "k"})
	birth, epoch := w.start("a")
	const callees = 3 * choreSlice
	w.call(birth, epoch, callees)
	w.apply(&Operate{ID: w.id("a"), Op: OpKill})
	w.apply(&Operate{ID: w.id("a"), Op: OpPurge})
	if got := w.work()["*machine.Operate"]; got != callees {
		t.Errorf("%d of %d callees were killed", got, callees)
	}
	w.onlyOutboxIsLeft()
}

// onlyOutboxIsLeft checks that nothing of a removed invocation is left but what
// it owed, and expiries that will find nothing.
func (w *world) onlyOutboxIsLeft() {
	w.t.Helper()
	for k, r := range w.disk {
		if k.Table != TableOutbox && k.Table != TableExpiry {
			w.t.Errorf("left on disk: %s", w.describe(r))
			return
		}
	}
}

// TestResultsUnderWayDoNotHideWhatIsPending kills an invocation while results of
// its calls are on their way to the disk: their rows are still there, and must
// not keep the rows of the others from being read.
func TestResultsUnderWayDoNotHideWhatIsPending(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ident.ObjectKey{Service: "Obj", Key: "k"})
	birth, epoch := w.start("a")
	const calls, returned = 300, 100
	w.call(birth, epoch, calls)
	w.activate()
	for i := 1; i <= returned; i++ {
		w.apply(&Returned{
			To:   Address{Object: w.key, ID: w.id("a"), Birth: birth, Completion: uint32(2 * i)},
			Type: journal.TypeCallCompletion, Result: journal.VoidResult(),
		})
	}
	w.apply(&Operate{ID: w.id("a"), Op: OpKill}) // reads rows; they must fit the record
	if got := w.work()["*machine.Operate"]; got != calls-returned {
		t.Errorf("%d callees were killed, want %d", got, calls-returned)
	}
}

// TestNamesThatAreAbsentDoNotPileUp reads many names that no value has, while
// not all names are known.
func TestNamesThatAreAbsentDoNotPileUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ident.ObjectKey{Service: "Obj", Key: "k"})
	birth, epoch := w.start("a")
	w.apply(&Append{Birth: birth, Epoch: epoch, Proposals: []Proposal{w.proposal([]string{"set", "large", "size:5000"})}})
	w.commit()
	w.activate()
	w.apply(&Recover{Active: ActiveRow{Birth: birth, ID: w.id("a"), Object: w.key}})
	epoch = w.inv("a").Epoch
	for i := range 1000 {
		w.apply(&ReadState{Birth: birth, Epoch: epoch, Name: fmt.Sprint("absent", i)})
		w.apply(&ReadState{Birth: birth, Epoch: epoch, Name: "large"})
		w.commit()
	}
	if n := len(w.object.state.cells); n > 10 {
		t.Errorf("%d names are in memory", n)
	}
	w.object.Settle(w.durable)
	if c := w.object.state.cells["large"]; c != nil && c.value != nil {
		t.Errorf("a large value that was only read stays in memory")
	}
}
