package actors

import (
	"context"
	"errors"
	"fmt"

	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/internal/query"
	"github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/persistence"
)

// Invocations returns a page of the invocations that fit a filter, from one
// snapshot of what is durable, with what runs in this process laid over it. It
// examines at most query.MaxSteps rows and then answers with what it has. Its
// error wraps query.ErrLimit, query.ErrCursor or query.ErrForeignCursor for a bad
// question, ErrStopped when the store is closed, and else that of the store.
func (rt *Runtime) Invocations(_ context.Context, f query.InvocationFilter) (page query.Page[query.Invocation], err error) {
	err = rt.options.Store.Read(func(r persistence.Reader) (err error) {
		page, err = query.Invocations(r, &f, rt.queryOptions())
		return err
	})
	if errors.Is(err, persistence.ErrClosed) {
		err = fmt.Errorf("%w: %w", ErrStopped, err)
	}
	return page, err
}

// queryOptions is what questions about rows need of the runtime.
func (rt *Runtime) queryOptions() query.Options {
	return query.Options{
		Now: rt.clock.nowMs(), Clock: rt.clock.lapse, Running: rt.runs,
		Plain: func(service string) bool {
			s := rt.bindings[service]
			return s != nil && s.definition.Type() == objects.ServiceTypeService
		},
	}
}

// runs reports whether an invocation executes, or waits in memory, in this
// process.
func (rt *Runtime) runs(row *machine.InvocationRow) bool {
	if row.Status != machine.StatusReady {
		return false
	}
	a := rt.attempts.get(row.Epoch)
	return a != nil && a.started()
}
