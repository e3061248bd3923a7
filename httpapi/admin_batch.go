package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime/debug"
	"sync"

	"github.com/labstack/echo/v4"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
)

const (
	// maxBatch is how many invocations one request may name.
	maxBatch = 1000
	// batchWidth is how many of them are under way at a time.
	batchWidth = 32
)

// batchRequest is the body of a batch operation.
type batchRequest struct {
	IDs *[]string `json:"invocation_ids"`
}

// batchFailure is an invocation of a batch to which the operation was not done.
type batchFailure struct {
	ID    string `json:"invocation_id"`
	Error string `json:"error"`
}

// restarted is an invocation of a batch that was restarted.
type restarted struct {
	Old string `json:"old_invocation_id"`
	New string `json:"new_invocation_id"`
}

// batchAnswer lists what was done and what was not, each in the order in which it
// was asked for.
type batchAnswer struct {
	// Succeeded holds ids, or of restarts the old and the new one.
	Succeeded []any          `json:"succeeded"`
	Failed    []batchFailure `json:"failed"`
}

// operateBatch serves POST /internal/invocations_batch_operations/{operation}. An
// invocation to which it cannot be done does not keep it from the others.
func (s *Server) operateBatch(c echo.Context, op machine.Operation) error {
	p := newParams(c.QueryParams())
	params := parseOperation(p, op)
	if err := p.end(); err != nil {
		return err
	}
	body, err := s.readBody(c.Request())
	if err != nil {
		return err
	}
	var ask batchRequest
	if err := json.Unmarshal(body, &ask); err != nil || ask.IDs == nil {
		return badRequest(`the body is {"invocation_ids":["inv_1…", …]}`)
	}
	if len(*ask.IDs) > maxBatch {
		return badRequest(fmt.Sprintf("%d invocations are named, and at most %d can be: send several requests", len(*ask.IDs), maxBatch))
	}
	answer, err := s.performAll(c.Request().Context(), op, *ask.IDs, params)
	if err != nil {
		return err
	}
	return s.writeView(c, answer)
}

// performAll does an operation to every invocation that is named, some at a time.
// It fails only when there is nobody left to hear of it.
func (s *Server) performAll(ctx context.Context, op machine.Operation, ids []string, p operationParams) (*batchAnswer, error) {
	done, errs := make([]performed, len(ids)), make([]error, len(ids))
	var wait sync.WaitGroup
	width := make(chan struct{}, batchWidth)
	for i := range ids {
		width <- struct{}{}
		wait.Go(func() {
			defer func() { <-width }()
			done[i], errs[i] = s.performSafely(ctx, op, ids[i], p)
		})
	}
	wait.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	answer := &batchAnswer{Succeeded: []any{}, Failed: []batchFailure{}}
	for i, id := range ids {
		switch {
		case errs[i] != nil:
			answer.Failed = append(answer.Failed, batchFailure{ID: id, Error: s.batchError(id, errs[i])})
		case op == machine.OpRestartAsNew:
			answer.Succeeded = append(answer.Succeeded, restarted{Old: id, New: done[i].made.String()})
		default:
			answer.Succeeded = append(answer.Succeeded, id)
		}
	}
	return answer, nil
}

// performSafely is perform on a goroutine whose panic nobody else would catch.
func (s *Server) performSafely(ctx context.Context, op machine.Operation, text string, p operationParams) (done performed, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicError{value: v, stack: debug.Stack()}
		}
	}()
	if err := ctx.Err(); err != nil {
		return done, err
	}
	id, err := ident.ParseInvocationID(text)
	if err != nil {
		return done, err
	}
	return s.perform(ctx, op, id, p)
}

// batchError is the text of the answer that the operation would have had alone.
func (s *Server) batchError(id string, err error) string {
	f := failureOf(err)
	if f == nil {
		return "the runtime stopped: whether it was done is unknown; look at the invocation after a restart"
	}
	if panicked(err) || f.status == http.StatusInternalServerError {
		s.log.Error("an operation of a batch failed", "invocation", id, "error", err.Error())
	}
	return f.message
}
