package machine

import (
	"testing"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
)

// tell adds the changes of a committed output to what was told, and checks that
// each begins where the last one ended, and that all together say what the disk
// says. All stories pass here.
func (w *world) tell(out *Output) {
	if w.reported == nil {
		w.reported = map[ident.Seq]Status{}
	}
	for _, c := range out.Changes {
		birth := c.Row.Birth
		if was := w.reported[birth]; was != c.Was {
			w.t.Errorf("%v of %s was %v, and the change says %v", birth, nameOf(c.Row.ID), was, c.Was)
		}
		w.reported[birth] = c.Row.Status
		if c.Removed {
			delete(w.reported, birth)
		}
		if n := uint32(len(c.Entries)); c.First+n != c.Row.JournalLength {
			w.t.Errorf("%v: entries %d to %d of a journal of %d were appended", birth, c.First, c.First+n, c.Row.JournalLength)
		}
	}
	have := 0
	for k, row := range w.disk {
		if k.Table != TableInvocation {
			continue
		}
		have++
		if inv := row.(*InvocationRow); w.reported[inv.Birth] != inv.Status {
			w.t.Errorf("%v is %v on disk, and the changes say %v", inv.Birth, inv.Status, w.reported[inv.Birth])
		}
	}
	if have != len(w.reported) {
		w.t.Errorf("%d invocations are on disk, and the changes say %d", have, len(w.reported))
	}
}

func TestTheEndOfAnInvocationThatIsNotKeptIsAChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ident.ObjectKey{Service: "Obj", Key: "k"})
	target := ident.Target{Service: "Obj", Key: "k", Handler: "h", Kind: ident.KindExclusive}
	born := w.apply(&Invoke{ID: w.id("a"), Target: target}).Changes
	if len(born) != 1 || born[0].Was != 0 || born[0].Row.Status != StatusReady || len(born[0].Entries) != 1 {
		t.Fatalf("the birth is %+v", born)
	}
	row := w.inv("a")
	ended := w.apply(&Append{Birth: row.Birth, Epoch: row.Epoch, Ended: true, Proposals: []Proposal{w.proposal([]string{"output", "o"})}}).Changes
	if len(ended) != 1 {
		t.Fatalf("the end is %+v", ended)
	}
	c := ended[0]
	if c.Was != StatusReady || c.Row.Status != StatusCompleted || !c.Removed || c.First != 1 || len(c.Entries) != 1 || c.Entries[0].Type != journal.TypeOutput {
		t.Errorf("the end is %+v", c)
	}
	w.commit()
}

func TestStandingFollowsTheQueueAndTheHolder(t *testing.T) {
	t.Parallel()
	w := newWorld(t, ident.ObjectKey{Service: "Obj", Key: "k"})
	target := ident.Target{Service: "Obj", Key: "k", Handler: "h", Kind: ident.KindExclusive}
	keep := Retention{Completion: 1000, Journal: 1000}
	w.apply(&Invoke{ID: w.id("a"), Target: target, Retention: keep})
	a := w.inv("a")
	w.apply(&Invoke{ID: w.id("b"), Target: target, Retention: keep})
	want := Standing{Holder: a.Birth, HolderID: a.ID, Status: StatusReady, Epoch: a.Epoch, Queued: 1}
	if got := w.object.Standing(); got != want {
		t.Errorf("the standing is %+v, want %+v", got, want)
	}
	w.apply(&Signal{ID: a.ID, Signal: journal.SignalID(17), Result: journal.VoidResult()})
	for index, want := range map[uint32]bool{17: true, 18: false} {
		if answered, known := w.object.Answered(a.Birth, index); answered != want || !known {
			t.Errorf("awakeable %d: answered %t, known %t", index, answered, known)
		}
	}
	w.apply(&Park{Birth: a.Birth, Epoch: a.Epoch, Await: &journal.Future{Combinator: journal.FirstCompleted, Signals: []uint32{18}}, Taken: 2})
	w.commit()
	w.activate()
	w.apply(&Attach{Token: 1, ID: w.id("b"), Peek: true})
	want.Status, want.Epoch = 0, 0
	if got := w.object.Standing(); got != want {
		t.Errorf("with its holder on disk only, the standing is %+v, want %+v", got, want)
	}
	if _, known := w.object.Answered(a.Birth, 17); known {
		t.Error("what is on disk only is known")
	}
	if _, found := w.object.Record(w.inv("b").Birth); !found {
		t.Error("the record that was just read is not in memory")
	}
}
