package httpapi

import (
	"strings"
	"testing"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
)

func TestALookForAnswersEndsBeforeItHasReadALargeJournal(t *testing.T) {
	t.Parallel()
	// Each look gives one entry of 8 MiB, as Inspect does for large ones.
	large := journal.NewEntry(&journal.Run{Name: "r", Completion: 1}, 1, journal.Sidecar{})
	large.Body = append(large.Body, make([]byte, 8<<20)...)
	looks := 0
	f := &fakeRuntime{look: func(_ ident.InvocationID, o actors.InspectOptions) (*actors.Inspection, error) {
		looks++
		next := o.From + 1
		return &actors.Inspection{Invocation: machine.InvocationRow{ID: testID}, Journal: []journal.Entry{large}, NextFrom: &next}, nil
	}}
	w := ask(testServer(t, f, Options{}).AdminHandler(), "GET", "/introspection/invocations/"+testID.String()+"?journal_limit=1", "")
	if w.Code != 200 || looks > 20 || strings.Contains(w.Body.String(), `"completed"`) {
		t.Errorf("%d after %d looks: %.300s", w.Code, looks, w.Body)
	}
}
