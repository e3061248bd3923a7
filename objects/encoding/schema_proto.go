package encoding

import (
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// protoSchemaOf describes the JSON mapping of the message that v is, by its
// descriptor; nil when v is none.
func protoSchemaOf(v any) (schema any) {
	m, ok := v.(proto.Message)
	if !ok {
		return nil
	}
	defer func() {
		if p := recover(); p != nil { // a message of another generator
			schema = object{"description": fmt.Sprintf("no schema of %T: %v", v, p)}
		}
	}()
	d := m.ProtoReflect().Descriptor()
	g := protoSchema{defs: object{}}
	root := wellKnown(d.FullName())
	if root == nil {
		g.defs[string(d.FullName())] = object{"$ref": "#"}
		root = g.message(d)
	}
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["$id"] = "https://type.googleapis.com/" + string(d.FullName())
	if len(g.defs) > 0 {
		root["$defs"] = g.defs
	}
	return root
}

// object is a JSON object, whose fields are written in the order of their names.
type object = map[string]any

// protoSchema collects the messages of one schema. A name in defs is described,
// or being described.
type protoSchema struct{ defs object }

// message describes the fields of a message under their JSON names.
func (g *protoSchema) message(d protoreflect.MessageDescriptor) object {
	properties := object{}
	for i := range d.Fields().Len() {
		f := d.Fields().Get(i)
		properties[f.JSONName()] = g.field(f)
	}
	return object{"type": "object", "properties": properties, "additionalProperties": false}
}

func (g *protoSchema) field(f protoreflect.FieldDescriptor) any {
	switch {
	case f.IsMap():
		return object{"type": "object", "additionalProperties": g.single(f.MapValue())}
	case f.IsList():
		return object{"type": "array", "items": g.single(f)}
	default:
		return g.single(f)
	}
}

// single describes one value of a field.
func (g *protoSchema) single(f protoreflect.FieldDescriptor) any {
	switch f.Kind() {
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return g.reference(f.Message())
	case protoreflect.EnumKind:
		return enumSchema(f.Enum())
	default:
		return scalarSchema(f.Kind())
	}
}

// reference describes a message once, and refers to it.
func (g *protoSchema) reference(d protoreflect.MessageDescriptor) object {
	if s := wellKnown(d.FullName()); s != nil {
		return s
	}
	name := string(d.FullName())
	if _, known := g.defs[name]; !known {
		g.defs[name] = nil // ends the recursion
		g.defs[name] = g.message(d)
	}
	return object{"$ref": "#/$defs/" + name}
}

// enumSchema allows what the JSON mapping reads: a name, or a number.
func enumSchema(d protoreflect.EnumDescriptor) object {
	if d.FullName() == "google.protobuf.NullValue" {
		return object{"type": "null"}
	}
	names := make([]string, d.Values().Len())
	for i := range names {
		names[i] = string(d.Values().Get(i).Name())
	}
	return object{"oneOf": []object{{"type": "string", "enum": names}, {"type": "integer"}}}
}

// scalarSchema describes a value of a basic kind. Numbers of 64 bits are written
// as text, and floating-point ones that are no number as well.
func scalarSchema(k protoreflect.Kind) object {
	switch k {
	case protoreflect.BoolKind:
		return object{"type": "boolean"}
	case protoreflect.StringKind:
		return object{"type": "string"}
	case protoreflect.BytesKind:
		return object{"type": "string", "contentEncoding": "base64"}
	case protoreflect.FloatKind, protoreflect.DoubleKind:
		return object{"oneOf": []object{{"type": "number"}, {"type": "string"}}}
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind, protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return object{"oneOf": []object{{"type": "integer"}, {"type": "string"}}}
	default:
		return object{"type": "integer"}
	}
}

// wellKnown describes the messages that have a JSON form of their own, nil for
// all others. The result is the caller's.
func wellKnown(name protoreflect.FullName) object {
	switch name {
	case "google.protobuf.Timestamp":
		return object{"type": "string", "format": "date-time"}
	case "google.protobuf.Duration":
		return object{"type": "string", "pattern": `^-?[0-9]+(\.[0-9]+)?s$`}
	case "google.protobuf.FieldMask":
		return object{"type": "string"}
	case "google.protobuf.Empty":
		return object{"type": "object", "additionalProperties": false}
	case "google.protobuf.Any":
		return object{"type": "object", "properties": object{"@type": object{"type": "string"}}, "required": []string{"@type"}}
	case "google.protobuf.Struct":
		return object{"type": "object"}
	case "google.protobuf.ListValue":
		return object{"type": "array"}
	case "google.protobuf.Value":
		return object{}
	case "google.protobuf.BoolValue":
		return scalarSchema(protoreflect.BoolKind)
	case "google.protobuf.StringValue":
		return scalarSchema(protoreflect.StringKind)
	case "google.protobuf.BytesValue":
		return scalarSchema(protoreflect.BytesKind)
	case "google.protobuf.Int32Value", "google.protobuf.UInt32Value":
		return scalarSchema(protoreflect.Int32Kind)
	case "google.protobuf.Int64Value", "google.protobuf.UInt64Value":
		return scalarSchema(protoreflect.Int64Kind)
	case "google.protobuf.FloatValue", "google.protobuf.DoubleValue":
		return scalarSchema(protoreflect.DoubleKind)
	default:
		return nil
	}
}
