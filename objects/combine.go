package objects

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// TypedFuture is a future that has a value: an awakeable, a signal, a promise or
// a RunAsync. ResultOf makes one of a call or an attach, DoneAs of a timer.
type TypedFuture[T any] interface {
	Future
	// Result waits for the value, as that of the future does.
	Result() (T, TerminalError)
}

// Responder is what calls and attaches have in common: ResponseFuture and
// AttachFuture.
type Responder[T any] interface {
	Future
	// Response waits for the result.
	Response() (T, TerminalError)
}

// ResultOf makes a call, or an attach, a TypedFuture. Two of the same future are
// equal, but they do not equal the future itself: WaitFirst and Wait hand back
// what they were given.
func ResultOf[T any](f Responder[T]) TypedFuture[T] {
	if f == nil {
		return nil // the wait says which one is nil
	}
	return resultOfResponse[T]{f, f}
}

type resultOfResponse[T any] struct {
	Future
	response Responder[T]
}

func (r resultOfResponse[T]) Result() (T, TerminalError) { return r.response.Response() }

// DoneAs makes a timer a TypedFuture with this value, for a Race against time.
func DoneAs[T any](timer AfterFuture, value T) TypedFuture[T] {
	if timer == nil {
		return nil
	}
	return &doneAs[T]{timer, timer, value}
}

type doneAs[T any] struct {
	Future
	timer AfterFuture
	value T
}

func (d *doneAs[T]) Result() (T, TerminalError) {
	if err := d.timer.Done(); err != nil {
		var none T
		return none, err
	}
	return d.value, nil
}

// All waits until all of f have succeeded and returns their values in the order
// of the arguments, or until the first of them fails and returns its error. The
// others go on: nothing is cancelled, and they can still be waited for. Without
// futures the values are empty. The error is 409 when the invocation was
// cancelled meanwhile; a later wait works again.
func All[T any](ctx Context, f ...TypedFuture[T]) ([]T, TerminalError) {
	values := make([]T, len(f))
	c, err := combine(ctx, "All", f)
	for err == nil && len(c.open) > 0 {
		var i int
		if i, err = c.next(); err == nil {
			values[i], err = f[i].Result()
		}
	}
	if err != nil {
		return nil, err
	}
	return values, nil
}

// Race waits for the first of f that is done, and returns its result, which may
// be an error, and its position; among several, the first in the order of the
// arguments. The others go on. The position is -1 when the invocation was
// cancelled meanwhile (409), and without futures (400).
func Race[T any](ctx Context, f ...TypedFuture[T]) (T, int, TerminalError) {
	var none T
	c, err := combineSome(ctx, "Race", f)
	if err != nil {
		return none, -1, err
	}
	i, err := c.next()
	if err != nil {
		return none, -1, err
	}
	value, err := f[i].Result()
	return value, i, err
}

// Any waits for the first of f that succeeds, and returns its value and its
// position. The others go on. When all have failed, the position is -1 and the
// error holds all their messages and metadata, and the code that they share, else
// 500; one future alone fails with its own error. The position is -1 also when
// the invocation was cancelled meanwhile (409), and without futures (400).
func Any[T any](ctx Context, f ...TypedFuture[T]) (T, int, TerminalError) {
	var none T
	c, err := combineSome(ctx, "Any", f)
	if err != nil {
		return none, -1, err
	}
	failures := make([]TerminalError, len(f))
	for len(c.open) > 0 {
		i, err := c.next()
		if err != nil {
			return none, -1, err
		}
		value, err := f[i].Result()
		if err == nil {
			return value, i, nil
		}
		failures[i] = err
	}
	return none, -1, joined(failures)
}

// combination goes through futures in the order in which they are done.
type combination struct {
	ctx Context
	// futures are those of open, their positions among the arguments.
	futures []Future
	open    []int
}

func combine[T any](ctx Context, function string, f []TypedFuture[T]) (*combination, TerminalError) {
	c := &combination{ctx: ctx, futures: make([]Future, len(f)), open: make([]int, len(f))}
	for i := range f {
		if f[i] == nil {
			return nil, terminalf(codeBadRequest, "%s, future %d: it is nil", function, i)
		}
		ctx.inner().own(function, i, f[i])
		c.futures[i], c.open[i] = f[i], i
	}
	return c, nil
}

func combineSome[T any](ctx Context, function string, f []TypedFuture[T]) (*combination, TerminalError) {
	if len(f) == 0 {
		return nil, terminalf(codeBadRequest, "%s needs at least one future", function)
	}
	return combine(ctx, function, f)
}

// next returns the position of the next one. One that a cancellation has ended
// keeps to that, so it is done whatever comes.
func (c *combination) next() (int, TerminalError) {
	at := slices.IndexFunc(c.futures, func(f Future) bool { return f.core().cancelled })
	if at < 0 {
		first, err := waitFirst(c.ctx, c.futures)
		if err != nil {
			return -1, err
		}
		at = first
	}
	i := c.open[at]
	c.futures, c.open = slices.Delete(c.futures, at, at+1), slices.Delete(c.open, at, at+1)
	return i, nil
}

// joined is the error of futures that have all failed. It depends on the order of
// the arguments only, and so do equal names of metadata: the first one counts.
func joined(failures []TerminalError) TerminalError {
	if len(failures) == 1 {
		return failures[0]
	}
	e := &terminalError{code: failures[0].Code(), metadata: map[string]string{}}
	messages := make([]string, len(failures))
	for i, f := range slices.Backward(failures) {
		messages[i] = f.Message()
		maps.Copy(e.metadata, f.terminal().metadata)
		if f.Code() != e.code {
			e.code = codeInternal
		}
	}
	e.message = fmt.Sprintf("none of %d has succeeded: %s", len(failures), strings.Join(messages, "; "))
	return e
}
