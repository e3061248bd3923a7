package sim

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	tryFaults = flag.Bool("sim.faults", false, "put each fault of testdata/faults.txt into a copy of the code: the simulation has to find it")
	oneFault  = flag.String("sim.fault", "", "only the faults whose title contains this text")
)

// fault is one change that breaks the code.
type fault struct {
	title      string
	invariants []string
	edits      []edit
}

// edit replaces a text in a file, named from the root of the module.
type edit struct{ file, was, becomes string }

// faults reads testdata/faults.txt.
func faults(t *testing.T) (list []fault) {
	t.Helper()
	text, err := os.ReadFile("testdata/faults.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, section := range strings.Split(string(text), "\n== ")[1:] {
		title, body, _ := strings.Cut(section, "\n")
		f, file := fault{title: title}, ""
		for body != "" {
			line, rest, _ := strings.Cut(body, "\n")
			switch {
			case strings.HasPrefix(line, "invariants "):
				f.invariants = strings.Fields(line)[1:]
			case strings.HasPrefix(line, "file "):
				file = strings.TrimPrefix(line, "file ")
			case line == "<<<<":
				change, after, found := strings.Cut(rest, ">>>>\n")
				was, becomes, whole := strings.Cut(change, "====\n")
				if !found || !whole || file == "" {
					t.Fatalf("%s: an edit is not whole", title)
				}
				f.edits, rest = append(f.edits, edit{file, was, becomes}), after
			case line != "":
				t.Fatalf("%s: what is %q?", title, line)
			}
			body = rest
		}
		list = append(list, f)
	}
	return list
}

// overlay writes the changed files, and a description of them for the go command.
func (f *fault) overlay(t *testing.T, dir string) (path string) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, e := range f.edits {
		text, seen := texts[e.file]
		if !seen {
			b, err := os.ReadFile(filepath.Join(root, e.file))
			if err != nil {
				t.Fatal(err)
			}
			text = string(b)
		}
		if n := strings.Count(text, e.was); n != 1 {
			t.Fatalf("%s: the text to change stands %d times in %s: write the fault anew", f.title, n, e.file)
		}
		texts[e.file] = strings.Replace(text, e.was, e.becomes, 1)
	}
	replace := map[string]string{}
	for file, text := range texts {
		changed := filepath.Join(dir, strings.ReplaceAll(file, "/", "_"))
		if err := os.WriteFile(changed, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		replace[filepath.Join(root, file)] = changed
	}
	b, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestFaultsFitTheCode: what is to be changed is still there. Whether it is found is
// for -sim.faults.
func TestFaultsFitTheCode(t *testing.T) {
	t.Parallel()
	list := faults(t)
	for i := range list {
		list[i].overlay(t, t.TempDir())
		if len(list[i].invariants) == 0 {
			t.Errorf("%s: which invariant does not hold?", list[i].title)
		}
	}
	if len(list) < 20 {
		t.Errorf("%d faults", len(list))
	}
}

// chosen returns the faults of -sim.fault, all of them by default.
func chosen(t *testing.T) (list []fault) {
	t.Helper()
	for _, f := range faults(t) {
		if strings.Contains(f.title, *oneFault) {
			list = append(list, f)
		}
	}
	if len(list) == 0 {
		t.Fatalf("no fault has this title: %q; the titles stand in testdata/faults.txt", *oneFault)
	}
	return list
}

// TestFaultsAreFound builds the simulation with each fault and lets it run for a
// minute.
func TestFaultsAreFound(t *testing.T) {
	if !*tryFaults && *oneFault == "" {
		t.Skip("takes some minutes: -sim.faults, or -sim.fault='part of a title' for one")
	}
	list, found := chosen(t), 0
	for i := range list {
		if list[i].find(t) {
			found++
		}
	}
	fmt.Printf("%d of %d faults found\n", found, len(list))
}

// find reports whether the simulation finds the fault within a minute, by one of its
// invariants.
func (f *fault) find(t *testing.T) bool {
	t.Helper()
	dir := t.TempDir()
	binary := filepath.Join(dir, "sim.test")
	build := exec.CommandContext(t.Context(), "go", "test", "-c", "-overlay", f.overlay(t, dir), "-o", binary, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Errorf("the fault %q does not compile: %v\n%s", f.title, err, out)
		return false
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute) // it ends itself after one
	defer cancel()
	began := time.Now()
	run := exec.CommandContext(ctx, binary, "-test.run", "^TestSeeds$", "-test.v", "-sim.seeds", "1000000", "-sim.for", "1m", "-sim.shrink", "0")
	run.Dir, _ = os.Getwd()
	out, err := run.CombinedOutput()
	m := regexp.MustCompile(`seed (\d+): invariant (\d+), ([^\n]*)`).FindSubmatch(out)
	switch {
	case m == nil:
		t.Errorf("not found: the fault %q (%v)\n%.2000s", f.title, errors.Join(err, ctx.Err()), out)
	case !slices.Contains(f.invariants, string(m[2])):
		t.Errorf("found at seed %s by invariant %s instead of %v: the fault %q: %s", m[1], m[2], f.invariants, f.title, m[3])
	default:
		fmt.Printf("found after %5.1f s, at seed %s, by invariant %s (named are %s): the fault %q\n", time.Since(began).Seconds(), m[1], m[2], strings.Join(f.invariants, " "), f.title)
		return true
	}
	return false
}
