package layers

import (
	"go/ast"
	"strings"
)

// public lists the packages that programs import. A package below examples is a
// program, one below internal is ours.
func public(dir string) bool {
	return !strings.HasPrefix(dir, "internal/") && !strings.HasPrefix(dir, "examples/") && !strings.HasPrefix(dir, "cmd/")
}

// uncommented finds exported names of public packages without a doc comment:
// declarations, methods of exported types, methods of exported interfaces, and
// fields of exported structs. A comment in front of a group covers the group; one
// in front of several fields in a row covers those that follow it directly.
func uncommented(s *source) []string {
	if s.nested || s.test() || !public(s.dir) {
		return nil
	}
	c := commentCheck{s: s}
	for _, decl := range s.file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Name.IsExported() && exportedReceiver(d) && d.Doc == nil {
				c.missing(d.Name)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				c.spec(d, spec)
			}
		}
	}
	return c.complaints
}

// commentCheck collects the complaints of one file.
type commentCheck struct {
	s          *source
	complaints []string
}

func (c *commentCheck) missing(name *ast.Ident) {
	c.complaints = append(c.complaints, c.s.complain(name.Pos(), "%s has no doc comment: say what it promises", name.Name))
}

func (c *commentCheck) spec(d *ast.GenDecl, spec ast.Spec) {
	switch s := spec.(type) {
	case *ast.ValueSpec:
		for _, name := range s.Names {
			if name.IsExported() && s.Doc == nil && s.Comment == nil && d.Doc == nil {
				c.missing(name)
			}
		}
	case *ast.TypeSpec:
		if !s.Name.IsExported() {
			return
		}
		if s.Doc == nil && s.Comment == nil && d.Doc == nil {
			c.missing(s.Name)
		}
		switch t := s.Type.(type) {
		case *ast.StructType:
			c.fields(t.Fields, s.Doc != nil || d.Doc != nil)
		case *ast.InterfaceType:
			c.methods(t.Methods)
		}
	}
}

// fields looks at a struct. One line of fields without a comment of its own is
// covered by the one right above it; the first line by the comment of the type.
func (c *commentCheck) fields(list *ast.FieldList, typeCommented bool) {
	covered, last := typeCommented, c.s.line(list.Opening)
	for _, f := range list.List {
		line := c.s.line(f.Pos())
		if f.Doc != nil || f.Comment != nil {
			covered = true
		} else if line > last+1 {
			covered = false
		}
		last = c.s.line(f.End())
		for _, name := range f.Names {
			if name.IsExported() && !covered {
				c.missing(name)
			}
		}
	}
}

// methods looks at an interface; the rule is that of fields, without the type's
// comment: a method promises something of its own.
func (c *commentCheck) methods(list *ast.FieldList) {
	covered, last := false, c.s.line(list.Opening)
	for _, f := range list.List {
		switch line := c.s.line(f.Pos()); {
		case f.Doc != nil || f.Comment != nil:
			covered = true
		case line > last+1:
			covered = false
		}
		last = c.s.line(f.End())
		for _, name := range f.Names {
			if name.IsExported() && !covered {
				c.missing(name)
			}
		}
	}
}

// exportedReceiver reports whether d is a function, or a method of an exported
// type.
func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	t := d.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return true
		}
	}
}
