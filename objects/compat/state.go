package restate

import "github.com/dormouse-run/dormouse/objects"

// Get returns the value of a name of the state, the zero value when there is
// none.
func Get[T any](ctx ObjectSharedContext, key string, options ...GetOption) (output T, err TerminalError) {
	return objects.Get[T](ctx, key, options...)
}

// Keys returns the names of the state, sorted.
func Keys(ctx ObjectSharedContext) ([]string, TerminalError) { return objects.Keys(ctx) }

// Set writes a value of the state.
func Set[T any](ctx ObjectContext, key string, value T, options ...SetOption) {
	objects.Set(ctx, key, value, options...)
}

// Clear removes a value of the state.
func Clear(ctx ObjectContext, key string) { objects.Clear(ctx, key) }

// ClearAll removes the whole state.
func ClearAll(ctx ObjectContext) { objects.ClearAll(ctx) }
