package dormousetest

import (
	"log/slog"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/actors"
)

// TestEnvironmentOption changes an environment before it starts.
type TestEnvironmentOption func(*settings)

// settings are what the options say.
type settings struct {
	runtime  actors.Options
	stress   actors.Stress
	quiet    bool
	patience time.Duration
	// ignored are remarks about options that do nothing here.
	ignored []string
}

func newSettings(t *testing.T, options []TestEnvironmentOption) settings {
	t.Helper()
	var s settings
	for _, o := range options {
		o(&s)
	}
	own := &s.runtime.Stress
	own.SuspendAtEveryWait = own.SuspendAtEveryWait || s.stress.SuspendAtEveryWait
	own.EvictTimers = own.EvictTimers || s.stress.EvictTimers
	own.LazyState = own.LazyState || s.stress.LazyState
	for _, remark := range s.ignored {
		t.Log(remark)
	}
	return s
}

// DisableRestateLogs keeps the runtime and the handlers from logging. Otherwise
// they log to the test. It is a variable because Restate's is; nothing changes it.
var DisableRestateLogs TestEnvironmentOption = func(s *settings) { s.quiet = true }

// WithRestateEnv does nothing: there is no server that reads the environment. It
// exists for tests written for Restate's package, and says in the log of the
// test which variables have no effect.
func WithRestateEnv(env map[string]string) TestEnvironmentOption {
	return func(s *settings) {
		for _, name := range slices.Sorted(maps.Keys(env)) {
			s.ignored = append(s.ignored, "WithRestateEnv: "+name+" has no effect on an embedded runtime: see WithRuntime")
		}
	}
}

// WithRestateImage does nothing, except for a line in the log of the test: there
// is no container.
func WithRestateImage(image string) TestEnvironmentOption {
	return func(s *settings) {
		s.ignored = append(s.ignored, "WithRestateImage: "+image+" is not used, the runtime is embedded")
	}
}

// WithRuntime sets options of the runtime, for example shorter retry intervals
// under Defaults. Its Store, Services and Scheduler are those of the environment;
// without a Logger the runtime logs to the test.
func WithRuntime(o actors.Options) TestEnvironmentOption {
	return func(s *settings) { s.runtime = o }
}

// SuspendAtEveryWait unloads every handler whenever it waits, as an inactivity
// timeout of 0 for all services does. So it is run from its beginning after every
// wait, which shows code that is not deterministic.
func SuspendAtEveryWait() TestEnvironmentOption {
	return func(s *settings) { s.stress.SuspendAtEveryWait = true }
}

// EvictTimers keeps about one timer in memory: all others are read from the
// store before they are due.
func EvictTimers() TestEnvironmentOption {
	return func(s *settings) { s.stress.EvictTimers = true }
}

// LazyState lets all handlers read state one value at a time, as with
// WithEnableLazyState.
func LazyState() TestEnvironmentOption {
	return func(s *settings) { s.stress.LazyState = true }
}

// WithPatience bounds how long the test may take, on the clock of the
// environment. When it is over the test fails, with a list of the invocations
// that have not ended, and the runtime is killed so that what waits for it
// returns. The default is 30 days for Run; Start ends a little before the
// timeout of go test, if there is one.
func WithPatience(d time.Duration) TestEnvironmentOption {
	return func(s *settings) { s.patience = d }
}

// logger is where the runtime logs to.
func (s *settings) logger(out *testOutput) *slog.Logger {
	switch {
	case s.quiet:
		return slog.New(slog.DiscardHandler)
	case s.runtime.Logger != nil:
		return s.runtime.Logger
	default:
		return slog.New(slog.NewTextHandler(out, nil))
	}
}
