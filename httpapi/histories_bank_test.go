package httpapi_test

import (
	"time"

	restate "github.com/dormouse-run/dormouse/objects"
)

// opening is what every purse begins with.
const opening = 100

// purses are a bank: an object for each purse, and a service that moves money from
// one to another.
func purses() []restate.ServiceDefinition {
	return []restate.ServiceDefinition{
		restate.NewObject("Purse").
			Handler("take", restate.NewObjectHandler(func(ctx restate.ObjectContext, t transfer) (restate.Void, error) {
				return restate.Void{}, book(ctx, t, -t.Amount)
			})).
			Handler("give", restate.NewObjectHandler(func(ctx restate.ObjectContext, t transfer) (restate.Void, error) {
				if t.unwelcome() {
					return restate.Void{}, restate.TerminalErrorf("nobody takes %d", t.Amount)
				}
				return restate.Void{}, book(ctx, t, t.Amount)
			})).
			Handler("undo", restate.NewObjectHandler(unbook)).
			Handler("pay", restate.NewObjectHandler(pay)).
			Handler("count", restate.NewObjectHandler(func(ctx restate.ObjectContext, _ restate.Void) (int, error) { return balance(ctx) })).
			Handler("look", restate.NewObjectSharedHandler(func(ctx restate.ObjectSharedContext, _ restate.Void) (int, error) { return balance(ctx) })),
		restate.NewService("Teller").
			Handler("transfer", restate.NewServiceHandler(move)).
			Handler("audit", restate.NewServiceHandler(auditPurses)),
	}
}

// transfer is one movement of money.
type transfer struct {
	ID, From, To string
	Amount       int
	// Ask waits for an awakeable when the money is taken and not yet given.
	Ask bool
	// Steps waits within every booking, between the two writes of it.
	Steps bool
}

// unwelcome says that nobody accepts the amount.
func (t transfer) unwelcome() bool { return t.Amount%7 == 0 }

// settled is the result of a transfer: all of it has happened, or nothing.
type settled struct {
	Moved bool
	Why   string
}

const stateDelta = "delta"

// markOf is the name of the state that says what a purse knows of a transfer: what
// was booked, and 0 when it is undone, also before it was booked.
func markOf(id string) string { return "t/" + id }

func balance(ctx restate.ObjectSharedContext) (int, error) {
	delta, err := restate.Get[int](ctx, stateDelta)
	if err != nil {
		return 0, err
	}
	return opening + delta, nil
}

// book changes the balance of a purse. Nothing here keeps it from being executed
// twice: then the audit finds too much.
func book(ctx restate.ObjectContext, t transfer, amount int) error {
	mark, err := restate.Get[*int](ctx, markOf(t.ID))
	if err != nil {
		return err
	}
	before, readErr := balance(ctx)
	switch {
	case readErr != nil:
		return readErr
	case mark != nil && *mark == 0:
		return restate.TerminalErrorf("undone before it was booked")
	case before+amount < 0:
		return restate.TerminalErrorf("too poor")
	}
	booked := amount
	if mark != nil {
		booked += *mark
	}
	restate.Set(ctx, markOf(t.ID), booked)
	if t.Steps {
		if err := restate.Sleep(ctx, time.Millisecond); err != nil {
			restate.Clear(ctx, markOf(t.ID))
			return err
		}
	}
	restate.Set(ctx, stateDelta, before+amount-opening)
	return nil
}

// unbook takes a booking back, or keeps it from ever happening.
func unbook(ctx restate.ObjectContext, id string) (restate.Void, error) {
	mark, err := restate.Get[*int](ctx, markOf(id))
	if err != nil {
		return restate.Void{}, err
	}
	delta, err := restate.Get[int](ctx, stateDelta)
	if err != nil {
		return restate.Void{}, err
	}
	restate.Set(ctx, markOf(id), 0)
	if mark != nil {
		restate.Set(ctx, stateDelta, delta-*mark)
	}
	return restate.Void{}, nil
}

// undoAt undoes a booking of a purse, however often this is cancelled.
func undoAt(ctx restate.Context, key, id string) error {
	for {
		_, err := restate.Object[restate.Void](ctx, "Purse", key, "undo").Request(id)
		if err == nil || err.Code() != 409 {
			return err
		}
	}
}

// approved waits for the answer of a transfer that asks.
func approved(ctx restate.Context, t transfer) error {
	if !t.Ask {
		return nil
	}
	yes, err := restate.Awakeable[bool](ctx).Result()
	switch {
	case err != nil:
		return err
	case !yes:
		return restate.TerminalErrorf("refused")
	}
	return nil
}

// move is a saga: it takes, perhaps asks, and gives. What fails or is cancelled is
// undone on both sides.
func move(ctx restate.Context, t transfer) (settled, error) {
	var err error
	_, err = restate.Object[restate.Void](ctx, "Purse", t.From, "take").Request(t)
	if err == nil {
		err = approved(ctx, t)
	}
	if err == nil {
		_, err = restate.Object[restate.Void](ctx, "Purse", t.To, "give").Request(t)
	}
	switch {
	case err == nil:
		return settled{Moved: true}, nil
	case !restate.IsTerminalError(err):
		return settled{}, err
	}
	if err := undoAt(ctx, t.To, t.ID); err != nil {
		return settled{}, err
	}
	return settled{Why: err.Error()}, undoAt(ctx, t.From, t.ID)
}

// pay is a transfer by the purse that pays; it holds its key meanwhile. Clients
// only let a purse pay a later one, so that no two wait for each other.
func pay(ctx restate.ObjectContext, t transfer) (settled, error) {
	err := book(ctx, t, -t.Amount)
	if err == nil {
		err = approved(ctx, t)
	}
	if err == nil {
		_, err = restate.Object[restate.Void](ctx, "Purse", t.To, "give").Request(t)
	}
	switch {
	case err == nil:
		return settled{Moved: true}, nil
	case !restate.IsTerminalError(err):
		return settled{}, err
	}
	if err := undoAt(ctx, t.To, t.ID); err != nil {
		return settled{}, err
	}
	_, undone := unbook(ctx, t.ID)
	return settled{Why: err.Error()}, undone
}

// auditPurses adds up what is in the purses, by calls.
func auditPurses(ctx restate.Context, keys []string) (total int, err error) {
	for _, key := range keys {
		n, err := restate.Object[int](ctx, "Purse", key, "count").Request(restate.Void{})
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}
