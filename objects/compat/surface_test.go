package restate_test

import (
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
)

// packages are the packages that are compared, relative to the module.
func packages() []string {
	return []string{"", "encoding", "ingress", "server", "logging", "internal/options", "internal/log"}
}

// surface is what a module exports.
type surface struct {
	packages map[string]*types.Package
	// names gives each type that has a public name that name, also when it is
	// declared elsewhere. So types of two modules are equal when their names are.
	names map[*types.TypeName]string
	// public finds a type by its public name.
	public map[string]types.Type
}

// surfaceOf compiles the packages of the SDK's module as the module in dir sees
// them, and reads what they export.
func surfaceOf(t *testing.T, dir string) *surface {
	t.Helper()
	args := []string{"list", "-export", "-deps", "-f", "{{if .Export}}{{.ImportPath}}\t{{.Export}}{{end}}"}
	for _, p := range packages() {
		args = append(args, path.Join(upstream, p))
	}
	exports := map[string]string{}
	for line := range strings.Lines(mustGo(t, dir, args...)) {
		pkg, file, _ := strings.Cut(strings.TrimSpace(line), "\t")
		exports[pkg] = file
	}
	compiled := importer.ForCompiler(token.NewFileSet(), "gc", func(pkg string) (io.ReadCloser, error) { return os.Open(exports[pkg]) })
	s := &surface{map[string]*types.Package{}, map[*types.TypeName]string{}, map[string]types.Type{}}
	for _, p := range packages() {
		pkg, err := compiled.Import(path.Join(upstream, p))
		if err != nil {
			t.Fatal(err)
		}
		s.packages[p] = pkg
		s.publish(pkg)
	}
	return s
}

// publish names the exported types of a package. The first name of a type stays.
func (s *surface) publish(pkg *types.Package) {
	for _, name := range pkg.Scope().Names() {
		if t, ok := pkg.Scope().Lookup(name).(*types.TypeName); ok && t.Exported() {
			s.name(pkg.Name()+"."+name, t.Type())
		}
	}
}

func (s *surface) name(name string, t types.Type) {
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || s.names[named.Obj()] != "" {
		return
	}
	s.names[named.Obj()], s.public[name] = name, named
}

// exported returns the exported names of a package.
func (s *surface) exported(pkg string) map[string]types.Object {
	found := map[string]types.Object{}
	scope := s.packages[pkg].Scope()
	for _, name := range scope.Names() {
		if o := scope.Lookup(name); o.Exported() {
			found[name] = o
		}
	}
	return found
}

// text writes a type with public names, and with numbers for type parameters.
func (s *surface) text(t types.Type) string {
	switch t := types.Unalias(t).(type) {
	case *types.Named:
		return s.named(t)
	case *types.TypeParam:
		return fmt.Sprintf("$%d", t.Index())
	case *types.Pointer:
		return "*" + s.text(t.Elem())
	case *types.Slice:
		return "[]" + s.text(t.Elem())
	case *types.Map:
		return "map[" + s.text(t.Key()) + "]" + s.text(t.Elem())
	case *types.Signature:
		return "func" + s.signature(t)
	case *types.Interface:
		return s.methods(t)
	default:
		return t.String()
	}
}

func (s *surface) named(t *types.Named) string {
	o := t.Obj()
	name := s.names[o]
	switch {
	case name != "":
	case o.Pkg() == nil:
		name = o.Name()
	default:
		name = o.Pkg().Path() + "." + o.Name()
	}
	var args []string
	for arg := range t.TypeArgs().Types() {
		args = append(args, s.text(arg))
	}
	if len(args) > 0 {
		name += "[" + strings.Join(args, ", ") + "]"
	}
	return name
}

func (s *surface) signature(t *types.Signature) string {
	params := s.tuple(t.Params())
	if t.Variadic() {
		params += "..."
	}
	return "(" + params + ") (" + s.tuple(t.Results()) + ")"
}

func (s *surface) tuple(t *types.Tuple) string {
	var texts []string
	for v := range t.Variables() {
		texts = append(texts, s.text(v.Type()))
	}
	return strings.Join(texts, ", ")
}

func (s *surface) methods(t *types.Interface) string {
	var texts []string
	for m := range t.Methods() {
		texts = append(texts, m.Name()+s.signature(m.Signature()))
	}
	return "interface{" + strings.Join(texts, "; ") + "}"
}

// positions returns the public interfaces without type parameters that a value
// of type t can be used as.
func (s *surface) positions(t types.Type) []string {
	var fits []string
	for _, name := range slices.Sorted(maps.Keys(s.public)) {
		named := s.public[name].(*types.Named)
		i, ok := named.Underlying().(*types.Interface)
		if ok && named.TypeParams().Len() == 0 && i.NumMethods() > 0 && types.Implements(t, i) {
			fits = append(fits, name)
		}
	}
	return fits
}
