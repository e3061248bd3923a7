package openapi

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// object is a JSON object. It is written in the order of its names.
type object = map[string]any

// componentPrefix is where a document keeps its schemas.
const componentPrefix = "#/components/schemas/"

// schemaSet gathers the schemas of one document.
//
// The schema of a payload is a document of its own: it has its definitions with
// it, and its references begin at its own root. Put into a larger document they
// would lead nowhere, so definitions become components and references are
// written anew. Two payloads of one type share its component; two types that
// have the same name, and do not look the same with all that they refer to, get
// one each.
type schemaSet struct {
	components object
	// looks tells what a component looks like with all that it refers to.
	looks map[string]string
}

func newSchemaSet() *schemaSet {
	return &schemaSet{components: object{}, looks: map[string]string{}}
}

// put adds a schema of our own.
func (s *schemaSet) put(name string, schema object) object {
	s.components[name] = schema
	return object{"$ref": componentPrefix + name}
}

// add adds the schema of a payload and returns what stands for it. name is for a
// root that refers to itself and has no name. What is no schema describes
// nothing.
func (s *schemaSet) add(name string, schema any) any {
	plain := plainJSON(schema)
	root, ok := plain.(object)
	if !ok {
		if b, isBool := plain.(bool); isBool {
			return b
		}
		return object{}
	}
	d := payloadSchema{set: s, nodes: map[string]object{"": root}, names: map[string]string{}}
	d.takeApart(name)
	for _, node := range slices.Sorted(maps.Keys(d.nodes)) {
		if node != "" || d.rootName != "" {
			d.nameOf(node)
		}
	}
	for node, name := range d.names {
		s.components[name] = d.rewrite(d.nodes[node])
	}
	if d.rootName != "" {
		return object{"$ref": componentPrefix + d.names[""]}
	}
	return d.rewrite(root)
}

// plainJSON returns what v is once it has been written and read.
func plainJSON(v any) (plain any) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if d.Decode(&plain) != nil {
		return nil
	}
	return plain
}

// payloadSchema is one schema while it is taken apart. Its nodes are the root,
// under the empty name, and its definitions.
type payloadSchema struct {
	set      *schemaSet
	nodes    map[string]object
	rootName string            // "" for a root that stays where it is used
	names    map[string]string // the components of the nodes
}

// takeApart separates the definitions from the root. A definition that only
// refers to the root gives it its name.
func (d *payloadSchema) takeApart(fallback string) {
	root := d.nodes[""]
	delete(root, "$schema")
	delete(root, "$id")
	defs, _ := root["$defs"].(object)
	delete(root, "$defs")
	for name, def := range defs {
		node, ok := def.(object)
		switch {
		case !ok:
			d.nodes[name] = object{}
		case len(node) == 1 && node["$ref"] == "#":
			d.rootName = name
		default:
			d.nodes[name] = node
		}
	}
	if d.rootName == "" && d.reaches("") {
		d.rootName = fallback
	}
}

// reaches reports whether any node refers to the one.
func (d *payloadSchema) reaches(to string) bool {
	for _, node := range d.nodes {
		for ref := range refsOf(node) {
			if n, _, inside := d.locate(ref); inside && n == to {
				return true
			}
		}
	}
	return false
}

// locate finds the node to which a reference leads, and what follows it. inside
// is false for one that leads out of the schema.
func (d *payloadSchema) locate(ref string) (node, rest string, inside bool) {
	pointer, inside := strings.CutPrefix(ref, "#")
	if !inside || pointer != "" && pointer[0] != '/' {
		return "", "", false
	}
	below, isDef := strings.CutPrefix(pointer, "/$defs/")
	if !isDef {
		return "", pointer, true
	}
	name, rest, more := strings.Cut(below, "/")
	if more {
		rest = "/" + rest
	}
	if decoded, err := url.PathUnescape(name); err == nil {
		name = decoded
	}
	name = strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
	if name == d.rootName && d.rootName != "" {
		name = ""
	}
	return name, rest, true
}

// nameOf gives a node its component: that of its name, unless another type has
// it.
func (d *payloadSchema) nameOf(node string) {
	name, looks := componentName(d.typeName(node)), d.look(node)
	for n, candidate := 2, name; ; n++ {
		if known, taken := d.set.looks[candidate]; (!taken || known == looks) && (taken || d.set.components[candidate] == nil) {
			d.set.looks[candidate], d.names[node] = looks, candidate
			return
		}
		candidate = name + "." + strconv.Itoa(n)
	}
}

// look writes a node and everything it refers to, with the names of types in
// place of where they stand: the root of one schema may be a definition of
// another one.
func (d *payloadSchema) look(node string) string {
	seen := object{}
	for todo := []string{node}; len(todo) > 0; todo = todo[1:] {
		name := d.typeName(todo[0])
		if _, done := seen[name]; done {
			continue
		}
		seen[name] = mapSchema(d.nodes[todo[0]], func(schema object) {
			ref, _ := schema["$ref"].(string)
			if to, rest, inside := d.locate(ref); inside {
				schema["$ref"] = "#" + d.typeName(to) + rest
				todo = append(todo, to)
			}
		})
	}
	text, err := json.Marshal([]any{d.typeName(node), seen})
	if err != nil {
		return ""
	}
	return string(text)
}

// typeName is the name of what a node describes.
func (d *payloadSchema) typeName(node string) string {
	if node == "" {
		return d.rootName
	}
	return node
}

// rewrite returns a node whose references lead to components. One that leads
// nowhere is left out.
func (d *payloadSchema) rewrite(node object) any {
	return mapSchema(node, func(schema object) {
		ref, ok := schema["$ref"].(string)
		if !ok {
			return
		}
		to, rest, inside := d.locate(ref)
		switch name := d.names[to]; {
		case !inside:
		case name == "":
			delete(schema, "$ref")
		default:
			schema["$ref"] = componentPrefix + name + rest
		}
	})
}

// refsOf returns all references in a schema.
func refsOf(node object) map[string]bool {
	refs := map[string]bool{}
	mapSchema(node, func(schema object) {
		if ref, ok := schema["$ref"].(string); ok {
			refs[ref] = true
		}
	})
	return refs
}

// mapSchema copies a schema, with change applied to it and to every schema in
// it. Values that are data, not schemas, stay as they are.
func mapSchema(node any, change func(object)) any {
	switch node := node.(type) {
	case []any:
		list := make([]any, len(node))
		for i, item := range node {
			list[i] = mapSchema(item, change)
		}
		return list
	case object:
		schema := make(object, len(node))
		for keyword, value := range node {
			switch keyword {
			case "enum", "const", "default", "example", "examples":
				schema[keyword] = value
			case "properties", "patternProperties", "dependentSchemas", "$defs", "definitions":
				schema[keyword] = mapMembers(value, change)
			default:
				schema[keyword] = mapSchema(value, change)
			}
		}
		change(schema)
		return schema
	default:
		return node
	}
}

// mapMembers maps an object whose names are no keywords.
func mapMembers(value any, change func(object)) any {
	members, ok := value.(object)
	if !ok {
		return value
	}
	mapped := make(object, len(members))
	for name, member := range members {
		mapped[name] = mapSchema(member, change)
	}
	return mapped
}

// componentName makes a name that a component may have.
func componentName(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '.', r == '-', r == '_':
			return r
		default:
			return '_'
		}
	}, name)
}
