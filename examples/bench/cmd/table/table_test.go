package main

import (
	"strings"
	"testing"
)

const sample = `{"c":64,"peer":"ceil","phase":"start","ready_s":0.02,"w":"ready"}
{"c":1,"ops_s":100,"p50_ms":1,"p99_ms":2,"errors":0,"cpu_s_per_kop":{"server":0.5,"service":0.25},"fsyncs_per_op":2,"foreign_cpu_cores":0}
{"c":16,"ops_s":900,"p50_ms":1,"p99_ms":2,"errors":0,"cpu_s_per_kop":{"server":0.1},"group_commits_per_op":0.125,"rows_per_op":2,"foreign_cpu_cores":0}
`

func TestTheTableComparesTargetsWithTheCeiling(t *testing.T) {
	t.Parallel()
	var lines []line
	for _, part := range []struct {
		target string
		out    string
	}{
		{ceiling, sample},
		{"runtime", strings.ReplaceAll(sample, `"ops_s":100`, `"ops_s":40`)},
		{ceiling, strings.ReplaceAll(sample, `"ops_s":100`, `"ops_s":300`)},
		{"runtime", strings.ReplaceAll(sample, `"ops_s":100`, `"ops_s":60`)},
	} {
		more, err := read(work{name: "w1"}, target{name: part.target}, part.out)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, more...)
	}
	want := []string{
		"| w1 | 1 | ceiling | 200 (100..300) | 1.00 | 1.00 | 2.00 | 0.750 | - | - | 2.00 |",
		"| w1 | 1 | runtime | 50 (40..60) | 0.25 | 1.00 | 2.00 | 0.750 | - | - | 2.00 |",
		"| w1 | 16 | ceiling | 900 (900..900) | 1.00 | 1.00 | 2.00 | 0.100 | 0.12 | 2.0 | - |",
		"| w1 | 16 | runtime | 900 (900..900) | 1.00 | 1.00 | 2.00 | 0.100 | 0.12 | 2.0 | - |",
	}
	got := strings.Split(strings.TrimSpace(render(summarize(lines))), "\n")
	if strings.Join(got[2:], "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if n := strings.Count(got[0], "|"); n != strings.Count(got[1], "|") || n != strings.Count(got[2], "|") {
		t.Error("the head has another number of columns than the rows")
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
		if lines, err := read(work{}, target{}, out); err == nil {
			t.Errorf("%s: %+v", out, lines)
		}
	}
}

func TestWithoutACeilingThereIsNoRatio(t *testing.T) {
	t.Parallel()
	lines, err := read(work{name: "w1"}, target{name: "runtime"}, sample)
	if err != nil {
		t.Fatal(err)
	}
	if text := render(summarize(lines)); !strings.Contains(text, "| runtime | 100 (100..100) | - |") {
		t.Error(text)
	}
}

func TestShortMeansOneRunOfEverything(t *testing.T) {
	t.Parallel()
	c, err := parse([]string{"-short"})
	if err != nil || c.reps != 1 || len(c.plan) != 5 {
		t.Errorf("%+v, %v", c, err)
	}
}
