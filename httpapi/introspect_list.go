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
	p := newParams(c.QueryParams())
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

// The closed sets of the list of invocations.
func resultWords() []text { return []text{"success", "failure"} }
func orderWords() []text  { return []text{"newest", "oldest"} }

func invokers() []machine.InvokedBy {
	return []machine.InvokedBy{machine.ByIngress, machine.ByService, machine.ByProcess, machine.ByRestart}
}

// invocationFilter reads the parameters of the list.
func invocationFilter(p *params) (f query.InvocationFilter) {
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
