package main

import (
	"fmt"
	"time"

	restate "github.com/dormouse-run/dormouse/objects"
)

const stateSchedule = "schedule"

// minEvery is the shortest period: each tick is a handful of writes.
const minEvery = 10 * time.Millisecond

// Job says how often.
type Job struct {
	Every string `json:"every"` // a Go duration
}

// Status is how a job stands.
type Status struct {
	Every string `json:"every"`
	// Next is when it is done next.
	Next time.Time `json:"next"`
	// Ticks counts the times that it was done, Skipped those that were missed.
	Ticks   int `json:"ticks"`
	Skipped int `json:"skipped"`
}

// schedule is the state of a job that has been started.
type schedule struct {
	// Number is another one after each start.
	Number string        `json:"number"`
	Every  time.Duration `json:"every"`
	// Next is the tick that is expected; it lies on the grid.
	Next    time.Time `json:"next"`
	Ticks   int       `json:"ticks"`
	Skipped int       `json:"skipped"`
}

// Tick is one time of one schedule.
type Tick struct {
	Number string    `json:"number"`
	At     time.Time `json:"at"`
}

// key names a tick among all that a key of an object gets.
func (t Tick) key() string { return t.Number + " " + t.At.Format(time.RFC3339Nano) }

// cron makes the object. Its clock is read in closures of Run only.
type cron struct{ now func() time.Time }

// newCron returns the object Cron.
func newCron(now func() time.Time) restate.ServiceDefinition {
	c := cron{now}
	return restate.NewObject("Cron").
		Handler("start", restate.NewObjectHandler(c.start)).
		Handler("stop", restate.NewObjectHandler(stop)).
		Handler("tick", restate.NewObjectHandler(c.tick, restate.WithIngressPrivate(true))).
		Handler("status", restate.NewObjectSharedHandler(status))
}

// start schedules a job, in place of what it was before. Its grid begins now.
func (c cron) start(ctx restate.ObjectContext, job Job) (restate.Void, error) {
	every, err := time.ParseDuration(job.Every)
	if err != nil || every < minEvery {
		return restate.Void{}, refuse(400, "every is %q: give a duration of %v or more, like 1h30m", job.Every, minEvery)
	}
	now, err := c.clock(ctx)
	if err != nil {
		return restate.Void{}, err
	}
	s := schedule{Number: restate.UUID(ctx).String(), Every: every, Next: now.Add(every)}
	s.expect(ctx, now)
	return restate.Void{}, nil
}

// tick does the work of one time and sees to the next one.
func (c cron) tick(ctx restate.ObjectContext, t Tick) (restate.Void, error) {
	s, err := restate.Get[*schedule](ctx, stateSchedule)
	if err != nil || s == nil || s.Number != t.Number || !s.Next.Equal(t.At) {
		return restate.Void{}, err // of another schedule, or done already
	}
	now, err := c.clock(ctx)
	if err != nil {
		return restate.Void{}, err
	}
	missed := max(int(now.Sub(s.Next)/s.Every), 0)
	s.Ticks, s.Skipped = s.Ticks+1, s.Skipped+missed
	s.Next = s.Next.Add(time.Duration(missed+1) * s.Every)
	s.expect(ctx, now)
	restate.ObjectSend(ctx, "Report", restate.Key(ctx), "write").Send(t, restate.WithIdempotencyKey(t.key()))
	return restate.Void{}, nil
}

// expect writes down which tick comes next, and sends it.
func (s schedule) expect(ctx restate.ObjectContext, now time.Time) {
	restate.Set(ctx, stateSchedule, s)
	t := Tick{s.Number, s.Next}
	restate.ObjectSend(ctx, "Cron", restate.Key(ctx), "tick").
		Send(t, restate.WithDelay(t.At.Sub(now)), restate.WithIdempotencyKey(t.key()))
}

// stop forgets the job and says how it stood. The tick that is on its way will
// find nothing to do.
func stop(ctx restate.ObjectContext, _ restate.Void) (Status, error) {
	s, err := status(ctx, restate.Void{})
	if err == nil {
		restate.Clear(ctx, stateSchedule)
	}
	return s, err
}

// status answers at any time.
func status(ctx restate.ObjectSharedContext, _ restate.Void) (Status, error) {
	s, err := restate.Get[*schedule](ctx, stateSchedule)
	if err != nil {
		return Status{}, err
	}
	if s == nil {
		return Status{}, refuse(404, "%s is not scheduled", restate.Key(ctx))
	}
	return Status{s.Every.String(), s.Next, s.Ticks, s.Skipped}, nil
}

// clock is the time, the same one in every replay.
func (c cron) clock(ctx restate.Context) (time.Time, restate.TerminalError) {
	return restate.Run(ctx, func(restate.RunContext) (time.Time, error) { return c.now().UTC(), nil }, restate.WithName("clock"))
}

func refuse(code restate.Code, format string, a ...any) error {
	return restate.ToTerminalError(fmt.Errorf(format, a...), restate.WithErrorCode(code))
}
