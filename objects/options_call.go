package objects

import (
	"maps"
	"time"

	"github.com/dormouse-run/dormouse/objects/encoding"
)

// IngressOptions is what the options of a request, a send, a handle or a client
// of package ingress add up to. The zero value has no option set. It is
// exported for that package.
type IngressOptions struct {
	// Codec is for both directions, nil for the default; InputCodec and
	// OutputCodec win over it when they are not nil.
	Codec, InputCodec, OutputCodec encoding.Codec
	// Headers are sent along, with their case.
	Headers map[string]string
	// IdempotencyKey is absent when nil or empty.
	IdempotencyKey *string
	// LimitKey needs flow control when it is not empty.
	LimitKey string
	// Delay is nil to start at once.
	Delay *time.Duration
}

// ScopeOf returns the scope that opts name, or "". It is exported for package
// ingress, whose constructors take the options of a client in a handler.
func ScopeOf(opts []ClientOption) string { return clientOptionsOf(opts).scope }

// ResolveAwakeableCodec returns the codec that opts name, else codec. It is
// exported for package ingress, which takes the options of a handler.
func ResolveAwakeableCodec(codec encoding.Codec, opts []ResolveAwakeableOption) encoding.Codec {
	base := resolveAwakeableOptions{codecOptions{firstCodec(codec)}}
	return resolve(opts, base, ResolveAwakeableOption.applyResolveAwakeable).codec
}

// ResolveSignalCodec is ResolveAwakeableCodec for signals.
func ResolveSignalCodec(codec encoding.Codec, opts []ResolveSignalOption) encoding.Codec {
	base := resolveSignalOptions{codecOptions{firstCodec(codec)}}
	return resolve(opts, base, ResolveSignalOption.applyResolveSignal).codec
}

// CallOption is an option of calls and sends, from handlers and from package
// ingress. The zero value changes nothing.
type CallOption struct {
	headers        map[string]string
	idempotencyKey *string
	limitKey       *string
}

// WithHeaders sends headers along. Their case is kept, headers of the own
// request are not inherited, and a second WithHeaders adds to the first. The map
// is copied.
func WithHeaders(headers map[string]string) CallOption {
	return CallOption{headers: maps.Clone(headers)}
}

// WithIdempotencyKey makes requests with the same target and key one
// invocation: the later ones get its result. The key has at most 1024 bytes; an
// empty one counts as absent outside handlers.
func WithIdempotencyKey(idempotencyKey string) CallOption {
	return CallOption{idempotencyKey: &idempotencyKey}
}

// WithLimitKey names the limit under which a request counts. This runtime has
// no flow control: a key that is not empty is refused with code 400.
func WithLimitKey(limitKey string) CallOption { return CallOption{limitKey: &limitKey} }

func (o CallOption) apply(headers *map[string]string, idempotencyKey **string, limitKey *string) {
	if *headers == nil {
		*headers = o.headers
	} else if len(o.headers) > 0 {
		merged := maps.Clone(*headers)
		maps.Copy(merged, o.headers)
		*headers = merged
	}
	if o.idempotencyKey != nil {
		*idempotencyKey = o.idempotencyKey
	}
	if o.limitKey != nil {
		*limitKey = *o.limitKey
	}
}

func (o CallOption) applyRequest(r *requestOptions) {
	o.apply(&r.headers, &r.idempotencyKey, &r.limitKey)
}

func (o CallOption) applySend(s *sendOptions) { o.applyRequest(&s.requestOptions) }

// ApplyIngressRequest implements the request option of package ingress.
func (o CallOption) ApplyIngressRequest(i *IngressOptions) {
	o.apply(&i.Headers, &i.IdempotencyKey, &i.LimitKey)
}

// ApplyIngressSend implements the send option of package ingress.
func (o CallOption) ApplyIngressSend(i *IngressOptions) { o.ApplyIngressRequest(i) }

// DelayOption is what WithDelay returns. The zero value starts at once.
type DelayOption struct{ delay time.Duration }

// WithDelay lets the delay pass before a sent invocation enters the queue of its
// key. The runtime computes the start. A delay that is not positive starts at
// once.
func WithDelay(delay time.Duration) DelayOption { return DelayOption{max(delay, 0)} }

func (o DelayOption) applySend(s *sendOptions) { s.delay = o.delay }

// ApplyIngressSend implements the send option of package ingress.
func (o DelayOption) ApplyIngressSend(i *IngressOptions) { i.Delay = &o.delay }

type scopeOption string

// WithScope names the scope of a client. This runtime has no flow control: a
// scope that is not empty makes every request end with a terminal error, code
// 400.
func WithScope(scope string) ClientOption { return scopeOption(scope) }

func (o scopeOption) applyClient(c *clientOptions) { c.scope = string(o) }

// NameOption is what WithName returns.
type NameOption struct{ name string }

// WithName names a Run or a timer in the journal, in logs and in introspection.
// Replay compares names. A name has at most 255 bytes.
func WithName(name string) NameOption { return NameOption{name} }

func (o NameOption) applyRun(r *runOptions)     { r.name = o.name }
func (o NameOption) applySleep(s *sleepOptions) { s.name = o.name }
