package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	restate "github.com/dormouse-run/dormouse/objects"
)

const stateItems = "items"

// item is a seat in a cart.
type item struct {
	Seat   string `json:"seat"`
	Number string `json:"number"` // of the hold
}

// Added is the answer to a seat that was put into a cart.
type Added struct {
	Held  bool       `json:"held"`
	Until *time.Time `json:"until,omitempty"`
}

// Order is what was bought.
type Order struct {
	Seats []string `json:"seats"`
}

// payment takes the money for an order. A repetition with the same number takes
// it once; a terminal error says that there is none to be had.
type payment func(run restate.RunContext, number, customer string, seats []string) error

// shop makes the two objects.
type shop struct {
	hold time.Duration
	pay  payment
}

// cart returns the object Cart.
func (s shop) cart() restate.ServiceDefinition {
	return restate.NewObject("Cart").
		Handler("add", restate.NewObjectHandler(s.add)).
		Handler("expire", restate.NewObjectHandler(expire, restate.WithIngressPrivate(true))).
		Handler("checkout", restate.NewObjectHandler(s.checkout))
}

// add holds a seat, and sends the end of the hold ahead.
func (s shop) add(ctx restate.ObjectContext, seat string) (Added, error) {
	items, err := restate.Get[[]item](ctx, stateItems)
	if err != nil {
		return Added{}, err
	}
	if slices.ContainsFunc(items, func(i item) bool { return i.Seat == seat }) {
		return Added{Held: true}, nil
	}
	i := item{seat, restate.UUID(ctx).String()}
	now, err := restate.Run(ctx, func(restate.RunContext) (time.Time, error) { return time.Now(), nil }, restate.WithName("clock"))
	if err != nil {
		return Added{}, err
	}
	// The end of the hold is on its way before the seat is asked for: it comes
	// even when a cancel cuts the call off and nobody knows whether it was held.
	restate.ObjectSend(ctx, "Cart", restate.Key(ctx), "expire").Send(i, restate.WithDelay(s.hold))
	held, err := restate.Object[bool](ctx, "Seat", seat, "hold").Request(Hold{restate.Key(ctx), i.Number})
	if err != nil || !held {
		return Added{}, err
	}
	restate.Set(ctx, stateItems, append(items, i))
	until := now.Add(s.hold).UTC()
	return Added{Held: true, Until: &until}, nil
}

// expire ends one hold, unless its seat was bought. A seat that this hold never
// got, or has no more, is left alone by its release.
func expire(ctx restate.ObjectContext, i item) (restate.Void, error) {
	items, err := restate.Get[[]item](ctx, stateItems)
	if err != nil {
		return restate.Void{}, err
	}
	if left := slices.DeleteFunc(items, func(other item) bool { return other == i }); len(left) > 0 {
		restate.Set(ctx, stateItems, left)
	} else {
		restate.Clear(ctx, stateItems)
	}
	restate.ObjectSend(ctx, "Seat", i.Seat, "release").Send(Hold{restate.Key(ctx), i.Number})
	return restate.Void{}, nil
}

// checkout pays for everything in the cart and buys it. When the payment fails
// for good, the seats stay in the cart until their holds end.
func (s shop) checkout(ctx restate.ObjectContext, _ restate.Void) (Order, error) {
	items, err := restate.Get[[]item](ctx, stateItems)
	if err != nil {
		return Order{}, err
	}
	if len(items) == 0 {
		return Order{}, refuse("the cart is empty")
	}
	customer, order := restate.Key(ctx), Order{}
	for _, i := range items {
		order.Seats = append(order.Seats, i.Seat)
	}
	number := restate.UUID(ctx).String()
	pay := func(run restate.RunContext) error { return s.pay(run, number, customer, order.Seats) }
	err = restate.RunVoid(ctx, pay, restate.WithName("pay"))
	for restate.IsCancelled(err) {
		// A payment that is cut off may have been taken. It is too late to cancel.
		err = restate.RunVoid(ctx, pay, restate.WithName("pay"))
	}
	if err != nil {
		return Order{}, err
	}
	// From here on there is nothing that may fail: the seats are held, and
	// their holds cannot end while this handler has the cart. They are sent, not
	// called, so that a cancel does not come between the money and the seats.
	for _, i := range items {
		restate.ObjectSend(ctx, "Seat", i.Seat, "buy").Send(Hold{customer, i.Number})
	}
	restate.Clear(ctx, stateItems)
	return order, nil
}

// refuse is the answer to what cannot be done as things are.
func refuse(format string, a ...any) error {
	return restate.ToTerminalError(fmt.Errorf(format, a...), restate.WithErrorCode(409))
}

// printPayment stands for the bank. It has no money for the customer broke.
func printPayment(out io.Writer) payment {
	return func(_ restate.RunContext, number, customer string, seats []string) error {
		if customer == "broke" {
			return restate.ToTerminalError(errors.New("the card was declined"), restate.WithErrorCode(402))
		}
		_, err := fmt.Fprintf(out, "%s pays for %q, order %s\n", customer, seats, number)
		return err
	}
}
