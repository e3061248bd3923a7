package main

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/restatedev/sdk-go"
	"github.com/restatedev/sdk-go/encoding"
	"github.com/restatedev/sdk-go/ingress"
	"github.com/restatedev/sdk-go/logging"
)

// codec is one value that fits every position that has a codec.
var codec = restate.WithCodec(encoding.JSONCodec)

// Every option in every position that it fits.
var (
	_ = []restate.GetOption{codec, restate.WithJSON, restate.WithBinary, restate.WithProto, restate.WithProtoJSON}
	_ = []restate.SetOption{codec}
	_ = []restate.AwakeableOption{codec}
	_ = []restate.ResolveAwakeableOption{codec}
	_ = []restate.SignalOption{codec}
	_ = []restate.ResolveSignalOption{codec}
	_ = []restate.PromiseOption{codec}
	_ = []restate.AttachOption{codec}
	_ = []restate.RunOption{codec, restate.WithName("n"), attempts, initial, longest, factor, restate.WithMaxRetryDuration(1)}
	_ = []restate.SleepOption{restate.WithName("n")}
	_ = []restate.ClientOption{codec, input, output, restate.WithScope("")}
	_ = []restate.RequestOption{headers, key, limit}
	_ = []restate.SendOption{headers, key, limit, restate.WithDelay(1)}
	_ = []restate.HandlerOption{codec, input, output, note, notes, policy, idle, abort, remember, journal, lazy, private, text, restate.WithWorkflowRetention(1)}
	_ = []restate.ServiceDefinitionOption{codec, note, notes, policy, idle, abort, remember, journal, lazy, private, text, restate.WithWorkflowRetention(1)}
	_ = []restate.InvocationRetryPolicyOption{attempts, initial, longest, factor, restate.PauseOnMaxAttempts(), restate.KillOnMaxAttempts()}
	_ = []restate.TerminalErrorOption{code, note, notes}
	_ = []restate.RetryableErrorOption{code}
	_ = []ingress.ClientOption{codec, ingress.WithHttpClient(http.DefaultClient), ingress.WithAuthKey("")}
	_ = []ingress.RequestOption{codec, input, output, headers, key, limit}
	_ = []ingress.SendOption{codec, headers, key, limit, restate.WithDelay(1)}
	_ = []ingress.InvocationHandleOption{codec}

	input, output                             = restate.WithInputCodec(encoding.ProtoCodec), restate.WithOutputCodec(encoding.ProtoJSONCodec)
	attempts, initial                         = restate.WithMaxRetryAttempts(1), restate.WithInitialRetryInterval(1)
	longest, factor                           = restate.WithMaxRetryInterval(1), restate.WithRetryIntervalFactor(1)
	headers, key                              = restate.WithHeaders(nil), restate.WithIdempotencyKey("k")
	limit                                     = restate.WithLimitKey("l")
	note, notes                               = restate.WithMetadata("a", "b"), restate.WithMetadataMap(nil)
	policy, text                              = restate.WithInvocationRetryPolicy(), restate.WithDocumentation("d")
	idle, abort                               = restate.WithInactivityTimeout(time.Minute), restate.WithAbortTimeout(time.Minute)
	remember, journal                         = restate.WithIdempotencyRetention(1), restate.WithJournalRetention(1)
	lazy, private                             = restate.WithEnableLazyState(true), restate.WithIngressPrivate(true)
	code                                      = restate.WithErrorCode(restate.Code(418))
	_                 restate.ErrorCodeOption = code
)

// Types that programs name when they store or pass what the SDK gives them.
var (
	_ restate.ServiceHandlerFn[string, string]        = func(restate.Context, string) (string, error) { return "", nil }
	_ restate.ObjectHandlerFn[string, string]         = func(restate.ObjectContext, string) (string, error) { return "", nil }
	_ restate.ObjectSharedHandlerFn[string, string]   = func(restate.ObjectSharedContext, string) (string, error) { return "", nil }
	_ restate.WorkflowHandlerFn[string, string]       = func(restate.WorkflowContext, string) (string, error) { return "", nil }
	_ restate.WorkflowSharedHandlerFn[string, string] = func(restate.WorkflowSharedContext, string) (string, error) { return "", nil }

	_ = restate.InvocationRetryPolicy{MaxAttempts: new(int), OnMaxAttempts: new(restate.OnMaxAttempts)}

	_ ingress.Requester[string, int]
	_ ingress.SendRequester[string]
	_ ingress.SendResponse[int]
	_ ingress.SimpleSendResponse
	_ ingress.InvocationHandle[int]
	_ ingress.Error
)

// upper is a codec of the program's own.
type upper struct{ encoding.Codec }

// ContentType implements encoding.CodecMetadata.
func (upper) ContentType() string { return "text/plain" }

// JsonSchema implements encoding.CodecMetadata.
func (upper) JsonSchema(any) any { return nil }

// InputRequired implements encoding.CodecInputMetadata.
func (upper) InputRequired() bool { return false }

// SetContentTypeIfEmpty implements encoding.CodecOutputMetadata.
func (upper) SetContentTypeIfEmpty() bool { return true }

// IsNonDeterministic implements encoding.NonDeterministicSerializer.
func (upper) IsNonDeterministic() bool { return true }

var (
	_ encoding.CodecMetadata              = upper{}
	_ encoding.CodecInputMetadata         = upper{}
	_ encoding.CodecOutputMetadata        = upper{}
	_ encoding.NonDeterministicSerializer = upper{}
	_ encoding.RestateMarshaler           = encoding.Void{}
	_ encoding.RestateUnmarshaler         = &encoding.Void{}
)

// describe uses a codec as the SDK does.
func describe() (*encoding.InputPayload, *encoding.OutputPayload, error) {
	codec := encoding.JSONCodecWithCustomSchemaGenerator(func(any) any { return nil })
	if encoding.IsNonDeterministicSerialization(codec) || !encoding.IsNonDeterministicSerialization(upper{codec}) {
		return nil, nil, errors.New("a codec is taken for another one")
	}
	b, err := encoding.Marshal(codec, 1)
	if err == nil {
		err = encoding.Unmarshal(codec, b, new(int))
	}
	return encoding.InputPayloadFor(codec, 1), encoding.OutputPayloadFor(encoding.BinaryCodec, []byte{}), err
}

// names uses what is left.
func names(ctx restate.Context, headers restate.StringMap) (string, error) {
	wrapped := restate.WrapContext(ctx, logging.WithLogContext(context.Background(), &logging.LogContext{Source: logging.LogSourceRestate}))
	if lc := logging.LogContextFrom(wrapped); lc == nil || lc.Source == logging.LogSource(logging.LogSourceUser) {
		return "", restate.TerminalErrorf("a wrapped context has lost its value")
	}
	var request *restate.Request = ctx.Request()
	if headers == nil {
		headers = request.Headers
	}
	var client restate.Client[any, restate.Void] = restate.Service[restate.Void](ctx, "Shop", "raw")
	var send restate.SendClient[any] = client
	_ = send
	var waiting restate.WaitIterator = restate.WaitIter(ctx, restate.After(ctx, 0))
	for waiting.Next() {
		if _, ok := waiting.Value().(restate.AfterFuture); !ok {
			return "", restate.TerminalErrorf("another future has come out")
		}
	}
	var terminal restate.TerminalError = waiting.Err()
	if terminal != nil {
		return "", terminal
	}
	var retryable restate.RetryableError = restate.RetryableErrorf("later")
	if !restate.IsRetryableError(retryable) || restate.AsRetryableError(retryable) == nil {
		return "", restate.TerminalErrorf("a retryable error is none")
	}
	_, _, err := describe()
	return headers.Get("x-from"), err
}
