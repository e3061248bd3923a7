package encoding

import "encoding/json"

// JSONCodec is encoding/json, the default everywhere. Unknown and missing
// fields pass. Its schemas name the fields that this build knows; a type may
// describe itself by a method JSONSchema() *jsonschema.Schema of
// github.com/invopop/jsonschema, or by the tags of that package.
var JSONCodec Codec = jsonCodec{}

// JSONCodecWithCustomSchemaGenerator returns JSONCodec with other schemas:
// genJsonSchema returns a JSON schema for the type of v, nil for none. It is
// called once for each input and output of a handler; a nil genJsonSchema
// describes nothing.
func JSONCodecWithCustomSchemaGenerator(genJsonSchema func(v any) any) Codec {
	return &schemaCodec{generate: genJsonSchema}
}

const contentTypeJSON = "application/json"

type jsonCodec struct{}

func (jsonCodec) Marshal(v any) ([]byte, error)      { return json.Marshal(v) }
func (jsonCodec) Unmarshal(data []byte, v any) error { return json.Unmarshal(data, v) }
func (jsonCodec) ContentType() string                { return contentTypeJSON }
func (jsonCodec) JsonSchema(v any) any               { return jsonSchemaOf(v) }

// schemaCodec is used as a pointer, so that codecs can be compared.
type schemaCodec struct {
	jsonCodec
	generate func(v any) any
}

func (c *schemaCodec) JsonSchema(v any) any {
	if c.generate == nil {
		return nil
	}
	return c.generate(v)
}
