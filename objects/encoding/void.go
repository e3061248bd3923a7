package encoding

// Void is the type of an input or output that does not exist. Its bytes are
// empty with every codec, and whatever is read into it is ignored.
type Void struct{}

// RestateMarshal returns no bytes.
func (Void) RestateMarshal(Codec) ([]byte, error) { return nil, nil }

// RestateUnmarshal ignores the data.
func (Void) RestateUnmarshal(Codec, []byte) error { return nil }

// InputPayload says that only an empty input is accepted.
func (Void) InputPayload(Codec) *InputPayload { return &InputPayload{} }

// OutputPayload says that the output is empty and has no content type.
func (Void) OutputPayload(Codec) *OutputPayload { return &OutputPayload{} }
