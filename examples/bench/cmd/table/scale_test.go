package main

import (
	"strconv"
	"strings"
	"testing"
)

func numbers(t *testing.T, list string) (all []int) {
	t.Helper()
	for s := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, n)
	}
	return all
}

const scaleOutput = `{"n":1000000,"part":"park","park_per_s":12000,"rss_anon_mib":238.5}
{"part":"restart","ready_s":1.25,"rss_mib":90}
{"part":"enqueue","last_of_first_cpu":1.6}
{"part":"disk","disk_mib":700,"goal_mib":650.5,"rows_mib":209}
`

func TestScaleIsJudgedByItsParts(t *testing.T) {
	t.Parallel()
	parts, err := readParts(scaleOutput)
	if err != nil {
		t.Fatal(err)
	}
	want := [][3]string{
		{"12000", "≥ 10000", string(met)},
		{"250", "≤ 250", string(missed)}, // MiB are more than MB
		{"1.25", "≤ 2.00", string(met)},
		{"94.37", "≤ 100", string(met)},
		{"-", "≥ 5000", string(unmeasured)},
		{"1.60", "≤ 1.50", string(missed)},
		{"-", "≤ 1.50", string(unmeasured)},
		{"700", "≤ 650", string(missed)},
	}
	for i, g := range scaleGoals() {
		value, bound, judged := g.judge(parts)
		if got := [3]string{value, bound, string(judged)}; got != want[i] {
			t.Errorf("%s %s: %v, want %v", g.part, g.figure, got, want[i])
		}
	}
	if value, bound, judged := scaleGoals()[7].judge(nil); value != "-" || bound != "-" || judged != unmeasured {
		t.Errorf("a goal that depends on a measurement, without one: %s %s %s", value, bound, judged)
	}
	if _, err := readParts("killed"); err == nil {
		t.Error("what is no JSON was understood")
	}
}

func TestFewerInvocationsAreTold(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]bool{scaleInvocations: false, 1000: true} {
		r := &report{Scale: n, Parts: []part{{"part": "restart", "ready_s": 1.0}}}
		if got := strings.Contains(r.markdown(), "With 1000 invocations"); got != want {
			t.Errorf("%d: %s", n, r.markdown())
		}
	}
}

func TestAMissHasItsProfile(t *testing.T) {
	t.Parallel()
	lines := []line{run(ceiling, 0, 100), run(runtimeName, 0, 10)}
	r := &report{Lines: lines, Tops: []top{
		{Work: "w1", Clients: 64, File: "profiles/w1-c64.pprof", Text: "flat of w1"},
		{Work: "w2", Clients: 64, File: "profiles/w2-c64.pprof", Text: "flat of w2"},
	}}
	text := r.markdown()
	if !strings.Contains(text, "misses operations per second ≥ 0.6 × ceiling; operations per second ≥ 15 × Restate. CPU profile w1-c64.pprof:\n\n```\nflat of w1\n```") {
		t.Error(text)
	}
	if strings.Contains(text, "flat of w2") {
		t.Error("a profile without a miss is shown")
	}
	if got := trimTop("File: bench\nType: cpu\nDuration: 4s\n flat\n"); got != "Duration: 4s\n flat" {
		t.Errorf("top %q", got)
	}
}
