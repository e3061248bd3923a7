package services

import restate "github.com/dormouse-run/dormouse/objects"

const stateHeld = "id"

// awakeableHolder is an object that keeps the id of an awakeable, so that a test
// finds and answers it.
func awakeableHolder() restate.ServiceDefinition {
	return restate.NewObject(nameHolder).
		Handler("hold", restate.NewObjectHandler(hold)).
		Handler("hasAwakeable", restate.NewObjectHandler(hasAwakeable)).
		Handler("unlock", restate.NewObjectHandler(unlock))
}

func hold(ctx restate.ObjectContext, id string) (restate.Void, error) {
	restate.Set(ctx, stateHeld, id)
	return restate.Void{}, nil
}

func hasAwakeable(ctx restate.ObjectContext, _ restate.Void) (bool, error) {
	id, err := restate.Get[*string](ctx, stateHeld)
	return id != nil, err
}

// unlock answers the awakeable and forgets it.
func unlock(ctx restate.ObjectContext, payload string) (restate.Void, error) {
	id, err := restate.Get[*string](ctx, stateHeld)
	if err != nil {
		return restate.Void{}, err
	}
	if id == nil {
		return restate.Void{}, notFound("no awakeable is held under %q: hold one first", restate.Key(ctx))
	}
	restate.ResolveAwakeable(ctx, *id, payload)
	restate.Clear(ctx, stateHeld)
	return restate.Void{}, nil
}

// holdAndAwait gives a new awakeable to the holder with this key, and waits for
// its answer.
func holdAndAwait(ctx restate.Context, key string) error {
	answer := restate.Awakeable[string](ctx)
	if _, err := restate.Object[restate.Void](ctx, nameHolder, key, "hold").Request(answer.Id()); err != nil {
		return err
	}
	_, err := answer.Result()
	return err
}
