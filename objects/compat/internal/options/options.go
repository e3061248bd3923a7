package options

import (
	"github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

// The options by what they change. Package restate has most of them under the
// same name.
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

// The options of requests from outside a handler.
type (
	// IngressClientOption changes a client.
	IngressClientOption = ingress.ClientOption
	// IngressRequestOption changes one request.
	IngressRequestOption = ingress.RequestOption
	// IngressSendOption changes one send.
	IngressSendOption = ingress.SendOption
	// IngressInvocationHandleOption changes how the result of an invocation is
	// read.
	IngressInvocationHandleOption = ingress.InvocationHandleOption
)

// HandlerOptions are the options of a handler.
type HandlerOptions = objects.HandlerOptions

// ServiceDefinitionOptions are the options of a service.
type ServiceDefinitionOptions = objects.ServiceDefinitionOptions

// InvocationRetryPolicy says how failed attempts are repeated; nil inherits.
type InvocationRetryPolicy = objects.InvocationRetryPolicy

// OnMaxAttempts says what happens after the last attempt.
type OnMaxAttempts = objects.OnMaxAttempts

// What happens after the last attempt.
const (
	// OnMaxAttemptsPause pauses the invocation.
	OnMaxAttemptsPause = objects.OnMaxAttemptsPause
	// OnMaxAttemptsKill ends it with its last error.
	OnMaxAttemptsKill = objects.OnMaxAttemptsKill
)
