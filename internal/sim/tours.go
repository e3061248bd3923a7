package sim

import "log/slog"

// Tours are small plans, one for each verb and one for each kind of request, which
// together make the core take each of its transitions. They are short enough to end
// the process at every single step of each.
func Tours() (plans []*Plan) {
	for v := Verb(1); v < verbs; v++ {
		plans = append(plans, tour(Request{Kind: RequestCall, Program: Program{Name: "p1", Steps: tourSteps(v)}}))
	}
	for kind := RequestKind(1); kind < requestKinds; kind++ {
		r := Request{Kind: kind, Times: 2, Program: Program{Name: "p1", Steps: []Step{{Do: VerbAppend}, {Do: VerbAwake}}}}
		plans = append(plans, tour(r))
	}
	delayed := Request{Kind: RequestSend, Delay: 5, Program: Program{Name: "p1", Steps: []Step{{Do: VerbAppend}}}}
	failing := Request{Kind: RequestCall, Program: Program{Name: "p1", Fails: 1, Terminal: true}}
	awaited := Request{Kind: RequestWorkflow, Program: Program{Name: "p1", Steps: []Step{{Do: VerbPromise}}}}
	return append(plans, tour(delayed), tour(failing), tour(awaited))
}

// tour is a plan around one request. Another one wants the same key.
func tour(r Request) *Plan {
	other := Request{At: 1, Kind: RequestSend, Program: Program{Name: "p2", Steps: []Step{{Do: VerbAppend}, {Do: VerbRun}}}}
	requests := []Request{r, other}
	switch r.Kind {
	case RequestKill, RequestCancel, RequestPause, RequestPatch:
		// Something has to be there.
		busy := Request{Kind: RequestSend, Program: Program{Name: "p3", Steps: []Step{{Do: VerbCall, Key: 1, Sub: &Program{Name: "p4", Steps: []Step{{Do: VerbAwake}}}}}}}
		r.At = 2
		requests = []Request{busy, r, other}
	}
	return &Plan{
		Seed: 1, Limit: 200_000, Requests: requests,
		House: House{Linger: -1, Inactivity: 1, MaxRunning: 2, MaxLive: 4, MaxHot: 2, Retention: 60_000},
	}
}

// tourSteps are steps around a verb.
func tourSteps(v Verb) []Step {
	s := Step{Do: v, N: 1}
	switch v {
	case VerbSleep, VerbRace:
		s.N = 3
	case VerbCall, VerbBoth, VerbAttach, VerbSend:
		s.Key, s.Sub = 1, &Program{Name: "p3", Steps: []Step{{Do: VerbAppend}, {Do: VerbRun}}}
	case VerbBig:
		s.N = len(bigSizes()) - 1
	case VerbNudge:
		s.Key, s.Sub = 1, &Program{Name: "p3", Steps: []Step{{Do: VerbExpect}, {Do: VerbAppend}}}
	}
	return []Step{{Do: VerbAppend}, s, {Do: VerbRun}}
}

// CrashEverywhere lets a plan happen once, and then once more for each of its steps,
// every time with an end of the process at that step; a stride above 1 leaves steps
// out. It returns how often it ran, and the first run in which something was wrong.
func CrashEverywhere(p *Plan, stride uint64, logger *slog.Logger) (runs int, at uint64, broken *Violation) {
	whole, broken := Run(p, logger, nil)
	for at = 1; at <= whole.Steps && broken == nil; at += stride {
		crashed := *p
		crashed.KillAt = at
		runs++
		if _, broken = Run(&crashed, logger, nil); broken != nil {
			return runs, at, broken
		}
	}
	return runs + 1, 0, broken
}
