package main

import (
	"fmt"
	"slices"
)

// quiet is how many processors may be busy with something else during a run
// that counts.
const quiet = 0.25

// row is all runs of one target at one place.
type row struct {
	place
	target string
	// published says that the one run was not measured here.
	published bool
	// runs are those that count, of made.
	runs []line
	made int
}

// disturbed reports whether a run that counts had not the machine to itself.
func (r row) disturbed() bool {
	return slices.ContainsFunc(r.runs, func(l line) bool { return l.ForeignCPU >= quiet })
}

// summarize gathers runs in the order in which their places first came up, the
// targets next to each other.
func summarize(lines []line) []row {
	var order []place
	var rows []row
	for _, l := range lines {
		at := l.place()
		if !slices.Contains(order, at) {
			order = append(order, at)
		}
		same := func(r row) bool { return r.place == at && r.target == l.Target }
		if i := slices.IndexFunc(rows, same); i >= 0 {
			rows[i].runs = append(rows[i].runs, l)
			continue
		}
		rows = append(rows, row{place: at, target: l.Target, runs: []line{l}})
	}
	slices.SortStableFunc(rows, func(a, b row) int { return slices.Index(order, a.place) - slices.Index(order, b.place) })
	for i := range rows {
		rows[i].made = len(rows[i].runs)
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

// find returns the row of a target at a place.
func find(rows []row, at place, target string) (r row, found bool) {
	i := slices.IndexFunc(rows, func(r row) bool { return r.place == at && r.target == target })
	if i < 0 {
		return row{}, false
	}
	return rows[i], true
}

// sample is what several runs say of one figure, sorted.
type sample []float64

func (r row) sample(f figure) sample {
	var s sample
	for _, l := range r.runs {
		if x := f.of(l); x != nil {
			s = append(s, *x)
		}
	}
	slices.Sort(s)
	return s
}

// median is 0 of an empty sample.
func (s sample) median() float64 {
	middle := len(s) / 2
	switch {
	case len(s) == 0:
		return 0
	case len(s)%2 == 1:
		return s[middle]
	default:
		return (s[middle-1] + s[middle]) / 2
	}
}

// text is the median, and the smallest and largest when there are several.
func (s sample) text(format string) string {
	switch len(s) {
	case 0:
		return "-"
	case 1:
		return fmt.Sprintf(format, s[0])
	default:
		return fmt.Sprintf(format+" ("+format+".."+format+")", s.median(), s[0], s[len(s)-1])
	}
}
