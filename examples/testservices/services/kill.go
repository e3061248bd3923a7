package services

import restate "github.com/dormouse-run/dormouse/objects"

// killRunner is an object that starts a tree of calls to be killed.
func killRunner() restate.ServiceDefinition {
	return restate.NewObject("KillTestRunner").
		Handler("startCallTree", restate.NewObjectHandler(callRecursively))
}

// killSingleton is an object whose handler holds its key until it is unlocked,
// and then waits for itself.
func killSingleton() restate.ServiceDefinition {
	return restate.NewObject(nameKillSingleton).
		Handler("recursiveCall", restate.NewObjectHandler(holdAndCallRecursively)).
		Handler("isUnlocked", restate.NewObjectHandler(isUnlocked))
}

func holdAndCallRecursively(ctx restate.ObjectContext, v restate.Void) (restate.Void, error) {
	if err := holdAndAwait(ctx, restate.Key(ctx)); err != nil {
		return restate.Void{}, err
	}
	return callRecursively(ctx, v)
}

func callRecursively(ctx restate.ObjectContext, _ restate.Void) (restate.Void, error) {
	return restate.Object[restate.Void](ctx, nameKillSingleton, restate.Key(ctx), "recursiveCall").Request(restate.Void{})
}
