package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/dormouse-run/dormouse/actors"
)

// statePatch is the body of POST /services/{service}/state.
type statePatch struct {
	Key     *string               `json:"object_key"`
	Version *string               `json:"version"`
	State   *map[string]byteArray `json:"new_state"`
}

// byteArray is a value as an array of byte values.
type byteArray []byte

// UnmarshalJSON implements json.Unmarshaler. text is valid JSON.
func (b *byteArray) UnmarshalJSON(text []byte) error {
	if text[0] != '[' {
		return errByteArray
	}
	*b = make(byteArray, 0, len(text)/3)
	n := -1 // the number under way
	for _, c := range text[1:] {
		switch {
		case '0' <= c && c <= '9':
			if n = max(n, 0)*10 + int(c-'0'); n > 255 {
				return errByteArray
			}
		case c == ',' || c == ']':
			if n >= 0 {
				*b = append(*b, byte(n))
			}
			n = -1
		case c != ' ' && c != '\t' && c != '\n' && c != '\r':
			return errByteArray
		}
	}
	return nil
}

var errByteArray = errors.New(`a value of new_state is an array of byte values, such as [52,50] for the text 42`)

// editState serves POST /services/{service}/state: 202 when the patch is durable.
func (s *Server) editState(c echo.Context) error {
	body, err := s.readBody(c.Request())
	if err != nil {
		return err
	}
	p, f := parsePatch(body)
	if f != nil {
		return f
	}
	p.Service = c.Param("service")
	if err := s.rt.EditState(c.Request().Context(), p); err != nil {
		return err
	}
	return s.writeBody(c.Response(), http.StatusAccepted, nil)
}

// parsePatch reads a patch: 400 for what is no JSON, 422 for what is no patch.
func parsePatch(body []byte) (p actors.StatePatch, f *failure) {
	var in statePatch
	err := json.Unmarshal(body, &in)
	var syntax *json.SyntaxError
	switch {
	case !utf8.Valid(body) || errors.As(err, &syntax):
		return p, badRequest(`the body is not JSON: it is {"object_key":"…","new_state":{"name":[52,50]}}, with "version" if you like`)
	case err != nil:
		return p, fail(http.StatusUnprocessableEntity, fmt.Sprintf("the patch cannot be read: %v", err))
	case in.Key == nil:
		return p, fail(http.StatusUnprocessableEntity, "the patch names no object_key: whose state shall it be?")
	case in.State == nil:
		return p, fail(http.StatusUnprocessableEntity, "the patch has no new_state: {} clears the state")
	}
	if f := repeated(body, len(*in.State)); f != nil {
		return p, f
	}
	p.Key, p.State = *in.Key, make(map[string][]byte, len(*in.State))
	if in.Version != nil {
		p.Version = *in.Version
	}
	replaced := strings.ContainsRune(p.Key, utf8.RuneError)
	for name, value := range *in.State {
		if value == nil {
			return p, fail(http.StatusUnprocessableEntity, fmt.Sprintf("the value %q is null: leave it out", name))
		}
		p.State[name] = value
		replaced = replaced || strings.ContainsRune(name, utf8.RuneError)
	}
	if replaced && !writesReplacement(body) {
		return p, badRequest("the patch has half of a surrogate pair in a key or a name: that is no text")
	}
	return p, nil
}

// repeated refuses a patch that says two things: body has values values in its new
// state.
func repeated(body []byte, values int) *failure {
	m := members{known: []string{"object_key", "version", "new_state"}, inner: "new_state"}
	switch twice, count := m.scan(body); {
	case twice != "":
		return fail(http.StatusUnprocessableEntity, "the patch has "+twice+" twice: give it once")
	case count != values:
		return fail(http.StatusUnprocessableEntity, "a name of new_state is given twice: give each once")
	}
	return nil
}
