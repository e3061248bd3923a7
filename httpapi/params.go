package httpapi

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/query"
)

// maxQueueDepth bounds the parameter of this name.
const maxQueueDepth = 1 << 40

// params reads the parameters of a route of the admin port, one by one, and
// remembers the first thing that is wrong. A parameter that nobody has asked for
// is wrong as well: one that is misspelt and ignored does another thing than was
// meant.
type params struct {
	values url.Values
	known  []string
	failed *failure
}

func newParams(values url.Values) *params { return &params{values: values} }

// brokenQuery refuses a query of which url.Values leaves something out: that would
// be a filter that is ignored. The health route takes any.
func brokenQuery(c echo.Context) *failure {
	if _, err := url.ParseQuery(c.Request().URL.RawQuery); err != nil && c.Path() != "/health" {
		return badRequest("the query has a broken percent escape or a semicolon: parameters are separated by &, and a % is written as %25, a ; as %3B")
	}
	return nil
}

// bare is a route without parameters.
func bare(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if err := newParams(c.QueryParams()).end(); err != nil {
			return err
		}
		return next(c)
	}
}

// all returns the values of a parameter that may be repeated.
func (p *params) all(name string) []string {
	p.known = append(p.known, name)
	return p.values[name]
}

// one returns the value of a parameter, and whether it was given.
func (p *params) one(name string) (value string, given bool) {
	values := p.all(name)
	switch {
	case len(values) == 0:
		return "", false
	case len(values) > 1:
		p.fail("parameter " + name + " is given twice")
	}
	return values[0], true
}

func (p *params) fail(message string) {
	if p.failed == nil {
		p.failed = badRequest(message)
	}
}

// refuse says which values a parameter takes.
func (p *params) refuse(name, value, takes string) {
	if len(value) > maxNameBytes || !utf8.ValidString(value) {
		p.fail("parameter " + name + " takes " + takes)
		return
	}
	p.fail("parameter " + name + " cannot be '" + value + "': it takes " + takes)
}

// name reads the name of a service, a handler or a promise.
func (p *params) name(name string) string {
	value, given := p.one(name)
	if given && (value == "" || len(value) > maxNameBytes || !utf8.ValidString(value)) {
		p.refuse(name, value, "a name of 1 to 255 bytes")
	}
	return value
}

// key reads a key, which may be empty, or the beginning of one.
func (p *params) key(name string) (value string, given bool) {
	value, given = p.one(name)
	if len(value) > maxKeyBytes || !utf8.ValidString(value) {
		p.refuse(name, value, "UTF-8 of at most 1024 bytes")
	}
	return value, given
}

// number reads a number from low to high.
func (p *params) number(name string, low, high, otherwise int) int {
	value, given := p.one(name)
	if !given {
		return otherwise
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < low || n > high {
		p.refuse(name, value, "a number from "+strconv.Itoa(low)+" to "+strconv.Itoa(high))
	}
	return n
}

// flag reads true or false, nil when it is not given.
func (p *params) flag(name string) *bool {
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
func (p *params) id(name string) (id ident.InvocationID) {
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

// yes reads true or false.
func (p *params) yes(name string, otherwise bool) bool {
	if given := p.flag(name); given != nil {
		return *given
	}
	return otherwise
}

// valueBytes reads how much of a value is shown.
func (p *params) valueBytes(otherwise int) int {
	return p.number("max_value_bytes", 0, maxValueBytes, otherwise)
}

// some reads text that is not empty, "" when it is not given.
func (p *params) some(name string) string {
	value, given := p.key(name)
	if given && value == "" {
		p.refuse(name, value, "text that is not empty")
	}
	return value
}

// instant reads a time and returns it in milliseconds since the epoch, 0 when it
// is not given.
func (p *params) instant(name string) (ms int64) {
	value, given := p.one(name)
	if !given {
		return 0
	}
	t, err := time.Parse(time.RFC3339Nano, value)
	if ms = t.UnixMilli(); err != nil || ms <= 0 {
		p.refuse(name, value, "a time after 1970 like 2026-11-23T08:30:00.000Z; a + in it is written as %2B")
	}
	return ms
}

// paging reads limit and cursor.
func (p *params) paging() query.Paging {
	paging := query.Paging{Limit: p.number("limit", 1, query.MaxLimit, query.DefaultLimit)}
	cursor, given := p.one("cursor")
	if given && cursor == "" {
		p.refuse("cursor", cursor, "the next_cursor of the page before; leave it out for the first page")
	}
	paging.Cursor = cursor
	return paging
}

// end returns the first thing that was wrong, nil when all is well.
func (p *params) end() error {
	for _, name := range slices.Sorted(maps.Keys(p.values)) {
		if slices.Contains(p.known, name) {
			continue
		}
		if len(name) > maxNameBytes || !utf8.ValidString(name) {
			name = "…"
		}
		return badRequest("unknown parameter '" + name + "': " + thereAre(p.known))
	}
	if p.failed != nil {
		return p.failed
	}
	return nil
}

// thereAre names the parameters of a route.
func thereAre(known []string) string {
	switch len(known) {
	case 0:
		return "this route has none"
	case 1:
		return "there is " + known[0]
	default:
		return "there are " + strings.Join(known, ", ")
	}
}

// word is a value of a closed set.
type word interface{ String() string }

// text is a word of a closed set.
type text string

// String returns the word.
func (t text) String() string { return string(t) }

// words reads a repeatable parameter whose values are words of a closed set.
func words[W word](p *params, name string, set []W) (chosen []W) {
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
func choice[W word](p *params, name string, set []W) W {
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

// optional reads a parameter whose value is one word of a closed set, the zero
// value when it is not given.
func optional[W word](p *params, name string, set []W) (chosen W) {
	if _, given := p.one(name); !given {
		return chosen
	}
	if all := words(p, name, set); len(all) == 1 {
		chosen = all[0]
	}
	return chosen
}
