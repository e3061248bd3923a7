package httpapi

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// operator is what the routes of this file need of the runtime beside Operate.
type operator interface {
	RestartAsNew(ctx context.Context, id ident.InvocationID, from uint32) (ident.InvocationID, error)
	EditState(ctx context.Context, p actors.StatePatch) error
}

// operations are what can be done to an invocation.
func operations() []machine.Operation {
	return []machine.Operation{
		machine.OpCancel, machine.OpKill, machine.OpPause, machine.OpResume, machine.OpPurge, machine.OpPurgeJournal, machine.OpRestartAsNew,
	}
}

// batchPath is what the paths of operations on many invocations begin with.
const batchPath = "/internal/invocations_batch_operations/"

// operationRoutes adds the operations on invocations and states.
func (s *Server) operationRoutes(e *echo.Echo) {
	for _, op := range operations() {
		e.PATCH("/invocations/:id/"+op.String(), func(c echo.Context) error { return s.operate(c, op) })
		e.POST(batchPath+op.String(), func(c echo.Context) error { return s.operateBatch(c, op) })
	}
	e.POST("/services/:service/state", s.editState)
}

// operate serves PATCH /invocations/{id}/{operation}: 200 when it has taken
// effect, 202 when it is stored and will.
func (s *Server) operate(c echo.Context, op machine.Operation) error {
	id, err := ident.ParseInvocationID(c.Param("id"))
	if err != nil {
		return err
	}
	p, f := parseOperation(c, op)
	if f != nil {
		return f
	}
	done, err := s.perform(c.Request().Context(), op, id, p)
	switch {
	case err != nil:
		return err
	case op == machine.OpRestartAsNew:
		body, err := encodeJSON(struct {
			ID string `json:"new_invocation_id"`
		}{done.made.String()})
		if err != nil {
			return err
		}
		return s.writeJSON(c.Response(), http.StatusOK, body)
	case done.stored:
		return s.writeBody(c.Response(), http.StatusAccepted, nil)
	default:
		return s.writeBody(c.Response(), http.StatusOK, nil)
	}
}

// operationParams are the parameters of an operation.
type operationParams struct {
	// deployment says that the code to go on with was named. There is only the
	// running build, so it changes nothing, but an invocation whose attempt is
	// under way cannot move.
	deployment bool
	// from is the last entry that a restart copies.
	from uint32
}

// parseOperation reads the parameters that an operation knows.
func parseOperation(c echo.Context, op machine.Operation) (p operationParams, f *failure) {
	q := c.QueryParams()
	if q.Has("deployment") && (op == machine.OpResume || op == machine.OpRestartAsNew) {
		if d := q.Get("deployment"); d != "latest" && d != "keep" {
			return p, badRequest("deployment is latest or keep")
		}
		p.deployment = true
	}
	if q.Has("from") && op == machine.OpRestartAsNew {
		n, ok := number(q.Get("from"), 0, 1<<31-1)
		if !ok {
			return p, badRequest("from is the index of the last journal entry to copy, and not '" + q.Get("from") + "'")
		}
		p.from = uint32(n)
	}
	return p, nil
}

// performed is what an operation has done.
type performed struct {
	stored bool
	// made is the invocation that a restart has made.
	made ident.InvocationID
}

// perform does one operation.
func (s *Server) perform(ctx context.Context, op machine.Operation, id ident.InvocationID, p operationParams) (done performed, err error) {
	if op == machine.OpRestartAsNew {
		done.made, err = s.rt.RestartAsNew(ctx, id, p.from)
		return done, err
	}
	if p.deployment {
		found, err := s.rt.Inspect(ctx, id, actors.InspectOptions{})
		if err != nil {
			return done, err
		}
		if found.Running {
			return done, fail(http.StatusConflict, "invocation "+id.String()+" is running: resume it without deployment, or pause it first")
		}
	}
	done.stored, err = s.rt.Operate(ctx, op, id)
	return done, err
}
