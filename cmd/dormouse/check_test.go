package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/faults"
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/persistence"
)

// envChild names the directory of a process that is there to be killed.
const envChild = "DORMOUSE_TEST_CHECK_DIR"

// services are what the runtime of the tests runs.
func services() []objects.ServiceDefinition {
	return []objects.ServiceDefinition{objects.NewObject("Counter").
		Handler("add", objects.NewObjectHandler(func(ctx objects.ObjectContext, n int) (int, error) {
			old, err := objects.Get[int](ctx, "n")
			if err != nil {
				return 0, err
			}
			objects.Set(ctx, "n", old+n)
			return old + n, nil
		})).
		Handler("wait", objects.NewObjectHandler(func(ctx objects.ObjectContext, _ objects.Void) (string, error) {
			a := objects.Awakeable[string](ctx)
			if err := objects.Sleep(ctx, time.Millisecond); err != nil {
				return "", err
			}
			return a.Result()
		}))}
}

// open opens a runtime on a directory.
func open(t *testing.T, dir string) (*actors.Runtime, persistence.Store) {
	t.Helper()
	store, err := persistence.Open(dir, persistence.Options{})
	if err != nil {
		t.Fatal(err)
	}
	rt, err := actors.Open(t.Context(), actors.Options{Store: store, Services: services(), InactivityTimeout: -1})
	if err != nil {
		t.Fatal(err)
	}
	return rt, store
}

func add(ctx context.Context, rt *actors.Runtime, n int) error {
	target := ident.Target{Service: "Counter", Key: fmt.Sprint(n % 9), Handler: "add", Kind: ident.KindExclusive}
	_, err := rt.Call(ctx, actors.Request{Service: target.Service, Key: target.Key, Handler: target.Handler, Body: []byte("1")})
	return err
}

// used returns the directory of a runtime that was used and closed.
func used(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	rt, store := open(t, dir)
	for n := range 20 {
		if err := add(t.Context(), rt, n); err != nil {
			t.Fatal(err)
		}
	}
	sent, err := rt.Send(t.Context(), actors.Request{Service: "Counter", Key: "w", Handler: "wait"})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "a wait for the awakeable behind the sleep", func() bool {
		in, err := rt.Inspect(t.Context(), sent.ID, actors.InspectOptions{})
		return err == nil && in.Invocation.Await != nil && len(in.Invocation.Await.Signals) > 0 && len(in.Invocation.Await.Completions) == 0
	})
	if err := rt.Close(); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// ran runs a command line.
func ran(args ...string) (status int, out, errs string) {
	var o, e bytes.Buffer
	status = run(context.Background(), console{out: &o, err: &e}, args)
	return status, o.String(), e.String()
}

func want(t *testing.T, status int, parts []string, args ...string) {
	t.Helper()
	got, out, errs := ran(args...)
	if got != status {
		t.Errorf("dormouse %v gives %d, want %d\n%s%s", args, got, status, out, errs)
	}
	for _, part := range parts {
		if !strings.Contains(out+errs, part) {
			t.Errorf("dormouse %v says nothing of %q:\n%s%s", args, part, out, errs)
		}
	}
}

func TestAClosedDirectoryIsGood(t *testing.T) {
	t.Parallel()
	dir := used(t)
	want(t, exitGood, []string{"is good (closed)", "21 invocations, 1 of them unfinished, 1 awakeables of suspended ones", "0 findings"}, "check", dir)
}

// TestTheDirectoryOfAKilledProcessIsGood kills a process under load.
func TestTheDirectoryOfAKilledProcessIsGood(t *testing.T) {
	if dir := os.Getenv(envChild); dir != "" {
		rt, _ := open(t, dir)
		for n := 0; ; n++ {
			if err := add(t.Context(), rt, n); err != nil {
				t.Fatal(err)
			}
			fmt.Println("done", n)
		}
	}
	t.Parallel()
	dir := t.TempDir()
	cmd := faults.Child("TestTheDirectoryOfAKilledProcessIsGood", 5*time.Minute, envChild+"="+dir)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() && lines.Text() != "done 30" {
	}
	want(t, exitCannot, []string{fmt.Sprintf("pid %d", cmd.Process.Pid)}, "check", dir)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() {
	}
	_ = cmd.Wait() // it was killed
	want(t, exitGood, []string{"is good (not closed by its last process)"}, "check", dir)
}

func TestWhatCannotBeCheckedIsStatusTwo(t *testing.T) {
	t.Parallel()
	want(t, exitCannot, []string{"no such file"}, "check", filepath.Join(t.TempDir(), "none"))
	want(t, exitCannot, []string{"FORMAT", "no data directory of Dormouse"}, "check", t.TempDir())
	want(t, exitCannot, []string{"usage"}, "check")
	want(t, exitCannot, []string{"usage"}, "check", "a", "b")
	want(t, exitCannot, []string{"not defined"}, "check", "-x")
	want(t, exitCannot, []string{"no command"}, "mend")
	want(t, exitCannot, []string{"check DIR"})
	for _, help := range []string{"-h", "--help", "help"} {
		if status, out, errs := ran(help); status != exitGood || !strings.Contains(out, "check DIR | FILE") || errs != "" {
			t.Errorf("%s: %d, %q, %q", help, status, out, errs)
		}
	}
	dir := used(t)
	if err := os.WriteFile(filepath.Join(dir, "FORMAT"), []byte("dormouse data format 99\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	want(t, exitCannot, []string{"format"}, "check", dir)
}

func TestACheckWithoutATemporaryDirectorySaysWhere(t *testing.T) {
	dir := used(t)
	none := filepath.Join(t.TempDir(), "none")
	t.Setenv("TMPDIR", none)
	want(t, exitCannot, []string{"TMPDIR names, is " + none}, "check", dir)
}

func TestTheVersionNamesRevisionAndFormat(t *testing.T) {
	t.Parallel()
	format := fmt.Sprintf("data format %d", persistence.DataFormat)
	want(t, exitGood, []string{format}, "version")
	want(t, exitGood, []string{format}, "--version")
	want(t, exitCannot, []string{"usage"}, "version", "x")
	info := &debug.BuildInfo{GoVersion: "go1.2", Main: debug.Module{Version: "v1.2.3"}, Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.modified", Value: "true"},
	}}
	if got := describeBuild(info); got != "dormouse v1.2.3, revision abc with changes, go1.2, "+format {
		t.Error(got)
	}
	if got := describeBuild(nil); got != "dormouse of an unknown version, "+format {
		t.Error(got)
	}
}

func TestADamagedFileIsNamed(t *testing.T) {
	t.Parallel()
	dir := used(t)
	path := filepath.Join(dir, "MARKER")
	content, err := os.ReadFile(path)
	if err == nil {
		content[5] ^= 1
		err = os.WriteFile(path, content, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	want(t, exitDamaged, []string{"file MARKER", "is damaged", "21 invocations", "1 files, 0 findings"}, "check", dir)
}

// TestARowThatIsGoneIsNamedWithItsInvocation removes a row behind the back of the
// runtime.
func TestARowThatIsGoneIsNamedWithItsInvocation(t *testing.T) {
	t.Parallel()
	dir := used(t)
	store, err := persistence.Open(dir, persistence.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var gone machine.Row
	err = store.Read(func(r persistence.Reader) error {
		for p := range ident.Partition(ident.Partitions) {
			rows, err := r.Scan(machine.Key{Partition: p, Table: machine.TableID}, machine.Key{}, 1)
			if err != nil {
				return err
			}
			if len(rows) > 0 {
				gone = rows[0]
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	batch, err := store.Encode(ident.NewSeq(store.Info().Boot, 1), []machine.Write{{Delete: gone.Key()}})
	if err == nil {
		err = store.Commit([]*persistence.Batch{batch}, persistence.Marks{})
	}
	if err == nil {
		err = store.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	want(t, exitDamaged, []string{"name: inv_1", "is not found by its id", "0 files, 1 findings"}, "check", dir)
}
