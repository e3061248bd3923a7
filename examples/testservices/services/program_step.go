package services

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	restate "github.com/dormouse-run/dormouse/objects"
)

// interpret executes command n of the program.
func (i *interpreter) interpret(n int, step ProgramStep) error {
	switch step.Kind {
	case SetState:
		restate.Set(i.ctx, stateNumber(step.Key), "value-"+strconv.Itoa(step.Key))
	case GetState:
		_, err := restate.Get[string](i.ctx, stateNumber(step.Key))
		return err
	case ClearState:
		restate.Clear(i.ctx, stateNumber(step.Key))
	case IncrementStateCounter:
		_, err := addToCount(i.ctx, 1)
		return err
	case SleepFor:
		return restate.Sleep(i.ctx, millis(step.Duration))
	case SideEffect, SlowSideEffect, ThrowingSideEffect:
		return i.run(n, step.Kind)
	case AwaitPromise:
		return i.await(step.Index)
	case CallNextLayerObject:
		return i.callNextLayer(n, step)
	default:
		return i.throughHelper(n, step)
	}
	return nil
}

func stateNumber(n int) string { return "key-" + strconv.Itoa(n) }

func hello(n int) string { return "hello-" + strconv.Itoa(n) }

// run executes a closure, which may be slow, or fail until it succeeds.
func (i *interpreter) run(n int, kind ProgramCommand) error {
	got, err := restate.Run(i.ctx, func(run restate.RunContext) (string, error) {
		switch {
		case kind == ThrowingSideEffect && rand.IntN(2) == 0:
			return "", restate.RetryableErrorf("this closure fails every other time")
		case kind == SlowSideEffect:
			select {
			case <-time.After(time.Duration(rand.Int64N(int64(10 * time.Millisecond)))):
			case <-run.Done():
				return "", fmt.Errorf("the closure was stopped: %w", run.Err())
			}
		}
		return hello(n), nil
	}, restate.WithName(kind.String()), restate.WithInitialRetryInterval(time.Millisecond))
	if err != nil {
		return err
	}
	if got != hello(n) {
		return wrong(got, hello(n))
	}
	return nil
}

// await waits for the result of an earlier command, once.
func (i *interpreter) await(n int) error {
	result, waiting := i.pending[n]
	if !waiting {
		return nil
	}
	delete(i.pending, n)
	return result()
}

func (i *interpreter) callNextLayer(n int, step ProgramStep) error {
	next := InterpreterID{i.id.Layer + 1, strconv.Itoa(step.Key)}
	if err := next.validate(); err != nil {
		return err
	}
	called := restate.Object[restate.Void](i.ctx, next.service(), next.Key, "interpret").RequestFuture(step.Program)
	i.pending[n] = func() error {
		_, err := called.Response()
		return err
	}
	return nil
}
