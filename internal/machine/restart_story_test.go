package machine

import (
	"fmt"

	"github.com/dormouse-run/dormouse/internal/ident"
)

// restartOne restarts a completed invocation on disk, with as much of its journal
// as may be copied and is there.
func (p *player) restartOne() {
	for _, r := range p.rows(TableInvocation) {
		old := r.(*InvocationRow)
		if old.Status != StatusCompleted || !old.HasJournal() || old.Target.Kind == ident.KindWorkflow || p.r.IntN(2) == 0 {
			continue
		}
		p.made++
		ev := &Restart{Of: old.ID, Invoke: Invoke{
			ID: p.id(fmt.Sprint("i", p.made)), Target: old.Target, Token: Token(p.made), AnswerAccepted: true, InvokedBy: ByRestart, Retention: old.Retention,
		}}
		if p.r.IntN(2) == 0 {
			ev.Invoke.Alias = p.id(fmt.Sprint("alias", p.made))
		}
		ev.Entries = p.journal(old)
		for len(ev.Entries) > 1 && CheckRestart(ev.Entries, old.Target.Kind) != nil {
			ev.Entries = ev.Entries[:len(ev.Entries)-1]
		}
		p.apply(ev)
		return
	}
}
