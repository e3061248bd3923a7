package services

import (
	"strings"

	restate "github.com/dormouse-run/dormouse/objects"
)

// combine makes one result of several.
type combine func(restate.ObjectContext, []pending) (string, restate.TerminalError)

func combinator(name string) (combine, bool) {
	switch name {
	case "awaitOne", "awaitAny", "awaitFirstCompleted":
		return firstCompleted, true
	case "awaitAnySuccessful", "awaitFirstSucceededOrAllFailed":
		return firstSuccessful, true
	case "awaitAllSucceededOrFirstFailed":
		return allSucceeded, true
	case "awaitAllCompleted":
		return allCompleted, true
	default:
		return nil, false
	}
}

// firstCompleted is the result, or the failure, of the first that is done.
func firstCompleted(ctx restate.ObjectContext, all []pending) (string, restate.TerminalError) {
	for p, err := range inOrder(ctx, all) {
		if err != nil {
			return "", err
		}
		return p.result()
	}
	return "", nil
}

// firstSuccessful is the first value, or the last failure when there is none.
func firstSuccessful(ctx restate.ObjectContext, all []pending) (string, restate.TerminalError) {
	var last restate.TerminalError
	for p, err := range inOrder(ctx, all) {
		if err != nil {
			return "", err
		}
		value, failure := p.result()
		if failure == nil {
			return value, nil
		}
		last = failure
	}
	return "", last
}

// allSucceeded is all values in the order of the arguments, or the failure that
// comes first.
func allSucceeded(ctx restate.ObjectContext, all []pending) (string, restate.TerminalError) {
	for p, err := range inOrder(ctx, all) {
		if err != nil {
			return "", err
		}
		if _, failure := p.result(); failure != nil {
			return "", failure
		}
	}
	return joined(all, func(value string, _ restate.TerminalError) string { return value }), nil
}

// allCompleted tells value or message of each, in the order of the arguments.
func allCompleted(ctx restate.ObjectContext, all []pending) (string, restate.TerminalError) {
	for _, err := range inOrder(ctx, all) {
		if err != nil {
			return "", err
		}
	}
	return joined(all, func(value string, failure restate.TerminalError) string {
		if failure != nil {
			return "err:" + failure.Message()
		}
		return "ok:" + value
	}), nil
}

// inOrder yields what was started in the order in which it is done, and the
// error of a cancellation.
func inOrder(ctx restate.ObjectContext, all []pending) func(func(pending, restate.TerminalError) bool) {
	futures := make([]restate.Future, len(all))
	by := make(map[restate.Future]pending, len(all))
	for i, p := range all {
		futures[i], by[p.Future] = p.Future, p
	}
	return func(yield func(pending, restate.TerminalError) bool) {
		for f, err := range restate.Wait(ctx, futures...) {
			if !yield(by[f], err) {
				return
			}
		}
	}
}

// joined asks each for its result once more; all of them are done.
func joined(all []pending, text func(string, restate.TerminalError) string) string {
	parts := make([]string, len(all))
	for i, p := range all {
		parts[i] = text(p.result())
	}
	return strings.Join(parts, "|")
}
