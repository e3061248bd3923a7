package actors

import (
	"context"

	"github.com/dormouse-run/dormouse/internal/query"
	"github.com/dormouse-run/dormouse/persistence"
)

// Invocations returns a page of the invocations that fit a filter, from one
// snapshot of what is durable, with what runs in this process laid over it. It
// examines at most query.MaxSteps rows and then answers with what it has. Its
// error wraps query.ErrLimit, query.ErrCursor or query.ErrForeignCursor for a bad
// question, ErrStopped when the store is closed, and else that of the store.
func (rt *Runtime) Invocations(_ context.Context, f query.InvocationFilter) (page query.Page[query.Invocation], err error) {
	err = rt.question("list invocations", func(r persistence.Reader) (err error) {
		page, err = query.Invocations(r, rt.moment(), &f)
		return err
	})
	return page, err
}
