package actors

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/persistence"
)

// Options of a Runtime. The zero value works: it serves nothing from memory.
//
//	Store                  an in-memory store, which forgets everything
//	Services               none
//	Clock, Scheduler       the operating system's
//	Random                 crypto/rand
//	Logger                 slog.Default()
//	Defaults               objects.DefaultSettings: inactivity 1 min, abort 10 min, retentions 24 h,
//	                       retries 500 ms × 2 up to 1 min, 70 attempts, then pause
//	InactivityTimeout      that of Defaults
//	AbortTimeout           that of Defaults
//	CloseGrace             10 s
//	MaxPayload             32 MiB
//	MaxRunningHandlers     1,024
//	MaxLiveActors          10,000
//	MaxHotWaiters          4,096
//	MaxUndurable           8 MiB
//	MaxConcurrentRequests  100,000
//	MaxRequestBytes        1 GiB
//	MaxCommitQueue         65,536
//	Linger                 10 s
//	HogTimeout             1 min
//	MaxEventStreams        64
//	EventBuffer            8,192
//	Stress                 none
type Options struct {
	// Store keeps everything. Close closes it.
	Store persistence.Store
	// Services are bound under their names. They must not be changed any more.
	Services []objects.ServiceDefinition
	// Clock and Scheduler are the time and the goroutines of the runtime.
	Clock     Clock
	Scheduler Scheduler
	// Random is the source of ids, seeds and jitter. Ids of invocations are
	// secrets of a kind, so it should be one that nobody can predict. It is
	// read by one goroutine at a time.
	Random io.Reader
	// Logger gets what the runtime has to say, and what handlers log; nil takes
	// slog.Default().
	Logger *slog.Logger
	// LogReplay lets handlers log while their journal is replayed.
	LogReplay bool

	// Defaults apply to handlers whose definitions say nothing.
	Defaults *objects.Settings
	// InactivityTimeout replaces that of Defaults when it is not 0: how long a
	// waiting handler stays in memory. A negative one suspends at every wait.
	InactivityTimeout time.Duration
	// AbortTimeout replaces that of Defaults when it is not 0: how long code
	// that should have ended may hold up the next attempt, or its key.
	AbortTimeout time.Duration
	// CloseGrace is the same for code of killed invocations, and for all code
	// when the runtime stops.
	CloseGrace time.Duration

	// MaxPayload bounds one value: a body, a result, a state value, a
	// parameter.
	MaxPayload int
	// MaxRunningHandlers bounds the handlers that execute user code at the same
	// time. Waiting ones, and closures of Run, do not count.
	MaxRunningHandlers int
	// MaxLiveActors is about how many keys are kept in memory while they have
	// nothing to do; keys that have are not counted out.
	MaxLiveActors int
	// MaxHotWaiters bounds the handlers that wait in memory. Past it, those
	// that have waited longest are suspended.
	MaxHotWaiters int
	// MaxUndurable bounds, in bytes, what one attempt has written and is not
	// durable. Past it the handler is held at its next command.
	MaxUndurable int
	// MaxConcurrentRequests and MaxRequestBytes bound the requests that have
	// been admitted and are not durable yet. One that waits for a result does
	// not count.
	MaxConcurrentRequests int
	MaxRequestBytes       int64
	// MaxCommitQueue is how many outputs may wait for the disk before requests
	// are refused.
	MaxCommitQueue int
	// Linger is how long a key without anything to do stays in memory. A
	// negative one lets it go at once. The key of a plain service's invocation
	// leaves when that has ended.
	Linger time.Duration
	// HogTimeout is how long a handler may execute user code without calling
	// the SDK before it is logged, and its place given to another one as well.
	HogTimeout time.Duration
	// MaxEventStreams bounds the subscribers of events. EventBuffer is how many
	// events are kept for those that come back or are slow; fewer are when they
	// take more than 16 MiB, and none while nobody has subscribed for a minute.
	MaxEventStreams int
	EventBuffer     int

	// Stress makes rare ways the only ones; for tests.
	Stress Stress

	// trace is told of every point that is passed; for tests that end the
	// process there.
	trace func(Point)
}

// withDefaults returns o with everything set, or the errors in it.
func (o Options) withDefaults() (Options, error) {
	var errs []error
	setDefault(&o.CloseGrace, 10*time.Second, "CloseGrace", &errs)
	setDefault(&o.MaxPayload, objects.DefaultMaxPayload, "MaxPayload", &errs)
	setDefault(&o.MaxRunningHandlers, 1024, "MaxRunningHandlers", &errs)
	setDefault(&o.MaxLiveActors, 10_000, "MaxLiveActors", &errs)
	setDefault(&o.MaxHotWaiters, 4096, "MaxHotWaiters", &errs)
	setDefault(&o.MaxUndurable, 8<<20, "MaxUndurable", &errs)
	setDefault(&o.MaxConcurrentRequests, 100_000, "MaxConcurrentRequests", &errs)
	setDefault(&o.MaxRequestBytes, 1<<30, "MaxRequestBytes", &errs)
	setDefault(&o.MaxCommitQueue, 65_536, "MaxCommitQueue", &errs)
	setDefault(&o.HogTimeout, time.Minute, "HogTimeout", &errs)
	setDefault(&o.MaxEventStreams, 64, "MaxEventStreams", &errs)
	setDefault(&o.EventBuffer, 8192, "EventBuffer", &errs)
	switch {
	case o.Linger == 0:
		o.Linger = 10 * time.Second
	case o.Linger < 0:
		o.Linger = 0
	}
	if o.AbortTimeout < 0 {
		errs = append(errs, fmt.Errorf("options: AbortTimeout is %v: give a positive one, or 0 for the default", o.AbortTimeout))
	}
	if o.Store == nil {
		o.Store = persistence.NewMemory()
	}
	if o.Clock == nil {
		o.Clock = SystemClock{}
	}
	if o.Scheduler == nil {
		o.Scheduler = new(Goroutines)
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o, errors.Join(errs...)
}

// setDefault sets an option that is zero, and refuses a negative one.
func setDefault[T int | int64 | time.Duration](option *T, value T, name string, errs *[]error) {
	if *option == 0 {
		*option = value
	}
	if *option < 0 {
		*errs = append(*errs, fmt.Errorf("options: %s is %v: give a positive one, or 0 for the default", name, *option))
	}
}

// settings returns what applies to handlers that set nothing.
func (o *Options) settings() objects.Settings {
	s := objects.DefaultSettings()
	if o.Defaults != nil {
		s = *o.Defaults
	}
	switch {
	case o.InactivityTimeout > 0:
		s.InactivityTimeout = o.InactivityTimeout
	case o.InactivityTimeout < 0:
		s.InactivityTimeout = 0
	}
	if o.AbortTimeout > 0 {
		s.AbortTimeout = o.AbortTimeout
	}
	return s
}
