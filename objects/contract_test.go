package objects_test

import (
	"context"
	"encoding/json"
	"iter"
	"log/slog"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"

	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/encoding"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

// This file pins the names and signatures that programs are compiled against. It
// is checked by the compiler. A line that does not compile any more breaks
// programs of users.

// T, I and O stand for types of a user.
type (
	T struct{ T string }
	I struct{ I string }
	O struct{ O string }
)

// Contexts.
var (
	_ func(restate.ObjectContext) restate.ObjectSharedContext         = func(c restate.ObjectContext) restate.ObjectSharedContext { return c }
	_ func(restate.ObjectSharedContext) restate.Context               = func(c restate.ObjectSharedContext) restate.Context { return c }
	_ func(restate.WorkflowSharedContext) restate.ObjectSharedContext = func(c restate.WorkflowSharedContext) restate.ObjectSharedContext { return c }
	_ func(restate.WorkflowContext) restate.WorkflowSharedContext     = func(c restate.WorkflowContext) restate.WorkflowSharedContext { return c }
	_ func(restate.WorkflowContext) restate.ObjectContext             = func(c restate.WorkflowContext) restate.ObjectContext { return c }
	_ func(restate.Context) restate.RunContext                        = func(c restate.Context) restate.RunContext { return c }
	_ func(restate.RunContext) interface {
		context.Context
		Log() *slog.Logger
		Request() *restate.Request
	} = func(c restate.RunContext) interface {
		context.Context
		Log() *slog.Logger
		Request() *restate.Request
	} {
		return c
	}
	_ func(interface {
		context.Context
		Log() *slog.Logger
		Request() *restate.Request
	}) restate.RunContext = func(c interface {
		context.Context
		Log() *slog.Logger
		Request() *restate.Request
	}) restate.RunContext {
		return c
	}
	_ = restate.Request{
		ID: "", Scope: "", LimitKey: "", IdempotencyKey: "",
		Headers: restate.StringMap(nil), AttemptHeaders: map[string][]string{}, Body: []byte{},
	}
	_ func(restate.StringMap) stringMap                                  = func(m restate.StringMap) stringMap { return m }
	_ func(stringMap) restate.StringMap                                  = func(m stringMap) restate.StringMap { return m }
	_ func(restate.ObjectSharedContext) string                           = restate.Key
	_ func(restate.ObjectContext, context.Context) restate.ObjectContext = restate.WrapContext[restate.ObjectContext]
	_ func(restate.WorkflowContext, any, any) restate.WorkflowContext    = restate.WithValue[restate.WorkflowContext]
	_ func(restate.MockableContext) restate.WorkflowContext              = restate.WithMockContext
)

type stringMap interface {
	Get(key string) string
	Iter() iter.Seq2[string, string]
	ToMap() map[string]string
	json.Marshaler
}

// Definitions.
var (
	_ encoding.Void                                                                         = restate.Void{}
	_ restate.ServiceHandlerFn[I, O]                                                        = func(restate.Context, I) (O, error) { return O{}, nil }
	_ restate.ObjectHandlerFn[I, O]                                                         = func(restate.ObjectContext, I) (O, error) { return O{}, nil }
	_ restate.ObjectSharedHandlerFn[I, O]                                                   = func(restate.ObjectSharedContext, I) (O, error) { return O{}, nil }
	_ restate.WorkflowHandlerFn[I, O]                                                       = func(restate.WorkflowContext, I) (O, error) { return O{}, nil }
	_ restate.WorkflowSharedHandlerFn[I, O]                                                 = func(restate.WorkflowSharedContext, I) (O, error) { return O{}, nil }
	_ func(any, ...restate.ServiceDefinitionOption) restate.ServiceDefinition               = restate.Reflect
	_ func(string, ...restate.ServiceDefinitionOption) *restate.ServiceBuilder              = restate.NewService
	_ func(string, ...restate.ServiceDefinitionOption) *restate.ObjectBuilder               = restate.NewObject
	_ func(string, ...restate.ServiceDefinitionOption) *restate.WorkflowBuilder             = restate.NewWorkflow
	_ func(*restate.ServiceBuilder, string, restate.Handler) *restate.ServiceBuilder        = (*restate.ServiceBuilder).Handler
	_ func(*restate.ObjectBuilder, string, restate.Handler) *restate.ObjectBuilder          = (*restate.ObjectBuilder).Handler
	_ func(*restate.WorkflowBuilder, string, restate.Handler) *restate.WorkflowBuilder      = (*restate.WorkflowBuilder).Handler
	_ restate.ServiceDefinition                                                             = (*restate.ServiceBuilder)(nil)
	_ restate.ServiceDefinition                                                             = (*restate.ObjectBuilder)(nil)
	_ restate.ServiceDefinition                                                             = (*restate.WorkflowBuilder)(nil)
	_ func(restate.ServiceHandlerFn[I, O], ...restate.HandlerOption) restate.Handler        = restate.NewServiceHandler[I, O]
	_ func(restate.ObjectHandlerFn[I, O], ...restate.HandlerOption) restate.Handler         = restate.NewObjectHandler[I, O]
	_ func(restate.ObjectSharedHandlerFn[I, O], ...restate.HandlerOption) restate.Handler   = restate.NewObjectSharedHandler[I, O]
	_ func(restate.WorkflowHandlerFn[I, O], ...restate.HandlerOption) restate.Handler       = restate.NewWorkflowHandler[I, O]
	_ func(restate.WorkflowSharedHandlerFn[I, O], ...restate.HandlerOption) restate.Handler = restate.NewWorkflowSharedHandler[I, O]
	_ func(restate.ServiceDefinition) serviceDefinition                                     = func(d restate.ServiceDefinition) serviceDefinition { return d }
	_ func(serviceDefinition) restate.ServiceDefinition                                     = func(d serviceDefinition) restate.ServiceDefinition { return d }
)

type serviceDefinition interface {
	Name() string
	Type() restate.ServiceType
	Handlers() map[string]restate.Handler
	GetOptions() *restate.ServiceDefinitionOptions
	ConfigureHandler(name string, opts ...restate.HandlerOption) restate.ServiceDefinition
}

// State, awakeables, signals and promises.
var (
	_ func(restate.ObjectSharedContext, string, ...restate.GetOption) (T, restate.TerminalError)      = restate.Get[T]
	_ func(restate.ObjectSharedContext) ([]string, restate.TerminalError)                             = restate.Keys
	_ func(restate.ObjectContext, string, T, ...restate.SetOption)                                    = restate.Set[T]
	_ func(restate.ObjectContext, string)                                                             = restate.Clear
	_ func(restate.ObjectContext)                                                                     = restate.ClearAll
	_ func(restate.Context, ...restate.AwakeableOption) restate.AwakeableFuture[T]                    = restate.Awakeable[T]
	_ func(restate.Context, string, T, ...restate.ResolveAwakeableOption)                             = restate.ResolveAwakeable[T]
	_ func(restate.Context, string, error)                                                            = restate.RejectAwakeable
	_ func(restate.Context, string, ...restate.SignalOption) restate.SignalFuture[T]                  = restate.Signal[T]
	_ func(restate.Context, string, string, T, ...restate.ResolveSignalOption)                        = restate.ResolveSignal[T]
	_ func(restate.Context, string, string, error)                                                    = restate.RejectSignal
	_ func(restate.WorkflowSharedContext, string, ...restate.PromiseOption) restate.DurablePromise[T] = restate.Promise[T]
)

// Run, timers and randomness.
var (
	_ func(restate.Context, func(restate.RunContext) (T, error), ...restate.RunOption) (T, restate.TerminalError) = restate.Run[T]
	_ func(restate.Context, func(restate.RunContext) error, ...restate.RunOption) restate.TerminalError           = restate.RunVoid
	_ func(restate.Context, func(restate.RunContext) (T, error), ...restate.RunOption) restate.RunAsyncFuture[T]  = restate.RunAsync[T]
	_ func(restate.Context, time.Duration, ...restate.SleepOption) restate.TerminalError                          = restate.Sleep
	_ func(restate.Context, time.Duration, ...restate.SleepOption) restate.AfterFuture                            = restate.After
	_ func(restate.Context) *rand.Rand                                                                            = restate.Rand
	_ func(restate.Context) rand.Source                                                                           = restate.RandSource
	_ func(restate.Context) uuid.UUID                                                                             = restate.UUID
	_ func(restate.RunContext) string                                                                             = restate.RunKey
)

// Calls.
var (
	_ func(restate.Context, string, string, ...restate.ClientOption) restate.Client[any, O]          = restate.Service[O]
	_ func(restate.Context, string, string, string, ...restate.ClientOption) restate.Client[any, O]  = restate.Object[O]
	_ func(restate.Context, string, string, string, ...restate.ClientOption) restate.Client[any, O]  = restate.Workflow[O]
	_ func(restate.Context, string, string, ...restate.ClientOption) restate.SendClient[any]         = restate.ServiceSend
	_ func(restate.Context, string, string, string, ...restate.ClientOption) restate.SendClient[any] = restate.ObjectSend
	_ func(restate.Context, string, string, string, ...restate.ClientOption) restate.SendClient[any] = restate.WorkflowSend
	_ func(restate.Client[any, O]) restate.Client[I, O]                                              = restate.WithRequestType[I, O]
	_ func(restate.Context, string)                                                                  = restate.CancelInvocation
	_ func(restate.Context, string, ...restate.AttachOption) restate.AttachFuture[T]                 = restate.AttachInvocation[T]

	_ func(restate.Client[I, O]) client      = func(c restate.Client[I, O]) client { return c }
	_ func(client) restate.Client[I, O]      = func(c client) restate.Client[I, O] { return c }
	_ func(restate.SendClient[I]) sendClient = func(c restate.SendClient[I]) sendClient { return c }
	_ func(sendClient) restate.SendClient[I] = func(c sendClient) restate.SendClient[I] { return c }
	_ func(restate.Invocation) invocation    = func(i restate.Invocation) invocation { return i }
	_ func(invocation) restate.Invocation    = func(i invocation) restate.Invocation { return i }
)

type client interface {
	RequestFuture(input I, options ...restate.RequestOption) restate.ResponseFuture[O]
	Request(input I, options ...restate.RequestOption) (O, restate.TerminalError)
	sendClient
}

type sendClient interface {
	Send(input I, options ...restate.SendOption) restate.Invocation
}

type invocation interface{ GetInvocationId() string }

// Waiting.
var (
	_ func(restate.Context, ...restate.Future) (restate.Future, restate.TerminalError)          = restate.WaitFirst
	_ func(restate.Context, ...restate.Future) iter.Seq2[restate.Future, restate.TerminalError] = restate.Wait
	_ func(restate.Context, ...restate.Future) restate.WaitIterator                             = restate.WaitIter
	_ func(restate.WaitIterator) waitIterator                                                   = func(w restate.WaitIterator) waitIterator { return w }
	_ func(waitIterator) restate.WaitIterator                                                   = func(w waitIterator) restate.WaitIterator { return w }
)

type waitIterator interface {
	Next() bool
	Err() restate.TerminalError
	Value() restate.Future
}

// Errors.
var (
	_ = restate.Code(uint16(0))

	_ func(error, ...restate.TerminalErrorOption) restate.TerminalError   = restate.ToTerminalError
	_ func(string, ...any) restate.TerminalError                          = restate.TerminalErrorf
	_ func(error) bool                                                    = restate.IsTerminalError
	_ func(error) restate.TerminalError                                   = restate.AsTerminalError
	_ func(error, ...restate.RetryableErrorOption) restate.RetryableError = restate.ToRetryableError
	_ func(string, ...any) restate.RetryableError                         = restate.RetryableErrorf
	_ func(error) bool                                                    = restate.IsRetryableError
	_ func(error) restate.RetryableError                                  = restate.AsRetryableError
	_ func(restate.Code) restate.ErrorCodeOption                          = restate.WithErrorCode
	_ func(string, string) restate.MetadataOption                         = restate.WithMetadata
	_ func(map[string]string) restate.MetadataOption                      = restate.WithMetadataMap
	_ func(time.Duration) restate.RetryableErrorOption                    = restate.WithRetryAfter
	_                                                                     = restate.ErrorCodeOption{}
	_                                                                     = restate.MetadataOption{}
	_ func(restate.TerminalError) interface {
		error
		Code() restate.Code
		Message() string
		Metadata() restate.StringMap
	} = func(e restate.TerminalError) interface {
		error
		Code() restate.Code
		Message() string
		Metadata() restate.StringMap
	} {
		return e
	}
	_ func(restate.RetryableError) interface {
		error
		Code() restate.Code
		Message() string
	} = func(e restate.RetryableError) interface {
		error
		Code() restate.Code
		Message() string
	} {
		return e
	}
)

// Each constructor gives one value that fits every position of its row. The
// interfaces below are the rows.
type (
	codecPositions interface {
		restate.GetOption
		restate.SetOption
		restate.RunOption
		restate.AwakeableOption
		restate.ResolveAwakeableOption
		restate.SignalOption
		restate.ResolveSignalOption
		restate.PromiseOption
		restate.AttachOption
		restate.ClientOption
		restate.HandlerOption
		restate.ServiceDefinitionOption
		ingress.ClientOption
		ingress.RequestOption
		ingress.SendOption
		ingress.InvocationHandleOption
	}
	directionPositions interface {
		restate.ClientOption
		restate.HandlerOption
		ingress.RequestOption
	}
	namePositions interface {
		restate.RunOption
		restate.SleepOption
	}
	retryPositions interface {
		restate.RunOption
		restate.InvocationRetryPolicyOption
	}
	definitionPositions interface {
		restate.ServiceDefinitionOption
		restate.HandlerOption
	}
	callPositions interface {
		restate.RequestOption
		restate.SendOption
		ingress.RequestOption
		ingress.SendOption
	}
	delayPositions interface {
		restate.SendOption
		ingress.SendOption
	}
	codePositions interface {
		restate.TerminalErrorOption
		restate.RetryableErrorOption
	}
	metadataPositions interface {
		restate.TerminalErrorOption
		definitionPositions
	}
)

var (
	_ = []codecPositions{restate.WithCodec(encoding.Codec(nil)), restate.WithJSON, restate.WithBinary, restate.WithProto, restate.WithProtoJSON}
	_ = []directionPositions{restate.WithInputCodec(encoding.Codec(nil)), restate.WithOutputCodec(encoding.Codec(nil))}
	_ = []namePositions{restate.WithName("")}
	_ = []retryPositions{
		restate.WithMaxRetryAttempts(uint(0)), restate.WithInitialRetryInterval(time.Duration(0)),
		restate.WithMaxRetryInterval(time.Duration(0)), restate.WithRetryIntervalFactor(float32(0)),
	}
	_ = []restate.RunOption{restate.WithMaxRetryDuration(time.Duration(0))}
	_ = []restate.InvocationRetryPolicyOption{restate.PauseOnMaxAttempts(), restate.KillOnMaxAttempts()}
	_ = []definitionPositions{
		restate.WithInvocationRetryPolicy([]restate.InvocationRetryPolicyOption{}...),
		restate.WithInactivityTimeout(time.Duration(0)), restate.WithAbortTimeout(time.Duration(0)),
		restate.WithIdempotencyRetention(time.Duration(0)), restate.WithJournalRetention(time.Duration(0)), restate.WithWorkflowRetention(time.Duration(0)),
		restate.WithIngressPrivate(false), restate.WithEnableLazyState(false), restate.WithDocumentation(""),
	}
	_ = []callPositions{restate.WithHeaders(map[string]string{}), restate.WithIdempotencyKey(""), restate.WithLimitKey("")}
	_ = []delayPositions{restate.WithDelay(time.Duration(0))}
	_ = []restate.ClientOption{restate.WithScope("")}
	_ = []codePositions{restate.WithErrorCode(restate.Code(0))}
	_ = []metadataPositions{restate.WithMetadata("", ""), restate.WithMetadataMap(map[string]string{})}
)

func TestValuesOfTheContract(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ got, want any }{
		{string(restate.ServiceTypeService), "SERVICE"},
		{string(restate.ServiceTypeVirtualObject), "VIRTUAL_OBJECT"},
		{string(restate.ServiceTypeWorkflow), "WORKFLOW"},
		{string(restate.OnMaxAttemptsPause), "PAUSE"},
		{string(restate.OnMaxAttemptsKill), "KILL"},
		{restate.WithJSON, restate.WithCodec(encoding.JSONCodec)},
		{restate.WithBinary, restate.WithCodec(encoding.BinaryCodec)},
		{restate.WithProto, restate.WithCodec(encoding.ProtoCodec)},
		{restate.WithProtoJSON, restate.WithCodec(encoding.ProtoJSONCodec)},
		{reflect.TypeFor[restate.Code]().Kind(), reflect.Uint16},
		{reflect.TypeFor[restate.ErrorCodeOption]().Kind(), reflect.Struct},
		{reflect.TypeFor[restate.MetadataOption]().Kind(), reflect.Struct},
	} {
		if tc.got != tc.want {
			t.Errorf("got %v, want %v", tc.got, tc.want)
		}
	}
	pause := restate.OnMaxAttemptsPause
	_ = restate.InvocationRetryPolicy{
		InitialInterval: new(time.Second), ExponentiationFactor: new(2.0), MaxInterval: new(time.Second), MaxAttempts: new(1), OnMaxAttempts: &pause,
	}
}

func TestTheFiveContextsAreTypesOfTheirOwn(t *testing.T) {
	t.Parallel()
	types := map[reflect.Type]bool{
		reflect.TypeFor[restate.Context](): true, reflect.TypeFor[restate.ObjectContext](): true, reflect.TypeFor[restate.ObjectSharedContext](): true,
		reflect.TypeFor[restate.WorkflowContext](): true, reflect.TypeFor[restate.WorkflowSharedContext](): true,
	}
	if len(types) != 5 {
		t.Errorf("there are %d types", len(types))
	}
}

// TestFuturesHaveTheMethodsOfTheirKind: users tell futures apart by these.
func TestFuturesHaveTheMethodsOfTheirKind(t *testing.T) {
	t.Parallel()
	ctx := restate.WithMockContext(&restate.MockContext{})
	awakeable, signal, promise := restate.Awakeable[T](ctx), restate.Signal[T](ctx, "s"), restate.Promise[T](ctx, "p")
	run := restate.RunAsync(ctx, func(restate.RunContext) (T, error) { return T{}, nil })
	after, call := restate.After(ctx, 1), restate.Service[T](ctx, "S", "h").RequestFuture(nil)
	attach := restate.AttachInvocation[T](ctx, call.GetInvocationId())
	for _, tc := range []struct {
		future restate.Future
		want   string
	}{
		{awakeable, "Id Result"}, {signal, "Result"}, {promise, "Peek Reject Resolve Result"}, {run, "Result"},
		{after, "Done"}, {call, "GetInvocationId Response"}, {attach, "Response"},
	} {
		var got string
		for m := range reflect.TypeOf(tc.future).Methods() {
			if got += " " + m.Name; m.Type.NumOut() > 2 {
				t.Errorf("%s has %d results", m.Name, m.Type.NumOut())
			}
		}
		if got != " "+tc.want {
			t.Errorf("%T has the methods%s, want %s", tc.future, got, tc.want)
		}
		if tc.future != tc.future || !reflect.TypeOf(tc.future).Comparable() {
			t.Errorf("%T cannot be compared", tc.future)
		}
	}
	if _, ok := restate.Future(signal).(interface {
		Result() (T, restate.TerminalError)
	}); !ok {
		t.Error("a signal has another Result")
	}
	if _, ok := restate.Future(after).(interface{ Done() restate.TerminalError }); !ok {
		t.Error("a timer has another Done")
	}
	for _, f := range []restate.Future{call, attach} {
		if _, ok := f.(interface {
			Response() (T, restate.TerminalError)
		}); !ok {
			t.Errorf("%T has another Response", f)
		}
	}
	if _, ok := restate.Future(promise).(interface {
		Result() (T, restate.TerminalError)
		Peek() (T, restate.TerminalError)
		Resolve(value T) restate.TerminalError
		Reject(reason error) restate.TerminalError
	}); !ok {
		t.Error("a promise has other methods")
	}
}

// TestWhatUsersNeverImplementIsSealed: a method may be added to these later.
func TestWhatUsersNeverImplementIsSealed(t *testing.T) {
	t.Parallel()
	for _, sealed := range []reflect.Type{
		reflect.TypeFor[restate.Context](), reflect.TypeFor[restate.ObjectContext](), reflect.TypeFor[restate.ObjectSharedContext](),
		reflect.TypeFor[restate.WorkflowContext](), reflect.TypeFor[restate.WorkflowSharedContext](),
		reflect.TypeFor[restate.Future](), reflect.TypeFor[restate.Handler](), reflect.TypeFor[restate.TerminalError](), reflect.TypeFor[restate.RetryableError](),
		reflect.TypeFor[restate.GetOption](), reflect.TypeFor[restate.SetOption](), reflect.TypeFor[restate.AwakeableOption](),
		reflect.TypeFor[restate.ResolveAwakeableOption](), reflect.TypeFor[restate.SignalOption](), reflect.TypeFor[restate.ResolveSignalOption](),
		reflect.TypeFor[restate.PromiseOption](), reflect.TypeFor[restate.RunOption](), reflect.TypeFor[restate.SleepOption](),
		reflect.TypeFor[restate.ClientOption](), reflect.TypeFor[restate.RequestOption](), reflect.TypeFor[restate.SendOption](),
		reflect.TypeFor[restate.AttachOption](), reflect.TypeFor[restate.HandlerOption](), reflect.TypeFor[restate.ServiceDefinitionOption](),
		reflect.TypeFor[restate.InvocationRetryPolicyOption](), reflect.TypeFor[restate.TerminalErrorOption](), reflect.TypeFor[restate.RetryableErrorOption](),
		reflect.TypeFor[ingress.Error](),
	} {
		closed := false
		for m := range sealed.Methods() {
			closed = closed || !m.IsExported()
		}
		if !closed {
			t.Errorf("%v can be implemented by anybody", sealed)
		}
	}
}
