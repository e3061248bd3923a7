package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// prepare parses a command line in a directory of its own.
func prepare(t *testing.T, args ...string) (*config, *target, error) {
	t.Helper()
	c, err := parse(append(args, "-root", t.TempDir()))
	if err != nil {
		return nil, nil, err
	}
	target, err := c.target()
	return c, target, err
}

func TestEveryPeerIsATarget(t *testing.T) {
	t.Parallel()
	for peer, url := range map[string]string{
		"ours": "http://127.0.0.1:28630", "ceil": "http://127.0.0.1:28620",
		"echo": "http://127.0.0.1:28610", "echo-net": "http://127.0.0.1:28610",
	} {
		if _, got, err := prepare(t, "-peer", peer); err != nil || got.url != url || len(got.processes) != 1 {
			t.Errorf("%s: %+v, %v", peer, got, err)
		}
	}
	if _, _, err := prepare(t, "-peer", "unheard-of"); err == nil {
		t.Error("a peer without a URL was accepted")
	}
	if _, _, err := prepare(t, "-w", "w9"); err == nil {
		t.Error("an unknown workload was accepted")
	}
}

func TestARestateServerNeedsItsBinary(t *testing.T) {
	t.Parallel()
	c := &config{root: t.TempDir(), peer: "restate-tuned"}
	if _, err := c.target(); err == nil || !strings.Contains(err.Error(), "RESTATE_SERVER") {
		t.Errorf("error %v", err)
	}
	c.restate = "restate-server"
	got, err := c.target()
	if err != nil || len(got.processes) != 2 || got.durable != got.processes[0] {
		t.Fatalf("%+v, %v", got, err)
	}
	if args := strings.Join(got.processes[0].Args, " "); !strings.Contains(args, "conf/restate-tuned.toml") {
		t.Errorf("started with %s", args)
	}
}

func TestOnlyDirectoriesOfTargetsThatWeStartAreWiped(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	kept := filepath.Join(dir, "file")
	if err := os.WriteFile(kept, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		command     string
		ready, kept bool
	}{{"", true, true}, {"no-such-server", false, true}, {"sleep 60", true, false}} {
		_, got, err := prepare(t, "-peer", "other", "-url", "http://127.0.0.1:1", "-dirs", dir, "-cmd", row.command)
		if err != nil {
			t.Fatal(err)
		}
		if err := got.prepare(nil); (err == nil) != row.ready {
			t.Errorf("%q: %v", row.command, err)
		}
		if _, err := os.Stat(kept); os.IsNotExist(err) == row.kept {
			t.Errorf("%q: %v of the data, which is to be kept: %v", row.command, err, row.kept)
		}
	}
}

func TestAProcessIsNamedOnlyWhileItRuns(t *testing.T) {
	t.Parallel()
	c := &config{root: t.TempDir(), peer: "other", url: "http://127.0.0.1:1", command: "sleep 60"}
	target := c.other()
	if err := os.Mkdir(c.path("data"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := target.prepare(nil); err != nil {
		t.Fatal(err)
	}
	if err := target.start(); err != nil {
		t.Fatal(err)
	}
	first := target.pids()
	if err := target.crash(); err != nil {
		t.Fatal(err)
	}
	second := target.pids()
	target.stop()
	target.stop()
	if !strings.HasPrefix(first, "server=") || !strings.HasPrefix(second, "server=") || first == second || target.pids() != "" {
		t.Errorf("processes %q, %q, %q", first, second, target.pids())
	}
}

func TestWhereURLsLead(t *testing.T) {
	t.Parallel()
	got := addresses("http://127.0.0.1:1", "http://127.0.0.1:1/stats", "", "http://localhost/stats")
	if want := []string{"127.0.0.1:1", "localhost:80"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
