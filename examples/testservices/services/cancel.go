package services

import (
	"time"

	restate "github.com/dormouse-run/dormouse/objects"
)

// BlockingOperation is what a handler waits in for ever.
type BlockingOperation string

// Operations.
const (
	// BlockingCall calls the key that the caller itself holds.
	BlockingCall BlockingOperation = "CALL"
	// BlockingSleep sleeps for 1024 days.
	BlockingSleep BlockingOperation = "SLEEP"
	// BlockingAwakeable waits for an answer that nobody gives.
	BlockingAwakeable BlockingOperation = "AWAKEABLE"
)

const stateCanceled = "canceled"

// cancelRunner is an object that calls one that blocks, and notes when it was
// cancelled.
func cancelRunner() restate.ServiceDefinition {
	return restate.NewObject("CancelTestRunner").
		Handler("startTest", restate.NewObjectHandler(startCancelTest)).
		Handler("verifyTest", restate.NewObjectHandler(verifyCancelTest))
}

func startCancelTest(ctx restate.ObjectContext, op BlockingOperation) (restate.Void, error) {
	_, err := restate.Object[restate.Void](ctx, nameCancelBlocking, restate.Key(ctx), "block").Request(op)
	if err != nil && err.Code() == codeCancelled {
		restate.Set(ctx, stateCanceled, true)
		return restate.Void{}, nil
	}
	return restate.Void{}, err
}

func verifyCancelTest(ctx restate.ObjectContext, _ restate.Void) (bool, error) {
	return restate.Get[bool](ctx, stateCanceled)
}

// cancelBlocking is an object that blocks: first until its awakeable is
// answered, then for ever.
func cancelBlocking() restate.ServiceDefinition {
	return restate.NewObject(nameCancelBlocking).
		Handler("block", restate.NewObjectHandler(block)).
		Handler("isUnlocked", restate.NewObjectHandler(isUnlocked))
}

func block(ctx restate.ObjectContext, op BlockingOperation) (restate.Void, error) {
	if err := holdAndAwait(ctx, restate.Key(ctx)); err != nil {
		return restate.Void{}, err
	}
	switch op {
	case BlockingCall:
		return restate.Object[restate.Void](ctx, nameCancelBlocking, restate.Key(ctx), "block").Request(op)
	case BlockingSleep:
		return restate.Void{}, restate.Sleep(ctx, 1024*24*time.Hour)
	case BlockingAwakeable:
		return restate.Awakeable[restate.Void](ctx).Result()
	default:
		return restate.Void{}, badRequest("the operation %q is not known: use CALL, SLEEP or AWAKEABLE", op)
	}
}

// isUnlocked answers when nothing holds its key.
func isUnlocked(restate.ObjectContext, restate.Void) (restate.Void, error) {
	return restate.Void{}, nil
}
