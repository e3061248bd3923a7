package httpapi

import (
	"encoding/base64"
	"encoding/json"
	"unicode/utf8"
)

// payload shows the bytes of a value: as JSON, as text or in base64, whichever
// fits first.
type payload struct {
	Size      int             `json:"size"`
	JSON      json.RawMessage `json:"json,omitempty"`
	UTF8      *string         `json:"utf8,omitempty"`
	Base64    *string         `json:"base64,omitempty"`
	Truncated bool            `json:"truncated,omitempty"`
}

// payloadOf shows at most limit bytes of b; with a limit of 0 only the size.
func payloadOf(b []byte, limit int) *payload {
	p := &payload{Size: len(b)}
	if limit == 0 {
		return p
	}
	if len(b) > limit {
		b, p.Truncated = b[:limit], true
	} else if showsAsJSON(b) {
		p.JSON = b
		return p
	}
	if text := wholeRunes(b, p.Truncated); utf8.Valid(text) {
		s := string(text)
		p.UTF8 = &s
		return p
	}
	s := base64.StdEncoding.EncodeToString(b)
	p.Base64 = &s
	return p
}

// maxShownDepth bounds the nesting of JSON that is shown as such. Decoders have
// bounds of their own, and one value must not make the whole answer unreadable.
const maxShownDepth = 256

// showsAsJSON reports whether b can stand in an answer as it is: encoding/json
// takes strings that are no UTF-8 for valid.
func showsAsJSON(b []byte) bool {
	if !utf8.Valid(b) || !json.Valid(b) {
		return false
	}
	depth, quoted := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			if depth++; depth > maxShownDepth {
				return false
			}
		case c == ']' || c == '}':
			depth--
		}
	}
	return true
}

// wholeRunes drops a rune that the cut has split.
func wholeRunes(b []byte, cut bool) []byte {
	if !cut {
		return b
	}
	for i := len(b) - 1; i >= 0 && i >= len(b)-utf8.UTFMax; i-- {
		if utf8.RuneStart(b[i]) {
			if !utf8.FullRune(b[i:]) {
				return b[:i]
			}
			break
		}
	}
	return b
}
