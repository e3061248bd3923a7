package objects_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"
)

// unshown are the exported names without an Example, with what shows them, or why
// nothing does.
func unshown() map[string]string {
	const (
		constructor = "is what its constructor returns, whose Example uses it"
		handler     = "is the type of a function literal in every Example of a handler"
		shape       = "is Call or Send for another shape of method; ExampleCall, ExampleSend and ExampleAll use its kind"
		host        = "is for package actors and other hosts, not for handlers"
		mock        = "is part of ExampleWithMockContext"
	)
	return map[string]string{
		"AwakeableFuture": constructor, "SignalFuture": constructor, "DurablePromise": constructor, "RunAsyncFuture": constructor,
		"AttachFuture": constructor, "ResponseFuture": constructor, "Client": constructor, "SendClient": constructor,
		"Ref": constructor, "Cell": constructor,
		"TypedFuture": "is what All, Race and Any take; their Examples use it",
		"Responder":   "is what ResultOf takes; ExampleAll uses it", "ResultOf": "is in ExampleAll", "DoneAs": "is in ExampleRace",
		"ServiceHandlerFn": handler, "ObjectHandlerFn": handler, "ObjectSharedHandlerFn": handler,
		"WorkflowHandlerFn": handler, "WorkflowSharedHandlerFn": handler,
		"Call0": shape, "CallVoid": shape, "CallVoid0": shape, "Send0": shape, "SendVoid": shape, "SendVoid0": shape,
		"CallFuture": shape, "CallFuture0": shape, "CallFutureVoid": shape, "CallFutureVoid0": shape,
		"TargetOf":              "is for package ingress",
		"ResolveAwakeableCodec": "is for package ingress", "ResolveSignalCodec": "is for package ingress", "ScopeOf": "is for package ingress",
		"Execute": host, "FailureOf": host, "TerminalErrorFrom": host,
		"MockCancelled": mock, "MockError": mock,
	}
}

// sources are the parsed files of this directory.
func sources(t *testing.T) map[string]*ast.File {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]*ast.File{}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") {
			continue
		}
		if files[e.Name()], err = parser.ParseFile(token.NewFileSet(), e.Name(), nil, parser.SkipObjectResolution); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// exported returns the exported functions and the generic types of the package,
// and whether each is generic.
func exported(files map[string]*ast.File) map[string]bool {
	names := map[string]bool{}
	for path, f := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		for _, decl := range f.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil && d.Name.IsExported() {
					names[d.Name.Name] = d.Type.TypeParams != nil
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if s, ok := spec.(*ast.TypeSpec); ok && s.Name.IsExported() && s.TypeParams != nil {
						names[s.Name.Name] = true
					}
				}
			}
		}
	}
	return names
}

// examples returns the names that have an Example of their own, and those that
// the body of some Example uses.
func examples(files map[string]*ast.File) (own, used map[string]bool) {
	own, used = map[string]bool{}, map[string]bool{}
	for path, f := range files {
		if !strings.HasSuffix(path, "_test.go") {
			continue
		}
		for _, decl := range f.Decls {
			d, ok := decl.(*ast.FuncDecl)
			if !ok || d.Recv != nil || !strings.HasPrefix(d.Name.Name, "Example") {
				continue
			}
			name, _, _ := strings.Cut(strings.TrimPrefix(d.Name.Name, "Example"), "_")
			own[name] = true
			ast.Inspect(d.Body, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok {
					if x, ok := s.X.(*ast.Ident); ok && x.Name == "restate" {
						used[s.Sel.Name] = true
					}
				}
				return true
			})
		}
	}
	return own, used
}

// TestEveryFeatureHasAnExample: a generic function or type has an Example of its
// own, which go doc shows with it; any other function is used by one; and what is
// neither has a reason above. A reason that is not needed any more is one too
// many.
func TestEveryFeatureHasAnExample(t *testing.T) {
	t.Parallel()
	files := sources(t)
	names, reasons := exported(files), unshown()
	own, used := examples(files)
	if len(names) < 100 {
		t.Fatalf("found only %d exported names", len(names))
	}
	for name, generic := range names {
		shown := own[name] || !generic && used[name]
		switch reason := reasons[name]; {
		case !shown && reason == "":
			t.Errorf("%s has no Example: write Example%s, or give a reason in unshown", name, name)
		case shown && reason != "":
			t.Errorf("%s has an Example: remove its reason from unshown", name)
		}
	}
	for name := range reasons {
		if _, exists := names[name]; !exists {
			t.Errorf("unshown names %s, which does not exist", name)
		}
	}
}
