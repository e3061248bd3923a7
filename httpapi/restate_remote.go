package httpapi

import (
	"context"
	"errors"
)

// ServiceProtocolVersion is a version of the protocol between a server and an
// endpoint of handlers. Handlers are embedded here, so no version is spoken.
type ServiceProtocolVersion int32

// ServiceDiscoveryProtocolVersion is a version of the protocol by which a server
// asks an endpoint for its handlers. None is spoken here.
type ServiceDiscoveryProtocolVersion int32

// Versions of the discovery protocol, under the names of the original.
const (
	ServiceDiscoveryProtocolVersion_UNKNOWN ServiceDiscoveryProtocolVersion = iota
	ServiceDiscoveryProtocolVersion_V1
	ServiceDiscoveryProtocolVersion_V2
	ServiceDiscoveryProtocolVersion_V3
	ServiceDiscoveryProtocolVersion_V4
)

// Bidirectional changes nothing: there is no connection between the runtime and
// its handlers that could be of one or two directions.
func (r *Restate) Bidirectional(_ bool) *Restate { return r }

// WithIdentityV1 changes nothing: the keys tell an endpoint which server may
// call it, and embedded handlers are called by this process alone.
func (r *Restate) WithIdentityV1(_ ...string) *Restate { return r }

// LambdaHandlerFunc serves an endpoint of handlers as a function of AWS Lambda.
type LambdaHandlerFunc func(ctx context.Context, event LambdaRequest) (LambdaResponse, error)

// LambdaRequest is an HTTP request as AWS Lambda hands it over.
type LambdaRequest struct {
	// Path and RawPath are the path, decoded and as it came.
	Path    string `json:"path"`
	RawPath string `json:"rawPath"`
	// Body is the body, in base64 when IsBase64Encoded.
	Body            string `json:"body"`
	IsBase64Encoded bool   `json:"isBase64Encoded"`
	// Headers are the headers; repeated ones are joined by commas.
	Headers map[string]string `json:"headers"`
}

// LambdaResponse is an HTTP response as AWS Lambda takes it.
type LambdaResponse struct {
	// StatusCode is the HTTP status.
	StatusCode int `json:"statusCode"`
	// Headers are the headers.
	Headers map[string]string `json:"headers"`
	// Body is the body, in base64 when IsBase64Encoded.
	Body            string `json:"body"`
	IsBase64Encoded bool   `json:"isBase64Encoded"`
}

// errNoLambda: the runtime needs a disk of its own, and a process that stays.
var errNoLambda = errors.New("an embedded runtime cannot run as a Lambda function: it needs a data directory and a process that stays; run it as a program")

// LambdaHandler returns an error that says what to do instead.
func (r *Restate) LambdaHandler() (LambdaHandlerFunc, error) { return nil, errNoLambda }
