package objects

import (
	"time"

	"github.com/dormouse-run/dormouse/internal/journal"
)

// AfterFuture is a durable timer.
type AfterFuture interface {
	// Done waits until the time has come. Its error is a cancellation.
	Done() TerminalError
	Future
}

// Sleep waits for d, however often the process is restarted meanwhile. It never
// ends early. Its error is a cancellation.
func Sleep(ctx Context, d time.Duration, opts ...SleepOption) TerminalError {
	return After(ctx, d, opts...).Done()
}

// After starts a timer. Its end is fixed now; a d that is not positive is over
// at once, but is recorded and waited for like any other.
func After(ctx Context, d time.Duration, opts ...SleepOption) AfterFuture {
	ex := ctx.inner()
	ex.enter(opSleep)
	defer ex.leave()
	o := sleepOptionsOf(opts)
	if t := checkName("the name of a timer", o.name); t != nil {
		return &timer{refused(ex, t)}
	}
	c := &journal.Sleep{WakeUpAt: ex.due(d), Completion: ex.story.NextCompletion(), Name: o.name}
	if stored, ok := ex.issue(c, false).(*journal.Sleep); ok {
		c = stored
	}
	return &timer{future{ex: ex, id: journal.CompletionID(c.Completion)}}
}

type timer struct{ future }

func (t *timer) Done() TerminalError {
	_, err := t.wait()
	return err
}

// due returns the time after d in ms since the epoch, rounded up: never early.
func (ex *execution) due(d time.Duration) uint64 {
	now := ex.host.Now()
	at := now.Add(max(d, 0))
	ms := at.UnixMilli()
	if at.Sub(time.UnixMilli(ms)) > 0 {
		ms++
	}
	return uint64(max(ms, 0))
}
