package restate

import (
	"time"

	"github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/encoding"
)

// The options by what they change. Programs combine them; they do not implement
// them.
type (
	// GetOption changes how a state value is read.
	GetOption = objects.GetOption
	// SetOption changes how a state value is written.
	SetOption = objects.SetOption
	// AwakeableOption changes how the answer of an awakeable is read.
	AwakeableOption = objects.AwakeableOption
	// ResolveAwakeableOption changes how the answer to an awakeable is written.
	ResolveAwakeableOption = objects.ResolveAwakeableOption
	// SignalOption changes how the value of a signal is read.
	SignalOption = objects.SignalOption
	// ResolveSignalOption changes how the value of a signal is written.
	ResolveSignalOption = objects.ResolveSignalOption
	// PromiseOption changes how the value of a promise is read and written.
	PromiseOption = objects.PromiseOption
	// RunOption changes how a closure is retried and its result stored.
	RunOption = objects.RunOption
	// SleepOption changes how a timer is recorded.
	SleepOption = objects.SleepOption
	// ClientOption changes how a client encodes and decodes.
	ClientOption = objects.ClientOption
	// RequestOption changes one call.
	RequestOption = objects.RequestOption
	// SendOption changes one send.
	SendOption = objects.SendOption
	// AttachOption changes how the result of an invocation is read.
	AttachOption = objects.AttachOption
	// HandlerOption changes one handler.
	HandlerOption = objects.HandlerOption
	// ServiceDefinitionOption changes a service and what its handlers inherit.
	ServiceDefinitionOption = objects.ServiceDefinitionOption
	// InvocationRetryPolicyOption changes one field of an InvocationRetryPolicy.
	InvocationRetryPolicyOption = objects.InvocationRetryPolicyOption
)

// InvocationRetryPolicy says how failed attempts are repeated; nil inherits.
type InvocationRetryPolicy = objects.InvocationRetryPolicy

// OnMaxAttempts says what happens after the last attempt.
type OnMaxAttempts = objects.OnMaxAttempts

// The codecs as options, for every position that has one.
var (
	// WithJSON is JSON, the default.
	WithJSON = objects.WithJSON
	// WithBinary takes and gives []byte as it is.
	WithBinary = objects.WithBinary
	// WithProto is the binary form of protocol buffers.
	WithProto = objects.WithProto
	// WithProtoJSON is the JSON form of protocol buffers.
	WithProtoJSON = objects.WithProtoJSON
)

// WithCodec sets the codec.
func WithCodec(codec encoding.Codec) objects.CodecOption { return objects.WithCodec(codec) }

// WithInputCodec sets the codec of the input.
func WithInputCodec(codec encoding.Codec) objects.DirectionOption {
	return objects.WithInputCodec(codec)
}

// WithOutputCodec sets the codec of the output.
func WithOutputCodec(codec encoding.Codec) objects.DirectionOption {
	return objects.WithOutputCodec(codec)
}

// WithName names a Run or a timer in its journal.
func WithName(name string) objects.NameOption { return objects.WithName(name) }

// WithMaxRetryAttempts bounds the attempts, the first one included.
func WithMaxRetryAttempts(maxAttempts uint) objects.RetryOption {
	return objects.WithMaxRetryAttempts(maxAttempts)
}

// WithInitialRetryInterval sets the delay after the first failure.
func WithInitialRetryInterval(d time.Duration) objects.RetryOption {
	return objects.WithInitialRetryInterval(d)
}

// WithMaxRetryInterval bounds the delay.
func WithMaxRetryInterval(d time.Duration) objects.RetryOption {
	return objects.WithMaxRetryInterval(d)
}

// WithRetryIntervalFactor sets what each further delay is multiplied with.
func WithRetryIntervalFactor(f float32) objects.RetryOption {
	return objects.WithRetryIntervalFactor(f)
}

// WithMaxRetryDuration bounds the time of all attempts of a Run.
func WithMaxRetryDuration(d time.Duration) RunOption { return objects.WithMaxRetryDuration(d) }

// WithInvocationRetryPolicy sets how failed attempts of a handler are repeated.
func WithInvocationRetryPolicy(opts ...InvocationRetryPolicyOption) objects.DefinitionOption {
	return objects.WithInvocationRetryPolicy(opts...)
}

// PauseOnMaxAttempts pauses an invocation after its last attempt.
func PauseOnMaxAttempts() InvocationRetryPolicyOption { return objects.PauseOnMaxAttempts() }

// KillOnMaxAttempts ends an invocation after its last attempt, with its error.
func KillOnMaxAttempts() InvocationRetryPolicyOption { return objects.KillOnMaxAttempts() }

// WithInactivityTimeout sets how long a waiting handler stays in memory; 0
// suspends it at every wait.
func WithInactivityTimeout(inactivityTimeout time.Duration) objects.DefinitionOption {
	return objects.WithInactivityTimeout(inactivityTimeout)
}

// WithAbortTimeout sets how long a handler that should stop may go on.
func WithAbortTimeout(abortTimeout time.Duration) objects.DefinitionOption {
	return objects.WithAbortTimeout(abortTimeout)
}

// WithIdempotencyRetention sets how long the result of a request with an
// idempotency key is kept.
func WithIdempotencyRetention(idempotencyRetention time.Duration) objects.DefinitionOption {
	return objects.WithIdempotencyRetention(idempotencyRetention)
}

// WithJournalRetention sets how long the journal of a completed invocation is
// kept.
func WithJournalRetention(journalRetention time.Duration) objects.DefinitionOption {
	return objects.WithJournalRetention(journalRetention)
}

// WithWorkflowRetention sets how long a workflow is kept after its run.
func WithWorkflowRetention(workflowCompletionRetention time.Duration) objects.DefinitionOption {
	return objects.WithWorkflowRetention(workflowCompletionRetention)
}

// WithIngressPrivate refuses requests from outside handlers.
func WithIngressPrivate(ingressPrivate bool) objects.DefinitionOption {
	return objects.WithIngressPrivate(ingressPrivate)
}

// WithEnableLazyState reads state values when they are asked for.
func WithEnableLazyState(enableLazyState bool) objects.DefinitionOption {
	return objects.WithEnableLazyState(enableLazyState)
}

// WithDocumentation sets the text that the admin API shows.
func WithDocumentation(documentation string) objects.DefinitionOption {
	return objects.WithDocumentation(documentation)
}

// WithHeaders sets the headers of a call or send.
func WithHeaders(headers map[string]string) objects.CallOption { return objects.WithHeaders(headers) }

// WithIdempotencyKey sets the idempotency key of a call or send.
func WithIdempotencyKey(idempotencyKey string) objects.CallOption {
	return objects.WithIdempotencyKey(idempotencyKey)
}

// WithLimitKey sets the limit key of a call or send.
func WithLimitKey(limitKey string) objects.CallOption { return objects.WithLimitKey(limitKey) }

// WithDelay starts what is sent later.
func WithDelay(delay time.Duration) objects.DelayOption { return objects.WithDelay(delay) }

// WithScope sets the scope of a client.
func WithScope(scope string) ClientOption { return objects.WithScope(scope) }
