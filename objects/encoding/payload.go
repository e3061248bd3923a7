package encoding

import "reflect"

// AnyContentType is the content type of an input that is not checked.
const AnyContentType = "*/*"

// CodecMetadata is a codec that can describe its bytes.
type CodecMetadata interface {
	// ContentType is a media type without parameters.
	ContentType() string
	// JsonSchema returns a JSON schema for the type of v, nil for none. v is a
	// zero value of the type.
	JsonSchema(v any) any
}

// CodecInputMetadata is a codec that says whether an input needs a content
// type. A codec with metadata and without this method needs one.
type CodecInputMetadata interface {
	// InputRequired reports whether an empty input without a content type is
	// refused.
	InputRequired() bool
}

// CodecOutputMetadata is a codec that says whether an empty output carries its
// content type. Without this method it does not.
type CodecOutputMetadata interface {
	// SetContentTypeIfEmpty reports whether an empty output has a content type.
	SetContentTypeIfEmpty() bool
}

// InputPayload describes what a handler accepts. The zero value accepts an
// empty input only.
type InputPayload struct {
	// Required says that an input without a content type is refused.
	Required bool `json:"required"`
	// ContentType is what is accepted: nil for an empty input only,
	// AnyContentType for everything.
	ContentType *string `json:"contentType,omitempty"`
	// JsonSchema describes the input, nil when there is no description.
	JsonSchema any `json:"jsonSchema,omitempty"`
}

// OutputPayload describes what a handler answers. The zero value has no content
// type.
type OutputPayload struct {
	// ContentType is what the answer carries, nil for none.
	ContentType *string `json:"contentType,omitempty"`
	// SetContentTypeIfEmpty says that an empty answer carries it as well.
	SetContentTypeIfEmpty bool `json:"setContentTypeIfEmpty"`
	// JsonSchema describes the output, nil when there is no description.
	JsonSchema any `json:"jsonSchema,omitempty"`
}

// InputPayloadFor describes an input of the type of i that is decoded by codec:
// by that type when it (or a pointer to it) is a RestateUnmarshaler, else by
// codec. A codec without CodecMetadata accepts everything.
func InputPayloadFor(codec Codec, i any) *InputPayload {
	if u, ok := implementation[RestateUnmarshaler](i); ok {
		return u.InputPayload(codec)
	}
	m, ok := codec.(CodecMetadata)
	if !ok {
		return &InputPayload{ContentType: new(AnyContentType)}
	}
	p := &InputPayload{Required: true, ContentType: new(m.ContentType()), JsonSchema: m.JsonSchema(i)}
	if r, ok := codec.(CodecInputMetadata); ok {
		p.Required = r.InputRequired()
	}
	return p
}

// OutputPayloadFor describes an output of the type of o that is encoded by
// codec: by that type when it is a RestateMarshaler, else by codec. The output
// of a codec without CodecMetadata has no content type.
func OutputPayloadFor(codec Codec, o any) *OutputPayload {
	if m, ok := implementation[RestateMarshaler](o); ok {
		return m.OutputPayload(codec)
	}
	m, ok := codec.(CodecMetadata)
	if !ok {
		return &OutputPayload{}
	}
	p := &OutputPayload{ContentType: new(m.ContentType()), JsonSchema: m.JsonSchema(o)}
	if s, ok := codec.(CodecOutputMetadata); ok {
		p.SetContentTypeIfEmpty = s.SetContentTypeIfEmpty()
	}
	return p
}

// implementation returns v, or a new value of its type, as a T. A nil pointer
// is replaced by a new value, and the method set of the pointer counts.
func implementation[T any](v any) (T, bool) {
	var none T
	t := reflect.TypeOf(v)
	if t == nil {
		return none, false
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	i, ok := reflect.New(t).Interface().(T)
	return i, ok
}
