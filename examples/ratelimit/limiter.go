package main

import (
	"fmt"
	"time"

	restate "github.com/dormouse-run/dormouse/objects"
)

const stateBucket = "bucket"

// Limit is how much a client may take.
type Limit struct {
	// Size is how many tokens can be taken at once.
	Size int `json:"size"`
	// Refill is the time in which a token comes, as a Go duration.
	Refill string `json:"refill"`
}

// Grant says whether a client may go on.
type Grant struct {
	Allowed bool `json:"allowed"`
	// Left is how many tokens are left.
	Left int `json:"left"`
	// RetryAfter is when the tokens will be there, unless others take them, as
	// a Go duration; empty when they were granted.
	RetryAfter string `json:"retryAfter,omitempty"`
}

// limiter makes the object. Its clock is read in closures of Run only.
type limiter struct{ now func() time.Time }

// newLimiter returns the object Limiter.
func newLimiter(now func() time.Time) restate.ServiceDefinition {
	l := limiter{now}
	return restate.NewObject("Limiter").
		Handler("configure", restate.NewObjectHandler(l.configure)).
		Handler("take", restate.NewObjectHandler(l.take))
}

// configure sets the limit of a client. The new bucket is full.
func (l limiter) configure(ctx restate.ObjectContext, limit Limit) (restate.Void, error) {
	refill, err := time.ParseDuration(limit.Refill)
	if err != nil || refill <= 0 || limit.Size <= 0 {
		return restate.Void{}, refuse("a limit is a size and the time in which a token comes, like 10 and 1s; got %d and %q", limit.Size, limit.Refill)
	}
	restate.Set(ctx, stateBucket, bucket{Size: limit.Size, Refill: refill})
	return restate.Void{}, nil
}

// take takes n tokens, or none.
func (l limiter) take(ctx restate.ObjectContext, n int) (Grant, error) {
	stored, err := restate.Get[*bucket](ctx, stateBucket)
	if err != nil {
		return Grant{}, err
	}
	b := bucket{Size: 10, Refill: time.Second}
	if stored != nil {
		b = *stored
	}
	switch {
	case n <= 0:
		return Grant{}, refuse("%d is no number of tokens: take 1 or more", n)
	case n > b.Size:
		return Grant{}, refuse("%d tokens never fit into a bucket of %d", n, b.Size)
	}
	now, err := restate.Run(ctx, func(restate.RunContext) (time.Time, error) { return l.now(), nil }, restate.WithName("clock"))
	if err != nil {
		return Grant{}, err
	}
	wait, ok := b.take(n, now)
	restate.Set(ctx, stateBucket, b)
	if !ok {
		return Grant{Left: b.Tokens, RetryAfter: wait.String()}, nil
	}
	return Grant{Allowed: true, Left: b.Tokens}, nil
}

// refuse is the answer to an input that makes no sense.
func refuse(format string, a ...any) error {
	return restate.ToTerminalError(fmt.Errorf(format, a...), restate.WithErrorCode(400))
}
