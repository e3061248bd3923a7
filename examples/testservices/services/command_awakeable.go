package services

import restate "github.com/dormouse-run/dormouse/objects"

// stateAwakeable names the state value with the id of an awakeable.
func stateAwakeable(name string) string { return "awk-" + name }

// awakeableNamed creates an awakeable and keeps its id, so that shared handlers
// find it.
func awakeableNamed(ctx restate.ObjectContext, name string) restate.AwakeableFuture[string] {
	answer := restate.Awakeable[string](ctx)
	restate.Set(ctx, stateAwakeable(name), answer.Id())
	return answer
}

func resolveNamed(ctx restate.ObjectSharedContext, r ResolveAwakeable) (restate.Void, error) {
	if err := resolveByName(ctx, r); err != nil {
		return restate.Void{}, err
	}
	return restate.Void{}, nil
}

func rejectNamed(ctx restate.ObjectSharedContext, r RejectAwakeable) (restate.Void, error) {
	if err := rejectByName(ctx, r); err != nil {
		return restate.Void{}, err
	}
	return restate.Void{}, nil
}

func hasNamed(ctx restate.ObjectSharedContext, name string) (bool, error) {
	id, err := restate.Get[*string](ctx, stateAwakeable(name))
	return id != nil, err
}

func resolveByName(ctx restate.ObjectSharedContext, r ResolveAwakeable) restate.TerminalError {
	id, err := idByName(ctx, r.AwakeableKey)
	if err == nil {
		restate.ResolveAwakeable(ctx, id, r.Value)
	}
	return err
}

func rejectByName(ctx restate.ObjectSharedContext, r RejectAwakeable) restate.TerminalError {
	id, err := idByName(ctx, r.AwakeableKey)
	if err == nil {
		restate.RejectAwakeable(ctx, id, restate.TerminalErrorf("%s", r.Reason))
	}
	return err
}

func idByName(ctx restate.ObjectSharedContext, name string) (string, restate.TerminalError) {
	id, err := restate.Get[*string](ctx, stateAwakeable(name))
	if err != nil {
		return "", err
	}
	if id == nil {
		return "", notFound("no awakeable is named %q: create it first", name)
	}
	return *id, nil
}
