package httpapi

import (
	"context"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/dormouse-run/dormouse/actors"
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

// listInvocations serves GET /introspection/invocations.
func (s *Server) listInvocations(c echo.Context) error {
	p := newListParams(c.QueryParams())
	f := invocationFilter(p)
	if err := p.end(); err != nil {
		return err
	}
	page, err := s.rt.Invocations(c.Request().Context(), f)
	if err != nil {
		return err
	}
	return s.writeView(c, newListView(page, newInvocationItem))
}

// newInvocationItem shows an invocation as lists do: as when one is asked for,
// without what only that shows.
func newInvocationItem(item *query.Invocation) *invocationView {
	v := newInvocationView(&actors.Inspection{Invocation: item.Row, Running: item.Live.Running, Awaiting: item.Live.Awaiting, Place: item.Place})
	v.Failures = nil
	return v
}

// maxAge is thirty years, in milliseconds.
const maxAge = 30 * 366 * 24 * 3_600_000

// text is a word of a closed set.
type text string

// String returns the word.
func (t text) String() string { return string(t) }

// The closed sets of the list of invocations.
func resultWords() []text { return []text{"success", "failure"} }
func orderWords() []text  { return []text{"newest", "oldest"} }

func invokers() []machine.InvokedBy {
	return []machine.InvokedBy{machine.ByIngress, machine.ByService, machine.ByProcess, machine.ByRestart}
}

// invocationFilter reads the parameters of the list.
func invocationFilter(p *listParams) (f query.InvocationFilter) {
	f.Service = p.name("service")
	if key, given := p.key("key"); given {
		f.Key = &key
	}
	f.Handler = p.name("handler")
	for _, s := range words(p, "status", query.EachStatus()) {
		f.Statuses |= s
	}
	switch optional(p, "result", resultWords()) {
	case "success":
		f.Result = journal.ResultValue
	case "failure":
		f.Result = journal.ResultFailure
	}
	f.IdempotencyKey = p.some("idempotency_key")
	f.InvokedBy = optional(p, "invoked_by", invokers())
	f.CallerID = p.id("caller_id")
	f.CreatedAfter, f.CreatedBefore = p.instant("created_after"), p.instant("created_before")
	f.MinAge = time.Duration(p.number("min_age_ms", 0, maxAge, 0)) * time.Millisecond
	f.OldestFirst = choice(p, "order", orderWords()) == "oldest"
	paging := p.paging()
	f.Limit, f.Cursor = paging.Limit, paging.Cursor
	return f
}

// some reads text that is not empty, "" when it is not given.
func (p *listParams) some(name string) string {
	value, given := p.key(name)
	if given && value == "" {
		p.refuse(name, value, "text that is not empty")
	}
	return value
}

// instant reads a time and returns it in milliseconds since the epoch, 0 when it
// is not given.
func (p *listParams) instant(name string) (ms int64) {
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

// optional reads a parameter whose value is one word of a closed set, the zero
// value when it is not given.
func optional[W word](p *listParams, name string, set []W) (chosen W) {
	if _, given := p.one(name); !given {
		return chosen
	}
	if all := words(p, name, set); len(all) == 1 {
		chosen = all[0]
	}
	return chosen
}
