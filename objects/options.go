package objects

import (
	"time"

	"github.com/dormouse-run/dormouse/objects/encoding"
)

// GetOption changes how a state value is read.
type GetOption interface{ applyGet(*getOptions) }

// SetOption changes how a state value is written.
type SetOption interface{ applySet(*setOptions) }

// AwakeableOption changes how the answer of an awakeable is read.
type AwakeableOption interface{ applyAwakeable(*awakeableOptions) }

// ResolveAwakeableOption changes how the answer to an awakeable is written.
type ResolveAwakeableOption interface {
	applyResolveAwakeable(*resolveAwakeableOptions)
}

// SignalOption changes how the value of a signal is read.
type SignalOption interface{ applySignal(*signalOptions) }

// ResolveSignalOption changes how the value of a signal is written.
type ResolveSignalOption interface{ applyResolveSignal(*resolveSignalOptions) }

// PromiseOption changes how the value of a promise is read and written.
type PromiseOption interface{ applyPromise(*promiseOptions) }

// RunOption changes how the closure of a Run is retried and its result stored.
type RunOption interface{ applyRun(*runOptions) }

// SleepOption changes how a timer is recorded.
type SleepOption interface{ applySleep(*sleepOptions) }

// ClientOption changes how a client of a handler encodes and decodes.
type ClientOption interface{ applyClient(*clientOptions) }

// RequestOption changes one call.
type RequestOption interface{ applyRequest(*requestOptions) }

// SendOption changes one send.
type SendOption interface{ applySend(*sendOptions) }

// AttachOption changes how the result of an invocation is read.
type AttachOption interface{ applyAttach(*attachOptions) }

// HandlerOption changes one handler.
type HandlerOption interface{ applyHandler(*HandlerOptions) }

// ServiceDefinitionOption changes a service and what its handlers inherit.
type ServiceDefinitionOption interface {
	applyServiceDefinition(*ServiceDefinitionOptions)
}

// InvocationRetryPolicyOption changes one field of an InvocationRetryPolicy.
type InvocationRetryPolicyOption interface {
	applyInvocationRetryPolicy(*InvocationRetryPolicy)
}

// The positions that know nothing but a codec.
type (
	codecOptions            struct{ codec encoding.Codec }
	getOptions              struct{ codecOptions }
	setOptions              struct{ codecOptions }
	awakeableOptions        struct{ codecOptions }
	resolveAwakeableOptions struct{ codecOptions }
	signalOptions           struct{ codecOptions }
	resolveSignalOptions    struct{ codecOptions }
	promiseOptions          struct{ codecOptions }
	attachOptions           struct{ codecOptions }
)

// runOptions are the options of a Run. Without a policy a retryable error fails
// the attempt.
type runOptions struct {
	name  string
	codec encoding.Codec
	// hasPolicy says that one of the retry options was given; what was not
	// given then has its default.
	hasPolicy bool
	// maxAttempts and maxDuration are unlimited when zero.
	maxAttempts               uint
	initial, max, maxDuration time.Duration
	factor                    float32
}

type sleepOptions struct{ name string }

// clientOptions are the options of a client. Input and output codec are never
// nil once resolved.
type clientOptions struct {
	codec, inputCodec, outputCodec encoding.Codec
	scope                          string
}

// requestOptions are the options of one call.
type requestOptions struct {
	headers map[string]string
	// idempotencyKey is nil when absent.
	idempotencyKey *string
	limitKey       string
	// The codecs are nil unless this call has its own.
	codec, inputCodec, outputCodec encoding.Codec
}

// sendOptions are the options of one send.
type sendOptions struct {
	requestOptions
	// delay is zero to start at once.
	delay time.Duration
}

// Defaults of the retry policy of a Run that was given one of its options.
const (
	defaultRunInitial         = 50 * time.Millisecond
	defaultRunFactor  float32 = 2
	defaultRunMax             = 2 * time.Second
)

// resolve applies opts to a copy of base. It returns early without options: the
// address of the copy moves it to the heap.
func resolve[O, T any](opts []O, base T, apply func(O, *T)) T {
	if len(opts) == 0 {
		return base
	}
	o := base
	for _, opt := range opts {
		apply(opt, &o)
	}
	return o
}

func jsonByDefault() codecOptions { return codecOptions{codec: encoding.JSONCodec} }

func getOptionsOf(opts []GetOption) getOptions {
	return resolve(opts, getOptions{jsonByDefault()}, GetOption.applyGet)
}

func setOptionsOf(opts []SetOption) setOptions {
	return resolve(opts, setOptions{jsonByDefault()}, SetOption.applySet)
}

func awakeableOptionsOf(opts []AwakeableOption) awakeableOptions {
	return resolve(opts, awakeableOptions{jsonByDefault()}, AwakeableOption.applyAwakeable)
}

func resolveAwakeableOptionsOf(opts []ResolveAwakeableOption) resolveAwakeableOptions {
	return resolve(opts, resolveAwakeableOptions{jsonByDefault()}, ResolveAwakeableOption.applyResolveAwakeable)
}

func signalOptionsOf(opts []SignalOption) signalOptions {
	return resolve(opts, signalOptions{jsonByDefault()}, SignalOption.applySignal)
}

func resolveSignalOptionsOf(opts []ResolveSignalOption) resolveSignalOptions {
	return resolve(opts, resolveSignalOptions{jsonByDefault()}, ResolveSignalOption.applyResolveSignal)
}

func promiseOptionsOf(opts []PromiseOption) promiseOptions {
	return resolve(opts, promiseOptions{jsonByDefault()}, PromiseOption.applyPromise)
}

func attachOptionsOf(opts []AttachOption) attachOptions {
	return resolve(opts, attachOptions{jsonByDefault()}, AttachOption.applyAttach)
}

func sleepOptionsOf(opts []SleepOption) sleepOptions {
	return resolve(opts, sleepOptions{}, SleepOption.applySleep)
}

func requestOptionsOf(opts []RequestOption) requestOptions {
	return resolve(opts, requestOptions{}, RequestOption.applyRequest)
}

func sendOptionsOf(opts []SendOption) sendOptions {
	return resolve(opts, sendOptions{}, SendOption.applySend)
}

// runOptionsOf fills the fields of a policy that were not set.
func runOptionsOf(opts []RunOption) runOptions {
	base := runOptions{codec: encoding.JSONCodec, initial: defaultRunInitial, max: defaultRunMax, factor: defaultRunFactor}
	return resolve(opts, base, RunOption.applyRun)
}

// clientOptionsOf resolves the codecs: input and output codec fall back to the
// common one, that one to JSON.
func clientOptionsOf(opts []ClientOption) clientOptions {
	o := resolve(opts, clientOptions{codec: encoding.JSONCodec}, ClientOption.applyClient)
	o.inputCodec = firstCodec(o.inputCodec, o.codec)
	o.outputCodec = firstCodec(o.outputCodec, o.codec)
	return o
}

func firstCodec(codecs ...encoding.Codec) encoding.Codec {
	for _, c := range codecs {
		if c != nil {
			return c
		}
	}
	return encoding.JSONCodec
}
