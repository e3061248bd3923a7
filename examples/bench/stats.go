package main

import (
	"encoding/json"
	"net/http"
	"net/http/pprof"
	"strings"

	"github.com/dormouse-run/dormouse/actors"
)

// counting is what stats need of *actors.Runtime.
type counting interface {
	Stats() actors.Stats
	Metrics() actors.Metrics
}

// stats serves GET /stats, and the profiles of net/http/pprof below
// /debug/pprof/.
type stats struct {
	objects *objects
	runtime counting
}

// figures is what the load generator wants to know. Rows and Bytes are counted
// before a group drops what it overwrites itself, the stored ones after that.
type figures struct {
	Done         int64  `json:"done"`
	Started      int64  `json:"started"`
	GroupCommits uint64 `json:"group_commits"`
	Rows         uint64 `json:"rows"`
	Bytes        uint64 `json:"bytes"`
	StoredRows   uint64 `json:"stored_rows"`
	StoredBytes  uint64 `json:"stored_bytes"`
	// Syncs are the system calls that the store has asked for.
	Syncs uint64 `json:"syncs"`
	// Runs are the results of Run in Steps, RunWaits those that a handler has waited
	// for until they were durable, BarrierWaits the waits in front of a Run for what
	// the handler had seen.
	Runs         int64  `json:"runs"`
	RunWaits     uint64 `json:"run_waits"`
	BarrierWaits uint64 `json:"barrier_waits"`
}

// ServeHTTP implements http.Handler.
func (s *stats) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/stats":
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(s.figures()) // who has left needs no answer
	case r.URL.Path == "/debug/pprof/profile":
		pprof.Profile(w, r)
	case strings.HasPrefix(r.URL.Path, "/debug/pprof/"):
		pprof.Index(w, r) // heap, allocs, goroutine, …
	default:
		http.NotFound(w, r)
	}
}

func (s *stats) figures() figures {
	now, m := s.runtime.Stats(), s.runtime.Metrics()
	f := figures{
		Done: s.objects.done.Load(), Started: s.objects.started.Load(), Runs: s.objects.runs.Load(),
		GroupCommits: now.Commits, Rows: now.Rows, Bytes: now.Bytes,
		StoredRows: m.Written.Rows, StoredBytes: m.Written.Bytes, Syncs: m.Written.Syncs,
	}
	for _, wait := range m.Waits {
		switch wait.Reason {
		case "run":
			f.RunWaits = wait.Count
		case "barrier":
			f.BarrierWaits = wait.Count
		}
	}
	return f
}
