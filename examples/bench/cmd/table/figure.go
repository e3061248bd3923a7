package main

import "math"

// figure is something that a run knows, or does not.
type figure struct {
	name, format string
	of           func(line) *float64
}

func rate() figure {
	return figure{"operations per second", "%.0f", func(l line) *float64 { return l.OpsPerSecond }}
}

func p50() figure { return figure{"p50, ms", "%.2f", func(l line) *float64 { return l.P50 }} }

func p99() figure { return figure{"p99, ms", "%.2f", func(l line) *float64 { return l.P99 }} }

func cpu() figure { return figure{"CPU per operation, ms", "%.3f", line.cpu} }

func groups() figure {
	return figure{"groups of commits per operation", "%.2f", func(l line) *float64 { return l.GroupCommits }}
}

// runsOfSteps is how many Runs an operation of w3 has.
const runsOfSteps = 10

// groupsPerRun is below 1 when handlers share groups.
func groupsPerRun() figure {
	return figure{"groups of commits per `Run`", "%.3f", func(l line) *float64 {
		if l.GroupCommits == nil {
			return nil
		}
		return new(*l.GroupCommits / runsOfSteps)
	}}
}

// runWaits are the waits of a handler for each Run, for its result and in front of
// it, to two decimals: what is under way when a run begins and ends is in the
// third.
func runWaits() figure {
	return figure{"waits for the disk per `Run`", "%.2f", func(l line) *float64 {
		if l.WaitsPerRun == nil {
			return nil
		}
		return new(math.Round(*l.WaitsPerRun*100) / 100)
	}}
}

// completions are what ends while sends are accepted, of what is accepted.
func completions() figure {
	return figure{"completed of accepted", "%.2f", func(l line) *float64 {
		if l.Completed == nil || l.OpsPerSecond == nil || *l.OpsPerSecond == 0 {
			return nil
		}
		return new(*l.Completed / *l.OpsPerSecond)
	}}
}
