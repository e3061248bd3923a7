package main

import (
	"encoding/json"
	"net/http"
)

// counters is what a target says about itself. What it does not count is nil.
type counters struct {
	Done         float64  `json:"done"`
	GroupCommits *float64 `json:"group_commits"`
	Rows         *float64 `json:"rows"`
	Bytes        *float64 `json:"bytes"`
	StoredRows   *float64 `json:"stored_rows"`
	StoredBytes  *float64 `json:"stored_bytes"`
	Syncs        *float64 `json:"syncs"`
	Runs         *float64 `json:"runs"`
	RunWaits     *float64 `json:"run_waits"`
}

// readCounters asks the target. Without a URL or an answer everything is zero.
func readCounters(url string) counters {
	var c counters
	if url == "" {
		return c
	}
	r, err := http.Get(url)
	if err != nil {
		return c
	}
	defer func() { _ = r.Body.Close() }()
	if json.NewDecoder(r.Body).Decode(&c) != nil {
		return counters{}
	}
	return c
}

// reportCounters records what grew between two readings, per operation.
func reportCounters(out report, a, b counters, ops int64) {
	for _, c := range []struct {
		name     string
		from, to *float64
		decimals int
	}{
		{"group_commits_per_op", a.GroupCommits, b.GroupCommits, 4},
		{"rows_per_op", a.Rows, b.Rows, 3},
		{"bytes_per_op", a.Bytes, b.Bytes, 1},
		{"stored_rows_per_op", a.StoredRows, b.StoredRows, 3},
		{"stored_bytes_per_op", a.StoredBytes, b.StoredBytes, 1},
		{"syncs_asked_per_op", a.Syncs, b.Syncs, 4},
	} {
		if c.from != nil && c.to != nil {
			out.set(c.name, per(*c.to-*c.from, ops), c.decimals)
		}
	}
	if a.Runs != nil && b.Runs != nil && a.RunWaits != nil && b.RunWaits != nil && *b.Runs > *a.Runs {
		out.set("waits_per_run", (*b.RunWaits-*a.RunWaits)/(*b.Runs-*a.Runs), 3)
	}
}
