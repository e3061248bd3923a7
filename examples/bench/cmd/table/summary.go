package main

import (
	"fmt"
	"slices"
	"strings"
)

// quiet is how many processors may be busy with something else during a run
// that counts.
const quiet = 0.25

// row is a row of the table: all runs of one target with one number of clients.
type row struct {
	work, target string
	clients      int
	runs         []line
}

// summarize gathers runs in the order in which work and clients first came up,
// the targets next to each other.
func summarize(lines []line) []row {
	type place struct {
		work    string
		clients int
	}
	var order []place
	var rows []row
	for _, l := range lines {
		if at := (place{l.work, l.Clients}); !slices.Contains(order, at) {
			order = append(order, at)
		}
		same := func(r row) bool { return r.work == l.work && r.clients == l.Clients && r.target == l.target }
		if i := slices.IndexFunc(rows, same); i >= 0 {
			rows[i].runs = append(rows[i].runs, l)
			continue
		}
		rows = append(rows, row{work: l.work, target: l.target, clients: l.Clients, runs: []line{l}})
	}
	slices.SortStableFunc(rows, func(a, b row) int {
		return slices.Index(order, place{a.work, a.clients}) - slices.Index(order, place{b.work, b.clients})
	})
	for i := range rows {
		rows[i].runs = quietRuns(rows[i].runs)
	}
	return rows
}

// quietRuns drops runs that something else disturbed, if two are left.
func quietRuns(runs []line) []line {
	var rest []line
	for _, l := range runs {
		if l.ForeignCPU < quiet {
			rest = append(rest, l)
		}
	}
	if len(rest) < 2 {
		return runs
	}
	return rest
}

// median is that of the runs that know the figure; known is false when none
// does.
func (r row) median(figure func(line) *float64) (m float64, known bool) {
	sorted := r.sorted(figure)
	if len(sorted) == 0 {
		return 0, false
	}
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle], true
	}
	return (sorted[middle-1] + sorted[middle]) / 2, true
}

func (r row) sorted(figure func(line) *float64) []float64 {
	var list []float64
	for _, l := range r.runs {
		if x := figure(l); x != nil {
			list = append(list, *x)
		}
	}
	slices.Sort(list)
	return list
}

func ops(l line) *float64 { return l.OpsPerSecond }

// render writes the table.
func render(rows []row) string {
	var s strings.Builder
	s.WriteString("| work | C | target | ops/s (min..max) | of ceiling | p50 ms | p99 ms | CPU ms/op | group commits/op | rows/op | fsyncs/op |\n")
	s.WriteString("|---|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, r := range rows {
		all := r.sorted(ops)
		rate, _ := r.median(ops)
		cells := []string{
			r.work, fmt.Sprint(r.clients), r.target,
			fmt.Sprintf("%.0f (%.0f..%.0f)", rate, all[0], all[len(all)-1]),
			r.ratio(rows),
			r.cell("%.2f", func(l line) *float64 { return &l.P50 }),
			r.cell("%.2f", func(l line) *float64 { return &l.P99 }),
			r.cell("%.3f", line.cpu),
			r.cell("%.2f", func(l line) *float64 { return l.GroupCommits }),
			r.cell("%.1f", func(l line) *float64 { return l.Rows }),
			r.cell("%.2f", func(l line) *float64 { return l.Syncs }),
		}
		s.WriteString("| " + strings.Join(cells, " | ") + " |\n")
	}
	return s.String()
}

// cell is a median, or - when no run knows the figure.
func (r row) cell(format string, figure func(line) *float64) string {
	m, known := r.median(figure)
	if !known {
		return "-"
	}
	return fmt.Sprintf(format, m)
}

// ratio is the rate as a part of the ceiling's with the same work and clients.
func (r row) ratio(rows []row) string {
	mine, _ := r.median(ops)
	for _, other := range rows {
		if other.target != ceiling || other.work != r.work || other.clients != r.clients {
			continue
		}
		if most, known := other.median(ops); known && most > 0 {
			return fmt.Sprintf("%.2f", mine/most)
		}
	}
	return "-"
}
