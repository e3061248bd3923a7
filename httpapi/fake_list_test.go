package httpapi

import (
	"context"

	"github.com/dormouse-run/dormouse/internal/query"
)

func (f *fakeRuntime) Invocations(_ context.Context, filter query.InvocationFilter) (query.Page[query.Invocation], error) {
	if f.list == nil {
		return query.Page[query.Invocation]{}, nil
	}
	return f.list(filter)
}
