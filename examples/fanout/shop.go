package main

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"time"

	restate "github.com/dormouse-run/dormouse/objects"
)

// shop makes the object. It prints what its shops are asked.
type shop struct{ out io.Writer }

// newShop returns the object Shop. The shop slow thinks for an hour, the shop
// closed has no prices.
func newShop(out io.Writer) restate.ServiceDefinition {
	s := shop{out}
	return restate.NewObject("Shop").Handler("price", restate.NewObjectHandler(s.price))
}

// price returns a price in cents.
func (s shop) price(ctx restate.ObjectContext, item string) (int, error) {
	switch restate.Key(ctx) {
	case "closed":
		return 0, restate.ToTerminalError(errors.New("the shop is closed"), restate.WithErrorCode(409))
	case "slow":
		if err := restate.Sleep(ctx, time.Hour); err != nil {
			return 0, err
		}
	}
	return restate.Run(ctx, func(restate.RunContext) (int, error) {
		h := fnv.New32a()
		_, _ = io.WriteString(h, restate.Key(ctx)+item)
		_, err := fmt.Fprintf(s.out, "%s is asked for %q\n", restate.Key(ctx), item)
		return 100 + int(h.Sum32()%900), err
	}, restate.WithName("price"))
}
