package objects

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/objects/encoding"
)

// tally is an object whose methods have every shape that a typed call takes.
type tally struct{ step int }

func (t *tally) Add(_ ObjectContext, n int) (int, error) { return n + t.step, nil }
func (t *tally) Total(ObjectSharedContext) (int, error)  { return t.step, nil }
func (t *tally) Move(_ ObjectContext, n int) error       { return nil }
func (t *tally) Reset(ObjectContext) error               { return nil }
func (t *tally) Raw(_ ObjectContext, b []byte) ([]byte, error) {
	return b, nil
}

// keyless is the service that the engine knows.
type keyless struct{}

func (keyless) ServiceName() string                              { return "Keyless" }
func (keyless) Greet(_ Context, name string) (string, error)     { return name, nil }
func (keyless) quiet(_ Context, name string) (string, error)     { return name, nil }
func (keyless) Custom(_ ownContext, name string) (string, error) { return name, nil }

type ownContext interface{ Context }

func on(key string) Ref[*tally] { return On[*tally](key) }

// TestTypedCallsWriteWhatUntypedOnesDo: the same journal, byte for byte, in
// memory and suspended at every wait.
func TestTypedCallsWriteWhatUntypedOnesDo(t *testing.T) {
	t.Parallel()
	untyped := func(ctx ObjectContext, _ string) (string, error) {
		o := func(method string) Client[any, int] { return Object[int](ctx, "tally", "k", method) }
		add, _ := o("Add").Request(5, WithIdempotencyKey("i"))
		total, _ := o("Total").Request(Void{})
		_, _ = Object[Void](ctx, "tally", "k", "Move").Request(6)
		_, _ = Object[Void](ctx, "tally", "", "Reset").Request(Void{})
		futures := []ResponseFuture[int]{o("Add").RequestFuture(7), o("Total").RequestFuture(Void{})}
		voids := []ResponseFuture[Void]{Object[Void](ctx, "tally", "k", "Move").RequestFuture(8), Object[Void](ctx, "tally", "k", "Reset").RequestFuture(Void{})}
		ObjectSend(ctx, "tally", "k", "Add").Send(9, WithDelay(time.Second))
		ObjectSend(ctx, "tally", "k", "Total").Send(Void{})
		ObjectSend(ctx, "tally", "k", "Move").Send(10)
		ObjectSend(ctx, "tally", "k", "Reset").Send(Void{})
		greeting, _ := Service[string](ctx, "Keyless", "Greet").Request("you")
		return results(add, total, futures, voids, greeting), nil
	}
	typed := func(ctx ObjectContext, _ string) (string, error) {
		add, _ := Call(ctx, on("k"), (*tally).Add, 5, WithIdempotencyKey("i"))
		total, _ := Call0(ctx, on("k"), (*tally).Total)
		_ = CallVoid(ctx, on("k"), (*tally).Move, 6)
		_ = CallVoid0(ctx, on(""), (*tally).Reset)
		futures := []ResponseFuture[int]{CallFuture(ctx, on("k"), (*tally).Add, 7), CallFuture0(ctx, on("k"), (*tally).Total)}
		voids := []ResponseFuture[Void]{CallFutureVoid(ctx, on("k"), (*tally).Move, 8), CallFutureVoid0(ctx, on("k"), (*tally).Reset)}
		Send(ctx, on("k"), (*tally).Add, 9, WithDelay(time.Second))
		Send0(ctx, on("k"), (*tally).Total)
		SendVoid(ctx, on("k"), (*tally).Move, 10)
		SendVoid0(ctx, on("k"), (*tally).Reset)
		greeting, _ := Call(ctx, OnService[keyless](), keyless.Greet, "you")
		return results(add, total, futures, voids, greeting), nil
	}
	for _, suspends := range []bool{false, true} {
		var journals [2][]journal.Entry
		for i, fn := range []ObjectHandlerFn[string, string]{untyped, typed} {
			e := newEngine(t, NewObjectHandler(fn))
			e.suspends = suspends
			e.definitions = map[string]ServiceDefinition{"tally": Reflect(&tally{})}
			e.results = map[string]journal.Result{
				"Add": journal.ValueOf([]byte("5")), "Total": journal.ValueOf([]byte("6")), "Greet": journal.ValueOf([]byte(`"me"`)),
				"Move": journal.ValueOf(nil), "Reset": journal.ValueOf(nil),
			}
			if got := e.finish(0); string(got.Value) != `"5 6 5 6 {} {} me"` {
				t.Fatalf("%+v", got)
			}
			journals[i] = e.journal
		}
		sameJournal(t, 0, journals[1], journals[0])
	}
}

func results(add, total int, futures []ResponseFuture[int], voids []ResponseFuture[Void], greeting string) string {
	list := []any{add, total}
	for _, f := range futures {
		v, _ := f.Response()
		list = append(list, v)
	}
	for _, f := range voids {
		v, _ := f.Response()
		list = append(list, v)
	}
	return strings.TrimSpace(fmt.Sprintln(append(list, greeting)...))
}

// calling is an engine whose handler makes calls to a tally that def defines.
func calling(t *testing.T, def ServiceDefinition, body func(ctx ObjectContext)) *engine {
	e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (Void, error) { body(ctx); return Void{}, nil }))
	e.results = map[string]journal.Result{"Raw": journal.ValueOf([]byte{0xff}), "Add": journal.ValueOf([]byte("5"))}
	if def != nil {
		e.definitions = map[string]ServiceDefinition{def.Name(): def}
	}
	return e
}

func parametersOf(e *engine) []string {
	var list []string
	for _, c := range e.commands() {
		switch c := c.(type) {
		case *journal.Call:
			list = append(list, c.Handler+" "+string(c.Parameter))
		case *journal.OneWayCall:
			list = append(list, c.Handler+" "+string(c.Parameter))
		}
	}
	return list
}

// TestTypedCallsUseTheCodecsOfTheDefinition, as its handler was configured, JSON
// when nothing is bound; an option of the call wins.
func TestTypedCallsUseTheCodecsOfTheDefinition(t *testing.T) {
	t.Parallel()
	raw := func(opts ...RequestOption) func(ctx ObjectContext) {
		return func(ctx ObjectContext) {
			if got, err := Call(ctx, on("k"), (*tally).Raw, []byte("hi"), opts...); err != nil || string(got) != "\xff" {
				t.Errorf("%q, %v", got, err)
			}
		}
	}
	rows := []struct {
		name string
		def  ServiceDefinition
		body func(ctx ObjectContext)
		want string
	}{
		{"service", Reflect(&tally{}, WithBinary), raw(), "Raw hi"},
		{"handler", Reflect(&tally{}).ConfigureHandler("Raw", WithBinary), raw(), "Raw hi"},
		{"directions", Reflect(&tally{}).ConfigureHandler("Raw", WithOutputCodec(encoding.BinaryCodec)), raw(), `Raw "aGk="`},
		{"option", Reflect(&tally{}), raw(WithBinary), "Raw hi"},
		{"options", nil, raw(WithInputCodec(encoding.BinaryCodec), WithOutputCodec(encoding.BinaryCodec)), "Raw hi"},
		{"send", Reflect(&tally{}, WithBinary), func(ctx ObjectContext) { Send(ctx, on("k"), (*tally).Raw, []byte("hi")) }, "Raw hi"},
		{"send with option", nil, func(ctx ObjectContext) { Send(ctx, on("k"), (*tally).Raw, []byte("hi"), WithBinary) }, "Raw hi"},
		{"nothing bound", nil, func(ctx ObjectContext) { Send(ctx, on("k"), (*tally).Raw, []byte("hi")) }, `Raw "aGk="`},
		{"untyped option", nil, func(ctx ObjectContext) {
			_, _ = Object[[]byte](ctx, "tally", "k", "Raw").Request([]byte("hi"), WithBinary)
		}, "Raw hi"},
	}
	for _, row := range rows {
		e := calling(t, row.def, row.body)
		e.suspends = true
		if r := e.finish(0); r.Failure != nil || !reflect.DeepEqual(parametersOf(e), []string{row.want}) {
			t.Errorf("%s: %q, %+v", row.name, parametersOf(e), r.Failure)
		}
	}
}

// TestAStored404OfATypedCallStandsWhenABuildBindsTheHandler with another codec:
// what was sent as JSON to nobody is not compared with it.
func TestAStored404OfATypedCallStandsWhenABuildBindsTheHandler(t *testing.T) {
	t.Parallel()
	e := calling(t, nil, func(ctx ObjectContext) {
		if _, err := Call(ctx, on("k"), (*tally).Raw, []byte("hi")); err == nil || err.Code() != 404 {
			t.Errorf("%v", err)
		}
		_ = Sleep(ctx, time.Second)
	})
	e.results["Raw"] = failedWith(terminalf(codeNotFound, "no such service"))
	e.suspends, e.world = true, (*engine).fireTimer
	for range 2 { // until the sleep
		if o := e.attempt(0); o.Kind != OutcomeUnwound {
			t.Fatalf("%+v", o)
		}
	}
	e.definitions = map[string]ServiceDefinition{"tally": Reflect(&tally{}, WithBinary)}
	if r := e.finish(0); r.Failure != nil || len(e.commands()) != 3 {
		t.Errorf("%+v, %+v", r.Failure, e.outcomes)
	}
}

// TestAStoredCallStaysJSONWhenItsHandlerTakesAnotherCodec, input and result.
func TestAStoredCallStaysJSONWhenItsHandlerTakesAnotherCodec(t *testing.T) {
	t.Parallel()
	e := calling(t, Reflect(&tally{}), func(ctx ObjectContext) {
		if b, err := Call(ctx, on("k"), (*tally).Raw, []byte("hi")); string(b) != "hi" || err != nil {
			t.Errorf("%q, %v", b, err)
		}
	})
	e.results["Raw"] = journal.ValueOf([]byte(`"aGk="`))
	if o := e.attempt(2); o.Kind != OutcomeUnwound || len(e.commands()) != 1 {
		t.Fatalf("%+v", o)
	}
	e.definitions = map[string]ServiceDefinition{"tally": Reflect(&tally{}, WithBinary)}
	if r := e.finish(0); r.Failure != nil || len(e.outcomes) != 2 {
		t.Errorf("%+v, %+v", r.Failure, e.outcomes)
	}
}

// TestAHandlerUnderAnotherNameIsFoundByItsMethod, and configured ones are too.
func TestAHandlerUnderAnotherNameIsFoundByItsMethod(t *testing.T) {
	t.Parallel()
	c := &tally{}
	object := func() *ObjectBuilder { return NewObject("tally") }
	rows := []struct {
		name string
		def  ServiceDefinition
		want string
	}{
		{"under its own name", object().Handler("Add", NewObjectHandler(c.Add)), "Add 5"},
		{"of a literal", object().Handler("Add", NewObjectHandler(func(ObjectContext, int) (int, error) { return 0, nil })), "Add 5"},
		{"renamed", object().Handler("add", NewObjectHandler(c.Add)), "add 5"},
		{"renamed and configured", object().Handler("add", NewObjectHandler(c.Add)).ConfigureHandler("add", WithIngressPrivate(true)), "add 5"},
		{"own name first", object().Handler("add", NewObjectHandler(c.Add)).Handler("Add", NewObjectHandler(c.Add)), "Add 5"},
		{"two names", object().Handler("add", NewObjectHandler(c.Add)).Handler("plus", NewObjectHandler(c.Add)), "Add 5"},
		{"another method", object().Handler("raw", NewObjectHandler(c.Raw)), "Add 5"},
		{"a literal of another name", object().Handler("add", NewObjectHandler(func(ObjectContext, int) (int, error) { return 0, nil })), "Add 5"},
	}
	for _, row := range rows {
		e := calling(t, row.def, func(ctx ObjectContext) { Send(ctx, on("k"), (*tally).Add, 5) })
		if r := e.finish(0); r.Failure != nil || !reflect.DeepEqual(parametersOf(e), []string{row.want}) {
			t.Errorf("%s: %q, %+v", row.name, parametersOf(e), r.Failure)
		}
	}
}

// TestATypedCallWithAKeyTooManyOrTooFewSaysWhichRefToUse and writes nothing.
func TestATypedCallWithAKeyTooManyOrTooFewSaysWhichRefToUse(t *testing.T) {
	t.Parallel()
	for want, call := range map[string]func(ctx ObjectContext, send bool) TerminalError{
		"service tally has keys: use On[*objects.tally](key) in place of OnService": func(ctx ObjectContext, send bool) TerminalError {
			if send {
				Send(ctx, OnService[*tally](), (*tally).Add, 1)
			}
			_, err := Call(ctx, OnService[*tally](), (*tally).Add, 1)
			return err
		},
		"service Keyless has no keys: use OnService[objects.keyless]() in place of On": func(ctx ObjectContext, send bool) TerminalError {
			if send {
				Send(ctx, On[keyless]("k"), keyless.Greet, "")
			}
			_, err := Call(ctx, On[keyless]("k"), keyless.Greet, "")
			return err
		},
	} {
		for _, send := range []bool{false, true} {
			e := newEngine(t, NewObjectHandler(func(ctx ObjectContext, _ string) (Void, error) { return Void{}, call(ctx, send) }))
			if f := e.finish(0).Failure; f == nil || f.Code != 400 || f.Message != want || len(e.commands()) != 1 {
				t.Errorf("%q: %+v", want, f)
			}
		}
	}
}

// TestAnUnknownHandlerOfATypedCallIs404, like that of an untyped one.
func TestAnUnknownHandlerOfATypedCallIs404(t *testing.T) {
	t.Parallel()
	type Unknown struct{ *tally }
	e := calling(t, nil, func(ctx ObjectContext) { Send(ctx, On[Unknown]("k"), Unknown.Add, 1) })
	if f := e.finish(0).Failure; f == nil || f.Code != 404 || !strings.Contains(f.Message, "Unknown/Add") {
		t.Errorf("%+v", f)
	}
}

// BenchmarkTypedCall beside the untyped one: what the name costs.
func BenchmarkTypedCall(b *testing.B) {
	for name, call := range map[string]func(ex *execution){
		"untyped": func(ex *execution) { _ = newClient[any, int](ex, "tally", "k", true, "Add", nil) },
		"typed": func(ex *execution) {
			target, err := TargetOf[*tally, ObjectContext](on("k"), (*tally).Add)
			_ = calleeOf(ex, &target, err)
		},
		"typed and bound": func(ex *execution) {
			target, err := TargetOf[*tally, ObjectContext](on("k"), (*tally).Add)
			c := calleeOf(ex, &target, err)
			c.bind()
		},
	} {
		b.Run(name, func(b *testing.B) {
			ex := &execution{host: &engine{definitions: map[string]ServiceDefinition{"tally": Reflect(&tally{})}}}
			b.ReportAllocs()
			for b.Loop() {
				call(ex)
			}
		})
	}
}
