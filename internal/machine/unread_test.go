package machine

import (
	"testing"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
)

// sendSignal applies a signal and returns what its sender is told.
func (w *world) sendSignal(t *testing.T, ev *Signal) AnswerKind {
	t.Helper()
	ev.Token, ev.ID, ev.Result = 7, w.id("x"), journal.ValueOf([]byte("1"))
	for _, e := range w.apply(ev).Gated {
		if a, ok := e.(*Answer); ok && a.Token == 7 {
			return a.Kind
		}
	}
	t.Fatal("no answer")
	return 0
}

// TestSignalsThatNobodyTakesAreRefusedAtTheirLimit begins with an invocation
// that was suspended with all but one of them untaken.
func TestSignalsThatNobodyTakesAreRefusedAtTheirLimit(t *testing.T) {
	t.Parallel()
	w := livesWorld(t)
	row := w.begin()
	await := &journal.Future{Combinator: journal.FirstCompleted, Signals: []uint32{ident.CancelSignal, 17}}
	w.apply(&Park{Birth: row.Birth, Epoch: row.Epoch, Taken: 1, Await: await, Allocated: journal.Allocated{Signals: 1}, Unread: MaxUnread - 1})
	named := journal.NamedSignalID("go")
	step := func(what string, ev *Signal, want AnswerKind) {
		t.Helper()
		if got := w.sendSignal(t, ev); got != want {
			t.Errorf("%s is answered %d, want %d", what, got, want)
		}
	}
	step("the last that fits", &Signal{Signal: named}, AnswerApplied)
	before := w.inv("x").JournalLength
	step("one too many", &Signal{Signal: named}, AnswerUnread)
	w.wantLength(before)
	step("the answer of an awakeable far away", &Signal{Signal: journal.SignalID(ident.FirstAwakeable + MaxUnread)}, AnswerUnread)
	w.commit()
	w.crash()
	step("one too many after a crash", &Signal{Signal: named}, AnswerUnread)
	step("what another key owes", &Signal{Signal: named, From: OutboxRef{Seq: 1, N: 1}}, AnswerApplied)
	step("an early answer", &Signal{Signal: journal.SignalID(30)}, AnswerApplied)
	step("the awaited answer", &Signal{Signal: journal.SignalID(17)}, AnswerApplied)
	step("a second answer", &Signal{Signal: journal.SignalID(17)}, AnswerDuplicate)
	step("one before the handler has counted", &Signal{Signal: named}, AnswerUnread)
	w.unread = new(uint32(MaxUnread - 2))
	step("one after it has taken some", &Signal{Signal: named}, AnswerApplied)
	row = w.inv("x")
	w.apply(&Park{Birth: row.Birth, Epoch: row.Epoch, Taken: row.JournalLength, Await: &journal.Future{Combinator: journal.FirstCompleted, Signals: []uint32{1, 18}}, Allocated: journal.Allocated{Signals: 2}, Unread: 3})
	if got := w.inv("x").Unread; got != 3 {
		t.Errorf("the record counts %d, want 3", got)
	}
	step("a cancel", &Signal{Signal: journal.SignalID(ident.CancelSignal)}, AnswerApplied)
}

// TestWhatAHandlerWaitsForIsNeverRefused: an awakeable beyond the limit, of which many
// others were answered first.
func TestWhatAHandlerWaitsForIsNeverRefused(t *testing.T) {
	t.Parallel()
	w := livesWorld(t)
	row := w.begin()
	far := uint32(ident.FirstAwakeable + MaxUnread + 7)
	await := &journal.Future{Combinator: journal.FirstCompleted, Signals: []uint32{ident.CancelSignal, far}}
	w.apply(&Park{Birth: row.Birth, Epoch: row.Epoch, Taken: 1, Await: await, Allocated: journal.Allocated{Signals: far}, Unread: MaxUnread})
	if got := w.sendSignal(t, &Signal{Signal: journal.SignalID(far + 1)}); got != AnswerUnread {
		t.Errorf("another one is answered %d", got)
	}
	if got := w.sendSignal(t, &Signal{Signal: journal.SignalID(far)}); got != AnswerApplied {
		t.Errorf("the one that it waits for is answered %d", got)
	}
}
