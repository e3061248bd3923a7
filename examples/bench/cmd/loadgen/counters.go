package main

import (
	"encoding/json"
	"net/http"
)

// counters is what a target says about itself. GroupCommits and Rows are nil
// when it does not count them.
type counters struct {
	Done         float64  `json:"done"`
	GroupCommits *float64 `json:"group_commits"`
	Rows         *float64 `json:"rows"`
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
	if a.GroupCommits != nil && b.GroupCommits != nil {
		out.set("group_commits_per_op", per(*b.GroupCommits-*a.GroupCommits, ops), 4)
	}
	if a.Rows != nil && b.Rows != nil {
		out.set("rows_per_op", per(*b.Rows-*a.Rows, ops), 3)
	}
}
