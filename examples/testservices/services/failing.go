package services

import (
	"time"

	restate "github.com/dormouse-run/dormouse/objects"
)

// eventualSuccess is the attempt in which failingCallWithEventualSuccess
// succeeds.
const eventualSuccess = 4

// FailureToPropagate is what a call is to fail with.
type FailureToPropagate struct {
	ErrorMessage string            `json:"errorMessage"`
	Metadata     map[string]string `json:"metadata,omitempty"`
}

func (f FailureToPropagate) err() restate.TerminalError {
	return restate.ToTerminalError(restate.TerminalErrorf("%s", f.ErrorMessage), restate.WithMetadataMap(f.Metadata))
}

// failingObject fails in all ways there are. Its attempts are counted by key and
// handler in memory.
type failingObject struct{ attempts *tally }

func failing() restate.ServiceDefinition {
	f := failingObject{newTally()}
	return restate.NewObject(nameFailing).
		Handler("terminallyFailingCall", restate.NewObjectHandler(f.terminalCall)).
		Handler("callTerminallyFailingCall", restate.NewObjectHandler(f.callTerminalCall)).
		Handler("failingCallWithEventualSuccess", restate.NewObjectHandler(f.eventualSuccess)).
		Handler("terminallyFailingSideEffect", restate.NewObjectHandler(f.terminalRun)).
		Handler("sideEffectSucceedsAfterGivenAttempts", restate.NewObjectHandler(f.runSucceeds)).
		Handler("sideEffectFailsAfterGivenAttempts", restate.NewObjectHandler(f.runFails))
}

func (f failingObject) terminalCall(_ restate.ObjectContext, in FailureToPropagate) (restate.Void, error) {
	return restate.Void{}, in.err()
}

// callTerminalCall calls another key, whose failure becomes its own.
func (f failingObject) callTerminalCall(ctx restate.ObjectContext, in FailureToPropagate) (string, error) {
	other := restate.UUID(ctx).String()
	_, err := restate.Object[restate.Void](ctx, nameFailing, other, "terminallyFailingCall").Request(in)
	return "", err
}

// eventualSuccess fails three attempts; the runtime repeats them.
func (f failingObject) eventualSuccess(ctx restate.ObjectContext, _ restate.Void) (int, error) {
	counter := "call " + restate.Key(ctx)
	if n := f.attempts.next(counter); n < eventualSuccess {
		return 0, restate.RetryableErrorf("failed at attempt %d", n)
	}
	return f.attempts.take(counter), nil
}

func (f failingObject) terminalRun(ctx restate.ObjectContext, in FailureToPropagate) (restate.Void, error) {
	return restate.Void{}, restate.RunVoid(ctx, func(restate.RunContext) error { return in.err() }, restate.WithName("fail for good"))
}

// runSucceeds repeats a closure until it has run as often as asked for.
func (f failingObject) runSucceeds(ctx restate.ObjectContext, attempts int) (int, error) {
	counter := "succeeds " + restate.Key(ctx)
	return restate.Run(ctx, func(restate.RunContext) (int, error) {
		if n := f.attempts.next(counter); n < attempts {
			return 0, restate.RetryableErrorf("failed at attempt %d", n)
		}
		return f.attempts.take(counter), nil
	}, restate.WithName("succeed in the end"), restate.WithInitialRetryInterval(10*time.Millisecond), restate.WithRetryIntervalFactor(1))
}

// runFails exhausts the attempts of a closure, and returns how many there were.
func (f failingObject) runFails(ctx restate.ObjectContext, attempts uint) (int, error) {
	counter := "fails " + restate.Key(ctx)
	err := restate.RunVoid(ctx, func(restate.RunContext) error {
		return restate.RetryableErrorf("failed at attempt %d", f.attempts.next(counter))
	}, restate.WithName("fail in the end"), restate.WithMaxRetryAttempts(attempts),
		restate.WithInitialRetryInterval(10*time.Millisecond), restate.WithRetryIntervalFactor(1))
	if err == nil {
		return 0, restate.TerminalErrorf("the closure has failed each time, and Run says nothing of it")
	}
	if err.Code() == codeCancelled {
		return 0, err
	}
	return restate.Run(ctx, func(restate.RunContext) (int, error) { return f.attempts.take(counter), nil }, restate.WithName("count"))
}
