package dormousetest_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/dormouse-run/dormouse/httpapi/dormousetest"
)

// TestNothingIsLeftAfterTheTest looks at all goroutines of the process, so it is
// not parallel.
func TestNothingIsLeftAfterTheTest(t *testing.T) {
	before := goleak.IgnoreCurrent()
	d := &desk{}
	body := func(t *testing.T, env *dormousetest.Env) {
		add(t, env, 1, 1)
		later(t.Context(), env, "alice", "a laptop")
		waiting(t, env, "alice")
		env.Crash()
		add(t, env, 1, 2)
		env.Restart()
		later(t.Context(), env, "bob", "a lamp")
		waiting(t, env, "bob")
	}
	t.Run("in memory", func(t *testing.T) {
		dormousetest.Run(t, func(t *testing.T, env *dormousetest.Env) { env.Bind(d.definition()); body(t, env) })
	})
	t.Run("on disk", func(t *testing.T) { body(t, dormousetest.Start(t, d.definition())) })
	goleak.VerifyNone(t, before)
}
