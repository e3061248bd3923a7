package main

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/persistence"
)

// counted is a runtime that has done something.
type counted struct{}

func (counted) Stats() actors.Stats { return actors.Stats{Commits: 3, Rows: 12, Bytes: 1200} }

func (counted) Metrics() actors.Metrics {
	return actors.Metrics{
		Waits:   []actors.WaitCount{{Reason: "answer", Count: 1}, {Reason: "run", Count: 10}, {Reason: "barrier", Count: 2}},
		Written: persistence.Written{Transactions: 3, Rows: 9, Bytes: 900, Syncs: 6},
	}
}

func get(path string) *httptest.ResponseRecorder {
	o := newObjects("")
	o.done.Add(7)
	o.runs.Add(4)
	w := httptest.NewRecorder()
	(&stats{objects: o, runtime: counted{}}).ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return w
}

func TestStatsSayWhatTheRuntimeHasCounted(t *testing.T) {
	t.Parallel()
	const want = `{"done":7,"started":0,"group_commits":3,"rows":12,"bytes":1200,"stored_rows":9,"stored_bytes":900,"syncs":6,"runs":4,"run_waits":10,"barrier_waits":2}`
	if got := strings.TrimSpace(get("/stats").Body.String()); got != want {
		t.Errorf("stats %s, want %s", got, want)
	}
	if w := get("/"); w.Code != 404 {
		t.Errorf("status %d of another path", w.Code)
	}
}

func TestThereAreProfiles(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/debug/pprof/heap", "/debug/pprof/goroutine?debug=1"} {
		if w := get(path); w.Code != 200 || w.Body.Len() == 0 {
			t.Errorf("%s: %d with %d bytes", path, w.Code, w.Body.Len())
		}
	}
	if w := get("/debug/pprof/unheard-of"); w.Code != 404 {
		t.Errorf("status %d of an unknown profile", w.Code)
	}
}
