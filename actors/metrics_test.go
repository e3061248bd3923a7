package actors

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
	restate "github.com/dormouse-run/dormouse/objects"
)

// metricsOf returns the counts of one service.
func metricsOf(t *testing.T, rt *Runtime, service string) ServiceMetrics {
	t.Helper()
	for _, s := range rt.Metrics().Services {
		if s.Service == service {
			return s
		}
	}
	t.Fatalf("no metrics of %q", service)
	return ServiceMetrics{}
}

func started(s ServiceMetrics) map[string]uint64 {
	m := map[string]uint64{}
	for _, c := range s.Started {
		if c.Count > 0 {
			m[c.Reason] = c.Count
		}
	}
	return m
}

func wantStarted(t *testing.T, s ServiceMetrics, want map[string]uint64) {
	t.Helper()
	got := started(s)
	for reason, n := range want {
		if got[reason] != n {
			t.Errorf("%s: %d attempts of %q, want %d; all are %v", s.Service, got[reason], reason, n, got)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s: attempts %v, want %v", s.Service, got, want)
	}
}

func TestTheLifeOfAnInvocationIsCounted(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services(), InactivityTimeout: time.Second}, func(t *testing.T, b *bench) {
		first := send(b, ask("Desk", "a", "ask", "one"))
		second := send(b, ask("Desk", "a", "ask", "two"))
		<-time.After(time.Minute) // the first is suspended
		b.resolve(w, "one", "yes")
		wantValue(t, attach(b, first), `"yes"`)
		synctest.Wait()
		id := w.awakeable(t, "two")
		for range 2 { // the second rejection is none
			if _, err := b.rt.Signal(t.Context(), id.Invocation, signalOf(id), journal.FailureOf(500, "no")); err != nil {
				t.Fatal(err)
			}
		}
		wantFailure(t, attach(b, second), 500)
		delayed := ask("Echo", "", "echo", "x")
		delayed.Delay = new(time.Hour)
		attach(b, send(b, delayed))

		desk := metricsOf(t, b.rt, "Desk")
		if desk.Accepted != 2 || desk.Succeeded != 1 || desk.Failed != 1 || desk.Suspended != 1 || desk.Resolved != 1 || desk.Rejected != 1 {
			t.Errorf("Desk: %+v", desk)
		}
		wantStarted(t, desk, map[string]uint64{"accepted": 1, "queued": 1, "resumed": 1})
		if q := desk.QueueSeconds; q.Count() != 2 || q.Sum < 60 || q.Sum > 61 {
			t.Errorf("two have queued for a minute together, counted is %+v", q)
		}
		if i := desk.InvocationSeconds; i.Count() != 2 || i.Sum < 120 || i.Sum > 122 {
			t.Errorf("two have lasted a minute each, counted is %+v", i)
		}
		echo := metricsOf(t, b.rt, "Echo")
		wantStarted(t, echo, map[string]uint64{"scheduled": 1})
		if q := echo.QueueSeconds; q.Count() != 1 || q.Sum > 1 {
			t.Errorf("a delay is no time in a queue, counted is %+v", q)
		}
		m := b.rt.Metrics()
		if m.CommitSeconds.Count() != b.rt.Stats().Commits || m.CommitOutputs.Count() != b.rt.Stats().Commits {
			t.Errorf("%d commits, measured are %d and %d", b.rt.Stats().Commits, m.CommitSeconds.Count(), m.CommitOutputs.Count())
		}
	})
}

func TestFailedAttemptsAreCountedByWhatBecameOfTheInvocation(t *testing.T) {
	t.Parallel()
	w := &world{}
	explode := func(restate.Context, restate.Void) (string, error) { panic("boom") }
	bombs := restate.NewService("Bombs").
		Handler("pause", restate.NewServiceHandler(explode, restate.WithInvocationRetryPolicy(restate.WithMaxRetryAttempts(2)))).
		Handler("kill", restate.NewServiceHandler(explode, restate.WithInvocationRetryPolicy(restate.WithMaxRetryAttempts(1), restate.KillOnMaxAttempts())))
	inBubble(t, Options{Services: append(w.services(), bombs)}, func(t *testing.T, b *bench) {
		wantValue(t, call(b, ask("Desk", "a", "flaky", nil)).Result, `"at last"`)
		desk := metricsOf(t, b.rt, "Desk")
		if desk.Repeated != 2 || desk.Paused+desk.Ended+desk.Panicked != 0 {
			t.Errorf("Desk: %+v", desk)
		}
		wantStarted(t, desk, map[string]uint64{"accepted": 1, "retried": 2})
		if n := desk.AttemptSeconds.Count(); n != 3 {
			t.Errorf("%d attempts are measured, 3 were made", n)
		}

		wantFailure(t, call(b, ask("Bombs", "", "kill", nil)).Result, 500)
		paused := send(b, ask("Bombs", "", "pause", nil))
		<-time.After(time.Hour)
		if _, err := b.rt.Operate(t.Context(), machine.OpResume, paused); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		got := metricsOf(t, b.rt, "Bombs")
		if got.Panicked != 4 || got.Repeated != 2 || got.Paused != 1 || got.Ended != 1 || got.Failed != 1 {
			t.Errorf("Bombs: %+v", got)
		}
		wantStarted(t, got, map[string]uint64{"accepted": 2, "retried": 1, "unpaused": 1})
	})
}

func TestWhatARestartBringsBackIsCountedAsRecovered(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		send(b, ask("Desk", "a", "ask", "one"))
		synctest.Wait()
		b.crash()
		synctest.Wait()
		wantStarted(t, metricsOf(t, b.rt, "Desk"), map[string]uint64{"recovered": 1})
	})
}

func TestInvocationsOfUnboundServicesAreCountedTogether(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		id := send(b, ask("Desk", "a", "nap", 3600))
		synctest.Wait()
		b.options.Services = nil
		b.crash()
		<-time.After(time.Second)
		if _, err := b.rt.Operate(t.Context(), machine.OpKill, id); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		got := metricsOf(t, b.rt, "")
		if len(b.rt.Metrics().Services) != 1 || got.Failed != 1 {
			t.Errorf("unbound: %+v", got)
		}
	})
}

func TestAHistogramPutsEveryObservationIntoOneBucket(t *testing.T) {
	t.Parallel()
	h := newHistogram(10, 20)
	for _, v := range []int64{0, 10, 11, 20, 21, 1 << 40} {
		h.observe(v)
	}
	r := h.read(10)
	if !slices.Equal(r.Counts, []uint64{2, 2, 2}) || !slices.Equal(r.Bounds, []float64{1, 2}) || r.Count() != 6 || r.Sum != float64(62+1<<40)/10 {
		t.Errorf("got %+v", r)
	}
}

// BenchmarkMeter does all the counting of one call: an acceptance, an attempt
// and an end.
func BenchmarkMeter(b *testing.B) {
	m := newMeter(bindings{"Counter": nil, "Desk": nil, "Echo": nil})
	invoke, out := &machine.Invoke{}, &machine.Output{Writes: make([]machine.Write, 8)}
	row := &machine.InvocationRow{CreatedAt: 1, RunningAt: 1, Target: ident.Target{Service: "Counter"}}
	out.Writes[7] = machine.Write{Put: row, Fresh: true}
	start := &machine.StartAttempt{Target: row.Target, Due: 1, RunningAt: 1}
	end := &machine.Finished{Result: journal.ValueOf(nil), Took: 3}
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			m.applied(invoke, out, "Counter")
			s := m.of("Counter")
			s.began(start, 40*time.Microsecond)
			s.attempt.observe(int64(90 * time.Microsecond))
			m.of("Counter").finished(end)
		}
	})
}
