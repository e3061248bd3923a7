package ingress_test

import (
	"context"
	"net/http"
	"reflect"
	"testing"

	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/encoding"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

// This file pins the names and signatures that programs are compiled against. It
// is checked by the compiler.

// I and O stand for types of a user.
type (
	I struct{ I string }
	O struct{ O string }
)

// Clients and what they make.
var (
	_ func(string, ...ingress.ClientOption) *ingress.Client = ingress.NewClient

	_ func(*ingress.Client, string, string, ...restate.ClientOption) ingress.Requester[I, O]          = ingress.Service[I, O]
	_ func(*ingress.Client, string, string, string, ...restate.ClientOption) ingress.Requester[I, O]  = ingress.Object[I, O]
	_ func(*ingress.Client, string, string, string, ...restate.ClientOption) ingress.Requester[I, O]  = ingress.Workflow[I, O]
	_ func(*ingress.Client, string, string, ...restate.ClientOption) ingress.SendRequester[I]         = ingress.ServiceSend[I]
	_ func(*ingress.Client, string, string, string, ...restate.ClientOption) ingress.SendRequester[I] = ingress.ObjectSend[I]
	_ func(*ingress.Client, string, string, string, ...restate.ClientOption) ingress.SendRequester[I] = ingress.WorkflowSend[I]
	_ func(*ingress.Client, string, string, *string, *encoding.Codec) ingress.Requester[I, O]         = ingress.NewRequester[I, O]

	_ func(*ingress.Client, string, ...ingress.InvocationHandleOption) ingress.InvocationHandle[O]                         = ingress.InvocationById[O]
	_ func(*ingress.Client, string, string, string, ...ingress.InvocationHandleOption) ingress.InvocationHandle[O]         = ingress.ServiceInvocationByIdempotencyKey[O]
	_ func(*ingress.Client, string, string, string, string, ...ingress.InvocationHandleOption) ingress.InvocationHandle[O] = ingress.ObjectInvocationByIdempotencyKey[O]
	_ func(*ingress.Client, string, string, ...ingress.InvocationHandleOption) ingress.InvocationHandle[O]                 = ingress.WorkflowHandle[O]

	_ func(*http.Client) ingress.ClientOption = ingress.WithHttpClient
	_ func(string) ingress.ClientOption       = ingress.WithAuthKey
)

// What has no counterpart in the original.
var (
	_ func(context.Context, *ingress.Client, string, I, ...restate.ResolveAwakeableOption) error      = ingress.ResolveAwakeable[I]
	_ func(context.Context, *ingress.Client, string, error) error                                     = ingress.RejectAwakeable
	_ func(context.Context, *ingress.Client, string, string, I, ...restate.ResolveSignalOption) error = ingress.ResolveSignal[I]
	_ func(context.Context, *ingress.Client, string, string, error) error                             = ingress.RejectSignal
	_ func(context.Context, *ingress.Client, string) error                                            = ingress.Cancel
	_ func(context.Context, *ingress.Client, string) error                                            = ingress.Kill
	_ func(context.Context, *ingress.Client, string) error                                            = ingress.PurgeJournal
	_ func(context.Context, *ingress.Client, string, uint32) (string, error)                          = ingress.RestartAsNew
	_ func(context.Context, *ingress.Client, ingress.StatePatch) error                                = ingress.EditState
	_ func(context.Context, *ingress.Client, string, ...ingress.InvocationHandleOption) (O, error)    = ingress.Attach[O]
)

type (
	requester interface {
		Request(ctx context.Context, input I, options ...ingress.RequestOption) (O, error)
		Send(ctx context.Context, input I, options ...ingress.SendOption) (ingress.SendResponse[O], error)
	}
	sendRequester interface {
		Send(ctx context.Context, input I, options ...ingress.SendOption) (ingress.SimpleSendResponse, error)
	}
	simpleSendResponse interface {
		Id() string
		Status() string
	}
	invocationHandle interface {
		Attach(ctx context.Context) (O, error)
		Output(ctx context.Context) (O, error)
	}
	sendResponse interface {
		invocationHandle
		simpleSendResponse
	}
	ingressError interface {
		error
		Code() restate.Code
		Message() string
		Stacktrace() string
		IsInvocationError() bool
	}
)

// Interfaces, in both directions where users may implement them.
var (
	_ = func(x ingress.Requester[I, O]) requester { return x }
	_ = func(x requester) ingress.Requester[I, O] { return x }
	_ = func(x ingress.SendRequester[I]) sendRequester { return x }
	_ = func(x sendRequester) ingress.SendRequester[I] { return x }
	_ = func(x ingress.SimpleSendResponse) simpleSendResponse { return x }
	_ = func(x simpleSendResponse) ingress.SimpleSendResponse { return x }
	_ = func(x ingress.SendResponse[O]) sendResponse { return x }
	_ = func(x sendResponse) ingress.SendResponse[O] { return x }
	_ = func(x ingress.InvocationHandle[O]) invocationHandle { return x }
	_ = func(x invocationHandle) ingress.InvocationHandle[O] { return x }
	_ = func(x ingress.Error) ingressError { return x }

	_ ingress.Error = (*ingress.InvocationNotFoundError)(nil)
	_ ingress.Error = (*ingress.InvocationNotReadyError)(nil)
)

func TestTheClientIsAStructWithoutFieldsForUsers(t *testing.T) {
	t.Parallel()
	for f := range reflect.TypeFor[ingress.Client]().Fields() {
		if f.IsExported() {
			t.Errorf("field %s is exported", f.Name)
		}
	}
}
