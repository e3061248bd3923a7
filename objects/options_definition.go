package objects

import (
	"maps"
	"time"

	"github.com/dormouse-run/dormouse/objects/encoding"
)

// DefinitionOptions are the options that a service and a handler have in
// common. The zero value sets nothing: a handler inherits from its service, a
// service from the runtime.
type DefinitionOptions struct {
	// Codec is for input and output; nil inherits, at last JSON.
	Codec encoding.Codec
	// Metadata and Documentation are shown by the admin API.
	Metadata      map[string]string
	Documentation string
	// InactivityTimeout is how long a waiting handler stays in memory, 0 for
	// not at all; AbortTimeout is how long one may go on that should stop.
	InactivityTimeout, AbortTimeout *time.Duration
	// How long a completed invocation is kept; 0 keeps nothing.
	IdempotencyRetention, JournalRetention, WorkflowRetention *time.Duration
	// IngressPrivate refuses requests from outside handlers.
	IngressPrivate *bool
	// EnableLazyState reads state through completions.
	EnableLazyState *bool
	// UnguessableAwakeables keeps awakeable ids from being computed.
	UnguessableAwakeables *bool
	// RetryPolicy is nil to inherit as a whole.
	RetryPolicy *InvocationRetryPolicy
}

// HandlerOptions are the options of a handler.
type HandlerOptions struct {
	DefinitionOptions
	// InputCodec and OutputCodec win over Codec when they are not nil.
	InputCodec, OutputCodec encoding.Codec
}

// ServiceDefinitionOptions are the options of a service.
type ServiceDefinitionOptions struct {
	DefinitionOptions
	// FailOnDeadlock fails calls that can never be answered.
	FailOnDeadlock bool
}

func (o HandlerOptions) clone() HandlerOptions {
	o.Metadata = maps.Clone(o.Metadata)
	if o.RetryPolicy != nil {
		o.RetryPolicy = new(*o.RetryPolicy)
	}
	return o
}

// DefinitionOption is an option of services and of handlers. The zero value
// changes nothing.
type DefinitionOption struct{ apply func(*DefinitionOptions) }

func (o DefinitionOption) applyHandler(h *HandlerOptions) { o.to(&h.DefinitionOptions) }

func (o DefinitionOption) applyServiceDefinition(s *ServiceDefinitionOptions) {
	o.to(&s.DefinitionOptions)
}

func (o DefinitionOption) to(d *DefinitionOptions) {
	if o.apply != nil {
		o.apply(d)
	}
}

// WithInvocationRetryPolicy sets how failed attempts are repeated. Fields that
// no option names stay as they are, or inherit.
func WithInvocationRetryPolicy(opts ...InvocationRetryPolicyOption) DefinitionOption {
	return DefinitionOption{func(d *DefinitionOptions) {
		if d.RetryPolicy == nil {
			d.RetryPolicy = &InvocationRetryPolicy{}
		}
		for _, opt := range opts {
			opt.applyInvocationRetryPolicy(d.RetryPolicy)
		}
	}}
}

// WithInactivityTimeout sets how long a waiting handler stays in memory before
// it is suspended; 0 suspends at every wait. The default is one minute.
func WithInactivityTimeout(d time.Duration) DefinitionOption {
	return DefinitionOption{func(o *DefinitionOptions) { o.InactivityTimeout = &d }}
}

// WithAbortTimeout sets how long a handler that should suspend or stop may keep
// running before its attempt is abandoned. The default is ten minutes.
func WithAbortTimeout(d time.Duration) DefinitionOption {
	return DefinitionOption{func(o *DefinitionOptions) { o.AbortTimeout = &d }}
}

// WithIdempotencyRetention sets how long the result of a request with an
// idempotency key is kept after completion, 24 hours by default.
func WithIdempotencyRetention(d time.Duration) DefinitionOption {
	return DefinitionOption{func(o *DefinitionOptions) { o.IdempotencyRetention = &d }}
}

// WithJournalRetention sets how long the journal of a completed invocation is
// kept, 24 hours by default and never longer than its completion.
func WithJournalRetention(d time.Duration) DefinitionOption {
	return DefinitionOption{func(o *DefinitionOptions) { o.JournalRetention = &d }}
}

// WithWorkflowRetention sets how long result, state and promises of a workflow
// are kept after its run, 24 hours by default. Definitions of services and
// objects panic on it.
func WithWorkflowRetention(d time.Duration) DefinitionOption {
	return DefinitionOption{func(o *DefinitionOptions) { o.WorkflowRetention = &d }}
}

// WithIngressPrivate refuses requests from outside handlers. A handler is
// private when it or its service is.
func WithIngressPrivate(ingressPrivate bool) DefinitionOption {
	return DefinitionOption{func(o *DefinitionOptions) { o.IngressPrivate = &ingressPrivate }}
}

// WithEnableLazyState reads state values when they are asked for instead of
// handing them to the handler at its start.
func WithEnableLazyState(enableLazyState bool) DefinitionOption {
	return DefinitionOption{func(o *DefinitionOptions) { o.EnableLazyState = &enableLazyState }}
}

// WithDocumentation sets the text that the admin API shows.
func WithDocumentation(documentation string) DefinitionOption {
	return DefinitionOption{func(o *DefinitionOptions) { o.Documentation = documentation }}
}

// MetadataOption adds metadata to a terminal error, a service or a handler. The
// zero value adds none.
type MetadataOption struct{ metadata map[string]string }

// WithMetadata adds one name and value.
func WithMetadata(metadataKey string, metadataValue string) MetadataOption {
	return MetadataOption{map[string]string{metadataKey: metadataValue}}
}

// WithMetadataMap adds all names and values of metadata, which is copied.
func WithMetadataMap(metadata map[string]string) MetadataOption {
	return MetadataOption{maps.Clone(metadata)}
}

func (o MetadataOption) addTo(m *map[string]string) {
	if *m == nil {
		*m = make(map[string]string, len(o.metadata))
	}
	maps.Copy(*m, o.metadata)
}

func (o MetadataOption) applyHandler(h *HandlerOptions) { o.addTo(&h.Metadata) }

func (o MetadataOption) applyServiceDefinition(s *ServiceDefinitionOptions) {
	o.addTo(&s.Metadata)
}
