package encoding_test

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/invopop/jsonschema"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/apipb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/dormouse-run/dormouse/objects/encoding"
)

type (
	pair[A, B any] struct {
		First  A `json:"first"`
		Second B `json:"second,omitempty"`
	}
	tree struct {
		Children []*tree `json:"children"`
	}
	forest []forest
	index  map[string]index
	Itself struct {
		*Itself
		N int
	}
	hidden  struct{ Deep struct{ Loop *Itself } }
	pointer *pointer
	slices  *[]slices
	part    struct{ Back []whole }
	whole   struct{ part }
	// Template has the name of a type of another package.
	Template struct{ Name string }
	odd      struct {
		Channel chan int
		Call    func()
		Complex complex128
		Address uintptr
		Big     big.Int
		Number  json.Number
		Raw     json.RawMessage
		When    time.Time
		Any     any
		Bytes   []byte
		Text    texts
	}
	texts    [2]byte
	panicker struct{}
	speaking struct{}
)

func (texts) MarshalText() ([]byte, error)          { return nil, nil }
func (panicker) JSONSchema() *jsonschema.Schema     { panic("not today") }
func (speaking) JSONSchema() *jsonschema.Schema     { return &jsonschema.Schema{Type: "string"} }
func (speaking) MarshalJSON() (b []byte, err error) { return []byte(`""`), nil }

// schema is the text of the schema of v.
func schema(t *testing.T, codec encoding.Codec, v any) string {
	t.Helper()
	p := encoding.InputPayloadFor(codec, v)
	if p.JsonSchema == nil {
		return ""
	}
	b, err := json.Marshal(p.JsonSchema)
	if err != nil {
		t.Errorf("%T: %v", v, err)
	}
	return strings.NewReplacer(
		`"$schema":"https://json-schema.org/draft/2020-12/schema",`, "",
		`"$id":"https://github.com/dormouse-run/dormouse/objects/encoding_test/`, `"$id":"…/`,
		`,"$schema":"https://json-schema.org/draft/2020-12/schema"`, "",
	).Replace(string(b))
}

func TestJSONDescribesWhatItWrites(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		value any
		want  string
	}{
		{"", `{"type":"string"}`},
		{0, `{"type":"integer"}`},
		{person{}, `{"$id":"…/person","$defs":{"person":{"$ref":"#"}},"properties":{"name":{"type":"string"},"age":{"type":"integer"}},"additionalProperties":false,"type":"object","required":["name"]}`},
		{(*person)(nil), `{"$id":"…/person","$defs":{"person":{"$ref":"#"}},"properties":{"name":{"type":"string"},"age":{"type":"integer"}},"additionalProperties":false,"type":"object","required":["name"]}`},
		{tree{}, `{"$id":"…/tree","$defs":{"tree":{"$ref":"#"}},"properties":{"children":{"items":{"$ref":"#/$defs/tree"},"type":"array"}},"additionalProperties":false,"type":"object","required":["children"]}`},
		{forest(nil), `{"$id":"…/forest","$defs":{"forest":{"$ref":"#"}},"items":{"$ref":"#/$defs/forest"},"type":"array"}`},
		{index(nil), `{"$id":"…/index","$defs":{"index":{"$ref":"#"}},"additionalProperties":{"$ref":"#/$defs/index"},"type":"object"}`},
		{nil, ""},
		{encoding.Void{}, ""},
	} {
		if got := schema(t, encoding.JSONCodec, tc.value); got != tc.want {
			t.Errorf("%T:\n got %s\nwant %s", tc.value, got, tc.want)
		}
	}
}

func TestNoTypeKeepsAHandlerFromBeingDescribed(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		value any
		want  []string
	}{
		{odd{}, []string{`"Channel":true`, `"Call":true`, `"Complex":true`, `"Address":{"type":"integer"}`, `"Big":true`, `"Number":{"type":"number"}`, `"Raw":true`, `"When":{"type":"string","format":"date-time"}`, `"Any":true`, `"Bytes":{"type":"string","contentEncoding":"base64"}`, `"Text":{"type":"string"}`}},
		{pair[tree, map[string]pair[int, *tree]]{}, []string{`"first":{"$ref":"#/$defs/tree"}`, `"additionalProperties":{"$ref":"#/$defs/pair_int__github.com_dormouse-run_dormouse_objects_encoding_test.tree_"}`}},
		{pair[Template, template.Template]{}, []string{`"first":{"$ref":"#/$defs/Template"}`, `"second":{"$ref":"#/$defs/Template.2"}`}},
		{whole{}, []string{`"Back":{"items":{"$ref":"#/$defs/whole"}`}},
		{make(chan int), []string{`{"$schema"`}},
		{panicker{}, []string{`no schema of encoding_test.panicker: not today`}},
		{speaking{}, []string{`"type":"string"`}},
		{Itself{}, nil},
		{&Itself{}, nil},
		{hidden{}, nil},
		{pair[int, []Itself]{}, nil},
		{pointer(nil), nil},
		{slices(nil), nil},
	} {
		got := schema(t, encoding.JSONCodec, tc.value)
		if tc.want == nil && got != "" {
			t.Errorf("%T has the schema %s", tc.value, got)
		}
		for _, want := range tc.want {
			if !strings.Contains(got, want) {
				t.Errorf("%T: %s does not hold %s", tc.value, got, want)
			}
		}
	}
}

func TestProtoJSONDescribesMessagesByTheirDescriptors(t *testing.T) {
	t.Parallel()
	const id = `{"$id":"https://type.googleapis.com/google.protobuf.`
	for _, tc := range []struct {
		message proto.Message
		want    []string
	}{
		{&durationpb.Duration{}, []string{id + `Duration","pattern":"^-?[0-9]+(\\.[0-9]+)?s$","type":"string"}`}},
		{&timestamppb.Timestamp{}, []string{id + `Timestamp","format":"date-time","type":"string"}`}},
		{&fieldmaskpb.FieldMask{}, []string{id + `FieldMask","type":"string"}`}},
		{&emptypb.Empty{}, []string{`"additionalProperties":false,"type":"object"}`}},
		{&anypb.Any{}, []string{`"required":["@type"]`}},
		{&structpb.Struct{}, []string{`"type":"object"}`}},
		{&structpb.ListValue{}, []string{`"type":"array"}`}},
		{&structpb.Value{}, []string{id + `Value"}`}},
		{&wrapperspb.StringValue{}, []string{`"type":"string"}`}},
		{&wrapperspb.BytesValue{}, []string{`"contentEncoding":"base64"`}},
		{&wrapperspb.BoolValue{}, []string{`"type":"boolean"}`}},
		{&wrapperspb.Int32Value{}, []string{`"type":"integer"}`}},
		{&wrapperspb.Int64Value{}, []string{`"oneOf":[{"type":"integer"},{"type":"string"}]`}},
		{&wrapperspb.DoubleValue{}, []string{`"oneOf":[{"type":"number"},{"type":"string"}]`}},
		{(*apipb.Api)(nil), []string{
			`"methods":{"items":{"$ref":"#/$defs/google.protobuf.Method"},"type":"array"}`,
			`"requestTypeUrl":{"type":"string"}`, `"requestStreaming":{"type":"boolean"}`,
			`"syntax":{"oneOf":[{"enum":["SYNTAX_PROTO2","SYNTAX_PROTO3","SYNTAX_EDITIONS"],"type":"string"},{"type":"integer"}]}`,
			`"google.protobuf.Api":{"$ref":"#"}`,
		}},
	} {
		got := schema(t, encoding.ProtoJSONCodec, tc.message)
		for _, want := range tc.want {
			if !strings.Contains(got, want) {
				t.Errorf("%T: %s does not hold %s", tc.message, got, want)
			}
		}
	}
	if got := schema(t, encoding.ProtoJSONCodec, person{}); got != "" {
		t.Errorf("what is no message has the schema %s", got)
	}
	if got := schema(t, encoding.ProtoCodec, &anypb.Any{}); got != "" {
		t.Errorf("the wire format has the schema %s", got)
	}
}

// node is a message with a map, a list of itself and an enum without names.
func node(t *testing.T) proto.Message {
	t.Helper()
	field := func(name string, number int32, kind descriptorpb.FieldDescriptorProto_Type, label descriptorpb.FieldDescriptorProto_Label, typeName string) *descriptorpb.FieldDescriptorProto {
		f := &descriptorpb.FieldDescriptorProto{Name: &name, Number: &number, Type: &kind, Label: &label}
		if typeName != "" {
			f.TypeName = &typeName
		}
		return f
	}
	const one, many = descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL, descriptorpb.FieldDescriptorProto_LABEL_REPEATED
	const text, message = descriptorpb.FieldDescriptorProto_TYPE_STRING, descriptorpb.FieldDescriptorProto_TYPE_MESSAGE
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: new("node.proto"), Package: new("test"), Syntax: new("proto3"), Dependency: []string{"google/protobuf/struct.proto"},
		MessageType: []*descriptorpb.DescriptorProto{{
			Name: new("Node"),
			Field: []*descriptorpb.FieldDescriptorProto{
				field("child_nodes", 1, message, many, ".test.Node"),
				field("by_name", 2, message, many, ".test.Node.ByNameEntry"),
				field("nothing", 3, descriptorpb.FieldDescriptorProto_TYPE_ENUM, one, ".google.protobuf.NullValue"),
				field("ratio", 4, descriptorpb.FieldDescriptorProto_TYPE_FLOAT, one, ""),
			},
			NestedType: []*descriptorpb.DescriptorProto{{
				Name: new("ByNameEntry"), Options: &descriptorpb.MessageOptions{MapEntry: new(true)},
				Field: []*descriptorpb.FieldDescriptorProto{field("key", 1, text, one, ""), field("value", 2, message, one, ".test.Node")},
			}},
		}},
	}, protoregistry.GlobalFiles)
	if err != nil {
		t.Fatal(err)
	}
	return dynamicpb.NewMessage(file.Messages().Get(0))
}

func TestProtoJSONDescribesMapsAndRecursion(t *testing.T) {
	t.Parallel()
	want := `{"$defs":{"test.Node":{"$ref":"#"}},"$id":"https://type.googleapis.com/test.Node","additionalProperties":false,"properties":{` +
		`"byName":{"additionalProperties":{"$ref":"#/$defs/test.Node"},"type":"object"},` +
		`"childNodes":{"items":{"$ref":"#/$defs/test.Node"},"type":"array"},` +
		`"nothing":{"type":"null"},"ratio":{"oneOf":[{"type":"number"},{"type":"string"}]}},"type":"object"}`
	if got := schema(t, encoding.ProtoJSONCodec, node(t)); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	got := schema(t, encoding.ProtoJSONCodec, (*dynamicpb.Message)(nil))
	if !strings.Contains(got, "no schema of *dynamicpb.Message") {
		t.Errorf("a message without a descriptor has the schema %s", got)
	}
}
