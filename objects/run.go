package objects

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"strconv"

	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/objects/encoding"
)

// Run executes fn on a goroutine of its own and makes its result durable before
// it returns. In later attempts the stored result is returned and fn is not
// executed. An fn whose result was not durable yet may be executed again; RunKey
// makes its effect idempotent.
//
// A terminal error of fn is a result. Any other error, a panic included, fails
// the attempt, or is retried by the policy that options give; when that is
// exhausted, Run returns a terminal error with code and message of the last one.
// fn must use only its own context: an operation of ctx inside of it fails the
// attempt.
func Run[T any](ctx Context, fn func(ctx RunContext) (T, error), options ...RunOption) (output T, err TerminalError) {
	return RunAsync(ctx, fn, options...).Result()
}

// RunVoid is Run for a closure without a value.
func RunVoid(ctx Context, fn func(ctx RunContext) error, options ...RunOption) TerminalError {
	_, err := Run(ctx, func(rc RunContext) (Void, error) { return Void{}, fn(rc) }, options...)
	return err
}

// RunAsyncFuture is the result of a RunAsync.
type RunAsyncFuture[T any] interface {
	// Result waits for the closure, and starts it when nothing has before.
	Result() (T, TerminalError)
	Future
}

// RunAsync is Run without waiting. The closure starts at the first wait for its
// future, together with all others of that wait that have not started; a future
// that is never waited for never runs.
func RunAsync[T any](ctx Context, fn func(ctx RunContext) (T, error), options ...RunOption) RunAsyncFuture[T] {
	ex := ctx.inner()
	ex.enter(opRun)
	defer ex.leave()
	o := runOptionsOf(options)
	if t := checkName("the name of a run", o.name); t != nil {
		return &runFuture[T]{future: refused(ex, t), codec: o.codec}
	}
	completion := ex.story.NextCompletion()
	ex.issue(&journal.Run{Completion: completion, Name: o.name}, false)
	_, index := ex.story.Last()
	r := &run{ex: ex, completion: completion, index: int32(index), options: o, values: ctx}
	r.call = func(rc RunContext) (journal.Result, error) {
		value, err := fn(rc)
		if err != nil {
			return journal.Result{}, err
		}
		return r.encode(value), nil
	}
	return &runFuture[T]{future: future{ex: ex, id: journal.CompletionID(completion), run: r}, codec: o.codec}
}

type runFuture[T any] struct {
	future
	codec encoding.Codec
}

// Result fails the attempt when the stored value does not decode: a new build
// can fix that without losing it.
func (f *runFuture[T]) Result() (T, TerminalError) {
	var output T
	r, err := f.wait()
	if err != nil || r.Kind != journal.ResultValue {
		return output, err
	}
	if err := encoding.Unmarshal(f.codec, r.Value, &output); err != nil {
		f.ex.fail(fmt.Errorf("decode the result of run %q as %v: %w", f.run.options.name, reflect.TypeFor[T](), err))
	}
	return output, nil
}

// RunKey returns a text that is the same in every attempt of the very run to
// which ctx belongs, and different for every other run, also when an invocation
// id is used again: the value for an idempotency header. It is "" for a context
// that does not belong to a closure.
//
// A Run that the handler issues once more is another run with another key: after
// a cancellation, in a loop, after a terminal error. For an effect that such
// runs share, draw a UUID before the first of them and send that along.
func RunKey(ctx RunContext) string {
	rc, ok := ctx.(*runContext)
	if !ok {
		return ""
	}
	a := rc.run.ex.attempt
	return a.ID.String() + "-" + strconv.FormatUint(uint64(a.Birth), 16) + "-" + strconv.FormatUint(uint64(rc.run.completion), 10)
}

// run is one closure. Fields behind call belong to the handler's goroutine.
type run struct {
	ex         *execution
	completion uint32
	// index is the command index.
	index   int32
	options runOptions
	// values is where the closure's context looks for values.
	values context.Context
	// call runs the user's function and encodes its value.
	call func(RunContext) (journal.Result, error)

	// group is set while the closure is under way.
	group *group
	// interrupted says that the closure ended because of a cancellation that
	// the handler has not seen yet; cancels is their number at its start.
	interrupted bool
	cancels     int
}

// encode makes a value a result. A value that does not encode, or is too large,
// is a terminal failure: trying again would not change it.
func (r *run) encode(value any) journal.Result {
	b, err := encoding.Marshal(r.options.codec, value)
	if err != nil {
		return failedWith(terminalf(codeInternal, "encode the result of run %q, a %T, with %T: %w", r.options.name, value, r.options.codec, err))
	}
	if t := r.ex.checkSize("the result of run "+strconv.Quote(r.options.name), b); t != nil {
		return failedWith(t)
	}
	return journal.ValueOf(b)
}

// failure is the outcome of an attempt that ends because of the closure.
func (r *run) failure(e ending) Outcome {
	return Outcome{Kind: OutcomeFailed, Failure: AttemptFailure{
		Code: uint32(codeOf(e.err)), Message: clip(e.err.Error()), Stack: e.stack,
		CommandIndex: r.index, CommandType: journal.TypeRun, CommandName: r.options.name,
	}}
}

// runContext is what a closure gets.
type runContext struct {
	context.Context
	run *run
}

// Value looks into the host's context and then where the handler's context does.
// The other way round context.Cause, which finds its way by Value, would report
// on a context that the user wrapped around the handler's.
func (c *runContext) Value(key any) any {
	if v := c.Context.Value(key); v != nil {
		return v
	}
	return c.run.values.Value(key)
}

func (c *runContext) Log() *slog.Logger { return c.run.ex.Log() }
func (c *runContext) Request() *Request { return c.run.ex.Request() }
