package main

import (
	"context"
	"fmt"
	"io"

	restate "github.com/dormouse-run/dormouse/objects"
)

// Reservation is one thing at one company. The number makes a repetition
// harmless.
type Reservation struct{ Number, Kind, What string }

// companies are reached over an unreliable network. Both operations may be
// repeated; to cancel what is not reserved is no error.
type companies interface {
	// reserve returns a terminal error when it is not to be had.
	reserve(context.Context, Reservation) error
	cancel(context.Context, Reservation) error
}

// printer stands for the companies: it prints what they are told.
type printer struct{ out io.Writer }

func (p printer) reserve(_ context.Context, r Reservation) error {
	if r.What == "" || r.What == "sold out" {
		return restate.ToTerminalError(fmt.Errorf("%s %q is not to be had", r.Kind, r.What), restate.WithErrorCode(409))
	}
	_, err := fmt.Fprintf(p.out, "reserve %s %s: %s\n", r.Kind, r.Number, r.What)
	return err
}

func (p printer) cancel(_ context.Context, r Reservation) error {
	_, err := fmt.Fprintf(p.out, "cancel %s %s\n", r.Kind, r.Number)
	return err
}
