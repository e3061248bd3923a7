package services

import restate "github.com/dormouse-run/dormouse/objects"

// Entry is one text under one name.
type Entry struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// mapObject is an object with one state value per entry.
func mapObject() restate.ServiceDefinition {
	return restate.NewObject("MapObject").
		Handler("set", restate.NewObjectHandler(setEntry)).
		Handler("get", restate.NewObjectHandler(getEntry)).
		Handler("clearAll", restate.NewObjectHandler(clearEntries))
}

func setEntry(ctx restate.ObjectContext, e Entry) (restate.Void, error) {
	restate.Set(ctx, e.Key, e.Value)
	return restate.Void{}, nil
}

// getEntry returns the empty text for an entry that does not exist.
func getEntry(ctx restate.ObjectContext, key string) (string, error) {
	return restate.Get[string](ctx, key)
}

// clearEntries removes all entries of this key, and returns what they were.
func clearEntries(ctx restate.ObjectContext, _ restate.Void) ([]Entry, error) {
	keys, err := restate.Keys(ctx)
	if err != nil {
		return nil, err
	}
	entries := make([]Entry, 0, len(keys))
	for _, key := range keys {
		value, err := restate.Get[string](ctx, key)
		if err != nil {
			return nil, err
		}
		entries = append(entries, Entry{Key: key, Value: value})
	}
	restate.ClearAll(ctx)
	return entries, nil
}
