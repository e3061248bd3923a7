package httpapi_test

import (
	"fmt"
	"os"
	"time"

	restate "github.com/dormouse-run/dormouse/objects"
)

// deskServices are objects whose handlers write everything they do into l. The
// handlers come back to memory often, and wait there only briefly.
func deskServices(l ledger) []restate.ServiceDefinition {
	d := desk{l}
	return []restate.ServiceDefinition{
		restate.NewObject("Desk").
			Handler("ask", restate.NewObjectHandler(d.ask)).
			Handler("note", restate.NewObjectHandler(d.note)).
			Handler("work", restate.NewObjectHandler(d.work)).
			Handler("peek", restate.NewObjectSharedHandler(d.peek)),
	}
}

type desk struct{ ledger }

// ask has an effect, hands out an awakeable and returns its answer.
//
//	start name | ran name | id name sign_1… | end name
func (d desk) ask(ctx restate.ObjectContext, name string) (string, error) {
	if err := d.write("start", name); err != nil {
		return "", err
	}
	if err := restate.RunVoid(ctx, func(restate.RunContext) error { return d.write("ran", name) }); err != nil {
		return "", err
	}
	a := restate.Awakeable[string](ctx)
	if err := restate.RunVoid(ctx, func(restate.RunContext) error { return d.write("id", name, a.Id()) }); err != nil {
		return "", err
	}
	answer, err := a.Result()
	if err != nil {
		return "", err
	}
	return answer, d.write("end", name)
}

// note notes a number.
func (d desk) note(_ restate.ObjectContext, n int) (int, error) {
	return n, d.write("note", fmt.Sprint(n))
}

// work creates an awakeable, then runs until the file exists, and only then
// waits for the answer.
//
//	busy file
func (d desk) work(ctx restate.ObjectContext, file string) (string, error) {
	a := restate.Awakeable[string](ctx)
	err := restate.RunVoid(ctx, func(run restate.RunContext) error {
		if err := d.write("busy", file); err != nil {
			return err
		}
		for {
			if _, err := os.Stat(file); err == nil {
				return nil
			}
			select {
			case <-run.Done():
				return run.Err()
			case <-time.After(5 * time.Millisecond):
			}
		}
	})
	if err != nil {
		return "", err
	}
	return a.Result()
}

func (d desk) peek(restate.ObjectSharedContext, restate.Void) (string, error) { return "peeked", nil }
