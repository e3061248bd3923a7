package main

import (
	"encoding/json"
	"fmt"
	"strings"
)

// line is one run of a target, as the peers command prints it. What a run does
// not know is nil.
type line struct {
	work, target string

	Clients      int                `json:"c"`
	OpsPerSecond *float64           `json:"ops_s"`
	P50          float64            `json:"p50_ms"`
	P99          float64            `json:"p99_ms"`
	Errors       int                `json:"errors"`
	CPU          map[string]float64 `json:"cpu_s_per_kop"`
	GroupCommits *float64           `json:"group_commits_per_op"`
	Rows         *float64           `json:"rows_per_op"`
	Syncs        *float64           `json:"fsyncs_per_op"`
	ForeignCPU   float64            `json:"foreign_cpu_cores"`
	Phase        string             `json:"phase"`
}

// read takes the runs from the output of peers. Lines about anything else are
// left out; a run with errors, or a target that was killed, is an error.
func read(w work, t target, out string) ([]line, error) {
	var lines []line
	for text := range strings.Lines(out) {
		l := line{work: w.name, target: t.name}
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			return nil, fmt.Errorf("output %q of peers: %w", text, err)
		}
		switch {
		case l.Phase == "memguard":
			return nil, fmt.Errorf("it took too much memory and was killed")
		case l.OpsPerSecond == nil:
			continue
		case l.Errors > 0:
			return nil, fmt.Errorf("%d requests failed with %d clients", l.Errors, l.Clients)
		}
		lines = append(lines, l)
	}
	return lines, nil
}

// cpu is the processor time of an operation in milliseconds, over all
// processes: a second per thousand operations is a millisecond per operation.
func (l line) cpu() *float64 {
	sum := 0.0
	for _, seconds := range l.CPU {
		sum += seconds
	}
	return &sum
}
