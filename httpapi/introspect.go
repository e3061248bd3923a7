package httpapi

import (
	"github.com/labstack/echo/v4"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/ident"
)

// Bounds of the parameters of introspection.
const (
	defaultJournalLimit = 100
	maxJournalLimit     = 1000
	defaultValueBytes   = 4096
	maxValueBytes       = 1 << 20
	// maxIndex is the highest index that an entry of a journal can have.
	maxIndex = 1<<31 - 1
	// maxExamined bounds the entries that one request looks at.
	maxExamined = 5000
	// maxExaminedBytes bounds their size.
	maxExaminedBytes = 64 << 20
)

// inspectParams are the parameters of GET /introspection/invocations/{id}.
type inspectParams struct {
	journal    bool
	from       uint32
	limit      uint32
	valueBytes int
	// export adds what a replay of the journal needs.
	export bool
}

func parseInspect(p *params) inspectParams {
	in := inspectParams{export: p.yes("export", false)}
	entries, value := defaultJournalLimit, defaultValueBytes
	if in.export {
		entries, value = maxJournalLimit, maxValueBytes
	}
	in.journal = p.yes("journal", true)
	in.from = uint32(p.number("from", 0, maxIndex, 0))
	in.limit = uint32(p.number("journal_limit", 1, maxJournalLimit, entries))
	in.valueBytes = p.valueBytes(value)
	return in
}

// inspect serves GET /introspection/invocations/{id}.
func (s *Server) inspect(c echo.Context) error {
	id, err := ident.ParseInvocationID(c.Param("id"))
	if err != nil {
		return err
	}
	p := newParams(c.QueryParams())
	in := parseInspect(p)
	if err := p.end(); err != nil {
		return err
	}
	view, err := s.viewInvocation(c, id, in)
	if err != nil {
		return err
	}
	return s.writeView(c, view)
}

// viewInvocation reads the record, the Input for what came in, and the asked
// part of the journal.
func (s *Server) viewInvocation(c echo.Context, id ident.InvocationID, p inspectParams) (*invocationView, error) {
	ctx := c.Request().Context()
	found, err := s.rt.Inspect(ctx, id, actors.InspectOptions{Journal: true, Limit: max(1, p.firstLimit()), Deadlock: true, Waits: true})
	if err != nil {
		return nil, err
	}
	view := newInvocationView(found)
	view.addInput(found.Journal, p.valueBytes)
	view.addOutput(found.Invocation.Result, p.valueBytes)
	if !p.journal {
		return view, nil
	}
	page := found
	if p.from > 0 {
		if page, err = s.rt.Inspect(ctx, id, actors.InspectOptions{Journal: true, From: p.from, Limit: p.limit}); err != nil {
			return nil, err
		}
	}
	done, exact, err := s.completions(ctx, id, page)
	if err != nil {
		return nil, err
	}
	view.Journal = newJournalView(page, p, completionSet{ids: done, exact: exact})
	if p.export {
		view.addExport(&found.Invocation, page.Journal, p.from)
	}
	return view, nil
}

// firstLimit is how many entries the first look takes: the page when it starts
// at the Input, which is needed in any case, else the Input alone.
func (p inspectParams) firstLimit() uint32 {
	if p.journal && p.from == 0 {
		return p.limit
	}
	return 1
}
