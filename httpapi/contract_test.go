package httpapi_test

import (
	"context"
	"log/slog"
	"net/http"
	"testing"

	"github.com/dormouse-run/dormouse/httpapi"
	restate "github.com/dormouse-run/dormouse/objects"
)

// The names and signatures of the server type that programs are compiled
// against.
var (
	_ func() *httpapi.Restate                                                      = httpapi.NewRestate
	_ func(*httpapi.Restate, restate.ServiceDefinition) *httpapi.Restate           = (*httpapi.Restate).Bind
	_ func(*httpapi.Restate, context.Context, string) error                        = (*httpapi.Restate).Start
	_ func(*httpapi.Restate, slog.Handler, bool) *httpapi.Restate                  = (*httpapi.Restate).WithLogger
	_ func(*httpapi.Restate) (http.HandlerFunc, error)                             = (*httpapi.Restate).Handler
	_ func(*httpapi.Restate, bool) *httpapi.Restate                                = (*httpapi.Restate).Bidirectional
	_ func(*httpapi.Restate, ...string) *httpapi.Restate                           = (*httpapi.Restate).WithIdentityV1
	_ func(*httpapi.Restate) (httpapi.LambdaHandlerFunc, error)                    = (*httpapi.Restate).LambdaHandler
	_ func(context.Context, httpapi.LambdaRequest) (httpapi.LambdaResponse, error) = httpapi.LambdaHandlerFunc(nil)

	_ = httpapi.LambdaRequest{Path: "", RawPath: "", Body: "", IsBase64Encoded: false, Headers: map[string]string{}}
	_ = httpapi.LambdaResponse{StatusCode: 0, Headers: map[string]string{}, Body: "", IsBase64Encoded: false}
	_ = httpapi.ServiceProtocolVersion(int32(0))
)

func TestVersionsHaveTheNumbersOfTheContract(t *testing.T) {
	t.Parallel()
	for want, got := range []httpapi.ServiceDiscoveryProtocolVersion{
		httpapi.ServiceDiscoveryProtocolVersion_UNKNOWN, httpapi.ServiceDiscoveryProtocolVersion_V1, httpapi.ServiceDiscoveryProtocolVersion_V2,
		httpapi.ServiceDiscoveryProtocolVersion_V3, httpapi.ServiceDiscoveryProtocolVersion_V4,
	} {
		if int32(got) != int32(want) {
			t.Errorf("version %d is %d", want, got)
		}
	}
}
