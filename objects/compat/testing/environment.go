package testing

import (
	"testing"

	"github.com/dormouse-run/dormouse/httpapi/dormousetest"
	"github.com/restatedev/sdk-go"
	"github.com/restatedev/sdk-go/server"
)

// TestEnvironment is a runtime inside a test. See dormousetest.TestEnvironment.
type TestEnvironment = dormousetest.TestEnvironment

// TestEnvironmentOption changes a test environment.
type TestEnvironmentOption = dormousetest.TestEnvironmentOption

// Start serves the definitions until the test ends.
func Start(t *testing.T, services ...restate.ServiceDefinition) *TestEnvironment {
	t.Helper()
	return dormousetest.Start(t, services...)
}

// StartWithOptions serves what is bound to restateSrv until the test ends.
func StartWithOptions(t *testing.T, restateSrv *server.Restate, opts ...TestEnvironmentOption) *TestEnvironment {
	t.Helper()
	return dormousetest.StartWithOptions(t, restateSrv, opts...)
}

// WithRestateEnv sets variables of the environment. See
// dormousetest.WithRestateEnv.
func WithRestateEnv(env map[string]string) TestEnvironmentOption {
	return dormousetest.WithRestateEnv(env)
}

// WithRestateImage names the image of a container. There is none here.
func WithRestateImage(image string) TestEnvironmentOption {
	return dormousetest.WithRestateImage(image)
}

// DisableRestateLogs keeps the logs of the runtime out of the test.
var DisableRestateLogs = dormousetest.DisableRestateLogs
