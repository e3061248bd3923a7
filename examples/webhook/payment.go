package main

import (
	"slices"

	restate "github.com/dormouse-run/dormouse/objects"
)

// Types of events.
const (
	typeCaptured = "captured"
	typeRefunded = "refunded"
)

// stateAccount is the name of the state value of a payment.
const stateAccount = "account"

// Account is what the events of a payment add up to.
type Account struct {
	Captured int64 `json:"captured"`
	Refunded int64 `json:"refunded"`
	// Events are the ids of those that are in it.
	Events []string `json:"events"`
}

// newPayment returns the object Payment. Only handlers may apply events: the
// ingress would not ask for a signature.
func newPayment() restate.ServiceDefinition {
	return restate.NewObject("Payment").
		Handler("apply", restate.NewObjectHandler(apply, restate.WithIngressPrivate(true), restate.WithIdempotencyRetention(retention))).
		Handler("status", restate.NewObjectSharedHandler(status))
}

// apply adds an event, once. It may come before one that happened earlier.
func apply(ctx restate.ObjectContext, e Event) (restate.Void, error) {
	a, err := restate.Get[Account](ctx, stateAccount)
	if err != nil || slices.Contains(a.Events, e.ID) {
		return restate.Void{}, err
	}
	switch e.Type {
	case typeCaptured:
		a.Captured += e.Cents
	case typeRefunded:
		a.Refunded += e.Cents
	}
	a.Events = append(a.Events, e.ID)
	restate.Set(ctx, stateAccount, a)
	return restate.Void{}, nil
}

// status answers at any time.
func status(ctx restate.ObjectSharedContext, _ restate.Void) (Account, error) {
	a, err := restate.Get[Account](ctx, stateAccount)
	if a.Events == nil {
		a.Events = []string{}
	}
	return a, err
}
