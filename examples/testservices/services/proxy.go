package services

import (
	"time"

	restate "github.com/dormouse-run/dormouse/objects"
)

// ByteArray is bytes as a JSON array of numbers; Go itself writes base64. It
// reads what languages with signed bytes write.
type ByteArray []int

func bytesOf(a ByteArray) []byte {
	b := make([]byte, len(a))
	for i, n := range a {
		b[i] = byte(n)
	}
	return b
}

func byteArrayOf(b []byte) ByteArray {
	a := make(ByteArray, len(b))
	for i, n := range b {
		a[i] = int(n)
	}
	return a
}

// ProxyRequest names a handler and what to send to it.
type ProxyRequest struct {
	ServiceName string `json:"serviceName"`
	// VirtualObjectKey is nil for a service.
	VirtualObjectKey *string `json:"virtualObjectKey,omitempty"`
	HandlerName      string  `json:"handlerName"`
	// Message is the input as it stands.
	Message ByteArray `json:"message"`
	// DelayMillis is for sends.
	DelayMillis    int64   `json:"delayMillis,omitempty"`
	IdempotencyKey *string `json:"idempotencyKey,omitempty"`
	Scope          string  `json:"scope,omitempty"`
	LimitKey       string  `json:"limitKey,omitempty"`
}

// ManyCallRequest is one of many requests.
type ManyCallRequest struct {
	ProxyRequest ProxyRequest `json:"proxyRequest"`
	// OneWayCall sends instead of calling.
	OneWayCall bool `json:"oneWayCall"`
	// AwaitAtTheEnd waits for the result once all requests are made.
	AwaitAtTheEnd bool `json:"awaitAtTheEnd"`
}

// proxy is a service that calls any handler with any bytes.
func proxy() restate.ServiceDefinition {
	return restate.NewService("Proxy").
		Handler("call", restate.NewServiceHandler(proxyCall)).
		Handler("oneWayCall", restate.NewServiceHandler(proxySend)).
		Handler("manyCalls", restate.NewServiceHandler(proxyMany))
}

func proxyCall(ctx restate.Context, r ProxyRequest) (ByteArray, error) {
	result, err := r.client(ctx).Request(bytesOf(r.Message), r.requestOptions()...)
	return byteArrayOf(result), err
}

// proxySend returns the id of what it sent.
func proxySend(ctx restate.Context, r ProxyRequest) (string, error) {
	return r.client(ctx).Send(bytesOf(r.Message), r.sendOptions()...).GetInvocationId(), nil
}

// proxyMany makes all requests in their order, and then waits for those that
// are to be waited for.
func proxyMany(ctx restate.Context, requests []ManyCallRequest) (restate.Void, error) {
	var waits []restate.ResponseFuture[[]byte]
	for _, many := range requests {
		r := many.ProxyRequest
		if many.OneWayCall {
			r.client(ctx).Send(bytesOf(r.Message), r.sendOptions()...)
			continue
		}
		called := r.client(ctx).RequestFuture(bytesOf(r.Message), r.requestOptions()...)
		if many.AwaitAtTheEnd {
			waits = append(waits, called)
		}
	}
	for _, called := range waits {
		if _, err := called.Response(); err != nil {
			return restate.Void{}, err
		}
	}
	return restate.Void{}, nil
}

func (r *ProxyRequest) client(ctx restate.Context) restate.Client[any, []byte] {
	options := []restate.ClientOption{restate.WithBinary}
	if r.Scope != "" {
		options = append(options, restate.WithScope(r.Scope))
	}
	if r.VirtualObjectKey == nil {
		return restate.Service[[]byte](ctx, r.ServiceName, r.HandlerName, options...)
	}
	return restate.Object[[]byte](ctx, r.ServiceName, *r.VirtualObjectKey, r.HandlerName, options...)
}

func (r *ProxyRequest) callOptions() (options []restate.CallOption) {
	if r.IdempotencyKey != nil {
		options = append(options, restate.WithIdempotencyKey(*r.IdempotencyKey))
	}
	if r.LimitKey != "" {
		options = append(options, restate.WithLimitKey(r.LimitKey))
	}
	return options
}

func (r *ProxyRequest) requestOptions() (options []restate.RequestOption) {
	for _, o := range r.callOptions() {
		options = append(options, o)
	}
	return options
}

func (r *ProxyRequest) sendOptions() (options []restate.SendOption) {
	for _, o := range r.callOptions() {
		options = append(options, o)
	}
	if r.DelayMillis > 0 {
		options = append(options, restate.WithDelay(time.Duration(r.DelayMillis)*time.Millisecond))
	}
	return options
}
