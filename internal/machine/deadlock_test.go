package machine

import (
	"github.com/cockroachdb/datadriven"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
)

// deadlockedEvent reads deadlocked id=ID caller=NAME; with old it names an
// earlier life of the id.
func (w *world) deadlockedEvent(d *datadriven.TestData, id ident.InvocationID) *Deadlocked {
	birth := w.inv(w.str(d, "id")).Birth
	if d.HasArg("old") {
		birth--
	}
	return &Deadlocked{
		Birth: birth, ID: id, Result: journal.FailureOf(508, "a cycle"),
		To: Address{Object: w.key, ID: w.id(w.str(d, "caller")), Birth: 7, Completion: 2},
	}
}
