package httpapi

import (
	"bytes"
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
	Key     once[*string]     `json:"object_key"`
	Version once[*string]     `json:"version"`
	State   once[patchValues] `json:"new_state"`
}

// once is a member of a JSON object that must not come twice: encoding/json takes
// the last one, or merges them.
type once[T any] struct {
	value T
	given bool
}

var errTwice = errors.New("a member is given twice")

// UnmarshalJSON implements json.Unmarshaler.
func (o *once[T]) UnmarshalJSON(text []byte) error {
	if o.given {
		return errTwice
	}
	o.given = true
	return json.Unmarshal(text, &o.value)
}

// patchValues are the values of a new state by name, nil for null. No name comes
// twice.
type patchValues map[string]byteArray

// UnmarshalJSON implements json.Unmarshaler. text is valid JSON.
func (v *patchValues) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		return nil
	}
	if text[0] != '{' {
		return errNewState
	}
	*v = patchValues{}
	d := json.NewDecoder(bytes.NewReader(text))
	if _, err := d.Token(); err != nil {
		return err
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		var value byteArray
		if err := d.Decode(&value); err != nil {
			return err
		}
		if _, twice := (*v)[name.(string)]; twice {
			return fmt.Errorf("%w: %q", errTwice, name)
		}
		(*v)[name.(string)] = value
	}
	return nil
}

var errNewState = errors.New(`new_state is an object of names and values`)

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
	case in.Key.value == nil:
		return p, fail(http.StatusUnprocessableEntity, "the patch names no object_key: whose state shall it be?")
	case in.State.value == nil:
		return p, fail(http.StatusUnprocessableEntity, "the patch has no new_state: {} clears the state")
	}
	p.Key, p.State = *in.Key.value, make(map[string][]byte, len(in.State.value))
	if in.Version.value != nil {
		p.Version = *in.Version.value
	}
	replaced := strings.ContainsRune(p.Key, utf8.RuneError)
	for name, value := range in.State.value {
		p.State[name] = value
		replaced = replaced || strings.ContainsRune(name, utf8.RuneError)
	}
	if replaced && !writesReplacement(body) {
		return p, badRequest("the patch has half of a surrogate pair in a key or a name: that is no text")
	}
	return p, nil
}
