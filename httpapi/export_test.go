package httpapi

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// exportAnswer is what the tests read of an export.
type exportAnswer struct {
	RandomSeed string         `json:"random_seed"`
	Allocated  *allocatedView `json:"allocated"`
	Journal    struct {
		Entries []struct {
			Size      int            `json:"size"`
			Body      []byte         `json:"body"`
			Allocated *allocatedView `json:"allocated"`
		} `json:"entries"`
		NextFrom *uint32 `json:"next_from"`
	} `json:"journal"`
}

// exporting serves entries whose Input carries value.
func exporting(value []byte, n int) func(ident.InvocationID, actors.InspectOptions) (*actors.Inspection, error) {
	all := []journal.Entry{journal.NewEntry(&journal.Input{Value: value}, 1, journal.Sidecar{})}
	for range n {
		all = append(all, journal.NewEntry(&journal.SetState{Key: "k", Value: value}, 1,
			journal.Sidecar{Allocated: journal.Allocated{Signals: 2, SignalHash: 0xAB, Draws: 3}}))
	}
	return func(_ ident.InvocationID, o actors.InspectOptions) (*actors.Inspection, error) {
		row := machine.InvocationRow{ID: testID, RandomSeed: 1<<64 - 1, Allocated: journal.Allocated{Signals: 1}}
		return &actors.Inspection{Invocation: row, Journal: all[o.From:]}, nil
	}
}

func export(t *testing.T, look func(ident.InvocationID, actors.InspectOptions) (*actors.Inspection, error), query string) (a exportAnswer, text string) {
	t.Helper()
	w := ask(testServer(t, &fakeRuntime{look: look}, Options{}).AdminHandler(), "GET", "/introspection/invocations/"+testID.String()+query, "")
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil || w.Code != 200 {
		t.Fatalf("%d %v %.200s", w.Code, err, w.Body)
	}
	return a, w.Body.String()
}

func TestAnExportHoldsWhatAReplayNeedsAndOtherAnswersDoNot(t *testing.T) {
	t.Parallel()
	// White space and a large number do not survive tools that format JSON.
	value := []byte(`{"n": 12345678901234567890 }`)
	a, _ := export(t, exporting(value, 1), "?export=true")
	if a.RandomSeed != "18446744073709551615" || *a.Allocated != (allocatedView{Signals: 1, SignalTypes: "0000000000000000"}) {
		t.Errorf("seed %s, allocated %+v", a.RandomSeed, a.Allocated)
	}
	e := a.Journal.Entries[1]
	c, err := journal.DecodeCommand(journal.TypeSetState, e.Body)
	if err != nil || !bytes.Equal(c.(*journal.SetState).Value, value) || len(e.Body) != e.Size {
		t.Errorf("body %q of %d bytes, %v", e.Body, e.Size, err)
	}
	if *e.Allocated != (allocatedView{Signals: 2, SignalTypes: "00000000000000ab", Draws: 3}) {
		t.Errorf("allocated %+v", e.Allocated)
	}
	for _, query := range []string{"", "?export=false"} {
		if _, text := export(t, exporting(value, 1), query); strings.Contains(text, "body") || strings.Contains(text, "random_seed") || strings.Contains(text, "allocated") {
			t.Errorf("%q shows %s", query, text)
		}
	}
}

func TestAPageOfAnExportEndsBeforeItIsTooLarge(t *testing.T) {
	t.Parallel()
	look := exporting(bytes.Repeat([]byte("x"), 10<<20), 5)
	total, from := 0, "0"
	for range 10 {
		a, text := export(t, look, "?export=true&max_value_bytes=0&from="+from)
		total += len(a.Journal.Entries)
		if len(a.Journal.Entries) == 0 || len(text) > 2*maxExportBytes {
			t.Fatalf("a page of %d entries has %d bytes", len(a.Journal.Entries), len(text))
		}
		if a.Journal.NextFrom == nil {
			break
		}
		from = string(rune('0' + *a.Journal.NextFrom))
	}
	if total != 6 {
		t.Errorf("%d entries in all pages, want 6", total)
	}
}
