package main

import restate "github.com/dormouse-run/dormouse/objects"

const stateOwner = "owner"

// Hold is a claim of a cart on a seat. The number tells holds of one cart
// apart.
type Hold struct {
	Cart   string `json:"cart"`
	Number string `json:"number"`
}

// owner is who has a seat; none is stored while it is free.
type owner struct {
	Hold
	Sold bool `json:"sold"`
}

// SeatStatus is what the world may know about a seat.
type SeatStatus struct {
	Status string `json:"status"` // free, held or sold
	To     string `json:"to,omitempty"`
}

// seat returns the object Seat. Its exclusive handlers are for carts.
func (shop) seat() restate.ServiceDefinition {
	private := restate.WithIngressPrivate(true)
	return restate.NewObject("Seat").
		Handler("hold", restate.NewObjectHandler(hold, private)).
		Handler("release", restate.NewObjectHandler(release, private)).
		Handler("buy", restate.NewObjectHandler(buy, private)).
		Handler("status", restate.NewObjectSharedHandler(seatStatus))
}

// hold gives a free seat to a cart, and says whether the cart has it now.
func hold(ctx restate.ObjectContext, h Hold) (bool, error) {
	o, err := restate.Get[*owner](ctx, stateOwner)
	if err != nil || o != nil {
		return false, err
	}
	restate.Set(ctx, stateOwner, owner{Hold: h})
	return true, nil
}

// release frees a seat that is held under this very number.
func release(ctx restate.ObjectContext, h Hold) (restate.Void, error) {
	o, err := restate.Get[*owner](ctx, stateOwner)
	if err == nil && o != nil && *o == (owner{Hold: h}) {
		restate.Clear(ctx, stateOwner)
	}
	return restate.Void{}, err
}

// buy sells a seat to the cart that holds it.
func buy(ctx restate.ObjectContext, h Hold) (restate.Void, error) {
	o, err := restate.Get[*owner](ctx, stateOwner)
	if err != nil {
		return restate.Void{}, err
	}
	if o == nil || o.Hold != h {
		// The cart sees to it that this does not happen. It is checked where it
		// matters all the same.
		return restate.Void{}, refuse("seat %s is not held by %s", restate.Key(ctx), h.Cart)
	}
	restate.Set(ctx, stateOwner, owner{Hold: h, Sold: true})
	return restate.Void{}, nil
}

func seatStatus(ctx restate.ObjectSharedContext, _ restate.Void) (SeatStatus, error) {
	o, err := restate.Get[*owner](ctx, stateOwner)
	switch {
	case err != nil || o == nil:
		return SeatStatus{Status: "free"}, err
	case o.Sold:
		return SeatStatus{"sold", o.Cart}, nil
	default:
		return SeatStatus{Status: "held"}, nil
	}
}
