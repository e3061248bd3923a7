package main

import (
	"strings"
	"time"

	restate "github.com/dormouse-run/dormouse/objects"
)

// Trip is what a customer wants.
type Trip struct {
	Flight string `json:"flight"`
	Hotel  string `json:"hotel"`
	Car    string `json:"car"`
	// Think is how long the customer may think before the car is reserved, as
	// a Go duration; empty for no time at all.
	Think string `json:"think,omitempty"`
}

// Booking holds the numbers of the reservations.
type Booking struct {
	Flight string `json:"flight"`
	Hotel  string `json:"hotel"`
	Car    string `json:"car"`
}

// agency makes the service.
type agency struct{ companies companies }

// definition returns the service Trip.
func (a *agency) definition() restate.ServiceDefinition {
	return restate.NewService("Trip").Handler("book", restate.NewServiceHandler(a.book))
}

// book reserves everything, or undoes what it has reserved and fails.
func (a *agency) book(ctx restate.Context, t Trip) (Booking, error) {
	var s saga
	booking, err := a.reserveAll(ctx, t, &s)
	if restate.IsTerminalError(err) {
		undone := s.compensate(ctx)
		return Booking{}, restate.ToTerminalError(err, restate.WithMetadata("undone", strings.Join(undone, ", ")))
	}
	return booking, err
}

func (a *agency) reserveAll(ctx restate.Context, t Trip, s *saga) (b Booking, err error) {
	think, err := pause(t.Think)
	if err != nil {
		return b, err
	}
	if b.Flight, err = a.reserve(ctx, s, "flight", t.Flight); err != nil {
		return b, err
	}
	if b.Hotel, err = a.reserve(ctx, s, "hotel", t.Hotel); err != nil {
		return b, err
	}
	if err := restate.Sleep(ctx, think, restate.WithName("think")); err != nil {
		return b, err
	}
	b.Car, err = a.reserve(ctx, s, "car", t.Car)
	return b, err
}

// reserve is one step: it chooses a number, registers the compensation, and
// reserves.
func (a *agency) reserve(ctx restate.Context, s *saga, kind, what string) (number string, err error) {
	r := Reservation{Number: restate.UUID(ctx).String(), Kind: kind, What: what}
	s.add(kind, func(run restate.RunContext) error { return a.companies.cancel(run, r) })
	return r.Number, restate.RunVoid(ctx,
		func(run restate.RunContext) error { return a.companies.reserve(run, r) },
		restate.WithName("reserve "+kind), restate.WithMaxRetryDuration(time.Minute))
}

func pause(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, restate.ToTerminalError(err, restate.WithErrorCode(400))
	}
	return d, nil
}
