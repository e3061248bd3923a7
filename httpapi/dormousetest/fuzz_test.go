package dormousetest

import (
	"encoding/base64"
	"fmt"
	"testing"

	"github.com/dormouse-run/dormouse/internal/journal"
)

// exportedSeed is the export of an invocation that has slept.
func exportedSeed() string {
	entry := func(i int, c journal.Command) string {
		body := c.AppendBody(nil)
		return fmt.Sprintf(`{"index":%d,"type_code":"0x%04X","appended_at":"2026-01-05T08:00:00Z","size":%d,"body":%q}`,
			i, uint16(c.Type()), len(body), base64.StdEncoding.EncodeToString(body))
	}
	return `{"id":"inv_12kpUQONmeFb2WqsVOkAjH4phS34cOyIC8","service":"Obj","key":"k","handler":"h","handler_type":"exclusive","random_seed":"7",
"allocated":{"signals":1,"signal_types":"0","draws":2},"journal":{"entries":[` +
		entry(0, &journal.Input{Value: []byte("1")}) + "," + entry(1, &journal.Sleep{WakeUpAt: 9, Completion: 1}) + `],"next_from":null}}`
}

// FuzzParseExported: a document that is taken has all its entries in order, and its
// commands are entries that decode.
func FuzzParseExported(f *testing.F) {
	f.Add([]byte(exportedSeed()))
	f.Add([]byte(`{"id":"inv_12kpUQONmeFb2WqsVOkAjH4phS34cOyIC8","handler_type":"service","random_seed":"-1"}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, document []byte) {
		s, err := parseExported(document)
		if err != nil {
			if s != nil {
				t.Fatalf("%q: both %+v and %v", document, s, err)
			}
			return
		}
		if s.id.IsZero() || s.target.Kind == 0 || len(s.entries) == 0 || len(s.commands) > len(s.entries) {
			t.Fatalf("%q is read as %+v", document, s)
		}
		last := -1
		for _, at := range s.commands {
			if at <= last || at >= len(s.entries) || !s.entries[at].Type.IsCommand() {
				t.Fatalf("%q has its commands at %v", document, s.commands)
			}
			last = at
		}
	})
}

// TestTheSeedOfExportedJournalsIsRead keeps the target from looking at refusals only.
func TestTheSeedOfExportedJournalsIsRead(t *testing.T) {
	t.Parallel()
	if s, err := parseExported([]byte(exportedSeed())); err != nil || len(s.entries) != 2 {
		t.Fatalf("%+v, %v", s, err)
	}
}
