package httpapi

import (
	"context"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/ident"
)

// fakeOperator is the part of fakeRuntime that restarts and edits.
type fakeOperator struct {
	restart func(ident.InvocationID, uint32) (ident.InvocationID, error)
	edit    func(actors.StatePatch) error
}

func (f *fakeOperator) RestartAsNew(_ context.Context, id ident.InvocationID, from uint32) (ident.InvocationID, error) {
	return f.restart(id, from)
}

func (f *fakeOperator) EditState(_ context.Context, p actors.StatePatch) error {
	if f.edit == nil {
		return nil
	}
	return f.edit(p)
}
