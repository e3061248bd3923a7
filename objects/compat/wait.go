package restate

import (
	"iter"

	"github.com/dormouse-run/dormouse/objects"
)

// Future is something that a handler can wait for. Futures are comparable: the
// one that was passed in is the one that comes out.
type Future = objects.Future

// WaitIterator hands out futures as they complete.
type WaitIterator = objects.WaitIterator

// WaitFirst waits for the first of several futures. It panics without one.
func WaitFirst(ctx Context, futs ...Future) (resultFut Future, cancellationError TerminalError) {
	return objects.WaitFirst(ctx, futs...)
}

// Wait yields futures as they complete. A cancellation is yielded once, with no
// future, and ends it.
func Wait(ctx Context, futs ...Future) iter.Seq2[Future, TerminalError] {
	return objects.Wait(ctx, futs...)
}

// WaitIter is Wait as an iterator with methods.
func WaitIter(ctx Context, futs ...Future) WaitIterator { return objects.WaitIter(ctx, futs...) }
