package main

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
)

const output = `{"c":64,"peer":"ceil","phase":"start","ready_s":0.02,"w":"ready"}
{"c":1,"ops_s":100,"p50_ms":1,"p99_ms":2,"errors":0,"cpu_s_per_kop":{"server":0.5,"service":0.25},"fsyncs_per_op":2,"foreign_cpu_cores":0}
{"c":16,"ops_s":900,"p50_ms":1,"p99_ms":2,"errors":0,"cpu_s_per_kop":{"server":0.1},"group_commits_per_op":0.125,"rows_per_op":2,"foreign_cpu_cores":0}
`

// readAll reads the output of several targets, each a round of w1.
func readAll(t *testing.T, rounds ...string) []row {
	t.Helper()
	var lines []line
	for i, out := range rounds {
		name := []string{ceiling, runtimeName}[i%2]
		more, err := read(work{name: "w1"}, target{name: name}, i/2, out)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, more...)
	}
	return summarize(lines)
}

func TestTheTableComparesTargetsWithTheCeiling(t *testing.T) {
	t.Parallel()
	rows := readAll(t, output, strings.ReplaceAll(output, `"ops_s":100`, `"ops_s":40`),
		strings.ReplaceAll(output, `"ops_s":100`, `"ops_s":300`), strings.ReplaceAll(output, `"ops_s":100`, `"ops_s":60`))
	want := []string{
		"| w1 | 1 | ceiling | 2 of 2 | 200 (100..300) | 1.00 | 1.00 | 1.00 | 2.00 | 0.750 | - | - | - | - | - | - | - | 2.00 |",
		"| w1 | 1 | Dormouse | 2 of 2 | 50 (40..60) | 0.25 | 1.00 | 1.00 | 2.00 | 0.750 | - | - | - | - | - | - | - | 2.00 |",
		"| w1 | 16 | ceiling | 2 of 2 | 900 (900..900) | 1.00 | 1.00 | 1.00 | 2.00 | 0.100 | 0.12 | 2.0 | - | - | - | - | - | - |",
		"| w1 | 16 | Dormouse | 2 of 2 | 900 (900..900) | 1.00 | 1.00 | 1.00 | 2.00 | 0.100 | 0.12 | 2.0 | - | - | - | - | - | - |",
	}
	got := strings.Split(strings.TrimSpace(renderFigures(rows)), "\n")
	if strings.Join(got[2:], "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, text := range []string{renderFigures(rows), renderGoals(judge(rows))} {
		lines := strings.Split(strings.TrimSpace(text), "\n")
		for _, l := range lines {
			if strings.Count(l, "|") != strings.Count(lines[0], "|") {
				t.Errorf("the head has another number of columns than %s", l)
			}
		}
	}
}

func TestDisturbedRunsCountOnlyWhenTheyAreNeeded(t *testing.T) {
	t.Parallel()
	run := func(foreign float64) line { return line{ForeignCPU: foreign} }
	for _, row := range []struct {
		runs []line
		want int
	}{
		{[]line{run(0), run(0.9), run(0.1)}, 2},
		{[]line{run(0), run(0.9), run(0.9)}, 3},
		{[]line{run(0.9)}, 1},
	} {
		if got := len(quietRuns(row.runs)); got != row.want {
			t.Errorf("%d of %d runs count, want %d", got, len(row.runs), row.want)
		}
	}
}

func TestATargetThatFailsHasNoRow(t *testing.T) {
	t.Parallel()
	for _, out := range []string{`{"c":1,"ops_s":1,"errors":3}`, `{"phase":"memguard","proc":"server"}`, `killed`} {
		if lines, err := read(work{}, target{}, 0, out); err == nil {
			t.Errorf("%s: %+v", out, lines)
		}
	}
}

func TestWithoutACeilingThereIsNoRatio(t *testing.T) {
	t.Parallel()
	lines, err := read(work{name: "w1"}, target{name: runtimeName}, 0, output)
	if err != nil {
		t.Fatal(err)
	}
	if text := renderFigures(summarize(lines)); !strings.Contains(text, "| Dormouse | 1 of 1 | 100 | - | - |") {
		t.Error(text)
	}
}

func TestShortMeansOneRoundOfEverything(t *testing.T) {
	t.Parallel()
	c, err := parse([]string{"-short"})
	if err != nil || c.rounds != 1 || len(c.plan) != 5 || c.duration >= time.Second || !strings.Contains(c.how(), "not a measurement") {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestOneWorkloadCanBeChosen(t *testing.T) {
	t.Parallel()
	if c, err := parse([]string{"-w", "w3"}); err != nil || !reflect.DeepEqual(c.plan, []work{{"w3", "64"}}) {
		t.Errorf("%+v, %v", c, err)
	}
	if c, err := parse([]string{"-w", "none"}); err != nil || len(c.plan) != 0 {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := parse([]string{"-w", "w9"}); err == nil {
		t.Error("an unknown workload was accepted")
	}
}

func TestAReportIsTheSameWhenItIsReadAgain(t *testing.T) {
	t.Parallel()
	lines, err := read(work{name: "w1"}, target{name: runtimeName}, 2, output)
	if err != nil {
		t.Fatal(err)
	}
	r := &report{
		Machine: "a machine", How: "Like this.", Lines: lines, Scale: 10,
		Parts: []part{{"part": "restart", "ready_s": 1.5}}, Tops: []top{{Work: "w1", Clients: 1, File: "d/w1-c1.pprof", Text: "flat"}},
	}
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	again := &report{}
	if err := json.Unmarshal(b, again); err != nil {
		t.Fatal(err)
	}
	if text := r.markdown(); again.markdown() != text || !strings.Contains(text, "a machine.\n\nLike this.\n") {
		t.Errorf("first\n%s\nthen\n%s", text, again.markdown())
	}
}
