package main

import (
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestCallbacksCarryTokenAndID(t *testing.T) {
	t.Parallel()
	got := make(chan callback, 2)
	url := callbackServer(t, func(cb callback) { got <- cb })
	for _, body := range []string{"t1 sign_1a", "t2 sign_1b"} {
		r, err := http.Post(url, "text/plain", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Body.Close(); err != nil || r.StatusCode != 200 {
			t.Errorf("%s, %v", r.Status, err)
		}
	}
	if a, b := <-got, <-got; a != (callback{"t1", "sign_1a"}) || b != (callback{"t2", "sign_1b"}) {
		t.Errorf("callbacks %v, %v", a, b)
	}
}

func TestEveryWaitHasATokenOfItsOwn(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for client := range 12 {
		op := operation{workload: "awk", keys: 10, run: "r", client: client, rng: rand.New(rand.NewPCG(1, 2))}
		for range 12 {
			path, body := op.next()
			if seen[body] || path != "/Waiter/w"+strings.Trim(body, `"`)+"/wait" {
				t.Errorf("path %s, token %s", path, body)
			}
			seen[body] = true
		}
	}
}

func TestEveryWorkloadHasAPath(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"echo": "/Counter/0/add", "call": "/Counter/kp0/add", "hot": "/Counter/hot/add",
		"steps": "/Steps/kp0/run10", "send": "/Counter/kp0/add/send", "awk": "/Waiter/wr-0-1/wait",
	}
	for workload, path := range want {
		op := operation{workload: workload, prefix: "p", keys: 1, run: "r", rng: rand.New(rand.NewPCG(1, 2))}
		if got, _ := op.next(); got != path || known(workload) != nil {
			t.Errorf("%s: %s, want %s", workload, got, path)
		}
	}
	if known("nap") == nil {
		t.Error("an unknown workload is known")
	}
}

func TestOutputOfPerfIsSummed(t *testing.T) {
	t.Parallel()
	out := "# started\n12,,syscalls:sys_enter_fsync,1,100.00,,\n<not counted>,,syscalls:sys_enter_msync,0,0,,\n30,,syscalls:sys_enter_fdatasync,1,100.00,,\n"
	if n, known := sumEvents(out); n != 42 || !known {
		t.Errorf("%v, %v", n, known)
	}
	if _, known := sumEvents("no permission\n"); known {
		t.Error("a count was found in an error message")
	}
}

func TestTheTotalOfDuIsInItsLastLine(t *testing.T) {
	t.Parallel()
	if n := duTotal("10\ta\n20\tb\n30\ttotal\n"); n != 30 {
		t.Errorf("%d", n)
	}
	if n := duTotal(""); n != 0 {
		t.Errorf("%d without output", n)
	}
}

func TestProcessesAreGroupedByName(t *testing.T) {
	t.Parallel()
	target := newTarget("server=1+2,service=3", "a,b")
	if len(target.processes["server"]) != 2 || len(target.pids()) != 3 || len(target.dirs) != 2 {
		t.Errorf("%+v", target)
	}
	if none := newTarget("", ""); len(none.pids()) != 0 || none.usedBytes() != 0 {
		t.Errorf("%+v", none)
	}
}

func TestCountersAreReportedPerOperationWhenTheTargetHasThem(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"done":7,"group_commits":50,"rows":400,"other":1}`)
	}))
	defer server.Close()
	zero, out := 0.0, report{}
	after := readCounters(server.URL)
	reportCounters(out, counters{GroupCommits: &zero, Rows: &zero}, after, 100)
	if out["group_commits_per_op"] != 0.5 || out["rows_per_op"] != 4.0 || after.Done != 7 {
		t.Errorf("report %v of %+v", out, after)
	}
	if out["stored_rows_per_op"] != nil || out["waits_per_run"] != nil {
		t.Errorf("report %v of what the target does not count", out)
	}
	for _, row := range []struct{ results, barriers, want float64 }{
		{990, 100, 0.99}, {1000, 1000, 1.9}, {1000, 50, 1}, // of 100 operations with ten Runs each
	} {
		from := counters{Runs: &zero, RunWaits: &zero, BarrierWaits: &zero}
		reportCounters(out, from, counters{Runs: new(1000.0), RunWaits: &row.results, BarrierWaits: &row.barriers}, 100)
		if out["waits_per_run"] != row.want {
			t.Errorf("report %v, want %v waits", out, row.want)
		}
	}
	out = report{}
	reportCounters(out, counters{}, after, 100)
	if len(out) != 0 {
		t.Errorf("report %v without a first reading", out)
	}
}
