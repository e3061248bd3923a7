package objects

import (
	"math"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
)

// Settings is what applies to a handler once its options, those of its service
// and the defaults of the runtime are put together.
type Settings struct {
	// InactivityTimeout is how long a waiting handler stays in memory, 0 for
	// not at all.
	InactivityTimeout time.Duration
	// AbortTimeout is how long a handler that should stop may go on.
	AbortTimeout time.Duration
	// Retentions; 0 keeps nothing.
	IdempotencyRetention, JournalRetention, WorkflowRetention time.Duration
	// IngressPrivate refuses requests from outside handlers.
	IngressPrivate bool
	// EnableLazyState reads state through completions.
	EnableLazyState bool
	// UnguessableAwakeables keeps awakeable ids from being computed.
	UnguessableAwakeables bool
	// Retry says how failed attempts are repeated.
	Retry RetryPolicy
}

// RetryPolicy is a retry policy without gaps.
type RetryPolicy struct {
	// InitialInterval is the delay after the first failed attempt.
	InitialInterval time.Duration
	// Factor multiplies the delay after each further one.
	Factor float64
	// MaxInterval bounds the delay.
	MaxInterval time.Duration
	// MaxAttempts counts the first attempt; 0 is no limit.
	MaxAttempts int
	// OnMaxAttempts is what happens then.
	OnMaxAttempts OnMaxAttempts
}

// DefaultSettings returns what applies when no option is given.
func DefaultSettings() Settings {
	const day = 24 * time.Hour
	return Settings{
		InactivityTimeout:    time.Minute,
		AbortTimeout:         10 * time.Minute,
		IdempotencyRetention: day,
		JournalRetention:     day,
		WorkflowRetention:    day,
		Retry: RetryPolicy{
			InitialInterval: 500 * time.Millisecond,
			Factor:          2,
			MaxInterval:     time.Minute,
			MaxAttempts:     70,
			OnMaxAttempts:   OnMaxAttemptsPause,
		},
	}
}

// Resolve returns the settings of a service: s, the defaults of the runtime,
// with everything that o sets.
func (o *ServiceDefinitionOptions) Resolve(s Settings) Settings { return o.over(s) }

// Resolve returns the settings of a handler: s, the settings of its service,
// with everything that o sets. A handler of a private service is private.
func (o *HandlerOptions) Resolve(s Settings) Settings {
	private := s.IngressPrivate
	s = o.over(s)
	s.IngressPrivate = s.IngressPrivate || private
	return s
}

func (o *DefinitionOptions) over(s Settings) Settings {
	take(&s.InactivityTimeout, o.InactivityTimeout)
	take(&s.AbortTimeout, o.AbortTimeout)
	take(&s.IdempotencyRetention, o.IdempotencyRetention)
	take(&s.JournalRetention, o.JournalRetention)
	take(&s.WorkflowRetention, o.WorkflowRetention)
	take(&s.IngressPrivate, o.IngressPrivate)
	take(&s.EnableLazyState, o.EnableLazyState)
	take(&s.UnguessableAwakeables, o.UnguessableAwakeables)
	s.Retry = o.RetryPolicy.over(s.Retry)
	return s
}

// SettingsOf returns the settings of each handler of def, by name.
func SettingsOf(def ServiceDefinition, defaults Settings) map[string]Settings {
	service := def.GetOptions().Resolve(defaults)
	handlers := def.Handlers()
	settings := make(map[string]Settings, len(handlers))
	for name, h := range handlers {
		settings[name] = h.GetOptions().Resolve(service)
	}
	return settings
}

// Retention returns how long a completed invocation of a handler of this kind
// is kept: its result, and its journal, which never stays longer. A plain
// invocation, whose idempotency key is empty, is kept as long as its journal.
func (s Settings) Retention(kind ident.Kind, idempotencyKey string) (completion, journal time.Duration) {
	switch {
	case kind == ident.KindWorkflow:
		completion = s.WorkflowRetention
	case idempotencyKey != "":
		completion = s.IdempotencyRetention
	default:
		completion = s.JournalRetention
	}
	return completion, min(completion, s.JournalRetention)
}

// Delay returns how long to wait after failed attempts in a row, without
// jitter. failed is at least 1.
func (p RetryPolicy) Delay(failed uint32) time.Duration {
	return backoff(p.InitialInterval, p.MaxInterval, p.Factor, failed)
}

// backoff returns min(limit, initial·factor^(failed−1)). A limit of 0 is none.
func backoff(initial, limit time.Duration, factor float64, failed uint32) time.Duration {
	if limit == 0 {
		limit = math.MaxInt64
	}
	delay, bound := float64(initial), float64(limit)
	if factor > 1 {
		for ; failed > 1 && delay > 0 && delay < bound; failed-- {
			delay *= factor
		}
	}
	if delay >= bound {
		return limit
	}
	return time.Duration(delay)
}
