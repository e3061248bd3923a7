package services

import (
	"os"

	restate "github.com/dormouse-run/dormouse/objects"
)

// envVersion says which version of the code a process is.
const envVersion = "E2E_UPGRADETEST_VERSION"

// upgradeTest is a service that tells which version has run it.
func upgradeTest() restate.ServiceDefinition {
	return restate.NewService("UpgradeTest").
		Handler("executeSimple", restate.NewServiceHandler(executeSimple)).
		Handler("executeComplex", restate.NewServiceHandler(executeComplex))
}

func executeSimple(restate.Context, restate.Void) (string, error) { return version(), nil }

// executeComplex starts in version v1 and waits there. Another version makes it
// fail and be tried again, until the old one is back.
func executeComplex(ctx restate.Context, _ restate.Void) (string, error) {
	if version() != "v1" {
		return "", restate.RetryableErrorf("executeComplex was started by version v1 and meets %q: start the process with %s=v1", version(), envVersion)
	}
	if err := holdAndAwait(ctx, "upgrade"); err != nil {
		return "", err
	}
	restate.ObjectSend(ctx, nameListObject, "upgrade-test", "append").Send(version())
	return version(), nil
}

func version() string { return os.Getenv(envVersion) }
