package ingress

import (
	"cmp"
	"encoding/json"
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"

	"github.com/dormouse-run/dormouse/internal/journal"
	restate "github.com/dormouse-run/dormouse/objects"
)

// errorKind says what an answer with code 404 and source invocation means.
type errorKind uint8

const (
	// anyAnswer: the invocation that the request names is unknown.
	anyAnswer errorKind = iota
	// invocationFailed: the invocation that the request made ended with 404.
	invocationFailed
)

// errorBody is the error JSON of both ports.
type errorBody struct {
	Code       *uint64           `json:"code"`
	Message    string            `json:"message"`
	Stacktrace string            `json:"stacktrace"`
	Metadata   map[string]string `json:"metadata"`
	Source     string            `json:"source"`
}

// errorOf reads an answer that is an error. The code comes from the body, else
// from the status; a body that is no error JSON is the message as it stands.
func errorOf(response *http.Response, body []byte, kind errorKind) Error {
	var b errorBody
	if json.Unmarshal(body, &b) != nil {
		b = errorBody{Message: strings.ToValidUTF8(strings.TrimSpace(string(body)), "\uFFFD")}
	}
	a := answer{code: restate.Code(response.StatusCode), message: b.Message, stacktrace: b.Stacktrace}
	if b.Code != nil && *b.Code <= math.MaxUint16 {
		a.code = restate.Code(*b.Code)
	}
	if cmp.Or(response.Header.Get(headerErrorSource), b.Source) != "invocation" {
		if len(body) == 0 {
			a.message = "the runtime answered with status " + response.Status
		}
		return typed(a)
	}
	a.invocation = terminalOf(a, b.Metadata)
	if kind == anyAnswer && a.code == codeNotFound {
		return typed(a)
	}
	return &a
}

func terminalOf(a answer, metadata map[string]string) restate.TerminalError {
	f := &journal.Failure{Code: uint32(a.code), Message: a.message}
	for _, key := range slices.Sorted(maps.Keys(metadata)) {
		f.Metadata = append(f.Metadata, journal.Header{Key: key, Value: metadata[key]})
	}
	return restate.TerminalErrorFrom(f)
}
