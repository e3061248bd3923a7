package conformance_test

import (
	"slices"
	"syscall"
	"testing"

	"github.com/dormouse-run/dormouse/objects/ingress"
)

const version = "E2E_UPGRADETEST_VERSION"

// TestAnInvocationWaitsForTheVersionThatItFits starts in one version, meets
// another one, and ends when the first one is back.
func TestAnInvocationWaitsForTheVersionThatItFits(t *testing.T) {
	t.Parallel()
	c := startChild(t, byDefault, t.TempDir(), version+"=v1")
	sent, err := ingress.Service[none, string](c.c, "UpgradeTest", "executeComplex").Send(c.ctx, none{})
	if err != nil {
		t.Fatal(err)
	}
	c.eventually("it waits", func() bool { return call[bool](c.world, "AwakeableHolder", "upgrade", "hasAwakeable", none{}) })
	c.end(syscall.SIGTERM)

	c = startChild(t, byDefault, c.dir, version+"=v2")
	equal(t, "the version", callService[string](c.world, "UpgradeTest", "executeSimple", none{}), "v2")
	call[none](c.world, "AwakeableHolder", "upgrade", "unlock", "go on")
	c.eventually("it fails in the other version", func() bool {
		return c.view(sent.Id()).LastFailure.Message != ""
	})
	c.end(syscall.SIGTERM)

	c = startChild(t, byDefault, c.dir, version+"=v1")
	equal(t, "the version", attach(c.world, ingress.InvocationById[string](c.c, sent.Id())), "v1")
	c.eventually("the version is listed", func() bool {
		return slices.Equal(call[[]string](c.world, "ListObject", "upgrade-test", "get", none{}), []string{"v1"})
	})
}
