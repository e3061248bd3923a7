package encoding

import (
	"fmt"
	"reflect"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// ProtoCodec is the protobuf wire format; values are proto.Message. Its bytes
// are equal for equal messages within one build.
var ProtoCodec Codec = protoCodec{}

// ProtoJSONCodec is the JSON mapping of protobuf; values are proto.Message.
// Unknown fields pass. Its bytes vary between builds, so replay does not
// compare them.
var ProtoJSONCodec Codec = protoJSONCodec{}

type protoCodec struct{}

func (protoCodec) Marshal(v any) ([]byte, error) {
	m, ok := v.(proto.Message)
	if !ok {
		return nil, notAMessage(v)
	}
	return proto.MarshalOptions{Deterministic: true}.Marshal(m)
}

func (protoCodec) Unmarshal(data []byte, v any) error {
	m, err := message(v)
	if err != nil {
		return err
	}
	return proto.Unmarshal(data, m)
}

func (protoCodec) ContentType() string         { return "application/proto" }
func (protoCodec) JsonSchema(any) any          { return nil }
func (protoCodec) SetContentTypeIfEmpty() bool { return true }

type protoJSONCodec struct{}

func (protoJSONCodec) Marshal(v any) ([]byte, error) {
	m, ok := v.(proto.Message)
	if !ok {
		return nil, notAMessage(v)
	}
	return protojson.Marshal(m)
}

func (protoJSONCodec) Unmarshal(data []byte, v any) error {
	m, err := message(v)
	if err != nil {
		return err
	}
	return protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(data, m)
}

func (protoJSONCodec) ContentType() string      { return contentTypeJSON }
func (protoJSONCodec) JsonSchema(v any) any     { return protoSchemaOf(v) }
func (protoJSONCodec) IsNonDeterministic() bool { return true }

// message returns the message that v is or points to; a nil pointer is set to a
// new message first.
func message(v any) (proto.Message, error) {
	if m, ok := v.(proto.Message); ok {
		return m, nil
	}
	t := reflect.TypeOf(v)
	if t != nil && t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Pointer && t.Elem().Implements(reflect.TypeFor[proto.Message]()) {
		return pointee(v).(proto.Message), nil
	}
	return nil, notAMessage(v)
}

func notAMessage(v any) error {
	return fmt.Errorf("%T is no protobuf message: the protobuf codecs take a pointer to a generated message", v)
}
