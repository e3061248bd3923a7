package encoding_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"testing"

	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/dormouse-run/dormouse/objects/encoding"
)

type person struct {
	Name string `json:"name"`
	Age  int    `json:"age,omitempty"`
}

// sealed knows its own bytes; only its pointer reads them.
type sealed struct{ text string }

func (s sealed) RestateMarshal(encoding.Codec) ([]byte, error) {
	return []byte("<" + s.text + ">"), nil
}

func (s sealed) OutputPayload(encoding.Codec) *encoding.OutputPayload {
	return &encoding.OutputPayload{ContentType: new("text/sealed"), SetContentTypeIfEmpty: true}
}

func (s *sealed) RestateUnmarshal(_ encoding.Codec, data []byte) error {
	if len(data) < 2 {
		return errors.New("not sealed")
	}
	s.text = string(data[1 : len(data)-1])
	return nil
}

func (s *sealed) InputPayload(encoding.Codec) *encoding.InputPayload {
	return &encoding.InputPayload{Required: true, ContentType: new("text/sealed")}
}

// bare is a codec without metadata.
type bare struct{}

func (bare) Marshal(v any) ([]byte, error)      { return []byte(fmt.Sprint(v)), nil }
func (bare) Unmarshal(data []byte, v any) error { *v.(*string) = string(data); return nil }

// roundTrip encodes v, compares the bytes, and decodes them into a new T.
func roundTrip[T any](t *testing.T, codec encoding.Codec, v T, want string) T {
	t.Helper()
	b, err := encoding.Marshal(codec, v)
	if err != nil || string(b) != want {
		t.Fatalf("Marshal(%#v) = %q, %v; want %q", v, b, err, want)
	}
	var back T
	if err := encoding.Unmarshal(codec, b, &back); err != nil {
		t.Fatalf("Unmarshal(%q): %v", b, err)
	}
	return back
}

func TestEveryCodecReadsWhatItWrote(t *testing.T) {
	t.Parallel()
	type blob []byte
	for _, tc := range []struct{ got, want any }{
		{roundTrip(t, encoding.JSONCodec, person{"Ann", 3}, `{"name":"Ann","age":3}`), person{"Ann", 3}},
		{*roundTrip(t, encoding.JSONCodec, &person{Name: "Ann"}, `{"name":"Ann"}`), person{Name: "Ann"}},
		{roundTrip[any](t, encoding.JSONCodec, nil, "null"), nil},
		{roundTrip(t, encoding.JSONCodec, json.RawMessage(`[1]`), "[1]"), json.RawMessage("[1]")},
		{roundTrip(t, encoding.BinaryCodec, []byte("a\x00b"), "a\x00b"), []byte("a\x00b")},
		{roundTrip(t, encoding.BinaryCodec, blob("ab"), "ab"), blob("ab")},
		{*roundTrip(t, encoding.BinaryCodec, new([]byte("ab")), "ab"), []byte("ab")},
		{roundTrip[any](t, encoding.BinaryCodec, []byte("ab"), "ab"), []byte("ab")},
		{roundTrip(t, encoding.ProtoCodec, wrapperspb.String("hi"), "\x0a\x02hi").Value, "hi"},
		{roundTrip(t, encoding.ProtoJSONCodec, wrapperspb.String("hi"), `"hi"`).Value, "hi"},
		{roundTrip(t, encoding.JSONCodec, sealed{"x"}, "<x>"), sealed{"x"}},
		{*roundTrip(t, encoding.JSONCodec, &sealed{"x"}, "<x>"), sealed{"x"}},
		{roundTrip(t, encoding.JSONCodec, encoding.Void{}, ""), encoding.Void{}},
		{roundTrip(t, encoding.BinaryCodec, encoding.Void{}, ""), encoding.Void{}},
	} {
		if !reflect.DeepEqual(tc.got, tc.want) {
			t.Errorf("read back %#v, want %#v", tc.got, tc.want)
		}
	}
}

func TestVoidIgnoresWhatItIsGiven(t *testing.T) {
	t.Parallel()
	for _, codec := range []encoding.Codec{encoding.JSONCodec, encoding.BinaryCodec, encoding.ProtoCodec} {
		var v encoding.Void
		if err := encoding.Unmarshal(codec, []byte("{broken"), &v); err != nil {
			t.Errorf("%T: %v", codec, err)
		}
		var p *encoding.Void
		if err := encoding.Unmarshal(codec, nil, &p); err != nil || p == nil {
			t.Errorf("%T: a pointer to Void is %v after %v", codec, p, err)
		}
	}
}

func TestBinarySharesNoMemory(t *testing.T) {
	t.Parallel()
	value := []byte("abc")
	b, err := encoding.Marshal(encoding.BinaryCodec, value)
	if err != nil {
		t.Fatal(err)
	}
	value[0] = 'X'
	var back []byte
	if err := encoding.Unmarshal(encoding.BinaryCodec, b, &back); err != nil {
		t.Fatal(err)
	}
	back[1] = 'Y'
	if string(b) != "abc" {
		t.Fatalf("the bytes became %q after changes of the values", b)
	}
}

func TestValuesThatDoNotFitAreErrors(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"channel as JSON":      second(encoding.Marshal(encoding.JSONCodec, make(chan int))),
		"string as binary":     second(encoding.Marshal(encoding.BinaryCodec, "text")),
		"string as protobuf":   second(encoding.Marshal(encoding.ProtoCodec, "text")),
		"string as proto JSON": second(encoding.Marshal(encoding.ProtoJSONCodec, "text")),
		"nil as protobuf":      second(encoding.Marshal(encoding.ProtoCodec, nil)),
		"JSON of another type": encoding.Unmarshal(encoding.JSONCodec, []byte(`"x"`), new(int)),
		"empty JSON":           encoding.Unmarshal(encoding.JSONCodec, nil, new(string)),
		"binary into string":   encoding.Unmarshal(encoding.BinaryCodec, []byte("x"), new(string)),
		"binary into nil":      encoding.Unmarshal(encoding.BinaryCodec, []byte("x"), nil),
		"protobuf into string": encoding.Unmarshal(encoding.ProtoCodec, nil, new(string)),
		"broken protobuf":      encoding.Unmarshal(encoding.ProtoCodec, []byte{0xFF}, &wrapperspb.StringValue{}),
		"too short for sealed": encoding.Unmarshal(encoding.JSONCodec, nil, &sealed{}),
	} {
		if err == nil {
			t.Errorf("%s is no error", name)
		}
	}
}

func second(_ []byte, err error) error { return err }

func TestPayloadsFollowCodecAndType(t *testing.T) {
	t.Parallel()
	withSchema := encoding.JSONCodecWithCustomSchemaGenerator(func(v any) any { return fmt.Sprintf("%T", v) })
	for _, tc := range []struct {
		name          string
		codec         encoding.Codec
		value         any
		input, output string
	}{
		{"JSON", encoding.JSONCodecWithCustomSchemaGenerator(nil), "", `{"required":true,"contentType":"application/json"}`, `{"contentType":"application/json","setContentTypeIfEmpty":false}`},
		{"JSON with schema", withSchema, person{}, `{"required":true,"contentType":"application/json","jsonSchema":"encoding_test.person"}`, `{"contentType":"application/json","setContentTypeIfEmpty":false,"jsonSchema":"encoding_test.person"}`},
		{"binary", encoding.BinaryCodec, []byte{}, `{"required":false,"contentType":"application/octet-stream"}`, `{"contentType":"application/octet-stream","setContentTypeIfEmpty":true}`},
		{"protobuf", encoding.ProtoCodec, &wrapperspb.StringValue{}, `{"required":true,"contentType":"application/proto"}`, `{"contentType":"application/proto","setContentTypeIfEmpty":true}`},
		{"proto JSON", encoding.ProtoJSONCodec, "", `{"required":true,"contentType":"application/json"}`, `{"contentType":"application/json","setContentTypeIfEmpty":false}`},
		{"Void", encoding.BinaryCodec, encoding.Void{}, `{"required":false}`, `{"setContentTypeIfEmpty":false}`},
		{"pointer to Void", encoding.JSONCodec, (*encoding.Void)(nil), `{"required":false}`, `{"setContentTypeIfEmpty":false}`},
		{"own bytes", encoding.JSONCodec, sealed{}, `{"required":true,"contentType":"text/sealed"}`, `{"contentType":"text/sealed","setContentTypeIfEmpty":true}`},
		{"no metadata", bare{}, "", `{"required":false,"contentType":"*/*"}`, `{"setContentTypeIfEmpty":false}`},
		{"interface", encoding.JSONCodec, nil, `{"required":true,"contentType":"application/json"}`, `{"contentType":"application/json","setContentTypeIfEmpty":false}`},
	} {
		in, _ := json.Marshal(encoding.InputPayloadFor(tc.codec, tc.value))
		out, _ := json.Marshal(encoding.OutputPayloadFor(tc.codec, tc.value))
		if string(in) != tc.input || string(out) != tc.output {
			t.Errorf("%s:\n in  %s\nwant %s\n out %s\nwant %s", tc.name, in, tc.input, out, tc.output)
		}
	}
}

func TestOnlyProtoJSONIsNonDeterministic(t *testing.T) {
	t.Parallel()
	for codec, want := range map[encoding.Codec]bool{
		encoding.JSONCodec: false, encoding.BinaryCodec: false, encoding.ProtoCodec: false, encoding.ProtoJSONCodec: true, bare{}: false,
		encoding.JSONCodecWithCustomSchemaGenerator(nil): false,
	} {
		if got := encoding.IsNonDeterministicSerialization(codec); got != want {
			t.Errorf("%T: %v, want %v", codec, got, want)
		}
	}
}

func ExampleMarshal() {
	b, err := encoding.Marshal(encoding.JSONCodec, map[string]int{"n": 1})
	fmt.Printf("%s %v\n", b, err)
	b, err = encoding.Marshal(encoding.JSONCodec, encoding.Void{})
	fmt.Printf("%q %v\n", b, err)
	// Output:
	// {"n":1} <nil>
	// "" <nil>
}

// own returns its own memory, as a json.RawMessage does.
type own []byte

func (o own) RestateMarshal(encoding.Codec) ([]byte, error)      { return o, nil }
func (own) OutputPayload(encoding.Codec) *encoding.OutputPayload { return &encoding.OutputPayload{} }

func TestBytesOfAValueDoNotChangeWithIt(t *testing.T) {
	t.Parallel()
	v := own(`"first"`)
	b, err := encoding.Marshal(encoding.JSONCodec, v)
	copy(v, `"other"`)
	if err != nil || string(b) != `"first"` {
		t.Errorf("got %s, %v", b, err)
	}
}
