package main

import (
	"fmt"
	"slices"
)

// verdict is a goal with what was measured.
type verdict struct {
	what, goal string
	at         place
	// ours, ceiling and restate are the figure of each.
	ours, ceiling, restate string
	// value is what the goal is about: a quotient of medians, or the median of the
	// figure itself.
	value string
	// judged is empty when something was not measured.
	judged judgement
}

// judgement is the end of a line.
type judgement string

// Judgements. A goal is met or missed by the medians; rounds that say otherwise
// are told.
const (
	met        judgement = "met"
	missed     judgement = "**missed**"
	unmeasured judgement = "not measured"
)

// Marks. The first stands behind figures that were not measured here, the other
// behind those of runs that something else disturbed.
const (
	mark     = "†"
	markBusy = "‡"
)

// judge holds the rows against every goal for a place among them.
func judge(rows []row) []verdict {
	var list []verdict
	for _, g := range goals() {
		if slices.ContainsFunc(rows, func(r row) bool { return r.place == place{g.work, g.clients} }) {
			list = append(list, g.judge(rows))
		}
	}
	return list
}

func (g goal) judge(rows []row) verdict {
	at := place{g.work, g.clients}
	v := verdict{what: g.figure.name, goal: g.text(), at: at, judged: unmeasured, value: "-"}
	ours, _ := find(rows, at, runtimeName)
	v.ours = ours.sample(g.figure).text(g.figure.format)
	for target, cell := range map[string]*string{ceiling: &v.ceiling, restate: &v.restate} {
		other, _ := find(rows, at, target)
		if *cell = other.sample(g.figure).text(g.figure.format); other.published && *cell != "-" {
			*cell += mark
		}
	}
	against, found := find(rows, at, g.against)
	value, rounds, known := g.compare(ours, against)
	if !known || g.against != "" && !found {
		return v
	}
	v.value = sample{value}.text("%.2f")
	if len(rounds) > 1 {
		v.value += fmt.Sprintf(" (%.2f..%.2f)", rounds[0], rounds[len(rounds)-1])
	}
	if against.published {
		v.value += mark
	}
	v.judged = g.verdict(value, rounds)
	if ours.disturbed() || against.disturbed() {
		v.judged += " " + markBusy
	}
	return v
}

// compare returns what the goal is about, by the medians and by each round in
// which both were measured, sorted.
func (g goal) compare(ours, against row) (value float64, rounds sample, known bool) {
	mine := ours.sample(g.figure)
	if len(mine) == 0 {
		return 0, nil, false
	}
	if g.against == "" {
		return mine.median(), mine, true
	}
	theirs := against.sample(g.figure)
	if len(theirs) == 0 || theirs.median() == 0 {
		return 0, nil, false
	}
	for _, l := range ours.runs {
		i := slices.IndexFunc(against.runs, func(other line) bool { return against.published || other.Round == l.Round })
		if i < 0 {
			continue
		}
		if a, b := g.figure.of(l), g.figure.of(against.runs[i]); a != nil && b != nil && *b > 0 {
			rounds = append(rounds, *a / *b)
		}
	}
	slices.Sort(rounds)
	return mine.median() / theirs.median(), rounds, true
}

func (g goal) holds(x float64) bool {
	if g.atLeast > 0 {
		return x >= g.atLeast
	}
	return x <= g.atMost
}

func (g goal) verdict(value float64, rounds sample) judgement {
	judged := missed
	if g.holds(value) {
		judged = met
	}
	agree := 0
	for _, x := range rounds {
		if g.holds(x) == g.holds(value) {
			agree++
		}
	}
	if agree < len(rounds) {
		judged += judgement(fmt.Sprintf(", as in %d of %d rounds", agree, len(rounds)))
	}
	return judged
}

// text is the goal itself.
func (g goal) text() string {
	sign, bound := "≥", g.atLeast
	if g.atLeast == 0 {
		sign, bound = "≤", g.atMost
	}
	if g.against == "" {
		return fmt.Sprintf("%s %g", sign, bound)
	}
	return fmt.Sprintf("%s %g × %s", sign, bound, g.against)
}
