package machine

import (
	"testing"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
)

// checkAliases finds aliases that have outlived their invocations.
func (p *player) checkAliases(owners map[ident.Seq]*InvocationRow) {
	for _, row := range p.disk {
		if a, ok := row.(*AliasRow); ok && (owners[a.Birth] == nil || owners[a.Birth].Alias != a.Alias) {
			p.t.Errorf("the alias %s belongs to nobody", nameOf(a.Alias))
		}
	}
}

// resolveByAlias resolves an awakeable of inv under both of its ids: only one is
// heard, and no other operation is possible under its alias.
func (p *player) resolveByAlias(inv *invocation) {
	before := inv.row.JournalLength
	signal := journal.SignalID(17 + uint32(p.r.IntN(3)))
	alias, id := inv.row.Alias, inv.row.ID
	p.apply(&Signal{Token: 1, ID: id, Signal: signal, Result: journal.VoidResult()})
	if inv.row.JournalLength != before {
		p.t.Errorf("an awakeable of %s was resolved by the id of the invocation", nameOf(id))
	}
	out := p.apply(&Attach{Token: 1, ID: alias, Peek: true})
	if len(out.Gated) != 1 || out.Gated[0].(*Answer).Kind != AnswerUnknown {
		p.t.Errorf("an alias was attached to: %s", p.print(out))
	}
	p.apply(&Signal{Token: 1, ID: alias, Signal: signal, Result: journal.VoidResult()})
}

func TestAnAliasOfAnEarlierLifeDoesNotReachALaterOne(t *testing.T) {
	t.Parallel()
	w := livesWorld(t)
	target := ident.Target{Service: "Obj", Key: "k", Handler: "h", Kind: ident.KindExclusive}
	await := &journal.Future{Combinator: journal.FirstCompleted, Signals: []uint32{ident.CancelSignal, 17}}
	for _, alias := range []string{"first", "second"} {
		w.apply(&Invoke{ID: w.id("x"), Alias: w.id(alias), Target: target, IdempotencyKey: "x", Retention: Retention{Completion: 1000, Journal: 1000}})
		row := w.inv("x")
		w.apply(&Park{Birth: row.Birth, Epoch: row.Epoch, Taken: 1, Allocated: journal.Allocated{Signals: 1}, Await: await})
		w.commit()
		if alias == "first" {
			w.apply(&Operate{ID: w.id("x"), Op: OpKill})
			w.apply(&Operate{ID: w.id("x"), Op: OpPurge})
		}
	}
	answer := func(alias string) AnswerKind {
		out := w.apply(&Signal{Token: 1, ID: w.id(alias), Signal: journal.SignalID(17), Result: journal.VoidResult()})
		return out.Gated[len(out.Gated)-1].(*Answer).Kind
	}
	for name, want := range map[string]AnswerKind{"first": AnswerCompleted, "x": AnswerUnknown, "third": AnswerUnknown} {
		if got := answer(name); got != want {
			t.Errorf("under %s the answer is %v, want %v", name, got, want)
		}
	}
	if row := w.inv("x"); row.Status != StatusSuspended {
		t.Fatalf("the later life is %s", row.Status)
	}
	if got := answer("second"); got != AnswerApplied || w.inv("x").Status != StatusReady {
		t.Errorf("under its own alias: %v, then it is %s", got, w.inv("x").Status)
	}
}
