package objects

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/objects/encoding"
)

// Get returns a state value of the key, and the zero value when there is none;
// use a pointer type to tell absence from zero. A replay returns what the first
// attempt had read. A value that does not decode fails the attempt. The error is
// a cancellation, possible with lazy state only, or a name that is too long.
func Get[T any](ctx ObjectSharedContext, key string, options ...GetOption) (output T, err TerminalError) {
	output, _, err = stateValueOf[T](ctx, key, getOptionsOf(options).codec)
	return output, err
}

// stateValueOf also says whether there is a value.
func stateValueOf[T any](ctx ObjectSharedContext, key string, codec encoding.Codec) (output T, found bool, err TerminalError) {
	ex := ctx.inner()
	r, err := ex.get(key)
	if err != nil || r.Kind != journal.ResultValue {
		return output, false, err
	}
	if err := encoding.Unmarshal(codec, r.Value, &output); err != nil {
		ex.fail(fmt.Errorf("decode state %q as %v: %w", key, reflect.TypeFor[T](), err))
	}
	return output, true, nil
}

// Keys returns the names of all state values of the key, sorted.
func Keys(ctx ObjectSharedContext) ([]string, TerminalError) { return ctx.inner().keys() }

// Set writes a state value of the key. It is visible at once, also to shared
// handlers, and stays when the invocation fails later.
func Set[T any](ctx ObjectContext, key string, value T, options ...SetOption) {
	ex := ctx.inner()
	ex.enter(opSet)
	defer ex.leave()
	ex.demand(ex.checkWriter())
	codec := setOptionsOf(options).codec
	b, err := encoding.Marshal(codec, value)
	if err != nil {
		ex.fail(fmt.Errorf("encode state %q from %T: %w", key, value, err))
	}
	ex.demand(checkName("the name of a state value", key))
	ex.demand(ex.checkSize("a state value", b))
	c := &journal.SetState{Key: key, Value: b}
	if ex.match(c, encoding.IsNonDeterministicSerialization(codec)) == nil {
		ex.append(c)
		ex.state.write(key, b, true)
	}
}

// Clear removes a state value of the key.
func Clear(ctx ObjectContext, key string) {
	ex := ctx.inner()
	ex.enter(opClear)
	defer ex.leave()
	ex.demand(ex.checkWriter())
	ex.demand(checkName("the name of a state value", key))
	c := &journal.ClearState{Key: key}
	if ex.match(c, false) == nil {
		ex.append(c)
		ex.state.write(key, nil, false)
	}
}

// ClearAll removes all state values of the key.
func ClearAll(ctx ObjectContext) {
	ex := ctx.inner()
	ex.enter(opClearAll)
	defer ex.leave()
	ex.demand(ex.checkWriter())
	c := &journal.ClearAllState{}
	if ex.match(c, false) == nil {
		ex.append(c)
		ex.state.clear()
	}
}

// checkWriter refuses a handler that only reads. Its context has no write, but all
// contexts are one type, so an assertion finds one.
func (ex *execution) checkWriter() TerminalError {
	if k := ex.attempt.Target.Kind; k != ident.KindShared && k != ident.KindService {
		return nil
	}
	return terminalf(codeBadRequest, "%s only reads: write state in an exclusive handler or in the run of a workflow", ex.attempt.Target)
}

// checkReader refuses a handler that has no key, for the same reason.
func (ex *execution) checkReader() TerminalError {
	if ex.attempt.Target.Kind != ident.KindService {
		return nil
	}
	return terminalf(codeBadRequest, "%s has no state: the handlers of objects and workflows do", ex.attempt.Target)
}

// get reads a value: ResultValue or ResultVoid.
func (ex *execution) get(key string) (journal.Result, TerminalError) {
	ex.enter(opGet)
	defer ex.leave()
	if t := ex.checkReader(); t != nil {
		return journal.Result{}, t
	}
	if t := checkName("the name of a state value", key); t != nil {
		return journal.Result{}, t
	}
	completion := ex.story.NextCompletion()
	if ex.attempt.LazyState {
		c := ex.issue(&journal.GetLazyState{Key: key, Completion: completion}, false)
		if eager, ok := c.(*journal.GetEagerState); ok {
			return eager.Result, nil
		}
		return ex.answer(completion)
	}
	c := &journal.GetEagerState{Key: key}
	switch stored := ex.match(c, false).(type) {
	case *journal.GetEagerState:
		return stored.Result, nil
	case *journal.GetLazyState:
		return ex.answer(stored.Completion)
	}
	c.Result = ex.read(key)
	ex.append(c)
	return c.Result, nil
}

func (ex *execution) keys() ([]string, TerminalError) {
	ex.enter(opKeys)
	defer ex.leave()
	if t := ex.checkReader(); t != nil {
		return nil, t
	}
	completion := ex.story.NextCompletion()
	if ex.attempt.LazyState {
		c := ex.issue(&journal.GetLazyStateKeys{Completion: completion}, false)
		if eager, ok := c.(*journal.GetEagerStateKeys); ok {
			return slices.Clone(eager.Keys), nil
		}
		r, err := ex.answer(completion)
		return r.StateKeys, err
	}
	c := &journal.GetEagerStateKeys{}
	switch stored := ex.match(c, false).(type) {
	case *journal.GetEagerStateKeys:
		return slices.Clone(stored.Keys), nil
	case *journal.GetLazyStateKeys:
		r, err := ex.answer(stored.Completion)
		return r.StateKeys, err
	}
	c.Keys = ex.list()
	ex.append(c)
	return slices.Clone(c.Keys), nil
}

// answer waits for a completion.
func (ex *execution) answer(completion uint32) (journal.Result, TerminalError) {
	f := future{ex: ex, id: journal.CompletionID(completion)}
	return f.outcome()
}

// read returns a value as this attempt sees it.
func (ex *execution) read(key string) journal.Result {
	value, found, known := ex.state.read(key)
	if !known {
		var v Verdict
		if value, found, v = ex.host.ReadState(key); v == Unwind {
			ex.unwind(Outcome{Kind: OutcomeUnwound})
		}
		ex.state.keep(key, value, found)
	}
	if !found {
		return journal.VoidResult()
	}
	return journal.ValueOf(value)
}

// list returns the names as this attempt sees them, sorted.
func (ex *execution) list() []string {
	s := &ex.state
	names := map[string]bool{}
	switch {
	case s.cleared:
	case s.complete:
		for i := range s.start {
			names[s.start[i].Name] = true
		}
	default:
		stored, v := ex.host.ReadStateKeys()
		if v == Unwind {
			ex.unwind(Outcome{Kind: OutcomeUnwound})
		}
		for _, name := range stored {
			names[name] = true
		}
	}
	for i := range s.own.list {
		names[s.own.list[i].name] = s.own.list[i].found
	}
	maps.DeleteFunc(names, func(_ string, found bool) bool { return !found })
	return slices.Sorted(maps.Keys(names))
}
