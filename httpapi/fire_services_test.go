package httpapi_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	restate "github.com/dormouse-run/dormouse/objects"
)

// fireServices are what requests with idempotency keys fall on in a hail of kills.
// Whatever they do they note in l.
func fireServices(l ledger) []restate.ServiceDefinition {
	f := fire{l}
	return []restate.ServiceDefinition{
		restate.NewObject("Fire").
			Handler("burn", restate.NewObjectHandler(f.burn)).
			Handler("count", restate.NewObjectSharedHandler(fireCount)),
		restate.NewService("Spark").Handler("burn", restate.NewServiceHandler(f.spark)),
		restate.NewObject("Ash").
			Handler("add", restate.NewObjectHandler(addAsh)).
			Handler("count", restate.NewObjectSharedHandler(fireCount)),
	}
}

const stateAsh = "count"

type fire struct{ ledger }

// match is the body of a request. Name is the same for all duplicates, Caller is
// not.
type match struct {
	Name   string
	Caller int
}

// burnt is the result: a number that no second execution would find again, and
// the counts behind the effects.
type burnt struct {
	Caller int
	Number uint64
	Count  int
	Ash    int
}

// burn has an effect in each way there is: in the world, in its own state, and in
// the state of another object.
func (f fire) burn(ctx restate.ObjectContext, m match) (b burnt, err error) {
	if b, err = f.strike(ctx, m); err != nil {
		return b, err
	}
	if err := restate.Sleep(ctx, time.Duration(b.Number%3)*time.Millisecond); err != nil {
		return b, err
	}
	if b.Count, err = restate.Get[int](ctx, stateAsh); err != nil {
		return b, err
	}
	b.Count++
	restate.Set(ctx, stateAsh, b.Count)
	b.Ash, err = restate.Object[int](ctx, "Ash", restate.Key(ctx), "add").Request(1)
	return b, err
}

// spark is burn for a service: it has no state, and the other object is that of
// the name.
func (f fire) spark(ctx restate.Context, m match) (b burnt, err error) {
	if b, err = f.strike(ctx, m); err != nil {
		return b, err
	}
	b.Count = 1
	b.Ash, err = restate.Object[int](ctx, "Ash", m.Name, "add").Request(1)
	return b, err
}

// strike draws a number that no other execution draws.
//
//	fire burnt name caller run-key number
func (f fire) strike(ctx restate.Context, m match) (burnt, error) {
	number, err := restate.Run(ctx, func(run restate.RunContext) (uint64, error) {
		n := rand.Uint64() >> 12 // JSON numbers are exact up to 2^53
		return n, f.write("fire burnt", m.Name, strconv.Itoa(m.Caller), restate.RunKey(run), fmt.Sprint(n))
	})
	return burnt{Caller: m.Caller, Number: number}, err
}

func addAsh(ctx restate.ObjectContext, n int) (int, error) {
	count, err := restate.Get[int](ctx, stateAsh)
	if err != nil {
		return 0, err
	}
	restate.Set(ctx, stateAsh, count+n)
	return count + n, nil
}

func fireCount(ctx restate.ObjectSharedContext, _ restate.Void) (int, error) {
	return restate.Get[int](ctx, stateAsh)
}
