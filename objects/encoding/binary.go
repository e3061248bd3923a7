package encoding

import (
	"bytes"
	"fmt"
	"reflect"
)

// BinaryCodec passes bytes through: values are []byte or a type made of it.
// The bytes are copied in both directions.
var BinaryCodec Codec = binaryCodec{}

type binaryCodec struct{}

func (binaryCodec) Marshal(v any) ([]byte, error) {
	switch b := v.(type) {
	case nil:
		return nil, nil
	case []byte:
		return bytes.Clone(b), nil
	case *[]byte:
		if b == nil {
			return nil, nil
		}
		return bytes.Clone(*b), nil
	}
	if r := reflect.ValueOf(v); isBytes(r.Type()) {
		return bytes.Clone(r.Bytes()), nil
	}
	return nil, fmt.Errorf("encode %T as binary: the binary codec takes []byte", v)
}

func (binaryCodec) Unmarshal(data []byte, v any) error {
	switch p := v.(type) {
	case *[]byte:
		*p = append([]byte{}, data...)
		return nil
	case *any:
		*p = append([]byte{}, data...)
		return nil
	}
	r := reflect.ValueOf(v)
	if r.Kind() == reflect.Pointer && !r.IsNil() {
		switch e := r.Elem(); {
		case isBytes(e.Type()):
			e.SetBytes(append([]byte{}, data...))
			return nil
		case e.Kind() == reflect.Pointer && isBytes(e.Type().Elem()):
			reflect.ValueOf(pointee(v)).Elem().SetBytes(append([]byte{}, data...))
			return nil
		}
	}
	return fmt.Errorf("decode binary into %T: the binary codec takes *[]byte", v)
}

func (binaryCodec) ContentType() string         { return "application/octet-stream" }
func (binaryCodec) JsonSchema(any) any          { return nil }
func (binaryCodec) InputRequired() bool         { return false }
func (binaryCodec) SetContentTypeIfEmpty() bool { return true }

func isBytes(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8
}
