package ingress

import (
	"net/http"
	"strings"

	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/encoding"
)

// Client calls handlers of one runtime. It may be used concurrently and needs
// no closing.
type Client struct {
	transport Transport
	codec     encoding.Codec
}

// ClientOption changes a client that NewClient makes: WithHttpClient,
// WithAuthKey, WithAdminURL, WithAdminAuthKey, or a codec of package objects.
type ClientOption interface {
	// ApplyIngressClient is for this package and package objects.
	ApplyIngressClient(*restate.IngressOptions)
}

// RequestOption changes one request; package objects makes them.
type RequestOption interface {
	// ApplyIngressRequest is for this package and package objects.
	ApplyIngressRequest(*restate.IngressOptions)
}

// SendOption changes one send; package objects makes them.
type SendOption interface {
	// ApplyIngressSend is for this package and package objects.
	ApplyIngressSend(*restate.IngressOptions)
}

// InvocationHandleOption changes how a result is decoded; package objects makes
// them.
type InvocationHandleOption interface {
	// ApplyInvocationHandle is for this package and package objects.
	ApplyInvocationHandle(*restate.IngressOptions)
}

// NewClient returns a client that speaks HTTP to the ingress at baseUri, for
// example http://127.0.0.1:8080; without the scheme every request fails. Nothing is sent before the first request;
// payloads are JSON unless a codec is given.
func NewClient(baseUri string, opts ...ClientOption) *Client {
	t := &httpTransport{base: strings.TrimRight(baseUri, "/"), client: http.DefaultClient}
	options := restate.IngressOptions{Codec: encoding.JSONCodec}
	for _, opt := range opts {
		opt.ApplyIngressClient(&options)
		if o, ok := opt.(transportOption); ok {
			o(t)
		}
	}
	return &Client{transport: t, codec: options.Codec}
}

// NewInProcess returns a client that reaches a runtime through t.
func NewInProcess(t Transport) *Client {
	return &Client{transport: t, codec: encoding.JSONCodec}
}

// transportOption is an option of the HTTP transport.
type transportOption func(*httpTransport)

// ApplyIngressClient does nothing: the option is not about encoding.
func (transportOption) ApplyIngressClient(*restate.IngressOptions) {}

// WithHttpClient sends the requests through c; the default is
// http.DefaultClient. Calls and attaches wait as long as the handler takes, so a
// timeout of c cuts them short.
func WithHttpClient(c *http.Client) ClientOption {
	return transportOption(func(t *httpTransport) { t.client = c })
}

// WithAuthKey sends the header Authorization: Bearer authKey to the ingress.
func WithAuthKey(authKey string) ClientOption {
	return transportOption(func(t *httpTransport) { t.authKey = authKey })
}

// WithAdminURL gives the address of the admin port, for example
// http://127.0.0.1:9070. Cancel, Kill, Pause, Resume and Purge need it.
func WithAdminURL(adminURL string) ClientOption {
	return transportOption(func(t *httpTransport) { t.admin = strings.TrimRight(adminURL, "/") })
}

// WithAdminAuthKey sends the header Authorization: Bearer authKey to the admin
// port, which has a key of its own.
func WithAdminAuthKey(authKey string) ClientOption {
	return transportOption(func(t *httpTransport) { t.adminAuthKey = authKey })
}
