package machine

import "github.com/dormouse-run/dormouse/internal/journal"

// attach gives the result of an invocation to a request or to another
// invocation.
func (t *transition) attach(ev *Attach) []Need {
	inv, needs := t.find(ev.ID)
	if needs != nil {
		return needs
	}
	if inv != nil && inv.expired(t.at.Now) {
		inv = nil
	}
	t.take(ev.From)
	switch {
	case inv == nil && ev.Waiter.Birth != 0:
		t.owe(nil, &Returned{To: ev.Waiter, Type: journal.TypeAttachCompletion, Result: journal.FailureOf(404, "no invocation "+ev.ID.String()+" is known here")})
	case inv == nil:
		t.answer(Answer{Token: ev.Token, Kind: AnswerUnknown, ID: ev.ID})
	case ev.Waiter.Birth != 0:
		t.waitFor(inv, ev.Waiter, journal.TypeAttachCompletion)
	case ev.Peek && inv.row.Status != StatusCompleted:
		t.answer(Answer{Token: ev.Token, Kind: AnswerNotReady, ID: ev.ID})
	default:
		t.watchOrAnswer(ev.Token, inv)
	}
	return nil
}
