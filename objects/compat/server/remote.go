package server

import "github.com/dormouse-run/dormouse/httpapi"

// LambdaHandlerFunc handles one event of AWS Lambda. See httpapi.LambdaHandlerFunc.
type LambdaHandlerFunc = httpapi.LambdaHandlerFunc

// LambdaRequest is an event of AWS Lambda.
type LambdaRequest = httpapi.LambdaRequest

// LambdaResponse is the answer to an event of AWS Lambda.
type LambdaResponse = httpapi.LambdaResponse

// ServiceProtocolVersion is a version of the protocol between a server and its
// handlers.
type ServiceProtocolVersion = httpapi.ServiceProtocolVersion

// ServiceDiscoveryProtocolVersion is a version of the protocol by which a server
// learns about handlers.
type ServiceDiscoveryProtocolVersion = httpapi.ServiceDiscoveryProtocolVersion

// Versions of the discovery protocol.
const (
	ServiceDiscoveryProtocolVersion_UNKNOWN = httpapi.ServiceDiscoveryProtocolVersion_UNKNOWN
	ServiceDiscoveryProtocolVersion_V1      = httpapi.ServiceDiscoveryProtocolVersion_V1
	ServiceDiscoveryProtocolVersion_V2      = httpapi.ServiceDiscoveryProtocolVersion_V2
	ServiceDiscoveryProtocolVersion_V3      = httpapi.ServiceDiscoveryProtocolVersion_V3
	ServiceDiscoveryProtocolVersion_V4      = httpapi.ServiceDiscoveryProtocolVersion_V4
)
