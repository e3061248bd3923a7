package httpapi_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/persistence"
)

// The tests of this file are the third table of docs/errors.md.

// stepService is one object in two versions of its code, which differ in what
// they do first.
func stepService(version int) restate.ServiceDefinition {
	quick := restate.WithInvocationRetryPolicy(restate.WithInitialRetryInterval(20*time.Millisecond), restate.WithMaxRetryInterval(20*time.Millisecond))
	return restate.NewObject("Step", quick).Handler("go", restate.NewObjectHandler(func(ctx restate.ObjectContext, _ restate.Void) (string, error) {
		if version == 1 {
			restate.Set(ctx, "one", 1)
		}
		return restate.Awakeable[string](ctx).Result()
	}))
}

func TestAJournalThatDoesNotFitTheCodeIs570AndHealsWithTheOldCode(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := openSteps(t, dir, stepService(1))
	id := h.send("/Step/k/go", "")
	eventually(t, "its wait", func() bool { return strings.Contains(h.view(id), `"status":"suspended"`) })
	if err := h.leave(); err != nil {
		t.Fatal(err)
	}
	h = openSteps(t, dir, stepService(2))
	want(t, h.resolve(firstAwakeable(t, id), `"yes"`), 202, "")
	eventually(t, "failure 570", func() bool { return strings.Contains(h.view(id), `"last_failure":{"code":570,`) })
	want(t, ask(h.client, "GET", h.ingress+"/restate/output/"+id, ""), 470, "not completed yet")
	other := h.send("/Step/other/go", "")
	want(t, h.resolve(firstAwakeable(t, other), `"new"`), 202, "")
	want(t, h.attach(other), 200, `"new"`)
	if err := h.leave(); err != nil {
		t.Fatal(err)
	}
	h = openSteps(t, dir, stepService(1))
	want(t, h.attach(id), 200, `"yes"`)
}

func openSteps(t *testing.T, dir string, services ...restate.ServiceDefinition) *house {
	t.Helper()
	return openHouse(t, dir, actors.Options{Services: services, InactivityTimeout: -1}, persistence.Options{})
}

func TestAnInvocationOfAHandlerThatTheBuildHasNotWaitsForOneThatHas(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := openSteps(t, dir, stepService(1))
	id := h.send("/Step/k/go", "")
	eventually(t, "its wait", func() bool { return strings.Contains(h.view(id), `"status":"suspended"`) })
	if err := h.leave(); err != nil {
		t.Fatal(err)
	}
	h = openSteps(t, dir)
	want(t, h.call("/Step/k/go", ""), 404, "no service named 'Step'")
	want(t, h.resolve(firstAwakeable(t, id), `"yes"`), 202, "")
	eventually(t, "what is missing", func() bool { return strings.Contains(h.view(id), "not bound in this build") })
	want(t, ask(h.client, "GET", h.ingress+"/restate/output/"+id, ""), 470, "not completed yet")
	if err := h.leave(); err != nil {
		t.Fatal(err)
	}
	h = openSteps(t, dir, stepService(1))
	// It goes on by itself when its delay is over, which is 10 s at first.
	want(t, ask(h.client, "PATCH", h.admin+"/invocations/"+id+"/resume", ""), 200, "")
	want(t, h.attach(id), 200, `"yes"`)
}

func TestASecondProcessIsToldWhoHasTheDirectory(t *testing.T) {
	t.Parallel()
	c := startChild(t, t.TempDir())
	data := filepath.Join(c.dir, "data")
	wanted := fmt.Sprintf("pid %d holds it", c.cmd.Process.Pid)
	if _, err := persistence.Open(data, persistence.Options{}); err == nil || !strings.Contains(err.Error(), wanted) || !strings.Contains(err.Error(), "stop the other process") {
		t.Errorf("the second Open: %v, want %q", err, wanted)
	}
	want(t, c.call("/Desk/x/note", "1"), 200, "1")
	c.kill()
	store, err := persistence.Open(data, persistence.Options{})
	if err != nil {
		t.Fatalf("after the first process is gone: %v", err)
	}
	if err := store.Close(); err != nil {
		t.Error(err)
	}
}

// TestADamagedRecordTakesOneKeyOutOfService removes the first entry of a
// journal behind the back of the runtime.
func TestADamagedRecordTakesOneKeyOutOfService(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := openSteps(t, dir, stepService(1))
	id := h.send("/Step/sick/go", "", "x-weight", strings.Repeat("w", 2*machine.MaxTailBytes)) // more than stays in the record
	eventually(t, "its wait", func() bool { return strings.Contains(h.view(id), `"status":"suspended"`) })
	parsed, err := ident.ParseInvocationID(id)
	if err != nil {
		t.Fatal(err)
	}
	found, err := h.rt.Inspect(t.Context(), parsed, actors.InspectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.leave(); err != nil {
		t.Fatal(err)
	}
	removeRow(t, dir, (&machine.JournalRow{Partition: parsed.Partition(), Birth: found.Invocation.Birth}).Key())
	h = openSteps(t, dir, stepService(1))
	waiting := h.later("/restate/attach", `{"target":"invocation","invocationId":"`+id+`"}`)
	want(t, h.resolve(firstAwakeable(t, id), `"yes"`), 202, "")
	want(t, receive(t, waiting), 500, "Step/sick is quarantined")
	r := h.call("/Step/sick/go", "")
	want(t, r, 500, "Step/sick is quarantined")
	if !strings.Contains(r.body, "1 of 1 entries are missing") || !strings.Contains(r.body, "restore its directory from a backup") {
		t.Errorf("the answer does not say why and what to do: %v", r)
	}
	other := h.send("/Step/well/go", "")
	want(t, h.resolve(firstAwakeable(t, other), `"yes"`), 202, "")
	want(t, h.attach(other), 200, `"yes"`)
}

func removeRow(t *testing.T, dir string, key machine.Key) {
	t.Helper()
	store, err := persistence.Open(dir, persistence.Options{})
	if err != nil {
		t.Fatal(err)
	}
	batch, err := store.Encode(ident.NewSeq(store.Info().Boot, 1), []machine.Write{{Delete: key}})
	if err == nil {
		err = store.Commit([]*persistence.Batch{batch}, persistence.Marks{})
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestAFullDiskRefusesNewWorkServesTheRestAndRecoversByItself(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := ledger(filepath.Join(dir, "ledger"))
	var free atomic.Uint64
	free.Store(1 << 40)
	probe := func(string) (persistence.Room, error) {
		return persistence.Room{Bytes: free.Load(), Inodes: 1 << 30, Files: 1 << 20, Maps: 1 << 20}, nil
	}
	h := openHouse(t, filepath.Join(dir, "data"), actors.Options{Services: deskServices(l)}, persistence.Options{Probe: probe})
	id := h.send("/Desk/x/ask", `"x"`)
	awakeable := l.await(t, "id", "x")
	done := h.send("/Desk/y/note", "7")
	want(t, h.attach(done), 200, "7")

	free.Store(300 << 20) // below the soft limit: what was begun may end
	eventually(t, "a refusal", func() bool { return h.call("/Desk/z/note", "1").status == 507 })
	r := h.call("/Desk/z/note", "1")
	want(t, r, 507, "left, less than")
	if r.header.Get("Retry-After") != "5" || r.header.Get("X-Restate-Error-Source") != "ingress" {
		t.Errorf("the headers do not say what to do: %v", r.header)
	}
	attached := make(chan reply, 1)
	go func() { attached <- h.attach(id) }()
	want(t, h.attach(done), 200, "7")
	want(t, ask(h.client, "GET", h.ingress+"/restate/output/"+done, ""), 200, "7")
	want(t, ask(h.client, "GET", h.ingress+"/restate/output/"+id, ""), 470, "")
	want(t, ask(h.client, "GET", h.ingress+"/restate/health", ""), 200, "Desk")
	if v := h.view(id); !strings.Contains(v, `"id":"`+id+`"`) {
		t.Errorf("introspection answers %s", v)
	}
	want(t, h.resolve(awakeable, `"yes"`), 202, "")
	want(t, receive(t, attached), 200, `"yes"`)

	free.Store(1 << 40)
	eventually(t, "admission", func() bool { return h.call("/Desk/z/note", "2").status == 200 })
	if got := fmt.Sprint(l.lines("note")); !strings.HasPrefix(got, "[7 ") || !strings.HasSuffix(got, " 2]") {
		t.Errorf("noted %s", got)
	}
}

func TestADirectoryThatCannotBeUsedIsAnErrorByName(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := persistence.Open(file, persistence.Options{}); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("a file as directory: %v", err)
	}
}
