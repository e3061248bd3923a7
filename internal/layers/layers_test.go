package layers

import (
	"go/ast"
	"go/token"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
)

func TestTheModuleKeepsTheRulesOfTheHouse(t *testing.T) {
	t.Parallel()
	sources, err := read(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	if len(sources) < 20 {
		t.Fatalf("found only %d sources", len(sources))
	}
	for _, complaint := range check(sources) {
		t.Error(complaint)
	}
}

// check applies every rule and returns the complaints in order.
func check(sources []source) []string {
	var complaints []string
	for i := range sources {
		for _, rule := range rules() {
			complaints = append(complaints, rule(&sources[i])...)
		}
	}
	complaints = append(complaints, undocumented(sources)...)
	slices.Sort(complaints)
	return complaints
}

func rules() []func(*source) []string {
	return []func(*source) []string{
		unlisted, upwardImports, foreignLibraries, impureImports, loneGoroutines, sleepingTests, longFiles, longFunctions, uncommented,
	}
}

func unlisted(s *source) []string {
	if s.nested || layerOf(s.dir) >= 0 {
		return nil
	}
	return []string{s.complain(s.file.Package, "package %s is in no layer: add it to house() in internal/layers, or put the code where it belongs", s.dir)}
}

func upwardImports(s *source) []string {
	if !s.inside() {
		return nil
	}
	var complaints []string
	own := layerOf(s.dir)
	for imported, pos := range s.imports() {
		pkg, ours := strings.CutPrefix(imported, modulePath+"/")
		if !ours || pkg == s.dir {
			continue
		}
		if other := layerOf(pkg); other < 0 || other >= own {
			complaints = append(complaints, s.complain(pos, "%s must not import %s: only layers below its own", s.dir, pkg))
		}
	}
	return complaints
}

func foreignLibraries(s *source) []string {
	if !s.inside() {
		return nil
	}
	var complaints []string
	for imported, pos := range s.imports() {
		for _, e := range exclusives() {
			if strings.HasPrefix(imported, e.prefix) && s.dir != e.pkg {
				complaints = append(complaints, s.complain(pos, "only package %s may import %s", e.pkg, imported))
			}
		}
	}
	return complaints
}

func impureImports(s *source) []string {
	if s.test() || s.nested || !slices.Contains(pure(), s.dir) {
		return nil
	}
	var complaints []string
	for imported, pos := range s.imports() {
		for _, bad := range impure() {
			if imported == bad || strings.HasPrefix(imported, bad+"/") {
				complaints = append(complaints, s.complain(pos, "%s is pure and must not import %s: events carry what it needs", s.dir, imported))
			}
		}
	}
	return complaints
}

func loneGoroutines(s *source) []string {
	if s.nested || s.test() || s.dir != actorsPackage || s.name == schedulerFile {
		return nil
	}
	var complaints []string
	ast.Inspect(s.file, func(n ast.Node) bool {
		if g, ok := n.(*ast.GoStmt); ok {
			complaints = append(complaints, s.complain(g.Pos(), "start goroutines through the Scheduler: a go statement stands in %s only", schedulerFile))
		}
		return true
	})
	return complaints
}

func sleepingTests(s *source) []string {
	name := s.importName("time")
	if !s.test() || name == "" {
		return nil
	}
	var complaints []string
	ast.Inspect(s.file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name == "Sleep" {
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == name {
				complaints = append(complaints, s.complain(sel.Pos(), "a test must not sleep: use testing/synctest or explicit time"))
			}
		}
		return true
	})
	return complaints
}

// importName is the name under which the file knows a package of the standard
// library, "" when it does not import it.
func (s *source) importName(library string) string {
	for _, spec := range s.file.Imports {
		if spec.Path.Value != `"`+library+`"` {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return path.Base(library)
	}
	return ""
}

func longFiles(s *source) []string {
	if s.lines <= maxFileLines {
		return nil
	}
	return []string{s.complain(s.file.Package, "%d lines: a file has at most %d", s.lines, maxFileLines)}
}

func longFunctions(s *source) []string {
	var complaints []string
	for _, decl := range s.file.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if !ok {
			continue
		}
		if n := s.line(f.End()) - s.line(f.Pos()) + 1; n > maxFunctionLines {
			complaints = append(complaints, s.complain(f.Pos(), "%s has %d lines: a function has at most %d", f.Name.Name, n, maxFunctionLines))
		}
	}
	return complaints
}

// undocumented finds packages without a package comment in doc.go. A program
// may have it in any file.
func undocumented(sources []source) []string {
	documented, program, first := map[string]bool{}, map[string]bool{}, map[string]*source{}
	for i := range sources {
		s := &sources[i]
		if s.nested {
			continue
		}
		if first[s.dir] == nil {
			first[s.dir] = s
		}
		if s.test() {
			continue
		}
		program[s.dir] = program[s.dir] || s.file.Name.Name == "main"
		if s.file.Doc != nil && (s.name == "doc.go" || program[s.dir]) {
			documented[s.dir] = true
		}
	}
	var complaints []string
	for dir, s := range first {
		if !documented[dir] {
			complaints = append(complaints, s.complain(token.NoPos, "package %s has no doc.go with its story", dir))
		}
	}
	return complaints
}
