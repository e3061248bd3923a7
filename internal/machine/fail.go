package machine

import (
	"math"
	"slices"

	"github.com/dormouse-run/dormouse/internal/journal"
)

// maxJitter is the largest share by which a retry delay is prolonged.
const maxJitter = 0.3

// fail ends an attempt with a retryable error.
func (t *transition) fail(ev *Fail) []Need {
	inv := t.attempt(ev.Birth, ev.Epoch)
	if inv == nil {
		return nil
	}
	exhausted := !ev.Unlimited && ev.Policy.MaxAttempts > 0 && inv.row.Retry.Attempts+1 >= ev.Policy.MaxAttempts
	if exhausted && ev.Policy.KillOnExhausted {
		if needs := t.needForEnd(inv); needs != nil {
			return needs
		}
	}
	t.countFailure(inv, ev.Failure)
	attempts := inv.row.Retry.Attempts
	switch {
	case exhausted && ev.Policy.KillOnExhausted:
		t.complete(inv, journal.FailureOf(ev.Failure.Code, ev.Failure.Message), writeOutput)
	case exhausted || inv.row.PauseRequested:
		t.becomePaused(inv)
	default:
		t.becomeBackingOff(inv, ev.delay(attempts))
	}
	t.now(&AttemptFailed{
		ID: inv.row.ID, Target: inv.row.Target, Status: inv.row.Status,
		Attempts: attempts, NextAt: inv.row.Retry.NextAt, Failure: ev.Failure,
	})
	return nil
}

func (t *transition) countFailure(inv *invocation, f FailureEvent) {
	f.At = t.at.Now
	retry := &inv.row.Retry
	retry.Attempts++
	if retry.Since == 0 {
		retry.Since = t.at.Now
	}
	failures := inv.row.Failures
	if len(failures) >= MaxFailures {
		failures = failures[len(failures)-MaxFailures+1:]
	}
	// A copy: records that were written share the old slice.
	inv.row.Failures = append(slices.Clone(failures), f)
	t.change(inv)
}

// delay returns how long to wait after the n-th failure in a row, in ms.
func (ev *Fail) delay(n uint32) int64 {
	if ev.Delay != nil {
		return *ev.Delay
	}
	p := ev.Policy
	d := float64(p.InitialInterval) * math.Pow(p.Factor, float64(n-1))
	if d > float64(p.MaxInterval) && p.MaxInterval > 0 {
		d = float64(p.MaxInterval)
	}
	return int64(min(d*(1+maxJitter*ev.Jitter), longestDelay))
}

// longestDelay, a century in milliseconds, keeps a time that lies so far ahead in
// its type.
const longestDelay = 100 * 365 * 24 * 3_600_000

func (t *transition) becomeBackingOff(inv *invocation, delay int64) {
	t.leaveReady(inv)
	inv.row.Status = StatusBackingOff
	inv.row.Retry.NextAt = t.at.Now + max(delay, 0)
	t.setTimer(inv, inv.row.Retry.NextAt, SlotWake, inv.row.Epoch)
}
