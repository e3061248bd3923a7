package httpapi

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/query"
)

// maxQueueDepth bounds the parameter of this name.
const maxQueueDepth = 1 << 40

// listParams reads the parameters of a list, one by one, and remembers the first
// thing that is wrong. A parameter that nobody has asked for is wrong as well: a
// misspelt filter that is ignored answers another question.
type listParams struct {
	values url.Values
	known  []string
	failed *failure
}

func newListParams(values url.Values) *listParams { return &listParams{values: values} }

// all returns the values of a parameter that may be repeated.
func (p *listParams) all(name string) []string {
	p.known = append(p.known, name)
	return p.values[name]
}

// one returns the value of a parameter, and whether it was given.
func (p *listParams) one(name string) (value string, given bool) {
	values := p.all(name)
	switch {
	case len(values) == 0:
		return "", false
	case len(values) > 1:
		p.fail("parameter " + name + " is given twice")
	}
	return values[0], true
}

func (p *listParams) fail(message string) {
	if p.failed == nil {
		p.failed = badRequest(message)
	}
}

// refuse says which values a parameter takes.
func (p *listParams) refuse(name, value, takes string) {
	if len(value) > maxNameBytes || !utf8.ValidString(value) {
		p.fail("parameter " + name + " takes " + takes)
		return
	}
	p.fail("parameter " + name + " cannot be '" + value + "': it takes " + takes)
}

// name reads the name of a service, a handler or a promise.
func (p *listParams) name(name string) string {
	value, given := p.one(name)
	if given && (value == "" || len(value) > maxNameBytes || !utf8.ValidString(value)) {
		p.refuse(name, value, "a name of 1 to 255 bytes")
	}
	return value
}

// key reads a key, which may be empty, or the beginning of one.
func (p *listParams) key(name string) (value string, given bool) {
	value, given = p.one(name)
	if len(value) > maxKeyBytes || !utf8.ValidString(value) {
		p.refuse(name, value, "UTF-8 of at most 1024 bytes")
	}
	return value, given
}

// number reads a number from low to high.
func (p *listParams) number(name string, low, high, otherwise int) int {
	value, given := p.one(name)
	if !given {
		return otherwise
	}
	n, ok := number(value, low, high)
	if !ok {
		p.refuse(name, value, "a number from "+strconv.Itoa(low)+" to "+strconv.Itoa(high))
	}
	return n
}

// flag reads true or false, nil when it is not given.
func (p *listParams) flag(name string) *bool {
	value, given := p.one(name)
	if !given {
		return nil
	}
	yes := value == "true"
	if !yes && value != "false" {
		p.refuse(name, value, "true or false")
	}
	return &yes
}

// id reads the id of an invocation, zero when it is not given.
func (p *listParams) id(name string) (id ident.InvocationID) {
	value, given := p.one(name)
	if !given {
		return id
	}
	id, err := ident.ParseInvocationID(value)
	if err != nil || id.IsZero() {
		p.refuse(name, value, "the id of an invocation, inv_1 and 33 more characters")
	}
	return id
}

// paging reads limit and cursor.
func (p *listParams) paging() query.Paging {
	paging := query.Paging{Limit: p.number("limit", 1, query.MaxLimit, query.DefaultLimit)}
	cursor, given := p.one("cursor")
	if given && cursor == "" {
		p.refuse("cursor", cursor, "the next_cursor of the page before; leave it out for the first page")
	}
	paging.Cursor = cursor
	return paging
}

// end returns the first thing that was wrong, nil when all is well.
func (p *listParams) end() error {
	for name := range p.values {
		if slices.Contains(p.known, name) {
			continue
		}
		if len(name) > maxNameBytes || !utf8.ValidString(name) {
			name = "…"
		}
		return badRequest("unknown parameter '" + name + "': there are " + strings.Join(p.known, ", "))
	}
	if p.failed != nil {
		return p.failed
	}
	return nil
}

// word is a value of a closed set.
type word interface{ String() string }

// words reads a repeatable parameter whose values are words of a closed set.
func words[W word](p *listParams, name string, set []W) (chosen []W) {
	for _, value := range p.all(name) {
		i := slices.IndexFunc(set, func(w W) bool { return w.String() == value })
		if i < 0 {
			p.refuse(name, value, oneOf(set))
			return nil
		}
		if !slices.ContainsFunc(chosen, func(w W) bool { return w.String() == value }) {
			chosen = append(chosen, set[i])
		}
	}
	return chosen
}

// choice reads a parameter whose value is one word of a closed set, the first of
// which is the default.
func choice[W word](p *listParams, name string, set []W) W {
	chosen := words(p, name, set)
	switch len(chosen) {
	case 0:
		return set[0]
	case 1:
	default:
		p.fail("parameter " + name + " is given twice")
	}
	return chosen[0]
}

func oneOf[W word](set []W) string {
	names := make([]string, len(set))
	for i, w := range set {
		names[i] = w.String()
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

// listView is the answer of a list.
type listView[T any] struct {
	Items []T `json:"items"`
	// NextCursor asks for the next page, null behind the last one.
	NextCursor *string `json:"next_cursor"`
	Examined   int     `json:"examined"`
	Partial    bool    `json:"partial,omitempty"`
}

func newListView[T, V any](page query.Page[T], view func(*T) V) listView[V] {
	v := listView[V]{Items: make([]V, len(page.Items)), Examined: page.Examined, Partial: page.Partial}
	for i := range page.Items {
		v.Items[i] = view(&page.Items[i])
	}
	if page.Next != "" {
		v.NextCursor = &page.Next
	}
	return v
}
