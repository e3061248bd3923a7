package encoding_test

import (
	"bytes"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/dormouse-run/dormouse/objects/encoding"
)

// FuzzProto: a message that is read is written, and read as the same, by the codec
// that read it and by the one for JSON.
func FuzzProto(f *testing.F) {
	s, err := structpb.NewStruct(map[string]any{"a": 1.5, "b": []any{"x", nil, true}, "c": map[string]any{"": "y"}})
	if err != nil {
		f.Fatal(err)
	}
	for _, codec := range []encoding.Codec{encoding.ProtoCodec, encoding.ProtoJSONCodec} {
		text, err := encoding.Marshal(codec, s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte("\xff\xff\xff\xff\x0f"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, codec := range []encoding.Codec{encoding.ProtoCodec, encoding.ProtoJSONCodec} {
			before, read := bytes.Clone(data), new(structpb.Struct)
			if err := encoding.Unmarshal(codec, data, read); err != nil {
				continue
			}
			if !bytes.Equal(before, data) {
				t.Fatalf("reading %x has changed it to %x", before, data)
			}
			text, err := encoding.Marshal(codec, read)
			if err != nil {
				continue // JSON has no word for some numbers
			}
			again := new(structpb.Struct)
			if err := encoding.Unmarshal(codec, text, again); err != nil || !proto.Equal(read, again) {
				t.Fatalf("%x is read as %v, and that as %v: %v", data, read, again, err)
			}
		}
	})
}
