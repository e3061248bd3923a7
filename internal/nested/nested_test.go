package nested

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// inner is set for the tests of nested modules. One of them that ran the tests of
// this module would never end.
const inner = "DORMOUSE_NESTED_TEST"

func TestEveryNestedModulePassesVetAndItsTests(t *testing.T) {
	t.Parallel()
	switch {
	case testing.Short():
		t.Skip("runs the tests of the nested modules: not with -short")
	case raced:
		t.Skip("the nested modules are tested in the run without the race detector")
	case os.Getenv(inner) != "":
		t.Skip("this is already a test of a nested module")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	modules, err := find(os.DirFS(root))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(modules, "objects/compat") {
		t.Fatalf("found the modules %q, which lack objects/compat", modules)
	}
	for _, module := range modules {
		t.Run(module, func(t *testing.T) {
			dir := filepath.Join(root, filepath.FromSlash(module))
			command(t, dir, "vet", "./...")
			// Some tests compile what the go command does not know they depend on.
			command(t, dir, "test", "-count=1", "-timeout=5m", "./...")
		})
	}
}

// command runs a go command in a module.
func command(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), inner+"=1", "GOWORK=off", "PWD="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s\nRepeat it with: cd %s && go %s", err, out, dir, strings.Join(args, " "))
	}
}

// find returns the directories of the nested modules, sorted, and reads every
// file that their tests may depend on.
func find(root fs.FS) ([]string, error) {
	var modules []string
	err := fs.WalkDir(root, ".", func(p string, d fs.DirEntry, err error) error {
		switch base := path.Base(p); {
		case err != nil:
			return err
		case d.IsDir() && p != "." && (strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || base == "vendor" || base == "node_modules"):
			return fs.SkipDir
		case !d.Type().IsRegular():
			return nil
		case base == "go.mod" && path.Dir(p) != "." && !strings.Contains("/"+p, "/testdata/"):
			modules = append(modules, path.Dir(p))
		}
		if !read(p) {
			return nil
		}
		if _, err := fs.ReadFile(root, p); err != nil {
			return fmt.Errorf("read %s: %w", p, err)
		}
		return nil
	})
	slices.Sort(modules)
	return modules, err
}

// read reports whether a file is one that tests depend on.
func read(p string) bool {
	switch path.Ext(p) {
	case ".go", ".mod", ".sum", ".proto", ".txt", ".md":
		return true
	default:
		return false
	}
}

func TestNestedModulesAreFoundAtAnyDepth(t *testing.T) {
	t.Parallel()
	module := &fstest.MapFile{Data: []byte("module x\n")}
	got, err := find(fstest.MapFS{
		"go.mod": module, "b/c/go.mod": module, "a/go.mod": module, "a/b/go.mod": module,
		".git/x/go.mod": module, "a/testdata/x/go.mod": module, "_old/go.mod": module, "vendor/x/go.mod": module, "node_modules/x/go.mod": module, "a/go.modx": module,
	})
	if want := []string{"a", "a/b", "b/c"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("found %q, %v, want %q", got, err, want)
	}
}
