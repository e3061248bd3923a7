package main

// source says where the published figures come from.
const source = "Restate 1.7.12 with its Go SDK and default settings on another two-core machine, fsync on, medians"

// published are figures of Restate that stand in for a measurement when its
// server is not there. A ratio to one of them compares two machines.
func published() []line {
	return []line{
		{Work: "w1", Clients: 1, OpsPerSecond: new(320.0), P50: new(3.2)},
		{Work: "w1", Clients: 64, OpsPerSecond: new(1330.0), P50: new(45.0), P99: new(90.0), CPU: map[string]float64{"all": 1.28}},
		{Work: "w2", Clients: 64, OpsPerSecond: new(281.0)},
		{Work: "w3", Clients: 64, OpsPerSecond: new(344.0)},
		{Work: "w4", Clients: 1, OpsPerSecond: new(254.0)},
		{Work: "w4", Clients: 64, OpsPerSecond: new(1000.0)},
		{Work: "w6", Clients: 64, OpsPerSecond: new(1600.0)},
	}
}

// withPublished adds the published figures for what was measured of others, when
// Restate was not.
func withPublished(rows []row) []row {
	for _, r := range rows {
		if r.target == restate {
			return rows
		}
	}
	var all []row
	for i, r := range rows {
		all = append(all, r)
		if i+1 < len(rows) && rows[i+1].place == r.place {
			continue
		}
		for _, l := range published() {
			if l.place() == r.place {
				all = append(all, row{place: r.place, target: restate, published: true, runs: []line{l}})
			}
		}
	}
	return all
}
