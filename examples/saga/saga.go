package main

import (
	"slices"

	restate "github.com/dormouse-run/dormouse/objects"
)

// saga collects compensations. The zero value has none. It needs no storage of
// its own: a replay of the handler collects the same ones again.
type saga struct{ steps []compensation }

// compensation undoes one step. It has no terminal errors, so it is repeated
// until it has worked.
type compensation struct {
	name string
	undo func(restate.RunContext) error
}

// add registers what undoes the step that comes next.
func (s *saga) add(name string, undo func(restate.RunContext) error) {
	s.steps = append(s.steps, compensation{name, undo})
}

// compensate undoes all steps, the last one first, and returns their names in
// this order.
func (s *saga) compensate(ctx restate.Context) []string {
	var undone []string
	for _, c := range slices.Backward(s.steps) {
		for {
			err := restate.RunVoid(ctx, c.undo, restate.WithName("undo "+c.name), restate.WithMaxRetryAttempts(0))
			if !restate.IsCancelled(err) {
				break
			}
			// Somebody has cancelled once more. It is no reason to stop half way:
			// each cancel is seen once, so the next turn waits again.
		}
		undone = append(undone, c.name)
	}
	return undone
}
