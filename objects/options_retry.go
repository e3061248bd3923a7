package objects

import "time"

// OnMaxAttempts says what happens to an invocation whose attempts are
// exhausted.
type OnMaxAttempts string

// Values of OnMaxAttempts.
const (
	// OnMaxAttemptsPause keeps the invocation, and its key, until someone
	// resumes, cancels or kills it.
	OnMaxAttemptsPause OnMaxAttempts = "PAUSE"
	// OnMaxAttemptsKill ends the invocation with its last error.
	OnMaxAttemptsKill OnMaxAttempts = "KILL"
)

// String returns the word.
func (o OnMaxAttempts) String() string { return string(o) }

// InvocationRetryPolicy says how a failed attempt of a handler is repeated. A
// nil field inherits: a handler from its service, a service from the runtime.
type InvocationRetryPolicy struct {
	// InitialInterval is the delay after the first failed attempt, 500 ms by
	// default.
	InitialInterval *time.Duration
	// ExponentiationFactor multiplies the delay after each further failure, 2
	// by default. It is at least 1.
	ExponentiationFactor *float64
	// MaxInterval bounds the delay, 60 s by default.
	MaxInterval *time.Duration
	// MaxAttempts counts the first attempt, 70 by default; 0 is no limit.
	MaxAttempts *int
	// OnMaxAttempts is pause by default.
	OnMaxAttempts *OnMaxAttempts
}

// over returns p with its nil fields taken from base.
func (p *InvocationRetryPolicy) over(base RetryPolicy) RetryPolicy {
	if p == nil {
		return base
	}
	take(&base.InitialInterval, p.InitialInterval)
	take(&base.Factor, p.ExponentiationFactor)
	take(&base.MaxInterval, p.MaxInterval)
	take(&base.MaxAttempts, p.MaxAttempts)
	take(&base.OnMaxAttempts, p.OnMaxAttempts)
	return base
}

func take[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// RetryOption is one field of a retry policy: of a Run, or of a handler inside
// WithInvocationRetryPolicy.
type RetryOption struct {
	run        func(*runOptions)
	invocation func(*InvocationRetryPolicy)
}

// WithMaxRetryAttempts bounds the number of attempts, the first included; 0 is
// no limit.
func WithMaxRetryAttempts(maxAttempts uint) RetryOption {
	return RetryOption{
		run: func(r *runOptions) { r.maxAttempts = maxAttempts },
		invocation: func(p *InvocationRetryPolicy) {
			p.MaxAttempts = new(int(min(maxAttempts, 1<<31-1)))
		},
	}
}

// WithInitialRetryInterval sets the delay after the first failed attempt.
func WithInitialRetryInterval(d time.Duration) RetryOption {
	return RetryOption{
		run:        func(r *runOptions) { r.initial = d },
		invocation: func(p *InvocationRetryPolicy) { p.InitialInterval = &d },
	}
}

// WithMaxRetryInterval bounds the delay between two attempts. 0 is no bound.
func WithMaxRetryInterval(d time.Duration) RetryOption {
	return RetryOption{
		run:        func(r *runOptions) { r.max = d },
		invocation: func(p *InvocationRetryPolicy) { p.MaxInterval = &d },
	}
}

// WithRetryIntervalFactor sets what multiplies the delay after each failure.
func WithRetryIntervalFactor(f float32) RetryOption {
	return RetryOption{
		run:        func(r *runOptions) { r.factor = f },
		invocation: func(p *InvocationRetryPolicy) { p.ExponentiationFactor = new(float64(f)) },
	}
}

func (o RetryOption) applyRun(r *runOptions) {
	r.hasPolicy = true
	if o.run != nil {
		o.run(r)
	}
}

func (o RetryOption) applyInvocationRetryPolicy(p *InvocationRetryPolicy) {
	if o.invocation != nil {
		o.invocation(p)
	}
}

type maxRetryDurationOption time.Duration

// WithMaxRetryDuration bounds the time during which a Run is repeated, counted
// from its first failed attempt; 0 is no limit.
func WithMaxRetryDuration(d time.Duration) RunOption { return maxRetryDurationOption(d) }

func (o maxRetryDurationOption) applyRun(r *runOptions) {
	r.hasPolicy = true
	r.maxDuration = time.Duration(o)
}

type onMaxAttemptsOption OnMaxAttempts

// PauseOnMaxAttempts pauses an invocation whose attempts are exhausted; this is
// the default.
func PauseOnMaxAttempts() InvocationRetryPolicyOption {
	return onMaxAttemptsOption(OnMaxAttemptsPause)
}

// KillOnMaxAttempts ends an invocation whose attempts are exhausted with its
// last error.
func KillOnMaxAttempts() InvocationRetryPolicyOption {
	return onMaxAttemptsOption(OnMaxAttemptsKill)
}

func (o onMaxAttemptsOption) applyInvocationRetryPolicy(p *InvocationRetryPolicy) {
	p.OnMaxAttempts = new(OnMaxAttempts(o))
}
