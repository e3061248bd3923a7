package layers

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// source is one parsed file of the module or of a module nested in it.
type source struct {
	// dir is relative to the root of the module, "." for the root itself.
	dir, name string
	nested    bool
	lines     int
	set       *token.FileSet
	file      *ast.File
}

func (s *source) path() string { return path.Join(s.dir, s.name) }

func (s *source) test() bool { return strings.HasSuffix(s.name, "_test.go") }

// inside reports whether the import rules hold: not for an external test, and
// not in a nested module.
func (s *source) inside() bool {
	return !s.nested && !(s.test() && strings.HasSuffix(s.file.Name.Name, "_test"))
}

func (s *source) line(pos token.Pos) int { return s.set.Position(pos).Line }

func (s *source) complain(pos token.Pos, format string, args ...any) string {
	return fmt.Sprintf("%s:%d: ", s.path(), s.line(pos)) + fmt.Sprintf(format, args...)
}

// imports returns the path of each import with its place.
func (s *source) imports() map[string]token.Pos {
	m := map[string]token.Pos{}
	for _, spec := range s.file.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err == nil {
			m[p] = spec.Pos()
		}
	}
	return m
}

// read parses every Go file below the root of fsys.
func read(fsys fs.FS) ([]source, error) {
	var sources []source
	nested := map[string]bool{".": false}
	set := token.NewFileSet()
	err := fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return enter(fsys, p, nested)
		}
		if !strings.HasSuffix(p, ".go") {
			return nil
		}
		text, err := fs.ReadFile(fsys, p)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(set, p, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		dir, name := path.Split(p)
		dir = path.Clean(dir)
		sources = append(sources, source{
			dir: dir, name: name, nested: nested[dir], set: set, file: file,
			lines: bytes.Count(text, []byte("\n")),
		})
		return nil
	})
	return sources, err
}

// enter decides whether the walk goes into a directory, and remembers whether
// it belongs to a nested module.
func enter(fsys fs.FS, dir string, nested map[string]bool) error {
	if dir == "." {
		return nil
	}
	base := path.Base(dir)
	if base == "testdata" || base == "vendor" || base == "node_modules" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") {
		return fs.SkipDir
	}
	_, err := fs.Stat(fsys, path.Join(dir, "go.mod"))
	nested[dir] = err == nil || nested[path.Dir(dir)]
	return nil
}
