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
	BarrierWaits *float64 `json:"barrier_waits"`
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
		if by, known := grown(c.from, c.to); known {
			out.set(c.name, per(by, ops), c.decimals)
		}
	}
	if waits, known := waitsPerRun(a, b, ops); known {
		out.set("waits_per_run", waits, 3)
	}
}

// waitsPerRun is how often a handler has waited for the disk for each of its Runs:
// for the result to be durable, and in front of the Run for what it had seen. One
// wait in front of the first Run is no Run's: the invocation itself has to be
// durable before anything happens in its name. What operations did without does
// not make up for other waits.
func waitsPerRun(a, b counters, ops int64) (waits float64, known bool) {
	runs, counted := grown(a.Runs, b.Runs)
	results, waited := grown(a.RunWaits, b.RunWaits)
	barriers, stopped := grown(a.BarrierWaits, b.BarrierWaits)
	if !counted || !waited || !stopped || runs <= 0 {
		return 0, false
	}
	return (results + max(0, barriers-float64(ops))) / runs, true
}

// grown is by how much a counter has grown, if the target has it.
func grown(from, to *float64) (by float64, known bool) {
	if from == nil || to == nil {
		return 0, false
	}
	return *to - *from, true
}
