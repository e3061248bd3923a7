package main

import (
	"net/http/httptest"
	"testing"

	"github.com/dormouse-run/dormouse/persistence"
)

// sink is a store that takes every commit.
type sink struct{ persistence.Store }

func (sink) Commit([]*persistence.Batch, persistence.Marks) error { return nil }

func TestStatsCountWhatWasCommitted(t *testing.T) {
	t.Parallel()
	m, o := &meter{Store: sink{}}, newObjects("")
	for _, group := range [][]*persistence.Batch{{{Rows: 3}, {Rows: 4}}, {{Rows: 5}}, nil} {
		if err := m.Commit(group, persistence.Marks{}); err != nil {
			t.Fatal(err)
		}
	}
	o.done.Add(7)
	w := httptest.NewRecorder()
	(&stats{objects: o, meter: m}).ServeHTTP(w, httptest.NewRequest("GET", "/stats", nil))
	if got, want := w.Body.String(), `{"done":7,"started":0,"group_commits":3,"rows":12}`; got != want {
		t.Errorf("stats %s, want %s", got, want)
	}
	w = httptest.NewRecorder()
	(&stats{objects: o, meter: m}).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != 404 {
		t.Errorf("status %d of another path", w.Code)
	}
}
