package main

// work is a workload with its client counts, as the peers command wants them.
type work struct{ name, clients string }

func fullPlan() []work {
	return []work{{"w1", "1,16,64"}, {"w2", "64"}, {"w3", "64"}, {"w4", "1,64"}, {"w6", "64"}}
}

func shortPlan() []work {
	return []work{{"w1", "1,16,64"}, {"w2", "64"}, {"w3", "64"}, {"w4", "64"}, {"w6", "64"}}
}

// target is a peer and its name in the table.
type target struct{ peer, name string }

// Names of targets. The ceiling is what the others are compared with.
const (
	ceiling     = "ceiling"
	runtimeName = "Dormouse"
	restate     = "Restate"
)

// targets in the order of their turns.
func targets(withRestate bool) []target {
	list := []target{{"ceil", ceiling}, {"ours", runtimeName}}
	if withRestate {
		list = append(list, target{"restate", restate})
	}
	return list
}
