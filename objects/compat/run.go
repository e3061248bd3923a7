package restate

import (
	"math/rand/v2"
	"time"

	"github.com/dormouse-run/dormouse/objects"
	"github.com/google/uuid"
)

// Run executes fn and keeps its result: later attempts get it from the journal.
func Run[T any](ctx Context, fn func(ctx RunContext) (T, error), options ...RunOption) (output T, err TerminalError) {
	return objects.Run(ctx, fn, options...)
}

// RunVoid is Run for a closure without a result.
func RunVoid(ctx Context, fn func(ctx RunContext) error, options ...RunOption) TerminalError {
	return objects.RunVoid(ctx, fn, options...)
}

// RunAsyncFuture waits for the result of a RunAsync.
type RunAsyncFuture[T any] = objects.RunAsyncFuture[T]

// RunAsync is Run with a future: fn starts when the future is first waited for.
func RunAsync[T any](ctx Context, fn func(ctx RunContext) (T, error), options ...RunOption) RunAsyncFuture[T] {
	return objects.RunAsync(ctx, fn, options...)
}

// Sleep waits for d. The time goes on while the program is down.
func Sleep(ctx Context, d time.Duration, opts ...SleepOption) TerminalError {
	return objects.Sleep(ctx, d, opts...)
}

// AfterFuture waits for a timer.
type AfterFuture = objects.AfterFuture

// After is Sleep with a future.
func After(ctx Context, d time.Duration, opts ...SleepOption) AfterFuture {
	return objects.After(ctx, d, opts...)
}

// Rand returns a generator that draws the same numbers in every attempt.
func Rand(ctx Context) *rand.Rand { return objects.Rand(ctx) }

// RandSource returns a source of its own at the start of the same numbers.
func RandSource(ctx Context) rand.Source { return objects.RandSource(ctx) }

// UUID draws a version 4 UUID that is the same in every attempt.
func UUID(ctx Context) uuid.UUID { return objects.UUID(ctx) }
