package restate_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	// The tests compile it: they must run again when it changes.
	_ "github.com/restatedev/sdk-go/server"
)

// upstream is the module whose place this one takes, and the version that it is
// written for.
const (
	upstream        = "github.com/restatedev/sdk-go"
	upstreamVersion = "v1.2.0"
)

// root is the root of the repository.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// goCommand runs the go command in dir. The module there may be completed; what
// the go command knows of the module around the test does not count.
func goCommand(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off", "PWD="+dir)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, errs.String())
	}
	return out.String(), nil
}

func mustGo(t *testing.T, dir string, args ...string) string {
	t.Helper()
	out, err := goCommand(t, dir, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func write(t *testing.T, text string, path ...string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(path...), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// copyProgram copies the program of internal/migrated, without its tests, to dir.
func copyProgram(t *testing.T, dir string) {
	t.Helper()
	sources, err := filepath.Glob("internal/migrated/*.go")
	if err != nil || len(sources) == 0 {
		t.Fatalf("no sources: %v", err)
	}
	for _, source := range sources {
		write(t, read(t, source), dir, filepath.Base(source))
	}
}

// original makes a module that requires the original SDK, and skips the test
// when that cannot be fetched.
func original(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("fetches and compiles the original SDK: not with -short")
	}
	dir := t.TempDir()
	write(t, "module example.com/original\n\ngo 1.26.0\n\nrequire "+upstream+" "+upstreamVersion+"\n", dir, "go.mod")
	write(t, read(t, root(t), "examples/bench/go.sum"), dir, "go.sum") // the benchmark requires it as well
	write(t, "package original\n\nimport _ \""+upstream+"/server\"\n", dir, "original.go")
	for _, args := range [][]string{{"mod", "tidy"}, {"mod", "download"}} {
		if _, err := goCommand(t, dir, args...); err != nil {
			t.Skipf("%s %s cannot be fetched: %v", upstream, upstreamVersion, err)
		}
	}
	if err := os.Remove(filepath.Join(dir, "original.go")); err != nil {
		t.Fatal(err)
	}
	return dir
}
