package httpapi

import (
	"context"

	"github.com/dormouse-run/dormouse/actors"
)

// Events hands out one batch without events.
func (f *fakeRuntime) Events(_ context.Context, o actors.EventOptions, emit func(actors.EventBatch) error) error {
	if f.stream != nil {
		return f.stream(o, emit)
	}
	return emit(actors.EventBatch{})
}
