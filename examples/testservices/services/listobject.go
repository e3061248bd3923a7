package services

import restate "github.com/dormouse-run/dormouse/objects"

const stateList = "list"

// listObject is an object that keeps a list of texts as one state value.
func listObject() restate.ServiceDefinition {
	return restate.NewObject(nameListObject).
		Handler("append", restate.NewObjectHandler(appendToList)).
		Handler("get", restate.NewObjectHandler(getList)).
		Handler("clear", restate.NewObjectHandler(clearList))
}

func appendToList(ctx restate.ObjectContext, value string) (restate.Void, error) {
	list, err := restate.Get[[]string](ctx, stateList)
	if err != nil {
		return restate.Void{}, err
	}
	restate.Set(ctx, stateList, append(list, value))
	return restate.Void{}, nil
}

// getList returns an empty list, not null, when nothing was appended.
func getList(ctx restate.ObjectContext, _ restate.Void) ([]string, error) {
	list, err := restate.Get[[]string](ctx, stateList)
	if list == nil {
		list = []string{}
	}
	return list, err
}

// clearList returns what the list was before.
func clearList(ctx restate.ObjectContext, v restate.Void) ([]string, error) {
	list, err := getList(ctx, v)
	if err != nil {
		return nil, err
	}
	restate.Clear(ctx, stateList)
	return list, nil
}
