package objects

import (
	"fmt"
	"reflect"
	"sync"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/objects/encoding"
)

// Void is the type of an input or output that does not exist.
type Void = encoding.Void

// ServiceHandlerFn is a handler of a service. It runs beside all others.
type ServiceHandlerFn[I, O any] func(ctx Context, input I) (O, error)

// ObjectHandlerFn is an exclusive handler of an object: it holds the key, and
// may write its state.
type ObjectHandlerFn[I, O any] func(ctx ObjectContext, input I) (O, error)

// ObjectSharedHandlerFn is a handler of an object that runs beside others and
// only reads.
type ObjectSharedHandlerFn[I, O any] func(ctx ObjectSharedContext, input I) (O, error)

// WorkflowHandlerFn is the run handler of a workflow: once per workflow id.
type WorkflowHandlerFn[I, O any] func(ctx WorkflowContext, input I) (O, error)

// WorkflowSharedHandlerFn is a handler of a workflow that runs beside its run
// handler, before it and after it.
type WorkflowSharedHandlerFn[I, O any] func(ctx WorkflowSharedContext, input I) (O, error)

// Handler is a function with its options, ready to be added to a definition. It
// is sealed: NewServiceHandler and its siblings make one, and Reflect does. It
// may be added to several definitions and used concurrently.
type Handler interface {
	// Kind says how invocations are scheduled.
	Kind() ident.Kind
	// GetOptions returns the options of the handler, which must not be changed.
	GetOptions() *HandlerOptions
	// InputPayload describes what the handler accepts. It is made at the first
	// call, and must not be changed.
	InputPayload() *encoding.InputPayload
	// OutputPayload describes what the handler answers, likewise.
	OutputPayload() *encoding.OutputPayload

	// invoke runs the handler on the goroutine of the caller. An input that
	// does not decode is a terminal error with code 400; an output that does
	// not encode is retryable.
	invoke(ex *execution, input []byte) (output []byte, err error)
	// outputCodec is the codec of the output.
	outputCodec() encoding.Codec
	// outputType is the type of the output, nil for an interface.
	outputType() reflect.Type
	// serviceType is the only type of definition that the handler fits.
	serviceType() ServiceType
	// configured returns a copy as a handler of service, with opts applied.
	configured(service *ServiceDefinitionOptions, opts []HandlerOption) Handler
}

// NewServiceHandler makes a handler of a service. Like its siblings it panics on
// a nil function.
func NewServiceHandler[I, O any](fn ServiceHandlerFn[I, O], opts ...HandlerOption) Handler {
	mustBeGiven(fn != nil, "NewServiceHandler", "Context")
	call := caller(func(ex *execution, in I) (O, error) { return fn(ex, in) })
	return newHandler(ServiceTypeService, ident.KindService, fn, call, payloadsOf[I, O](), opts)
}

// NewObjectHandler makes an exclusive handler of an object. Every handler has an
// input and an output; where there is none, the type is Void:
//
//	restate.NewObjectHandler(func(ctx restate.ObjectContext, _ restate.Void) (int, error) {
//		return restate.Get[int](ctx, "count")
//	})
func NewObjectHandler[I, O any](fn ObjectHandlerFn[I, O], opts ...HandlerOption) Handler {
	mustBeGiven(fn != nil, "NewObjectHandler", "ObjectContext")
	call := caller(func(ex *execution, in I) (O, error) { return fn(ex, in) })
	return newHandler(ServiceTypeVirtualObject, ident.KindExclusive, fn, call, payloadsOf[I, O](), opts)
}

// NewObjectSharedHandler makes a shared handler of an object.
func NewObjectSharedHandler[I, O any](fn ObjectSharedHandlerFn[I, O], opts ...HandlerOption) Handler {
	mustBeGiven(fn != nil, "NewObjectSharedHandler", "ObjectSharedContext")
	call := caller(func(ex *execution, in I) (O, error) { return fn(ex, in) })
	return newHandler(ServiceTypeVirtualObject, ident.KindShared, fn, call, payloadsOf[I, O](), opts)
}

// NewWorkflowHandler makes the run handler of a workflow.
func NewWorkflowHandler[I, O any](fn WorkflowHandlerFn[I, O], opts ...HandlerOption) Handler {
	mustBeGiven(fn != nil, "NewWorkflowHandler", "WorkflowContext")
	call := caller(func(ex *execution, in I) (O, error) { return fn(ex, in) })
	return newHandler(ServiceTypeWorkflow, ident.KindWorkflow, fn, call, payloadsOf[I, O](), opts)
}

// NewWorkflowSharedHandler makes a shared handler of a workflow.
func NewWorkflowSharedHandler[I, O any](fn WorkflowSharedHandlerFn[I, O], opts ...HandlerOption) Handler {
	mustBeGiven(fn != nil, "NewWorkflowSharedHandler", "WorkflowSharedContext")
	call := caller(func(ex *execution, in I) (O, error) { return fn(ex, in) })
	return newHandler(ServiceTypeWorkflow, ident.KindShared, fn, call, payloadsOf[I, O](), opts)
}

// mustBeGiven panics where a handler is made of nothing, instead of when it is
// called.
func mustBeGiven(given bool, constructor, context string) {
	if !given {
		panic(fmt.Sprintf("objects: %s was given a nil function: pass a func(ctx %s, input I) (O, error)", constructor, context))
	}
}

// boundHandler is the one Handler. It is never changed after it was made.
type boundHandler struct {
	service ServiceType
	kind    ident.Kind
	// method is the methodPath of what it was made of, "" for no method.
	method  string
	call    callFn
	payload payloads
	// options are the handler's own, without what it inherits.
	options HandlerOptions
	// in and out are what options and service add up to.
	in, out encoding.Codec
	// input and output describe the payloads. A schema costs far more than a
	// request, so each is made once.
	input  func() *encoding.InputPayload
	output func() *encoding.OutputPayload
}

// callFn decodes the input, calls the user's function and encodes its output.
type callFn func(ex *execution, in, out encoding.Codec, input []byte) ([]byte, error)

// payloads holds a value of the input and the output type.
type payloads struct{ in, out any }

// payloadsOf returns zero values; an interface type gives nil.
func payloadsOf[I, O any]() payloads { return payloads{in: *new(I), out: *new(O)} }

// newHandler makes a handler of the user's fn.
func newHandler(service ServiceType, kind ident.Kind, fn any, call callFn, payload payloads, opts []HandlerOption) Handler {
	h := &boundHandler{service: service, kind: kind, method: methodOf(fn), call: call, payload: payload}
	return h.configured(&ServiceDefinitionOptions{}, opts)
}

// caller puts decoding and encoding around fn.
func caller[I, O any](fn func(*execution, I) (O, error)) callFn {
	return func(ex *execution, in, out encoding.Codec, input []byte) ([]byte, error) {
		var i I
		if err := encoding.Unmarshal(in, input, &i); err != nil {
			return nil, undecodable(reflect.TypeFor[I](), err)
		}
		o, err := fn(ex, i)
		if err != nil {
			return nil, err
		}
		return encodeOutput(out, o)
	}
}

func encodeOutput(codec encoding.Codec, o any) ([]byte, error) {
	b, err := encoding.Marshal(codec, o)
	if err != nil {
		return nil, fmt.Errorf("encode the output of type %T: %w", o, err)
	}
	return b, nil
}

func undecodable(input reflect.Type, err error) TerminalError {
	return terminalf(codeBadRequest, "decode the input as %s: %w", input, err)
}

func (h *boundHandler) Kind() ident.Kind            { return h.kind }
func (h *boundHandler) GetOptions() *HandlerOptions { return &h.options }
func (h *boundHandler) outputCodec() encoding.Codec { return h.out }
func (h *boundHandler) outputType() reflect.Type    { return reflect.TypeOf(h.payload.out) }
func (h *boundHandler) serviceType() ServiceType    { return h.service }

func (h *boundHandler) InputPayload() *encoding.InputPayload   { return h.input() }
func (h *boundHandler) OutputPayload() *encoding.OutputPayload { return h.output() }

func (h *boundHandler) invoke(ex *execution, input []byte) ([]byte, error) {
	return h.call(ex, h.in, h.out, input)
}

func (h *boundHandler) configured(service *ServiceDefinitionOptions, opts []HandlerOption) Handler {
	c := *h
	c.options = h.options.clone()
	for _, opt := range opts {
		opt.applyHandler(&c.options)
	}
	c.in = firstCodec(c.options.InputCodec, c.options.Codec, service.Codec)
	c.out = firstCodec(c.options.OutputCodec, c.options.Codec, service.Codec)
	c.input = sync.OnceValue(func() *encoding.InputPayload { return encoding.InputPayloadFor(c.in, c.payload.in) })
	c.output = sync.OnceValue(func() *encoding.OutputPayload { return encoding.OutputPayloadFor(c.out, c.payload.out) })
	return &c
}
