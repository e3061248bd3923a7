package objects

import (
	"strings"
	"testing"
)

// Receivers of all kinds.
type (
	byValue  struct{ n int }
	outer    struct{ byValue }
	outerPtr struct{ *byValue }
	defined  outer
	tallyAPI interface {
		Add(ObjectContext, int) (int, error)
	}
	holder     struct{ tallyAPI }
	box[T any] struct{ _ [0]T }
	intBox     struct{ box[int] }
	other      struct{}
	bare       = struct{ *tally } // an alias, because vet fails on the literal
	selfish    struct{}
	needy      struct{ name *string }
	fromField  struct{ name string }
	namedAPI   interface {
		ServiceName() string
		Add(ObjectContext, int) (int, error)
	}
	unnamable[T any] struct{}
)

func (byValue) Get(_ ObjectContext, n int) (int, error)           { return inlined(n), nil }
func (b *byValue) Put(_ ObjectContext, n int) (int, error)        { b.n = n; return n, nil }
func (b box[T]) Get(_ ObjectContext, _ int) (int, error)          { return 0, nil }
func (b *box[T]) Put(_ ObjectContext, n int) (int, error)         { return n, nil }
func (box[T]) ServiceName() string                                { return "Box" }
func (unnamable[T]) Get(_ ObjectContext, _ int) (int, error)      { return 0, nil }
func (other) Do(*tally, ObjectContext, int) (int, error)          { return 0, nil }
func (selfish) Do(_ selfish, _ ObjectContext, _ int) (int, error) { return 0, nil }
func (needy) Get(ObjectContext, int) (int, error)                 { return 0, nil }
func (n needy) ServiceName() string                               { return *n.name }
func (fromField) Get(ObjectContext, int) (int, error)             { return 0, nil }
func (f *fromField) Put(ObjectContext, int) (int, error)          { return 0, nil }
func (f fromField) ServiceName() string                           { return f.name }
func plain(*tally, ObjectContext, int) (int, error)               { return 0, nil }
func inlined(n int) int                                           { return n * 3 }
func (t *tally) Literal() func(*tally, ObjectContext, int) (int, error) {
	return func(*tally, ObjectContext, int) (int, error) { return t.step, nil }
}

func target[S any, C Context](m func(S, C, int) (int, error)) func() (MethodTarget, TerminalError) {
	return func() (MethodTarget, TerminalError) { return TargetOf[S, C](On[S]("k"), m) }
}

// inGeneric is where the compiler makes a literal of a generic method.
func inGeneric[T any]() func() (MethodTarget, TerminalError) {
	return target(box[T].Get)
}

// TestTheMethodExpressionNamesTheHandler by the rules of Reflect.
func TestTheMethodExpressionNamesTheHandler(t *testing.T) {
	t.Parallel()
	type local struct{ *tally }
	for want, find := range map[string][]func() (MethodTarget, TerminalError){
		"tally/Add": {target((*tally).Add)},
		"tally/Raw": {func() (MethodTarget, TerminalError) {
			return TargetOf[*tally, ObjectContext](On[*tally]("k"), (*tally).Raw)
		}},
		"byValue/Get":  {target(byValue.Get), target((*byValue).Get)},
		"byValue/Put":  {target((*byValue).Put)},
		"outer/Get":    {target(outer.Get), target((*outer).Get)},
		"outer/Put":    {target((*outer).Put)},
		"outerPtr/Put": {target(outerPtr.Put), target((*outerPtr).Put)},
		"defined/Get":  {target(defined.Get)},
		"tallyAPI/Add": {target(tallyAPI.Add)},
		"holder/Add":   {target(holder.Add), target((*holder).Add)},
		"local/Add":    {target(local.Add), target((*local).Add)},
		"Box/Get":      {target(box[int].Get), target((*box[map[string]other]).Get)},
		"Box/Put":      {target((*box[int]).Put), target((*intBox).Put)},
	} {
		for i, f := range find {
			got, err := f()
			if err != nil || got.Service+"/"+got.Handler != want || got.Key != "k" || !got.Keyed || !got.WantsKey {
				t.Errorf("%s, %d: %+v, %v", want, i, got, err)
			}
		}
	}
}

// TestTypedCallsAndReflectAgreeOnNames for everything that Reflect accepts.
func TestTypedCallsAndReflectAgreeOnNames(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		receiver any
		find     func() (MethodTarget, TerminalError)
	}{
		{&tally{}, target((*tally).Add)},
		{outer{}, target(outer.Get)},
		{&outerPtr{}, target((*outerPtr).Put)},
		{&box[int]{}, target((*box[int]).Put)},
		{intBox{}, target(intBox.Get)},
	} {
		def := Reflect(row.receiver)
		got, err := row.find()
		if err != nil || got.Service != def.Name() || def.Handlers()[got.Handler] == nil {
			t.Errorf("%T: %+v, %v; the definition is %s", row.receiver, got, err, def.Name())
		}
		if in, out := got.Bind(def); in == nil || out == nil {
			t.Errorf("%T: no codecs", row.receiver)
		}
	}
}

// misnamed are functions that a typed call cannot name, and the message.
func misnamed() map[string]func() (MethodTarget, TerminalError) {
	literal := func(*tally, ObjectContext, int) (int, error) { return 0, nil }
	return map[string]func() (MethodTarget, TerminalError){
		"is no method expression of *objects.tally: pass a method of the receiver that On was given, for example (*objects.tally).Add": target(literal),
		"objects.plain is no method expression":         target(plain),
		"objects.other.Do-fm is no method expression":   target(other{}.Do),
		"objects.selfish.Do-fm is no method expression": target(selfish{}.Do),
		"no method expression of *objects.tally":        target((&tally{}).Literal()),
		"no method expression of objects.box[string]":   inGeneric[string](),
		"the method of a typed call is nil":             target[*tally, ObjectContext](nil),
		"is no method expression of struct":             target(bare.Add),
		"ServiceName of a zero objects.needy panics":    target(needy.Get),
		"objects.fromField would have the name \"\"":    target(fromField.Get),
		"fromField would have the name \"\", which":     target((*fromField).Put),
		"is an interface with ServiceName":              target(namedAPI.Add),
		"would have the name \"unnamable[int]\"":        target(unnamable[int].Get),
		"keyless.quiet is not exported": func() (MethodTarget, TerminalError) {
			return TargetOf[keyless, Context](OnService[keyless](), keyless.quiet)
		},
		"keyless.Custom takes a objects.ownContext: a handler takes one of the five contexts": func() (MethodTarget, TerminalError) {
			return TargetOf[keyless, ownContext](OnService[keyless](), keyless.Custom)
		},
	}
}

// TestWhatIsNoMethodExpressionIsTerminal400 at its first use.
func TestWhatIsNoMethodExpressionIsTerminal400(t *testing.T) {
	t.Parallel()
	for want, find := range misnamed() {
		if got, err := find(); err == nil || err.Code() != 400 || !strings.Contains(err.Message(), want) {
			t.Errorf("%q: %+v, %v", want, got, err)
		}
	}
	literal := func(*tally, ObjectContext, int) (int, error) { return 0, nil }
	for name, misuse := range map[string]func(ctx ObjectContext) TerminalError{
		"Call": func(ctx ObjectContext) TerminalError { _, err := Call(ctx, on("k"), literal, 1); return err },
		"CallFuture": func(ctx ObjectContext) TerminalError {
			_, err := CallFuture(ctx, on("k"), literal, 1).Response()
			return err
		},
		"Send": func(ctx ObjectContext) TerminalError { Send(ctx, on("k"), literal, 1); t.Error("went on"); return nil },
	} {
		everyMode(t, func(t *testing.T, e *engine) {
			f := e.finish(0).Failure
			if f == nil || f.Code != 400 || !strings.Contains(f.Message, "no method expression") || len(e.commands()) != 1 {
				t.Errorf("%s: %+v, commands %+v", name, f, e.commands())
			}
		}, func() Handler {
			return NewObjectHandler(func(ctx ObjectContext, _ string) (Void, error) { return Void{}, misuse(ctx) })
		}, nil)
	}
}

// TestRefsAreValues that can be compared and used as keys of a map.
func TestRefsAreValues(t *testing.T) {
	t.Parallel()
	same := on("a")
	if on("a") != same || on("a") == on("b") || on("") == (Ref[*tally]{}) || OnService[*tally]() != (Ref[*tally]{}) {
		t.Error("equal and different refs are confused")
	}
	if keys := map[any]bool{On[[]int]("a"): true}; !keys[On[[]int]("a")] || keys[On[[]int]("b")] {
		t.Error("a Ref of a slice type is no key")
	}
}
