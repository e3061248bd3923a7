package main

// goal is a line of the table of goals: a figure of the runtime, and what it is
// held against.
type goal struct {
	work    string
	clients int
	figure  figure
	// against is the target whose same figure counts as 1; empty for a goal that
	// is a number of its own.
	against string
	// Exactly one of them is set.
	atLeast, atMost float64
}

// goals are those of the workloads, in the order in which they are printed.
func goals() []goal {
	return []goal{
		{work: "w1", clients: 64, figure: rate(), against: ceiling, atLeast: 0.6},
		{work: "w1", clients: 64, figure: rate(), against: restate, atLeast: 15},
		{work: "w1", clients: 64, figure: p99(), against: restate, atMost: 0.2},
		{work: "w1", clients: 1, figure: p50(), against: ceiling, atMost: 1.3},
		{work: "w1", clients: 64, figure: cpu(), against: ceiling, atMost: 2},
		{work: "w2", clients: 64, figure: rate(), against: ceiling, atLeast: 0.5},
		{work: "w2", clients: 64, figure: rate(), against: restate, atLeast: 50},
		{work: "w3", clients: 64, figure: rate(), against: restate, atLeast: 15},
		{work: "w3", clients: 64, figure: runWaits(), atMost: 1},
		{work: "w3", clients: 64, figure: groupsPerRun(), atMost: 0.5},
		{work: "w4", clients: 64, figure: rate(), against: restate, atLeast: 8},
		{work: "w6", clients: 64, figure: rate(), against: ceiling, atLeast: 0.6},
		{work: "w6", clients: 64, figure: completions(), atLeast: 0.95},
	}
}

// scaleGoal is a goal for a figure that the scale command prints.
type scaleGoal struct {
	part, figure string
	// times turns the figure into the unit of the goal.
	times float64
	what  string
	// Exactly one of them is set. most names a figure of the same part.
	atLeast, atMost float64
	most            string
}

// scaleInvocations is how many the goals of scale are for.
const scaleInvocations = 1_000_000

// mb turns MiB into the MB of the goals.
const mb = float64(1<<20) / 1e6

func scaleGoals() []scaleGoal {
	return []scaleGoal{
		{part: "park", figure: "park_per_s", times: 1, what: "suspended per second", atLeast: 10_000},
		{part: "park", figure: "rss_anon_mib", times: mb, what: "anonymous memory at rest, MB", atMost: 250},
		{part: "restart", figure: "ready_s", times: 1, what: "ready after kill -9, s", atMost: 2},
		{part: "restart", figure: "rss_mib", times: mb, what: "resident memory after a restart, MB", atMost: 100},
		{part: "resolve", figure: "done_per_s", times: 1, what: "resolved to the end per second", atLeast: 5_000},
		{part: "enqueue", figure: "last_of_first_cpu", times: 1, what: "CPU of the last to join a queue, of the first's", atMost: 1.5},
		{part: "dequeue", figure: "last_of_first_cpu", times: 1, what: "CPU of the last to leave it, of the first's", atMost: 1.5},
		{part: "disk", figure: "disk_mib", times: 1, what: "MiB on disk when all is over; the goal is 2.5 × rows + 128", most: "goal_mib"},
	}
}
