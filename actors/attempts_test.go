package actors

import (
	"math/rand/v2"
	"testing"

	"github.com/dormouse-run/dormouse/internal/ident"
)

// Attempts of several invocations may have one epoch.
func TestAttemptsAreFoundByBothNumbersAndListedInOrder(t *testing.T) {
	t.Parallel()
	table := newAttempts()
	for _, i := range rand.Perm(500) {
		table.add(&attempt{birth: ident.Seq(i/2 + 1), epoch: ident.Seq(1000 + i%2)})
	}
	all := table.all()
	if len(all) != 500 || table.len() != 500 {
		t.Fatalf("%d listed, %d counted, 500 were added", len(all), table.len())
	}
	for i, a := range all {
		if a.birth != ident.Seq(i/2+1) || a.epoch != ident.Seq(1000+i%2) {
			t.Fatalf("place %d has %v", i, a.attemptID())
		}
		if found := table.get(a.birth, a.epoch); found != a {
			t.Fatalf("%v was not found", a.attemptID())
		}
	}
	table.remove(all[7])
	if found := table.get(all[7].birth, all[7].epoch); found != nil || table.len() != 499 {
		t.Errorf("%v is still there", all[7].attemptID())
	}
}
