package services

import restate "github.com/dormouse-run/dormouse/objects"

const stateCount = "counter"

// CounterUpdate is what an addition did.
type CounterUpdate struct {
	OldValue int64 `json:"oldValue"`
	NewValue int64 `json:"newValue"`
}

// counter is an object that counts. Additions of one key wait for each other;
// get is shared and does not.
func counter() restate.ServiceDefinition {
	return restate.NewObject(nameCounter).
		Handler("reset", restate.NewObjectHandler(resetCount)).
		Handler("get", restate.NewObjectSharedHandler(getCount)).
		Handler("add", restate.NewObjectHandler(addToCount)).
		Handler("addThenFail", restate.NewObjectHandler(addToCountAndFail))
}

func resetCount(ctx restate.ObjectContext, _ restate.Void) (restate.Void, error) {
	restate.Clear(ctx, stateCount)
	return restate.Void{}, nil
}

func getCount(ctx restate.ObjectSharedContext, _ restate.Void) (int64, error) {
	return restate.Get[int64](ctx, stateCount)
}

func addToCount(ctx restate.ObjectContext, n int64) (CounterUpdate, error) {
	old, err := restate.Get[int64](ctx, stateCount)
	if err != nil {
		return CounterUpdate{}, err
	}
	restate.Set(ctx, stateCount, old+n)
	return CounterUpdate{OldValue: old, NewValue: old + n}, nil
}

// addToCountAndFail fails for good after it has written: what it wrote stays.
func addToCountAndFail(ctx restate.ObjectContext, n int64) (restate.Void, error) {
	if _, err := addToCount(ctx, n); err != nil {
		return restate.Void{}, err
	}
	return restate.Void{}, restate.TerminalErrorf("%s", restate.Key(ctx))
}
