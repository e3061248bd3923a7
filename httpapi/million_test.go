package httpapi_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/persistence"
)

var (
	millionKeys = flag.Int("million.keys", 0, "how many keys TestListsAreQuickWithAMillionKeys makes, a tenth of which wait; 0 skips it")
	millionDir  = flag.String("million.dir", "", "where it keeps the store; a store that is there is used again. A temporary directory when empty")
	millionAsks = flag.Int("million.asks", 300, "how often it asks for each page")
)

// quick is how long the first page of a list may take in 99 of 100 cases.
const quick = 20 * time.Millisecond

// millionLists are the pages that are asked for. %d stands for the number of a
// key, drawn anew each time.
func millionLists() []string {
	const invocations = "/introspection/invocations"
	return []string{
		"/health", // what a request costs that asks for nothing
		invocations, invocations + "?order=oldest", invocations + "?limit=1000",
		invocations + "?service=Counter", invocations + "?service=Approval", invocations + "?service=Signup", invocations + "?service=Rare", invocations + "?service=Nobody",
		invocations + "?status=suspended", invocations + "?status=suspended&status=paused&status=backing-off&status=scheduled", invocations + "?status=paused",
		invocations + "?status=pending", invocations + "?status=running", invocations + "?status=completed", invocations + "?status=suspended&service=Rare",
		invocations + "?key=%d", invocations + "?service=Counter&key=%d", invocations + "?service=Approval&key=%d&status=suspended",
		invocations + "?result=failure", invocations + "?idempotency_key=nobody", invocations + "?min_age_ms=3600000", invocations + "?created_before=2026-01-05T00:00:00Z",
		"/introspection/objects/Counter", "/introspection/objects/Approval", "/introspection/objects/Approval?status=suspended", "/introspection/objects/Counter?prefix=%d",
		"/introspection/objects/Approval?min_queue_depth=1", "/introspection/objects/Approval?order=queue_depth", "/introspection/objects/Counter?status=paused",
		"/introspection/objects/Counter/%d", "/introspection/objects/Approval/%d", "/introspection/objects/Signup/%d",
		"/introspection/awakeables", "/introspection/awakeables?service=Approval", "/introspection/awakeables?service=Rare", "/introspection/awakeables?state=awaited",
		"/introspection/awakeables?service=Approval&key=%d", "/introspection/awakeables?key=%d",
		"/introspection/promises", "/introspection/promises?service=Signup", "/introspection/promises?completed=true", "/introspection/promises?service=Signup&key=%d",
	}
}

// millionServices are what the keys belong to.
func millionServices() []restate.ServiceDefinition {
	wait := func(ctx restate.ObjectContext, _ string) (string, error) {
		return restate.Awakeable[string](ctx).Result()
	}
	add := func(_ restate.ObjectContext, n int) (int, error) { return n, nil }
	run := func(ctx restate.WorkflowContext, _ string) (string, error) {
		return restate.Promise[string](ctx, "approved").Result()
	}
	return []restate.ServiceDefinition{
		restate.NewObject("Counter").Handler("add", restate.NewObjectHandler(add)),
		restate.NewObject("Approval").Handler("request", restate.NewObjectHandler(wait)),
		restate.NewObject("Rare").Handler("request", restate.NewObjectHandler(wait)),
		restate.NewWorkflow("Signup").Handler("run", restate.NewWorkflowHandler(run)),
	}
}

// TestListsAreQuickWithAMillionKeys measures the first page of each list on a
// large store, over HTTP, and what the process takes for it. It is a measurement
// and runs alone; -million.keys=1000000 turns it on.
func TestListsAreQuickWithAMillionKeys(t *testing.T) {
	if *millionKeys == 0 {
		t.Skip("-million.keys=1000000 turns it on")
	}
	dir := *millionDir
	if dir == "" {
		dir = t.TempDir()
	}
	before := memory()
	if _, err := os.Stat(filepath.Join(dir, "FORMAT")); err != nil {
		begun := time.Now()
		buildMillion(t, dir, *millionKeys)
		t.Logf("%d keys, %d MB, made in %v", *millionKeys, dirSize(t, dir)>>20, time.Since(begun).Round(time.Second))
	}
	h := openHouse(t, dir, actors.Options{Services: millionServices(), Logger: quiet()}, persistence.Options{Logger: quiet()})
	eventually(t, "rest after the start", func() bool {
		used := cpuTime()
		<-time.After(time.Second)
		return cpuTime()-used < 50*time.Millisecond
	})
	opened := memory()
	t.Logf("%-91s %8s %8s %8s %8s %6s %8s", "first page", "p50", "p99", "max", "CPU", "items", "examined")
	for _, list := range millionLists() {
		measureList(h, list)
	}
	after := memory()
	t.Logf("memory before: %s", before)
	t.Logf("store open:    %s", opened)
	t.Logf("lists asked:   %s", after)
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// measureList asks for the first page again and again. A list that this build
// does not serve is passed over.
func measureList(h *house, list string) {
	rng := rand.New(rand.NewPCG(1, 2))
	var took []time.Duration
	cpu := cpuTime()
	var last struct {
		Items    []json.RawMessage `json:"items"`
		Examined int               `json:"examined"`
	}
	for range *millionAsks {
		target := list
		if strings.Contains(list, "%d") {
			target = fmt.Sprintf(list, rng.IntN(*millionKeys))
		}
		begun := time.Now()
		r := ask(h.client, "GET", h.admin+target, "")
		took = append(took, time.Since(begun))
		if r.status == http.StatusNotFound && strings.Contains(r.body, "no such route") {
			h.t.Logf("%-91s is not served", list)
			return
		}
		if r.status != http.StatusOK {
			h.t.Fatalf("%s: %v", target, r)
		}
		if err := json.Unmarshal([]byte(r.body), &last); err != nil && r.body != "" {
			h.t.Fatalf("%s: %v", target, err)
		}
	}
	cpu = (cpuTime() - cpu) / time.Duration(len(took))
	slices.Sort(took)
	p50, p99, most := took[len(took)/2], took[len(took)*99/100], took[len(took)-1]
	round := func(d time.Duration) time.Duration { return d.Round(10 * time.Microsecond) }
	h.t.Logf("%-91s %8v %8v %8v %8v %6d %8d", list, round(p50), round(p99), round(most), round(cpu), len(last.Items), last.Examined)
	if p99 > quick && !strings.Contains(list, "order=queue_depth") { // that one has no index, and a budget of its own
		h.t.Errorf("%s: p99 is %v, more than %v", list, p99, quick)
	}
}

// cpuTime is what the process has used so far. Of a page it says what the machine
// would need if nobody else used it.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// memory tells what the process takes: what its heap has in use, and how many
// pages of its own and of mapped files are in memory.
func memory() string {
	goruntime.GC()
	var m goruntime.MemStats
	goruntime.ReadMemStats(&m)
	text := fmt.Sprintf("heap %d MB", m.HeapInuse>>20)
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return text
	}
	for line := range strings.Lines(string(status)) {
		if name, value, _ := strings.Cut(line, ":"); name == "RssAnon" || name == "RssFile" {
			text += ", " + name + " " + strings.TrimSpace(value)
		}
	}
	return text
}

func dirSize(t *testing.T, dir string) (bytes int64) {
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			bytes += info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return bytes
}
