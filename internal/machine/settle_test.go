package machine

import (
	"strings"
	"testing"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
)

// TestAnAttemptGetsFromMemoryWhatIsNotDurable starts an attempt while a row of its
// journal is on the way to the disk, where it would not be found.
func TestAnAttemptGetsFromMemoryWhatIsNotDurable(t *testing.T) {
	t.Parallel()
	w := livesWorld(t)
	w.begin()
	w.write([]string{"set", "n", strings.Repeat("x", 2*MaxTailBytes)})
	rest := w.line[1:]
	w.line = w.line[:1]
	w.commit() // the acceptance alone
	w.line = rest
	row := w.inv("x")
	if row.JournalRows != 1 {
		t.Fatalf("%d rows of the journal, want one that did not fit the record", row.JournalRows)
	}
	allocated := journal.Allocated{Signals: 1}
	w.apply(&Park{Birth: row.Birth, Epoch: row.Epoch, Taken: 2, Allocated: allocated, Await: &journal.Future{Signals: []uint32{ident.FirstAwakeable}}})
	out := w.apply(&Signal{ID: row.ID, Signal: journal.SignalID(ident.FirstAwakeable), Result: journal.ValueOf([]byte("1"))})
	for _, ef := range out.Now {
		if start, ok := ef.(*StartAttempt); ok {
			if start.Stored != 0 || len(start.Tail) != 3 {
				t.Errorf("%d entries are to be read, which are not on the disk, and %d are handed over", start.Stored, len(start.Tail))
			}
			return
		}
	}
	t.Fatal("no second attempt")
}

// TestWhatIsDurableIsForgottenInParts makes one invocation durable before another
// one that was written later.
func TestWhatIsDurableIsForgottenInParts(t *testing.T) {
	t.Parallel()
	w := livesWorld(t)
	target := ident.Target{Service: "Obj", Key: "k", Handler: "h", Kind: ident.KindShared}
	var ends []ident.Seq
	for _, name := range []string{"x", "y"} {
		w.apply(&Invoke{ID: w.id(name), Target: target, Retention: Retention{Completion: 1000, Journal: 1000}})
		w.apply(&Operate{ID: w.id(name), Op: OpKill})
		ends = append(ends, w.line[len(w.line)-1].Seq)
	}
	if n := len(w.object.invocations); n != 2 {
		t.Fatalf("%d invocations in memory before anything is durable, want 2", n)
	}
	w.object.Settle(ends[0])
	if n := len(w.object.invocations); n != 1 {
		t.Errorf("%d invocations in memory when one is durable, want 1", n)
	}
	w.object.Settle(ends[1])
	if n := len(w.object.invocations); n != 0 {
		t.Errorf("%d invocations in memory when all is durable, want none", n)
	}
}
