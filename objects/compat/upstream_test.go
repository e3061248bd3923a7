package restate_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"testing"
)

// The program that migrate_test.go runs on Dormouse is one for the original SDK.
func TestTheProgramIsOneForTheOriginal(t *testing.T) {
	t.Parallel()
	dir := original(t)
	copyProgram(t, dir)
	if _, err := goCommand(t, dir, "vet", "."); err != nil {
		t.Errorf("the program of internal/migrated is not one for %s %s: %v", upstream, upstreamVersion, err)
	}
}

func TestTheProgramUsesEveryName(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("compiles: not with -short")
	}
	used := selected(t)
	ours := surfaceOf(t, ".")
	for _, pkg := range []string{"", "encoding", "ingress", "logging"} {
		for name := range ours.exported(pkg) {
			if name := ours.packages[pkg].Name() + "." + name; !used[name] && !unused(name) {
				t.Errorf("internal/migrated does not use %s", name)
			}
		}
	}
}

// unused reports whether a program has no use for a name: only its tests have.
func unused(name string) bool {
	return name == "restate.MockableContext" || name == "restate.WithMockContext"
}

// selected returns what the program writes as package.Name.
func selected(t *testing.T) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	sources, err := filepath.Glob("internal/migrated/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, source := range sources {
		f, err := parser.ParseFile(token.NewFileSet(), source, read(t, source), parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := s.X.(*ast.Ident); ok {
					found[x.Name+"."+s.Sel.Name] = true
				}
			}
			return true
		})
	}
	return found
}
