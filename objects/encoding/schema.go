package encoding

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/invopop/jsonschema"
)

// jsonSchemaOf describes how encoding/json writes the type of v; nil when v is
// an interface or when there is no finite description. A type may describe
// itself by a method JSONSchema() *jsonschema.Schema.
//
// It never panics: a description is not worth a process that does not start.
func jsonSchemaOf(v any) (schema any) {
	t := reflect.TypeOf(v)
	if t == nil || endless(t, map[reflect.Type]bool{}) {
		return nil
	}
	defer func() {
		if p := recover(); p != nil {
			schema = &jsonschema.Schema{Description: fmt.Sprintf("no schema of %v: %v", t, p)}
		}
	}()
	r := jsonschema.Reflector{Mapper: ownForm, Namer: (&names{}).of}
	return expanded(r.ReflectFromType(t))
}

// expanded moves the definition that the root refers to into the root: some
// readers do not follow a reference at the top. References to it lead to the
// root.
func expanded(root *jsonschema.Schema) *jsonschema.Schema {
	name, ok := strings.CutPrefix(root.Ref, "#/$defs/")
	def := root.Definitions[name]
	if !ok || def == nil {
		return root
	}
	s := *def
	s.ID, s.Version, s.Definitions = root.ID, root.Version, root.Definitions
	s.Definitions[name] = &jsonschema.Schema{Ref: "#"}
	return &s
}

// names gives every type of one schema a name of its own that can stand in a
// reference. Types of two packages may share a name, and those of a generic type
// hold brackets and slashes.
type names struct {
	given map[reflect.Type]string
	taken map[string]int
}

func (n *names) of(t reflect.Type) string {
	if t.Name() == "" {
		return ""
	}
	if name, ok := n.given[t]; ok {
		return name
	}
	name := strings.Map(func(r rune) rune {
		if strings.ContainsRune("[]/,* {};\"", r) {
			return '_'
		}
		return r
	}, t.Name())
	if n.given == nil {
		n.given, n.taken = map[reflect.Type]string{}, map[string]int{}
	}
	n.taken[name]++
	if k := n.taken[name]; k > 1 {
		name += "." + strconv.Itoa(k)
	}
	n.given[t] = name
	return name
}

// ownForm describes types whose JSON is not what their fields suggest, and those
// that have no JSON; nil for all others.
func ownForm(t reflect.Type) *jsonschema.Schema {
	if describesItself(t) {
		return nil
	}
	switch t.Kind() {
	case reflect.Chan, reflect.Func, reflect.Complex64, reflect.Complex128, reflect.UnsafePointer:
		return &jsonschema.Schema{}
	case reflect.Uintptr:
		return &jsonschema.Schema{Type: "integer"}
	case reflect.Interface:
		return nil
	}
	switch t {
	case reflect.TypeFor[time.Time](), reflect.TypeFor[json.RawMessage]():
		return nil
	case reflect.TypeFor[json.Number]():
		return &jsonschema.Schema{Type: "number"}
	}
	switch p := reflect.PointerTo(t); {
	case p.Implements(reflect.TypeFor[json.Marshaler]()):
		return &jsonschema.Schema{}
	case p.Implements(reflect.TypeFor[encoding.TextMarshaler]()):
		return &jsonschema.Schema{Type: "string"}
	default:
		return nil
	}
}

// describesItself reports whether t has one of the methods of package
// jsonschema.
func describesItself(t reflect.Type) bool {
	return t.Implements(reflect.TypeFor[interface{ JSONSchema() *jsonschema.Schema }]()) ||
		t.Implements(reflect.TypeFor[interface{ JSONSchemaAlias() any }]())
}

// endless reports whether a description of t would never end, because a type
// leads back to itself and nothing on the way can be a reference: a struct that
// embeds itself, a pointer to its own type. seen holds what was looked at.
func endless(t reflect.Type, seen map[reflect.Type]bool) bool {
	if seen[t] {
		return false
	}
	seen[t] = true
	if leadsBack(t, nil) {
		return true
	}
	for _, part := range parts(t) {
		if endless(part, seen) {
			return true
		}
	}
	return false
}

// leadsBack follows t to what becomes part of the same description. way holds
// the types that led to it.
func leadsBack(t reflect.Type, way []reflect.Type) bool {
	if slices.Contains(way, t) {
		return true
	}
	way = append(way, t)
	if t.Kind() == reflect.Struct && t.Name() != "" {
		for f := range t.Fields() {
			if f.Anonymous && leadsBack(f.Type, way) {
				return true
			}
		}
		return false
	}
	if t.Name() != "" && t.Kind() != reflect.Pointer {
		return false // a reference stands for it
	}
	for _, part := range parts(t) {
		if leadsBack(part, way) {
			return true
		}
	}
	return false
}

// parts returns the types that t is made of.
func parts(t reflect.Type) []reflect.Type {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return []reflect.Type{t.Elem()}
	case reflect.Struct:
		types := make([]reflect.Type, 0, t.NumField())
		for f := range t.Fields() {
			types = append(types, f.Type)
		}
		return types
	default:
		return nil
	}
}
