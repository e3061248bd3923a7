package objects

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/objects/encoding"
)

type shapes struct{}

func (shapes) Nothing(Context)                           {}
func (shapes) Out(Context) string                        { return "out" }
func (shapes) Err(_ Context, fail bool) error            { return failing(fail) }
func (shapes) OutErr(_ Context, n int) (int, error)      { return n + 1, failing(n < 0) }
func (shapes) In(Context, []string)                      {}
func (shapes) VoidInOut(Context, Void) (Void, error)     { return Void{}, nil }
func (shapes) Bytes(_ Context, b []byte) ([]byte, error) { return b, nil }
func (shapes) Bad(Context) (chan int, error)             { return make(chan int), nil }
func (*shapes) OnPointer(Context, *int) (*int, error)    { return nil, nil }
func (shapes) Skipped() string                           { return "" }
func (shapes) SkippedToo(context.Context, string) error  { return nil }
func (shapes) SkippedRun(RunContext) error               { return nil }
func (shapes) unexported(Context) string                 { return "" }
func failing(fail bool) (err error) {
	if fail {
		err = fmt.Errorf("wrapped: %w", io.EOF)
	}
	return err
}

func TestReflectCallsEveryShape(t *testing.T) {
	t.Parallel()
	handlers := Reflect(&shapes{}).Handlers()
	for _, tc := range []struct{ handler, in, out, err string }{
		{"Nothing", "", "", ""},
		{"Out", "ignored", `"out"`, ""},
		{"Err", "false", "", ""},
		{"Err", "true", "", "wrapped: EOF"},
		{"OutErr", "1", "2", ""},
		{"OutErr", "-5", "", "wrapped: EOF"},
		{"OutErr", `"x"`, "", "decode the input as int"},
		{"OutErr", "", "", "decode the input as int"},
		{"In", `["a"]`, "", ""},
		{"VoidInOut", "", "", ""},
		{"Bytes", `"YQ=="`, `"YQ=="`, ""},
		{"Bad", "", "", "encode the output of type chan int"},
		{"OnPointer", "1", "null", ""},
	} {
		out, err := handlers[tc.handler].invoke(new(execution), []byte(tc.in))
		if string(out) != tc.out || (err == nil) != (tc.err == "") || err != nil && !strings.Contains(err.Error(), tc.err) {
			t.Errorf("%s(%s) = %q, %v; want %q, %q", tc.handler, tc.in, out, err, tc.out, tc.err)
		}
		if terminal := IsTerminalError(err); terminal != strings.HasPrefix(tc.err, "decode") {
			t.Errorf("%s(%s): terminal is %v", tc.handler, tc.in, terminal)
		}
	}
	_ = shapes.unexported
	_, byValue := Reflect(shapes{}).Handlers()["OnPointer"]
	if len(handlers) != 9 || byValue {
		t.Errorf("%d handlers, method of *T seen by value: %v", len(handlers), byValue)
	}
}

func TestInputThatDoesNotDecodeIsTerminal400(t *testing.T) {
	t.Parallel()
	h := NewServiceHandler(func(_ Context, n int) (chan int, error) { return nil, nil })
	_, err := h.invoke(new(execution), []byte("{"))
	if e := AsTerminalError(err); e == nil || e.Code() != 400 {
		t.Errorf("broken input: %v", err)
	}
	if _, err = h.invoke(new(execution), []byte("1")); err == nil || IsTerminalError(err) {
		t.Errorf("an output that does not encode: %v", err)
	}
}

type counter struct{}

func (counter) Add(ObjectContext, int) (int, error)  { return 0, nil }
func (counter) Get(ObjectSharedContext) (int, error) { return 0, nil }
func (counter) ServiceName() string                  { return "Counter" }

type approval struct{}

func (approval) Run(WorkflowContext, string) error   { return nil }
func (approval) Status(WorkflowSharedContext) string { return "" }

func TestReflectTellsTypesAndKindsApart(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		rcvr  any
		name  string
		typ   ServiceType
		kinds map[string]ident.Kind
	}{
		{counter{}, "Counter", ServiceTypeVirtualObject, map[string]ident.Kind{"Add": ident.KindExclusive, "Get": ident.KindShared}},
		{&approval{}, "approval", ServiceTypeWorkflow, map[string]ident.Kind{"Run": ident.KindWorkflow, "Status": ident.KindShared}},
		{struct{ *approval }{}, "", "", nil},
	} {
		if tc.kinds == nil {
			mustPanic(t, "has no name", func() { Reflect(tc.rcvr) })
			continue
		}
		def, kinds := Reflect(tc.rcvr), map[string]ident.Kind{}
		for name, h := range def.Handlers() {
			kinds[name] = h.Kind()
		}
		if def.Name() != tc.name || def.Type() != tc.typ || !reflect.DeepEqual(kinds, tc.kinds) {
			t.Errorf("%T: %s %s %v", tc.rcvr, def.Type(), def.Name(), kinds)
		}
		if err := Validate(def); err != nil {
			t.Errorf("%T: %v", tc.rcvr, err)
		}
	}
}

type (
	mixed       struct{}
	twoRuns     struct{}
	noRun       struct{}
	twoInputs   struct{}
	variadic    struct{}
	threeOut    struct{}
	noError     struct{}
	terminalOut struct{}
	empty       struct{}
	onlyPointer struct{}
)

func (mixed) A(Context)                      {}
func (mixed) B(ObjectContext)                {}
func (twoRuns) A(WorkflowContext)            {}
func (twoRuns) B(WorkflowContext)            {}
func (noRun) A(WorkflowSharedContext)        {}
func (twoInputs) A(Context, int, int)        {}
func (variadic) A(Context, ...int)           {}
func (threeOut) A(Context) (int, int, error) { return 0, 0, nil }
func (noError) A(Context) (int, int)         { return 0, 0 }
func (terminalOut) A(Context) TerminalError  { return nil }
func (empty) A(context.Context)              {}
func (*onlyPointer) A(Context)               {}

func TestReflectPanicsOnWhatIsNoDefinition(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		rcvr any
		want string
	}{
		{mixed{}, "mixed mixes contexts: A takes a Context and B a ObjectContext"},
		{twoRuns{}, "two run handlers, A and B"},
		{noRun{}, "workflow noRun has no run handler"},
		{twoInputs{}, "handler twoInputs.A takes more than one input"},
		{variadic{}, "is variadic"},
		{threeOut{}, "more than two results"},
		{noError{}, "returns int as its second result"},
		{terminalOut{}, "return error"},
		{empty{}, "empty has no handlers: let exported methods"},
		{onlyPointer{}, "pass a pointer"},
		{nil, "given nil"},
	} {
		mustPanic(t, tc.want, func() { Reflect(tc.rcvr) })
	}
	mustPanic(t, "only workflows have one", func() { Reflect(counter{}, WithWorkflowRetention(time.Hour)) })
	if d := Reflect(approval{}, WithWorkflowRetention(time.Hour)).GetOptions().WorkflowRetention; *d != time.Hour {
		t.Errorf("workflow retention %v", *d)
	}
}

func TestBuildersPanicOnHandlersThatDoNotFit(t *testing.T) {
	t.Parallel()
	service := NewServiceHandler(echo)
	object := NewObjectSharedHandler(func(ObjectSharedContext, Void) (Void, error) { return Void{}, nil })
	run := NewWorkflowHandler(func(WorkflowContext, Void) (Void, error) { return Void{}, nil })
	mustPanic(t, "made for a SERVICE and was added to a VIRTUAL_OBJECT", func() { NewObject("O").Handler("h", service) })
	mustPanic(t, "made for a VIRTUAL_OBJECT and was added to a WORKFLOW", func() { NewWorkflow("W").Handler("h", object) })
	mustPanic(t, "S/h is defined twice", func() { NewService("S").Handler("h", service).Handler("h", service) })
	mustPanic(t, "two run handlers, a and b", func() { NewWorkflow("W").Handler("a", run).Handler("b", run) })
	mustPanic(t, "is nil", func() { NewService("S").Handler("h", nil) })
	mustPanic(t, "workflow retention", func() { NewService("S", WithWorkflowRetention(0)) })
	mustPanic(t, "workflow retention", func() { NewService("S").Handler("h", service).ConfigureHandler("h", WithWorkflowRetention(0)) })
	mustPanic(t, `no handler "x"`, func() { NewService("S").Handler("h", service).ConfigureHandler("x") })
}

func mustPanic(t *testing.T, want string, fn func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if got := recover(); got == nil || !strings.Contains(fmt.Sprint(got), want) {
			t.Errorf("panic %v, want %q", got, want)
		}
	}()
	fn()
}

func TestAHandlerMayBeAddedToServicesWithOtherCodecs(t *testing.T) {
	t.Parallel()
	h := NewServiceHandler(func(_ Context, b []byte) ([]byte, error) { return b, nil })
	binary := NewService("B", WithBinary).Handler("h", h)
	text := NewService("J").Handler("h", h)
	for def, want := range map[ServiceDefinition]string{binary: "raw", text: `"cmF3"`} {
		got, err := def.Handlers()["h"].invoke(new(execution), []byte(want))
		if err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", def.Name(), got, err)
		}
	}
	if ct := *binary.Handlers()["h"].InputPayload().ContentType; ct != "application/octet-stream" {
		t.Errorf("content type %s", ct)
	}
	binary.ConfigureHandler("h", WithInputCodec(encoding.JSONCodec))
	got, err := binary.Handlers()["h"].invoke(new(execution), []byte(`"cmF3"`))
	if err != nil || string(got) != "raw" {
		t.Errorf("after ConfigureHandler: %q, %v", got, err)
	}
}

func TestPayloadsOfReflectedHandlers(t *testing.T) {
	t.Parallel()
	handlers := Reflect(shapes{}).Handlers()
	if p := handlers["Nothing"].InputPayload(); p.ContentType != nil || p.Required {
		t.Errorf("a handler without input accepts %+v", p)
	}
	if p := handlers["Out"].OutputPayload(); *p.ContentType != "application/json" {
		t.Errorf("output %+v", p)
	}
	if p := handlers["In"].InputPayload(); !p.Required {
		t.Errorf("input %+v", p)
	}
}

func TestValidateNamesWhatCannotBeBound(t *testing.T) {
	t.Parallel()
	ok := func(name string) *ServiceBuilder { return NewService(name).Handler("h", NewServiceHandler(echo)) }
	for _, name := range []string{"a", "Z9", "_a", "_9", "a.b-c_d", strings.Repeat("n", 255), "rest", "openapi2"} {
		if err := Validate(ok(name)); err != nil {
			t.Errorf("%q: %v", name, err)
		}
		if err := Validate(NewService("S").Handler(name, NewServiceHandler(echo))); err != nil {
			t.Errorf("handler %q: %v", name, err)
		}
	}
	for _, name := range []string{"", "_", "__a", "9a", "-a", ".a", "a b", "a/b", "ä", "aä", "T[int]", strings.Repeat("n", 256), "restate", "ReSTateful", "openapi"} {
		if err := Validate(ok(name)); err == nil {
			t.Errorf("service name %q was accepted", name)
		}
	}
	err := Validate(NewService("S").Handler("a b", NewServiceHandler(echo)))
	if err == nil || !strings.Contains(err.Error(), `handler "a b" of SERVICE "S"`) {
		t.Errorf("handler name: %v", err)
	}
	if err := Validate(NewService("S").Handler("restate", NewServiceHandler(echo))); err != nil {
		t.Errorf("handlers may be called restate: %v", err)
	}
}

func TestValidateReportsEverythingAtOnce(t *testing.T) {
	t.Parallel()
	shared := NewWorkflowSharedHandler(func(WorkflowSharedContext, Void) (Void, error) { return Void{}, nil })
	err := Validate(NewWorkflow("9", WithAbortTimeout(-1), WithInvocationRetryPolicy(WithRetryIntervalFactor(0.5), WithMaxRetryInterval(-1))).Handler("h", shared))
	for _, want := range []string{`WORKFLOW "9": the name`, "WithAbortTimeout", "WithRetryIntervalFactor", "WithMaxRetryInterval", "0 run handlers"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
	if err := errors.Join(Validate(nil), Validate(NewObject("O"))); err == nil || !strings.Contains(err.Error(), "nil") || !strings.Contains(err.Error(), "no handlers") {
		t.Errorf("nil and empty: %v", err)
	}
}
