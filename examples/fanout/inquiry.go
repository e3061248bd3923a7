package main

import (
	"fmt"
	"slices"
	"time"

	restate "github.com/dormouse-run/dormouse/objects"
)

// Question asks for the price of an item.
type Question struct {
	Item  string   `json:"item"`
	Shops []string `json:"shops"`
	// Deadline is how long to wait for shops, as a Go duration; 10s when empty.
	Deadline string `json:"deadline,omitempty"`
}

// Offer is what came of a question.
type Offer struct {
	// Best is the cheapest shop, the first of the question among equals; empty
	// when no shop has answered.
	Best   string            `json:"best"`
	Prices map[string]int    `json:"prices"` // cents by shop
	Failed map[string]string `json:"failed"` // reason by shop
}

// newInquiry returns the service Inquiry.
func newInquiry() restate.ServiceDefinition {
	return restate.NewService("Inquiry").Handler("collect", restate.NewServiceHandler(collect))
}

// collect asks all shops, and gathers answers until all are there or it is late.
func collect(ctx restate.Context, q Question) (Offer, error) {
	deadline, err := deadlineOf(q)
	if err != nil {
		return Offer{}, err
	}
	late := restate.After(ctx, deadline, restate.WithName("deadline"))
	futures, shops := []restate.Future{late}, map[restate.Future]string{}
	for _, shop := range q.Shops {
		call := restate.Object[int](ctx, "Shop", shop, "price").RequestFuture(q.Item)
		futures, shops[call] = append(futures, call), shop
	}

	o := Offer{Prices: map[string]int{}, Failed: map[string]string{}}
	for it := restate.WaitIter(ctx, futures...); len(shops) > 0; {
		if !it.Next() {
			return Offer{}, it.Err() // cancelled, and with it the calls
		}
		call, ok := it.Value().(restate.ResponseFuture[int])
		if !ok { // it is late
			break
		}
		if cents, err := call.Response(); err != nil {
			o.Failed[shops[call]] = err.Message()
		} else {
			o.Prices[shops[call]] = cents
		}
		delete(shops, call)
	}
	// The rest in the order of the question: that of a map is another one in
	// each attempt, and a cancel is an entry of the journal.
	for _, f := range futures {
		if shop, ok := shops[f]; ok {
			restate.CancelInvocation(ctx, f.(restate.Invocation).GetInvocationId())
			o.Failed[shop] = fmt.Sprintf("no answer in %v", deadline)
		}
	}
	o.Best = cheapest(q.Shops, o.Prices)
	return o, nil
}

// cheapest returns the first of the shops with the lowest price.
func cheapest(shops []string, prices map[string]int) string {
	best := ""
	for _, shop := range shops {
		cents, ok := prices[shop]
		if ok && (best == "" || cents < prices[best]) {
			best = shop
		}
	}
	return best
}

func deadlineOf(q Question) (time.Duration, error) {
	sorted := slices.Sorted(slices.Values(q.Shops))
	if len(slices.Compact(sorted)) < len(q.Shops) {
		return 0, restate.ToTerminalError(fmt.Errorf("a shop is named twice in %q", q.Shops), restate.WithErrorCode(400))
	}
	if q.Deadline == "" {
		return 10 * time.Second, nil
	}
	d, err := time.ParseDuration(q.Deadline)
	if err != nil {
		return 0, restate.ToTerminalError(fmt.Errorf("deadline: %w", err), restate.WithErrorCode(400))
	}
	return d, nil
}
