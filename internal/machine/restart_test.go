package machine

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
)

// journalOf makes entries behind an Input. issued is how many awakeables were
// created before the last command.
func journalOf(issued uint32, more ...any) []journal.Entry {
	entries := []journal.Entry{journal.NewEntry(&journal.Input{Value: []byte("in")}, 1, journal.Sidecar{})}
	for _, m := range more {
		switch m := m.(type) {
		case journal.Command:
			entries = append(entries, journal.NewEntry(m, 1, journal.Sidecar{Allocated: journal.Allocated{Signals: issued}}))
		case journal.Notification:
			entries = append(entries, m.Entry(1))
		}
	}
	return entries
}

func TestWhatARestartMayCopy(t *testing.T) {
	t.Parallel()
	answer := func(typ journal.Type, completion uint32) journal.Notification {
		return journal.Notification{Type: typ, ID: journal.CompletionID(completion), Result: journal.VoidResult()}
	}
	signal := func(id journal.NotificationID) journal.Notification {
		return journal.Notification{Type: journal.TypeSignal, ID: id, Result: journal.VoidResult()}
	}
	ran, run := answer(journal.TypeRunCompletion, 1), &journal.Run{Completion: 1}
	callee, returned := answer(journal.TypeCallInvocationID, 1), answer(journal.TypeCallCompletion, 2)
	call, send := &journal.Call{InvocationIDCompletion: 1, Completion: 2}, &journal.OneWayCall{InvocationIDCompletion: 1}
	lazy := answer(journal.TypeLazyStateCompletion, 1)
	rows := []struct {
		name    string
		kind    ident.Kind
		entries []journal.Entry
		// index and reason are those of the error, reason "" of none.
		index  int
		reason string
	}{
		{"the input", 0, journalOf(0), 0, ""},
		{"a run and its result", 0, journalOf(0, run, ran), 0, ""},
		{"a run without it", 0, journalOf(0, run), 1, "is a Run whose answer is not copied"},
		{"a sleep that is over", 0, journalOf(0, &journal.Sleep{Completion: 1}, answer(journal.TypeSleepCompletion, 1)), 0, ""},
		{"a sleep", 0, journalOf(0, &journal.Sleep{Completion: 1}), 1, "is a Sleep whose"},
		{"a call that has returned", 0, journalOf(0, call, callee, returned), 0, ""},
		{"a call", 0, journalOf(0, call, callee), 1, "is a Call whose"},
		{"a send", 0, journalOf(0, send, callee), 0, ""},
		{"half a send", 0, journalOf(0, send), 1, "is a OneWayCall whose"},
		{"an attach", 0, journalOf(0, &journal.AttachInvocation{Completion: 1}), 1, "AttachInvocation whose"},
		{"a promise", ident.KindShared, journalOf(0, &journal.GetPromise{Completion: 1}), 1, "GetPromise whose"},
		{"a peek", ident.KindShared, journalOf(0, &journal.PeekPromise{Completion: 1}), 1, "PeekPromise whose"},
		{"the completion of a promise", ident.KindShared, journalOf(0, &journal.CompletePromise{Completion: 1, Result: journal.ValueOf([]byte("v"))}), 1, "CompletePromise whose"},
		{"signals to others", 0, journalOf(0, &journal.SendSignal{Result: journal.VoidResult()}, &journal.CompleteAwakeable{Result: journal.ValueOf([]byte("v"))}), 0, ""},
		{"the result", 0, journalOf(0, &journal.Output{Result: journal.ValueOf([]byte("v"))}), 1, "is the result"},
		{"set state", ident.KindExclusive, journalOf(0, &journal.SetState{Key: "a"}), 1, "changes the state"},
		{"clear state", ident.KindExclusive, journalOf(0, &journal.ClearState{Key: "a"}), 1, "changes the state"},
		{"clear all state", ident.KindExclusive, journalOf(0, &journal.ClearAllState{}), 1, "changes the state"},
		{"read of a holder", ident.KindExclusive, journalOf(0, &journal.GetEagerState{Key: "a", Result: journal.VoidResult()}), 1, "reads the state"},
		{"keys of a holder", ident.KindExclusive, journalOf(0, &journal.GetEagerStateKeys{}), 1, "reads the state"},
		{"lazy read of a holder", ident.KindExclusive, journalOf(0, &journal.GetLazyState{Completion: 1}, lazy), 1, "reads the state"},
		{"lazy keys of a holder", ident.KindExclusive, journalOf(0, &journal.GetLazyStateKeys{Completion: 1}, lazy), 1, "reads the state"},
		{"read of a reader", ident.KindShared, journalOf(0, &journal.GetEagerState{Key: "a", Result: journal.VoidResult()}, &journal.GetEagerStateKeys{}), 0, ""},
		{"lazy read of a reader", ident.KindShared, journalOf(0, &journal.GetLazyState{Completion: 1}, lazy), 0, ""},
		{"half a lazy read", ident.KindShared, journalOf(0, &journal.GetLazyState{Completion: 1}), 1, "GetLazyState whose"},
		{"half a lazy list", ident.KindShared, journalOf(0, &journal.GetLazyStateKeys{Completion: 1}), 1, "GetLazyStateKeys whose"},
		{"the cancel signal", 0, journalOf(0, signal(journal.SignalID(ident.CancelSignal))), 1, "cancelled the invocation"},
		{"a named signal", 0, journalOf(0, signal(journal.NamedSignalID("go"))), 0, ""},
		{"an answered awakeable", 0, journalOf(1, signal(journal.SignalID(17)), run, ran), 0, ""},
		{"an awakeable", 0, journalOf(1, run, ran), 2, "the answer of awakeable 17"},
		{"one of two awakeables", 0, journalOf(2, run, ran, signal(journal.SignalID(17))), 3, "the answer of awakeable 18"},
		{"an answer before its question", 0, journalOf(0, signal(journal.SignalID(17)), run, ran), 3, "before awakeable 17 is created"},
		{"a second input", 0, append(journalOf(0), journalOf(0)...), 1, "second Input"},
		{"a broken command", 0, append(journalOf(0), journal.Entry{Type: journal.TypeRun, Body: []byte{0xff}}), 1, "cannot be read"},
		{"a broken notification", 0, append(journalOf(0), journal.Entry{Type: journal.TypeSignal, Body: []byte{0xff}}), 1, "cannot be read"},
	}
	for _, row := range rows {
		err := CheckRestart(row.entries, row.kind)
		var refused *RestartError
		switch {
		case row.reason == "" && err != nil:
			t.Errorf("%s: %v", row.name, err)
		case row.reason == "":
		case !errors.As(err, &refused) || refused.Index != row.index || !strings.Contains(refused.Reason, row.reason):
			t.Errorf("%s: %v", row.name, err)
		case !strings.HasPrefix(err.Error(), fmt.Sprintf("entry %d ", row.index)):
			t.Errorf("%s: the text is %q", row.name, err)
		}
	}
}
