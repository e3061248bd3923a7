package actors

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/dormouse-run/dormouse/persistence"
)

// admission decides whether a request from outside may enter. It is asked
// before anything is applied, because afterwards nothing can be refused. What
// comes from inside (deliveries between keys, timers, results) does not ask.
// All methods may be called concurrently.
type admission struct {
	limits admissionLimits
	queued func() int
	health func() persistence.Health

	requests, bytes atomic.Int64
	closed          atomic.Bool
}

// admissionLimits bound what has been admitted and is not durable.
type admissionLimits struct {
	// Requests and Bytes bound the permits that are out. A request that is
	// larger than Bytes is admitted alone.
	Requests, Bytes int64
	// Queue bounds the outputs that wait for the disk.
	Queue int
}

// retryAfter is what a refused client is asked to wait. What is in the way is
// a few syncs long.
const retryAfter = time.Second

// newAdmission admits up to limits. queued returns how many outputs wait for
// the disk, and health what the store says of itself.
func newAdmission(limits admissionLimits, queued func() int, health func() persistence.Health) *admission {
	return &admission{limits: limits, queued: queued, health: health}
}

// permit is the room that one request takes until its output is durable. The
// zero value is no room. It is owned by one goroutine at a time.
type permit struct {
	from  *admission
	bytes int64
}

// release gives the room back. A permit is released once; later calls on the
// same permit do nothing.
func (p *permit) release() {
	if p.from == nil {
		return
	}
	p.from.requests.Add(-1)
	p.from.bytes.Add(-p.bytes)
	*p = permit{}
}

// acquire takes room for a request of so many bytes. Its errors are ErrStopped,
// one that wraps ErrLowSpace, and *OverloadedError.
func (a *admission) acquire(bytes int) (permit, error) {
	if a.closed.Load() {
		return permit{}, ErrStopped
	}
	switch h := a.health(); {
	case h.Lost != nil:
		return permit{}, ErrStopped
	case h.Pressure != persistence.PressureNone:
		return permit{}, fmt.Errorf("%w: %s", ErrLowSpace, h.Reason)
	}
	if a.queued() >= a.limits.Queue {
		return permit{}, &OverloadedError{RetryAfter: retryAfter}
	}
	p := permit{from: a, bytes: int64(bytes)}
	requests, total := a.requests.Add(1), a.bytes.Add(p.bytes)
	switch {
	case requests > a.limits.Requests:
		p.release()
		return permit{}, &OverloadedError{Requests: true, RetryAfter: retryAfter}
	case total > a.limits.Bytes && total != p.bytes:
		p.release()
		return permit{}, &OverloadedError{RetryAfter: retryAfter}
	}
	return p, nil
}

// close refuses all requests from now on.
func (a *admission) close() { a.closed.Store(true) }

// admitted returns how many permits are out.
func (a *admission) admitted() int { return int(a.requests.Load()) }
