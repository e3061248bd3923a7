package objects

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/dormouse-run/dormouse/internal/journal"
)

// Limits on what a handler names, in bytes.
const (
	maxNameBytes    = 255
	maxKeyBytes     = 1024
	maxHeadersBytes = 64 << 10
)

// maxMessageBytes bounds what is kept of the message of an error. It is stored
// inside of rows that must stay small.
const maxMessageBytes = 16 << 10

// clip shortens the message of an error to what is kept.
func clip(message string) string {
	if len(message) <= maxMessageBytes {
		return message
	}
	return strings.ToValidUTF8(message[:maxMessageBytes], "") + fmt.Sprintf(" … (%d bytes in all)", len(message))
}

const codeTooLarge Code = 413

// demand ends the invocation with t, unless it is nil.
func (ex *execution) demand(t TerminalError) {
	if t != nil {
		ex.endWith(t)
	}
}

// checkSize refuses a payload over the limit.
func (ex *execution) checkSize(what string, payload []byte) TerminalError {
	limit := ex.attempt.MaxPayload
	if limit == 0 {
		limit = DefaultMaxPayload
	}
	if len(payload) <= limit {
		return nil
	}
	return terminalf(codeTooLarge, "%s has %d bytes, more than the limit of %d: store it elsewhere and pass a reference", what, len(payload), limit)
}

// checkName refuses names of handlers, state values, signals and runs that are
// too long or no text.
func checkName(what, name string) TerminalError { return checkText(what, name, maxNameBytes) }

// checkKey refuses object keys, workflow ids and idempotency keys.
func checkKey(what, key string) TerminalError { return checkText(what, key, maxKeyBytes) }

func checkText(what, text string, limit int) TerminalError {
	switch {
	case len(text) > limit:
		return terminalf(codeBadRequest, "%s has %d bytes, more than the limit of %d", what, len(text), limit)
	case !utf8.ValidString(text):
		return terminalf(codeBadRequest, "%s is not valid UTF-8: %q", what, text)
	default:
		return nil
	}
}

func checkHeaders(headers []journal.Header) TerminalError {
	size := 0
	for _, h := range headers {
		size += len(h.Key) + len(h.Value)
		if !utf8.ValidString(h.Key) || !utf8.ValidString(h.Value) {
			return terminalf(codeBadRequest, "the header %q is not valid UTF-8", h.Key)
		}
	}
	if size > maxHeadersBytes {
		return terminalf(codeBadRequest, "the headers have %d bytes, more than the limit of %d", size, maxHeadersBytes)
	}
	return nil
}
