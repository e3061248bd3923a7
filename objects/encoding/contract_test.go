package encoding_test

import (
	"encoding/json"
	"testing"

	"github.com/dormouse-run/dormouse/objects/encoding"
)

// This file pins the names and signatures that programs are compiled against. It
// is checked by the compiler.

type (
	codec interface {
		Marshal(v any) ([]byte, error)
		Unmarshal(data []byte, v any) error
	}
	marshaler interface {
		RestateMarshal(codec encoding.Codec) ([]byte, error)
		OutputPayload(codec encoding.Codec) *encoding.OutputPayload
	}
	unmarshaler interface {
		RestateUnmarshal(codec encoding.Codec, data []byte) error
		InputPayload(codec encoding.Codec) *encoding.InputPayload
	}
	metadata interface {
		ContentType() string
		JsonSchema(v any) any
	}
	inputMetadata    interface{ InputRequired() bool }
	outputMetadata   interface{ SetContentTypeIfEmpty() bool }
	nonDeterministic interface{ IsNonDeterministic() bool }
)

var (
	_ = func(x encoding.Codec) codec { return x }
	_ = func(x codec) encoding.Codec { return x }
	_ = func(x encoding.RestateMarshaler) marshaler { return x }
	_ = func(x marshaler) encoding.RestateMarshaler { return x }
	_ = func(x encoding.RestateUnmarshaler) unmarshaler { return x }
	_ = func(x unmarshaler) encoding.RestateUnmarshaler { return x }
	_ = func(x encoding.CodecMetadata) metadata { return x }
	_ = func(x metadata) encoding.CodecMetadata { return x }
	_ = func(x encoding.CodecInputMetadata) inputMetadata { return x }
	_ = func(x inputMetadata) encoding.CodecInputMetadata { return x }
	_ = func(x encoding.CodecOutputMetadata) outputMetadata { return x }
	_ = func(x outputMetadata) encoding.CodecOutputMetadata { return x }
	_ = func(x encoding.NonDeterministicSerializer) nonDeterministic { return x }
	_ = func(x nonDeterministic) encoding.NonDeterministicSerializer { return x }

	_ *encoding.Codec = &encoding.JSONCodec
	_ *encoding.Codec = &encoding.BinaryCodec
	_ *encoding.Codec = &encoding.ProtoCodec
	_ *encoding.Codec = &encoding.ProtoJSONCodec

	_ struct{}                    = encoding.Void{}
	_ encoding.RestateMarshaler   = encoding.Void{}
	_ encoding.RestateUnmarshaler = encoding.Void{}
	_ encoding.RestateUnmarshaler = (*encoding.Void)(nil)

	_ func(encoding.Codec, any) ([]byte, error)         = encoding.Marshal
	_ func(encoding.Codec, []byte, any) error           = encoding.Unmarshal
	_ func(encoding.Codec, any) *encoding.InputPayload  = encoding.InputPayloadFor
	_ func(encoding.Codec, any) *encoding.OutputPayload = encoding.OutputPayloadFor
	_ func(encoding.Codec) bool                         = encoding.IsNonDeterministicSerialization
	_ func(func(v any) any) encoding.Codec              = encoding.JSONCodecWithCustomSchemaGenerator
)

func TestPayloadsHaveTheJSONOfTheContract(t *testing.T) {
	t.Parallel()
	for want, p := range map[string]any{
		`{"required":true,"contentType":"a","jsonSchema":1}`: encoding.InputPayload{Required: true, ContentType: new("a"), JsonSchema: 1},
		`{"required":false}`: encoding.InputPayload{},
		`{"contentType":"a","setContentTypeIfEmpty":true,"jsonSchema":1}`: encoding.OutputPayload{ContentType: new("a"), SetContentTypeIfEmpty: true, JsonSchema: 1},
		`{"setContentTypeIfEmpty":false}`:                                 encoding.OutputPayload{},
	} {
		if got, err := json.Marshal(p); string(got) != want || err != nil {
			t.Errorf("got %s, %v; want %s", got, err, want)
		}
	}
}

func TestVoidHasNoBytesWithAnyCodec(t *testing.T) {
	t.Parallel()
	for _, c := range []encoding.Codec{encoding.JSONCodec, encoding.BinaryCodec, encoding.ProtoCodec, encoding.ProtoJSONCodec} {
		if b, err := encoding.Marshal(c, encoding.Void{}); b != nil || err != nil {
			t.Errorf("%T: %q, %v", c, b, err)
		}
	}
}
