package main

import (
	"encoding/json"
	"fmt"
	"strings"
)

// place is a workload with a number of clients.
type place struct {
	work    string
	clients int
}

// line is one run of a target, as the peers command prints it, with what this
// command adds: which work of which target in which round it was. What a run does
// not know is nil.
type line struct {
	Work   string `json:"work,omitempty"`
	Target string `json:"target,omitempty"`
	Round  int    `json:"round"`

	Clients      int                `json:"c"`
	OpsPerSecond *float64           `json:"ops_s,omitempty"`
	P50          *float64           `json:"p50_ms,omitempty"`
	P99          *float64           `json:"p99_ms,omitempty"`
	Errors       int                `json:"errors"`
	CPU          map[string]float64 `json:"cpu_s_per_kop,omitempty"`
	GroupCommits *float64           `json:"group_commits_per_op,omitempty"`
	Rows         *float64           `json:"rows_per_op,omitempty"`
	Bytes        *float64           `json:"bytes_per_op,omitempty"`
	StoredRows   *float64           `json:"stored_rows_per_op,omitempty"`
	StoredBytes  *float64           `json:"stored_bytes_per_op,omitempty"`
	Written      map[string]float64 `json:"io_write_bytes_per_op,omitempty"`
	Syncs        *float64           `json:"fsyncs_per_op,omitempty"`
	SyncsAsked   *float64           `json:"syncs_asked_per_op,omitempty"`
	WaitsPerRun  *float64           `json:"waits_per_run,omitempty"`
	Completed    *float64           `json:"bg_done_per_s,omitempty"`
	ForeignCPU   float64            `json:"foreign_cpu_cores"`
	Phase        string             `json:"phase,omitempty"`
}

func (l line) place() place { return place{l.Work, l.Clients} }

// read takes the runs of a round from the output of peers. Lines about anything
// else are left out; a run with errors, or a target that was killed, is an error.
func read(w work, t target, round int, out string) ([]line, error) {
	var lines []line
	for text := range strings.Lines(out) {
		var l line
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
		l.Work, l.Target, l.Round = w.name, t.name, round
		lines = append(lines, l)
	}
	return lines, nil
}

// cpu is the processor time of an operation in milliseconds, over all processes:
// a second per thousand operations is a millisecond per operation.
func (l line) cpu() *float64 { return total(l.CPU) }

// written is what all processes have caused to be sent to storage, in bytes per
// operation.
func (l line) written() *float64 { return total(l.Written) }

func total(byProcess map[string]float64) *float64 {
	if len(byProcess) == 0 {
		return nil
	}
	sum := 0.0
	for _, x := range byProcess {
		sum += x
	}
	return &sum
}
