package encoding

import (
	"bytes"
	"reflect"
)

// Codec turns a value into bytes and back. Implementations may be called
// concurrently.
//
// A codec should give equal bytes for equal values: replay compares payloads.
// One that cannot says so with NonDeterministicSerializer.
type Codec interface {
	// Marshal returns the bytes of v, which share no memory with v.
	Marshal(v any) ([]byte, error)
	// Unmarshal reads data into the value that the pointer v points to. It
	// keeps no reference to data.
	Unmarshal(data []byte, v any) error
}

// RestateMarshaler is a value that knows its own bytes; Marshal asks it instead
// of the codec.
type RestateMarshaler interface {
	// RestateMarshal returns the bytes; codec is what would have been used.
	RestateMarshal(codec Codec) ([]byte, error)
	// OutputPayload describes the bytes.
	OutputPayload(codec Codec) *OutputPayload
}

// RestateUnmarshaler is a value that reads its own bytes; Unmarshal asks it
// instead of the codec.
type RestateUnmarshaler interface {
	// RestateUnmarshal reads data, which it must not keep; codec is what would
	// have been used.
	RestateUnmarshal(codec Codec, data []byte) error
	// InputPayload describes what is accepted.
	InputPayload(codec Codec) *InputPayload
}

// NonDeterministicSerializer is a codec whose bytes may differ for equal
// values. Replay then does not compare its payloads.
type NonDeterministicSerializer interface {
	// IsNonDeterministic reports whether the bytes may differ.
	IsNonDeterministic() bool
}

// IsNonDeterministicSerialization reports whether codec declares that its bytes
// may differ for equal values.
func IsNonDeterministicSerialization(codec Codec) bool {
	s, ok := codec.(NonDeterministicSerializer)
	return ok && s.IsNonDeterministic()
}

// Marshal returns the bytes of v: a copy of those that v makes itself when it is a
// RestateMarshaler, else those of codec. The error is that of whoever encoded.
func Marshal(codec Codec, v any) ([]byte, error) {
	if m, ok := v.(RestateMarshaler); ok {
		// It may return its own memory, as a json.RawMessage does.
		b, err := m.RestateMarshal(codec)
		return bytes.Clone(b), err
	}
	return codec.Marshal(v)
}

// Unmarshal reads data into the value that the pointer v points to: by that
// value when it is a RestateUnmarshaler, else by codec. A pointer to a nil
// pointer is given a new value first. The error is that of whoever decoded.
func Unmarshal(codec Codec, data []byte, v any) error {
	if u, ok := v.(RestateUnmarshaler); ok {
		return u.RestateUnmarshal(codec, data)
	}
	if t := reflect.TypeOf(v); t != nil && t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Pointer {
		if t.Elem().Implements(reflect.TypeFor[RestateUnmarshaler]()) {
			return pointee(v).(RestateUnmarshaler).RestateUnmarshal(codec, data)
		}
	}
	return codec.Unmarshal(data, v)
}

// pointee returns the pointer that v points to, and sets it to a new value when
// it is nil.
func pointee(v any) any {
	p := reflect.ValueOf(v).Elem()
	if p.IsNil() {
		p.Set(reflect.New(p.Type().Elem()))
	}
	return p.Interface()
}
