package main

import (
	"encoding/json"
	"net/http"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/examples/internal/exampletest"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

func TestMain(m *testing.M) { os.Exit(exampletest.Main(m, main)) }

func TestTheStoryIsTrue(t *testing.T) {
	t.Parallel()
	exampletest.Tell(t)
}

// recorder is a Report that passes on each tick.
func recorder(ticks chan<- Tick) restate.ServiceDefinition {
	return restate.NewObject("Report").Handler("write", restate.NewObjectHandler(
		func(_ restate.ObjectContext, tick Tick) (restate.Void, error) {
			ticks <- tick
			return restate.Void{}, nil
		}))
}

func request[I, O any](t *testing.T, rt *actors.Runtime, handler string, input I) O {
	t.Helper()
	output, err := ingress.Object[I, O](rt.Client(), "Cron", "job", handler).Request(t.Context(), input)
	if err != nil {
		t.Fatal(err)
	}
	return output
}

func TestTicksLieOnTheGridHoweverLateTheyAre(t *testing.T) {
	t.Parallel()
	const every = 20 * time.Millisecond
	ticks := make(chan Tick, 100)
	rt := exampletest.Open(t, t.TempDir(), newCron(time.Now), recorder(ticks))
	request[Job, restate.Void](t, rt, "start", Job{every.String()})
	first := exampletest.Receive(t, ticks)
	for range 10 {
		tick := exampletest.Receive(t, ticks)
		if tick.Number != first.Number || tick.At.Sub(first.At)%every != 0 || time.Now().Before(tick.At) {
			t.Errorf("%v after %v, now %v", tick, first, time.Now())
		}
	}
}

func TestADowntimeIsSkippedAndCounted(t *testing.T) {
	t.Parallel()
	var away atomic.Int64
	now := func() time.Time { return time.Now().Add(time.Duration(away.Load())) }
	ticks, dir := make(chan Tick, 100), t.TempDir()
	rt := exampletest.Open(t, dir, newCron(now), recorder(ticks))
	request[Job, restate.Void](t, rt, "start", Job{"100ms"})
	first := exampletest.Receive(t, ticks)
	if err := rt.Close(); err != nil {
		t.Fatal(err)
	}
	away.Store(int64(time.Hour)) // the program is down for an hour
	rt = exampletest.Open(t, dir, newCron(now), recorder(ticks))
	late, next := exampletest.Receive(t, ticks), exampletest.Receive(t, ticks)
	if d := late.At.Sub(first.At); d != 100*time.Millisecond {
		t.Errorf("the tick that was due came for %v after the first", d)
	}
	if d := next.At.Sub(late.At); d < time.Hour || d > time.Hour+time.Minute {
		t.Errorf("the next tick came for %v after that", d)
	}
	if s := request[restate.Void, Status](t, rt, "status", restate.Void{}); s.Skipped < 35_999 || s.Ticks < 3 {
		t.Errorf("status is %+v", s)
	}
}

func TestWhatIsLeftOfAnEarlierScheduleDoesNothing(t *testing.T) {
	t.Parallel()
	ticks := make(chan Tick, 100)
	rt := exampletest.Open(t, t.TempDir(), newCron(time.Now), recorder(ticks))
	request[Job, restate.Void](t, rt, "start", Job{"50ms"})
	request[restate.Void, Status](t, rt, "stop", restate.Void{})
	request[Job, restate.Void](t, rt, "start", Job{"70ms"})
	first, second := exampletest.Receive(t, ticks), exampletest.Receive(t, ticks)
	if first.Number != second.Number || second.At.Sub(first.At)%(70*time.Millisecond) != 0 {
		t.Errorf("ticks of two schedules: %v and %v", first, second)
	}
}

// TestKillsNeitherLoseNorDoubleATick kills the program again and again and
// compares what the clock has counted with what was written.
func TestKillsNeitherLoseNorDoubleATick(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := exampletest.Start(t, dir)
	exampletest.Want(t, p.Post("/Cron/job/start", `{"every":"10ms"}`), http.StatusOK, "")
	ticks := func(a exampletest.Answer) int {
		var s Status
		_ = json.Unmarshal([]byte(a.Body), &s)
		return s.Ticks
	}
	for range 5 {
		before := ticks(p.Get("/Cron/job/status"))
		exampletest.Eventually(t, "three more ticks", func() bool { return ticks(p.Get("/Cron/job/status")) >= before+3 })
		p.Kill()
		p = exampletest.Start(t, dir)
	}
	n := ticks(p.Post("/Cron/job/stop", ""))
	exampletest.Eventually(t, "all pages", func() bool { return written(t, p) >= n })
	if got := written(t, p); got != n || n < 15 {
		t.Errorf("%d ticks have written %d pages", n, got)
	}
}

func written(t *testing.T, p *exampletest.Program) int {
	t.Helper()
	var pages Pages
	if err := json.Unmarshal([]byte(p.Get("/Report/job/read").Body), &pages); err != nil {
		t.Fatal(err)
	}
	return pages.Written
}

func TestAPeriodThatMakesNoSenseIsRefused(t *testing.T) {
	t.Parallel()
	p := exampletest.Start(t, t.TempDir())
	for _, every := range []string{"", "soon", "-1s", "1ns"} {
		exampletest.Want(t, p.Post("/Cron/job/start", `{"every":"`+every+`"}`), 400, `{...give a duration...}`)
	}
}
