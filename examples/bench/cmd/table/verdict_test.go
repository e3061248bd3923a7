package main

import (
	"strings"
	"testing"
)

// run is a quiet run of w1 with 64 clients.
func run(target string, round int, rate float64) line {
	return line{Work: "w1", Clients: 64, Target: target, Round: round, OpsPerSecond: &rate}
}

// verdictOn holds runs against a rate of at least 0.6 of the ceiling's.
func verdictOn(lines ...line) verdict {
	g := goal{work: "w1", clients: 64, figure: rate(), against: ceiling, atLeast: 0.6}
	return g.judge(withPublished(summarize(lines)))
}

func TestAGoalIsJudgedByTheMediansAndTheRoundsAreTold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		lines []line
		value string
		want  judgement
	}{
		{"one round", []line{run(ceiling, 0, 100), run(runtimeName, 0, 60)}, "0.60", met},
		{"too little", []line{run(ceiling, 0, 100), run(runtimeName, 0, 59)}, "0.59", missed},
		{"a round that misses", []line{
			run(ceiling, 0, 100), run(runtimeName, 0, 50), run(ceiling, 1, 80), run(runtimeName, 1, 60), run(ceiling, 2, 100), run(runtimeName, 2, 70),
		}, "0.60 (0.50..0.75)", "met, as in 2 of 3 rounds"},
		{"rounds are compared with themselves", []line{
			run(ceiling, 0, 100), run(runtimeName, 0, 50), run(ceiling, 1, 10), run(runtimeName, 1, 5),
		}, "0.50 (0.50..0.50)", missed},
		{"no ceiling", []line{run(runtimeName, 0, 60)}, "-", unmeasured},
		{"not ours", []line{run(ceiling, 0, 60)}, "-", unmeasured},
	} {
		v := verdictOn(c.lines...)
		if v.value != c.value || v.judged != c.want {
			t.Errorf("%s: %s %s, want %s %s", c.name, v.value, v.judged, c.value, c.want)
		}
	}
}

func TestDisturbedRunsAreMarked(t *testing.T) {
	t.Parallel()
	busy := run(ceiling, 0, 100)
	busy.ForeignCPU = quiet
	lines := []line{busy, run(runtimeName, 0, 60)}
	if v := verdictOn(lines...); v.judged != met+" "+markBusy {
		t.Errorf("%+v", v)
	}
	text := (&report{Lines: lines}).markdown()
	if !strings.Contains(text, "| ceiling | 1 of 1 ‡ |") || !strings.Contains(text, "| Dormouse | 1 of 1 |") || !strings.Contains(text, "‡ the machine was busy") {
		t.Error(text)
	}
	// Two quiet rounds are enough to leave it out.
	lines = append(lines, run(ceiling, 1, 100), run(runtimeName, 1, 60), run(ceiling, 2, 100), run(runtimeName, 2, 60))
	if text := (&report{Lines: lines}).markdown(); strings.Contains(text, markBusy) || !strings.Contains(text, "| ceiling | 2 of 3 |") {
		t.Error(text)
	}
}

func TestOnlyPlacesThatWereMeasuredAreJudged(t *testing.T) {
	t.Parallel()
	for _, v := range judge(summarize([]line{run(runtimeName, 0, 1)})) {
		if v.at != (place{"w1", 64}) {
			t.Errorf("%+v is judged", v)
		}
	}
	if len(judge(nil)) != 0 {
		t.Error("nothing was measured and something is judged")
	}
}

func TestAFigureThatMustBeSmallIsMetFromBelow(t *testing.T) {
	t.Parallel()
	g := goal{work: "w1", clients: 64, figure: p99(), against: restate, atMost: 0.2}
	for p99, want := range map[float64]judgement{20: met, 20.1: missed} {
		ours, theirs := run(runtimeName, 0, 1), run(restate, 0, 1)
		ours.P99, theirs.P99 = &p99, new(100.0)
		if v := g.judge(summarize([]line{ours, theirs})); v.judged != want || v.goal != "≤ 0.2 × Restate" {
			t.Errorf("%v: %+v", p99, v)
		}
	}
}

func TestAGoalMayBeANumberOfItsOwn(t *testing.T) {
	t.Parallel()
	g := goal{work: "w1", clients: 64, figure: completions(), atLeast: 0.95}
	for done, want := range map[float64]judgement{95: met, 94: missed} {
		ours := run(runtimeName, 0, 100)
		ours.Completed = &done
		if v := g.judge(summarize([]line{ours})); v.judged != want || v.goal != "≥ 0.95" {
			t.Errorf("%v: %+v", done, v)
		}
	}
	steps := run(runtimeName, 0, 100)
	for waits, want := range map[float64]judgement{1.004: met, 1.006: missed} {
		steps.WaitsPerRun = &waits
		each := goal{work: "w1", clients: 64, figure: runWaits(), atMost: 1}
		if v := each.judge(summarize([]line{steps})); v.judged != want {
			t.Errorf("%v: %+v", waits, v)
		}
	}
	for commits, want := range map[float64]judgement{5: met, 5.1: missed} {
		steps.GroupCommits = &commits
		shared := goal{work: "w1", clients: 64, figure: groupsPerRun(), atMost: 0.5}
		if v := shared.judge(summarize([]line{steps})); v.judged != want {
			t.Errorf("%v: %+v", commits, v)
		}
	}
	if v := g.judge(summarize([]line{run(runtimeName, 0, 100)})); v.judged != unmeasured {
		t.Errorf("without completions: %+v", v)
	}
}

func TestPublishedFiguresStandInForRestateAndAreMarked(t *testing.T) {
	t.Parallel()
	g := goal{work: "w1", clients: 64, figure: rate(), against: restate, atLeast: 15}
	lines := []line{run(ceiling, 0, 30_000), run(runtimeName, 0, 13_300), run(runtimeName, 1, 26_600)}
	rows := withPublished(summarize(lines))
	if v := g.judge(rows); v.restate != "1330"+mark || v.value != "15.00 (10.00..20.00)"+mark || v.judged != "met, as in 1 of 2 rounds" {
		t.Errorf("%+v", v)
	}
	if text := renderFigures(rows); strings.Count(text, restate+mark) != 1 || !strings.Contains(text, "| Restate† | - | 1330 | 0.04 | - | 45.00 | 90.00 |") {
		t.Error(text)
	}
	r := &report{Lines: lines}
	if !strings.Contains(r.markdown(), mark+" published, not measured here: "+source) {
		t.Error("nothing says what the mark means")
	}

	measured := withPublished(summarize(append(lines, run(restate, 0, 1000))))
	if v := g.judge(measured); v.restate != "1000" || strings.Contains(v.value, mark) {
		t.Errorf("beside a measurement: %+v", v)
	}
	if len(measured) != 3 {
		t.Errorf("%d rows, want those that were measured", len(measured))
	}
}

// TestEveryGoalCanBeMeasured: its place is in the plan, and what is published fits
// to places of the plan.
func TestEveryGoalCanBeMeasured(t *testing.T) {
	t.Parallel()
	planned := map[place]bool{}
	for _, w := range fullPlan() {
		for _, clients := range numbers(t, w.clients) {
			planned[place{w.name, clients}] = true
		}
	}
	for _, g := range goals() {
		if !planned[place{g.work, g.clients}] {
			t.Errorf("%s with %d clients is in no plan", g.work, g.clients)
		}
		if (g.atLeast > 0) == (g.atMost > 0) {
			t.Errorf("%s: %s has none or two bounds", g.work, g.figure.name)
		}
	}
	for _, l := range published() {
		if !planned[l.place()] {
			t.Errorf("what is published of %s with %d clients is in no plan", l.Work, l.Clients)
		}
	}
}
