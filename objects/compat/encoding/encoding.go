package encoding

import "github.com/dormouse-run/dormouse/objects/encoding"

// Codec turns values into bytes and back.
type Codec = encoding.Codec

// The codecs that are there from the start.
var (
	// JSONCodec is JSON, the default.
	JSONCodec = encoding.JSONCodec
	// BinaryCodec takes and gives []byte as it is.
	BinaryCodec = encoding.BinaryCodec
	// ProtoCodec is the binary form of protocol buffers.
	ProtoCodec = encoding.ProtoCodec
	// ProtoJSONCodec is the JSON form of protocol buffers.
	ProtoJSONCodec = encoding.ProtoJSONCodec
)

// Void is the type of an input or output that does not exist.
type Void = encoding.Void

// RestateMarshaler is a value that encodes itself.
type RestateMarshaler = encoding.RestateMarshaler

// RestateUnmarshaler is a value that decodes itself.
type RestateUnmarshaler = encoding.RestateUnmarshaler

// CodecMetadata is a codec that names its content type and describes values.
type CodecMetadata = encoding.CodecMetadata

// CodecInputMetadata is a codec that says whether an input must be given.
type CodecInputMetadata = encoding.CodecInputMetadata

// CodecOutputMetadata is a codec that says whether an empty output has a content
// type.
type CodecOutputMetadata = encoding.CodecOutputMetadata

// InputPayload describes what a handler accepts.
type InputPayload = encoding.InputPayload

// OutputPayload describes what a handler answers.
type OutputPayload = encoding.OutputPayload

// NonDeterministicSerializer is a codec that may encode equal values to
// different bytes.
type NonDeterministicSerializer = encoding.NonDeterministicSerializer

// Marshal encodes v with codec, or as v itself wants.
func Marshal(codec Codec, v any) ([]byte, error) { return encoding.Marshal(codec, v) }

// Unmarshal decodes data into v with codec, or as v itself wants.
func Unmarshal(codec Codec, data []byte, v any) error { return encoding.Unmarshal(codec, data, v) }

// InputPayloadFor describes an input of the type of i.
func InputPayloadFor(codec Codec, i any) *InputPayload { return encoding.InputPayloadFor(codec, i) }

// OutputPayloadFor describes an output of the type of o.
func OutputPayloadFor(codec Codec, o any) *OutputPayload { return encoding.OutputPayloadFor(codec, o) }

// IsNonDeterministicSerialization reports whether codec says that it is a
// NonDeterministicSerializer.
func IsNonDeterministicSerialization(codec Codec) bool {
	return encoding.IsNonDeterministicSerialization(codec)
}

// JSONCodecWithCustomSchemaGenerator returns a JSON codec whose schemas come
// from genJsonSchema.
func JSONCodecWithCustomSchemaGenerator(genJsonSchema func(v any) any) Codec {
	return encoding.JSONCodecWithCustomSchemaGenerator(genJsonSchema)
}
