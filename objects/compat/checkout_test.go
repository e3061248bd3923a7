package restate_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// checkoutDir names a checkout of the repository of the original SDK.
const checkoutDir = "DORMOUSE_SDK_GO_DIR"

func TestExamplesAndTestServicesOfTheOriginalCompile(t *testing.T) {
	t.Parallel()
	dir := os.Getenv(checkoutDir)
	if dir == "" {
		t.Skipf("%s is not set: let it name a checkout of %s %s", checkoutDir, upstream, upstreamVersion)
	}
	if err := compileCheckout(t, dir); err != nil {
		t.Error(err)
	}
}

func TestTheModulesOfACheckoutAreFoundAndCompiled(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("compiles: not with -short")
	}
	const program = "package main\n\nimport restate \"" + upstream + "\"\n\nfunc main() { _ = restate.%s(\"S\") }\n"
	dir := t.TempDir()
	if err := compileCheckout(t, dir); err == nil || !strings.Contains(err.Error(), "no module") {
		t.Errorf("an empty checkout gives %v", err)
	}
	for _, module := range []string{"examples/hello", "examples/broken", "test-services"} {
		text := "module " + upstream + "/" + module + "\n\ngo 1.25.0\n\nrequire " + upstream + " v1.0.0\n\nreplace " + upstream + " => ../..\n"
		if err := os.MkdirAll(filepath.Join(dir, module), 0o777); err != nil {
			t.Fatal(err)
		}
		write(t, text, dir, module, "go.mod")
		write(t, fmt.Sprintf(program, "NewService"), dir, module, "main.go")
	}
	write(t, fmt.Sprintf(program, "NewNothing"), dir, "examples/broken/main.go")
	err := compileCheckout(t, dir)
	if err == nil || strings.Contains(err.Error(), "hello") || strings.Contains(err.Error(), "test-services") || !strings.Contains(err.Error(), "NewNothing") {
		t.Errorf("got %v, want an error about examples/broken alone", err)
	}
	if text := read(t, dir, "examples/hello/go.mod"); strings.Contains(text, "compat") {
		t.Errorf("the checkout was changed:\n%s", text)
	}
}

// compileCheckout compiles each module of a checkout's examples and test
// services against this module. The checkout stays as it is.
func compileCheckout(t *testing.T, dir string) error {
	t.Helper()
	var modules []string
	for _, below := range []string{"examples", "test-services"} {
		err := filepath.WalkDir(filepath.Join(dir, below), func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Name() == "go.mod" {
				modules = append(modules, filepath.Dir(path))
			}
			return err
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if len(modules) == 0 {
		return fmt.Errorf("there is no module in the directories examples and test-services of %s", dir)
	}
	slices.Sort(modules)
	var failures []error
	for _, module := range modules {
		if err := compileModule(t, module); err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", module, err))
		}
	}
	return errors.Join(failures...)
}

// compileModule compiles a module with a go.mod beside its own.
func compileModule(t *testing.T, module string) error {
	t.Helper()
	beside := t.TempDir()
	sums := read(t, "go.sum")
	if own, err := os.ReadFile(filepath.Join(module, "go.sum")); err == nil {
		sums += string(own)
	}
	write(t, read(t, module, "go.mod"), beside, "go.mod")
	write(t, sums, beside, "go.sum")
	edit := []string{"mod", "edit"}
	for path, dir := range replacements(t) {
		edit = append(edit, "-dropreplace="+path, "-replace="+path+"="+dir)
	}
	if _, err := goCommand(t, beside, append(edit, "go.mod")...); err != nil {
		return err
	}
	_, err := goCommand(t, module, "build", "-modfile="+filepath.Join(beside, "go.mod"), "./...")
	return err
}

// replacements are the modules that stand here for one of the original, and
// Dormouse itself.
func replacements(t *testing.T) map[string]string {
	t.Helper()
	compat := filepath.Join(root(t), "objects/compat")
	return map[string]string{
		upstream:                              compat,
		upstream + "/testing":                 filepath.Join(compat, "testing"),
		upstream + "/x/protoc-gen-go-restate": filepath.Join(compat, "x/protoc-gen-go-restate"),
		"github.com/dormouse-run/dormouse":    root(t),
	}
}
