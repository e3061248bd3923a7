package encoding_test

import (
	"encoding/json"
	"fmt"
	"strings"

	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/dormouse-run/dormouse/objects/encoding"
)

// The default everywhere.
func ExampleCodec_json() {
	b, err := encoding.JSONCodec.Marshal(map[string]int{"n": 1})
	fmt.Printf("%s %v\n", b, err)
	var back map[string]int
	fmt.Println(encoding.JSONCodec.Unmarshal(b, &back), back["n"])
	// Output:
	// {"n":1} <nil>
	// <nil> 1
}

// Bytes as they are.
func ExampleCodec_binary() {
	b, err := encoding.BinaryCodec.Marshal([]byte{0, 1, 2})
	fmt.Println(b, err)
	_, err = encoding.BinaryCodec.Marshal("a text")
	fmt.Println(err != nil)
	// Output:
	// [0 1 2] <nil>
	// true
}

// Messages of protocol buffers.
func ExampleCodec_proto() {
	b, err := encoding.ProtoCodec.Marshal(wrapperspb.String("hi"))
	fmt.Printf("%q %v\n", b, err)
	var back wrapperspb.StringValue
	fmt.Println(encoding.ProtoCodec.Unmarshal(b, &back), back.Value)
	// Output:
	// "\n\x02hi" <nil>
	// <nil> hi
}

// Messages of protocol buffers as JSON. Its bytes may differ for equal values, so
// a replay does not compare them.
func ExampleIsNonDeterministicSerialization() {
	b, err := encoding.ProtoJSONCodec.Marshal(wrapperspb.String("hi"))
	fmt.Printf("%s %v\n", b, err)
	for _, codec := range []encoding.Codec{encoding.ProtoJSONCodec, encoding.ProtoCodec, encoding.JSONCodec} {
		fmt.Println(encoding.IsNonDeterministicSerialization(codec))
	}
	// Output:
	// "hi" <nil>
	// true
	// false
	// false
}

// csv is a codec of one's own: a line of texts. Equal values have equal bytes.
type csv struct{}

func (csv) Marshal(v any) ([]byte, error) {
	line, ok := v.([]string)
	if !ok {
		return nil, fmt.Errorf("csv encodes []string, not %T", v)
	}
	return []byte(strings.Join(line, ",")), nil
}

func (csv) Unmarshal(data []byte, v any) error {
	line, ok := v.(*[]string)
	if !ok {
		return fmt.Errorf("csv decodes into *[]string, not %T", v)
	}
	*line = strings.Split(string(data), ",")
	return nil
}

func (csv) ContentType() string { return "text/csv" }

func (csv) JsonSchema(any) any { return nil }

// A codec of one's own. The two methods of CodecMetadata tell clients what to send.
func ExampleCodec() {
	b, err := encoding.Marshal(csv{}, []string{"a", "b"})
	fmt.Printf("%s %v\n", b, err)
	_, err = encoding.Marshal(csv{}, 5)
	fmt.Println(err)
	fmt.Println(*encoding.InputPayloadFor(csv{}, []string{}).ContentType)
	// Output:
	// a,b <nil>
	// csv encodes []string, not int
	// text/csv
}

func ExampleUnmarshal() {
	var n int
	fmt.Println(encoding.Unmarshal(encoding.JSONCodec, []byte("42"), &n), n)
	var nothing encoding.Void
	fmt.Println(encoding.Unmarshal(encoding.JSONCodec, []byte("anything"), &nothing))
	// Output:
	// <nil> 42
	// <nil>
}

// Nothing at all: neither a body nor a content type.
func ExampleVoid() {
	b, err := encoding.Marshal(encoding.JSONCodec, encoding.Void{})
	fmt.Println(len(b), err, encoding.InputPayloadFor(encoding.JSONCodec, encoding.Void{}).Required)
	// Output: 0 <nil> false
}

// celsius writes itself, whatever the codec.
type celsius float64

func (c celsius) RestateMarshal(encoding.Codec) ([]byte, error) {
	return fmt.Appendf(nil, "%.1f °C", float64(c)), nil
}

func (celsius) OutputPayload(encoding.Codec) *encoding.OutputPayload {
	return &encoding.OutputPayload{ContentType: new("text/plain")}
}

func ExampleRestateMarshaler() {
	b, err := encoding.Marshal(encoding.JSONCodec, celsius(21))
	fmt.Printf("%s %v %s\n", b, err, *encoding.OutputPayloadFor(encoding.JSONCodec, celsius(0)).ContentType)
	// Output: 21.0 °C <nil> text/plain
}

// What a handler of this type and codec accepts, with a schema of the type.
func ExampleInputPayloadFor() {
	type order struct {
		Item string `json:"item"`
	}
	p := encoding.InputPayloadFor(encoding.JSONCodec, order{})
	schema, err := json.Marshal(p.JsonSchema)
	fmt.Println(p.Required, *p.ContentType, strings.Contains(string(schema), `"item"`), err)
	// Output: true application/json true <nil>
}

func ExampleOutputPayloadFor() {
	p := encoding.OutputPayloadFor(encoding.BinaryCodec, []byte{})
	fmt.Println(*p.ContentType, p.SetContentTypeIfEmpty)
	// Output: application/octet-stream true
}

// Schemas of a generator of one's own.
func ExampleJSONCodecWithCustomSchemaGenerator() {
	codec := encoding.JSONCodecWithCustomSchemaGenerator(func(v any) any {
		return map[string]string{"title": fmt.Sprintf("%T", v)}
	})
	fmt.Println(encoding.InputPayloadFor(codec, 5).JsonSchema)
	// Output: map[title:int]
}
