package services

import (
	"time"

	restate "github.com/dormouse-run/dormouse/objects"
)

// nonDeterministicObject does something else in every attempt, which a handler
// must never do. Its handlers sleep behind the first step, are suspended there,
// and do not fit their journal when they come back.
type nonDeterministicObject struct{ attempts *tally }

// nonDeterministic suspends at every wait, so that there is a second attempt,
// and gives up at the first failure; otherwise the third attempt would fit
// again.
func nonDeterministic() restate.ServiceDefinition {
	n := nonDeterministicObject{newTally()}
	return restate.NewObject("NonDeterministic",
		restate.WithInactivityTimeout(0),
		restate.WithInvocationRetryPolicy(restate.WithMaxRetryAttempts(1), restate.KillOnMaxAttempts())).
		Handler("eitherSleepOrCall", n.handler(n.sleep, n.callGet)).
		Handler("callDifferentMethod", n.handler(n.callGet, n.callReset)).
		Handler("backgroundInvokeWithDifferentTargets", n.handler(n.sendGet, n.sendReset)).
		Handler("setDifferentKey", n.handler(n.setA, n.setB))
}

// step is what one attempt does and another one does not.
type step func(restate.ObjectContext) restate.TerminalError

// handler does odd in the first attempt and even in the second. It adds to the
// counter of its key when nobody has noticed.
func (n nonDeterministicObject) handler(odd, even step) restate.Handler {
	return restate.NewObjectHandler(func(ctx restate.ObjectContext, _ restate.Void) (restate.Void, error) {
		first := odd
		if n.attempts.next(ctx.Request().ID)%2 == 0 {
			first = even
		}
		if err := first(ctx); err != nil {
			return restate.Void{}, err
		}
		// Long enough that it is never over before the handler waits for it: then
		// there would be no second attempt.
		if err := restate.Sleep(ctx, time.Second); err != nil {
			return restate.Void{}, err
		}
		restate.ObjectSend(ctx, nameCounter, restate.Key(ctx), "add").Send(1)
		return restate.Void{}, nil
	})
}

// otherCounter is a key that nobody looks at.
const otherCounter = "abc"

func (nonDeterministicObject) sleep(ctx restate.ObjectContext) restate.TerminalError {
	return restate.Sleep(ctx, 100*time.Millisecond)
}

func (nonDeterministicObject) callGet(ctx restate.ObjectContext) restate.TerminalError {
	_, err := restate.Object[int64](ctx, nameCounter, otherCounter, "get").Request(restate.Void{})
	return err
}

func (nonDeterministicObject) callReset(ctx restate.ObjectContext) restate.TerminalError {
	_, err := restate.Object[restate.Void](ctx, nameCounter, otherCounter, "reset").Request(restate.Void{})
	return err
}

func (nonDeterministicObject) sendGet(ctx restate.ObjectContext) restate.TerminalError {
	restate.ObjectSend(ctx, nameCounter, otherCounter, "get").Send(restate.Void{})
	return nil
}

func (nonDeterministicObject) sendReset(ctx restate.ObjectContext) restate.TerminalError {
	restate.ObjectSend(ctx, nameCounter, otherCounter, "reset").Send(restate.Void{})
	return nil
}

func (nonDeterministicObject) setA(ctx restate.ObjectContext) restate.TerminalError {
	restate.Set(ctx, "a", "my-state")
	return nil
}

func (nonDeterministicObject) setB(ctx restate.ObjectContext) restate.TerminalError {
	restate.Set(ctx, "b", "my-state")
	return nil
}
