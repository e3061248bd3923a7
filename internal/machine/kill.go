package machine

import (
	"maps"
	"slices"

	"github.com/dormouse-run/dormouse/internal/journal"
)

func (t *transition) needForKill(inv *invocation) []Need {
	if needs := t.needForQueuedEnd(inv); needs != nil {
		return needs
	}
	if n := inv.row.Pending; n > 0 && n <= fanOut && !inv.knows(TablePending) {
		return []Need{inv.rangeOf(TablePending, fanOut+1)}
	}
	return nil
}

// kill ends an invocation without running its code, and follows the calls that
// have not returned.
func (t *transition) kill(inv *invocation) {
	if inv.live {
		t.now(&StopAttempt{Birth: inv.row.Birth, Epoch: inv.row.Epoch, Reason: StopKilled})
	}
	if inv.row.Pending > fanOut {
		t.leave(ChoreRow{Kind: ChoreKillCallees, Birth: inv.row.Birth, ID: inv.row.ID})
		inv.pending, inv.row.Pending = nil, 0 // the rows belong to the chore
	} else {
		t.killCallees(inv)
	}
	t.complete(inv, journal.FailureOf(409, "killed"), writeOutput)
}

// killCallees sends a kill to every callee that has not returned.
func (t *transition) killCallees(inv *invocation) {
	for _, completion := range slices.Sorted(maps.Keys(inv.pending)) {
		if p := inv.pending[completion]; p != nil && p.Called {
			t.owe(inv, &Operate{ID: p.Callee, Op: OpKill})
		}
	}
}
