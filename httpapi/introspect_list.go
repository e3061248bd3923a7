package httpapi

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/internal/query"
)

// invocationLister is what the list of invocations needs of the runtime.
type invocationLister interface {
	Invocations(ctx context.Context, f query.InvocationFilter) (query.Page[query.Invocation], error)
}

// invocationListRoutes registers the list of invocations.
func (s *Server) invocationListRoutes(e *echo.Echo) {
	e.GET("/introspection/invocations", s.listInvocations)
}

// invocationListView is a page of invocations.
type invocationListView struct {
	Items      []*invocationView `json:"items"`
	NextCursor *string           `json:"next_cursor"`
	Examined   int               `json:"examined"`
}

// listInvocations serves GET /introspection/invocations.
func (s *Server) listInvocations(c echo.Context) error {
	f, bad := parseInvocationFilter(c.QueryParams())
	if bad != nil {
		return bad
	}
	page, err := s.rt.Invocations(c.Request().Context(), f)
	if err != nil {
		return err
	}
	view := invocationListView{Items: make([]*invocationView, len(page.Items)), Examined: page.Examined}
	for i := range page.Items {
		view.Items[i] = newInvocationItem(&page.Items[i])
	}
	if page.Next != "" {
		view.NextCursor = &page.Next
	}
	body, err := encodeJSON(&view)
	if err != nil {
		return err
	}
	return s.writeJSON(c.Response(), http.StatusOK, body)
}

// newInvocationItem shows an invocation as lists do: as when one is asked for,
// without what only that shows.
func newInvocationItem(item *query.Invocation) *invocationView {
	v := newInvocationView(&actors.Inspection{Invocation: item.Row, Running: item.Running, Place: item.Place})
	v.Failures = nil
	return v
}

// invocationParams are the parameters of the list, for errors.
const invocationParams = "service, key, handler, status, result, idempotency_key, invoked_by, caller_id, created_after, created_before, min_age_ms, order, limit and cursor"

// Bounds of the values of a filter.
const (
	maxFilterName = 255
	maxFilterKey  = 1024
	// maxAge is thirty years, in milliseconds.
	maxAge = 30 * 366 * 24 * 3_600_000
)

// parseInvocationFilter reads the parameters of the list. Every one of them is
// checked, since a filter that is ignored answers another question.
func parseInvocationFilter(q url.Values) (f query.InvocationFilter, bad *failure) {
	for name, values := range q {
		if name == "status" {
			if f.Statuses, bad = parseStatuses(values); bad != nil {
				return f, bad
			}
			continue
		}
		set := filterSetters()[name]
		if set == nil {
			return f, badRequest("unknown parameter '" + name + "': there are " + invocationParams)
		}
		if len(values) > 1 {
			return f, badRequest("parameter " + name + " is given " + strconv.Itoa(len(values)) + " times: only status may be repeated")
		}
		if want := set(&f, values[0]); want != "" {
			return f, badRequest("parameter " + name + " cannot be '" + values[0] + "': it is " + want)
		}
	}
	return f, nil
}

func parseStatuses(words []string) (set query.Statuses, bad *failure) {
	for _, word := range words {
		one, ok := query.ParseStatus(word)
		if !ok {
			return 0, badRequest("parameter status cannot be '" + word + "': it is one of " + query.StatusWords() + "; repeat it for several")
		}
		set |= one
	}
	return set, nil
}

// filterSetter sets one field, or says what the value should be.
type filterSetter func(f *query.InvocationFilter, text string) (want string)

func filterSetters() map[string]filterSetter {
	return map[string]filterSetter{
		"service": func(f *query.InvocationFilter, text string) string { return setName(&f.Service, text, maxFilterName) },
		"handler": func(f *query.InvocationFilter, text string) string { return setName(&f.Handler, text, maxFilterName) },
		"idempotency_key": func(f *query.InvocationFilter, text string) string {
			return setName(&f.IdempotencyKey, text, maxFilterKey)
		},
		"key":        setFilterKey,
		"result":     setFilterResult,
		"invoked_by": setInvokedBy,
		"caller_id": func(f *query.InvocationFilter, text string) (want string) {
			id, err := ident.ParseInvocationID(text)
			if f.CallerID = id; err != nil || id.IsZero() {
				return "the id of an invocation, inv_1 and 33 characters"
			}
			return ""
		},
		"created_after":  func(f *query.InvocationFilter, text string) string { return setInstant(&f.CreatedAfter, text) },
		"created_before": func(f *query.InvocationFilter, text string) string { return setInstant(&f.CreatedBefore, text) },
		"min_age_ms": func(f *query.InvocationFilter, text string) (want string) {
			ms, ok := number(text, 0, maxAge)
			if f.MinAge = time.Duration(ms) * time.Millisecond; !ok {
				return "a number of milliseconds, at most " + strconv.Itoa(maxAge)
			}
			return ""
		},
		"order": func(f *query.InvocationFilter, text string) (want string) {
			if f.OldestFirst = text == "oldest"; text != "oldest" && text != "newest" {
				return "newest or oldest"
			}
			return ""
		},
		"limit": func(f *query.InvocationFilter, text string) (want string) {
			var ok bool
			if f.Limit, ok = number(text, 1, query.MaxLimit); !ok {
				return "a number from 1 to " + strconv.Itoa(query.MaxLimit)
			}
			return ""
		},
		"cursor": func(f *query.InvocationFilter, text string) (want string) {
			if f.Cursor = text; text == "" {
				return "the next_cursor of the page before; leave it out for the first page"
			}
			return ""
		},
	}
}

func setName(field *string, text string, limit int) (want string) {
	if *field = text; text == "" || len(text) > limit || !utf8.ValidString(text) {
		return "text of 1 to " + strconv.Itoa(limit) + " bytes in UTF-8"
	}
	return ""
}

func setFilterKey(f *query.InvocationFilter, text string) (want string) {
	if f.Key = &text; len(text) > maxFilterKey || !utf8.ValidString(text) {
		return "text of at most " + strconv.Itoa(maxFilterKey) + " bytes in UTF-8"
	}
	return ""
}

func setFilterResult(f *query.InvocationFilter, text string) (want string) {
	switch text {
	case "success":
		f.Result = journal.ResultValue
	case "failure":
		f.Result = journal.ResultFailure
	default:
		return "success or failure"
	}
	return ""
}

func setInvokedBy(f *query.InvocationFilter, text string) (want string) {
	origins := []machine.InvokedBy{machine.ByIngress, machine.ByService, machine.ByProcess, machine.ByRestart}
	i := slices.IndexFunc(origins, func(o machine.InvokedBy) bool { return o.String() == text })
	if i < 0 {
		var words []string
		for _, o := range origins {
			words = append(words, o.String())
		}
		return "one of " + strings.Join(words, ", ")
	}
	f.InvokedBy = origins[i]
	return ""
}

// setInstant reads a time. One before the epoch bounds nothing and is refused
// like any other mistake.
func setInstant(field *int64, text string) (want string) {
	t, err := time.Parse(time.RFC3339Nano, text)
	if *field = t.UnixMilli(); err != nil || *field <= 0 {
		return "a time like 2026-11-23T08:30:00.000Z, after 1970; write + as %2B"
	}
	return ""
}
