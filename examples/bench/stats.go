package main

import (
	"fmt"
	"net/http"
	"net/http/pprof"
	"sync/atomic"

	"github.com/dormouse-run/dormouse/persistence"
)

// meter is a store that counts what is committed to it.
type meter struct {
	persistence.Store
	commits, rows atomic.Int64
}

// Commit counts the group and hands it on.
func (m *meter) Commit(group []*persistence.Batch, marks persistence.Marks) error {
	rows := 0
	for _, b := range group {
		rows += b.Rows
	}
	m.commits.Add(1)
	m.rows.Add(int64(rows))
	return m.Store.Commit(group, marks)
}

// stats serves GET /stats, and the profiles of net/http/pprof below
// /debug/pprof/.
type stats struct {
	objects *objects
	meter   *meter
}

// ServeHTTP implements http.Handler.
func (s *stats) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/stats":
	case "/debug/pprof/profile":
		pprof.Profile(w, r)
		return
	default:
		pprof.Index(w, r) // heap, allocs, goroutine, …; 404 for what it does not know
		return
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"done":%d,"started":%d,"group_commits":%d,"rows":%d}`,
		s.objects.done.Load(), s.objects.started.Load(), s.meter.commits.Load(), s.meter.rows.Load())
}
