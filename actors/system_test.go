package actors

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/asynkron/protoactor-go/actor"
)

// fragileActor fails when it is told to.
type fragileActor struct {
	mu      sync.Mutex
	entries []*entry
	handled int
}

func (a *fragileActor) Receive(c actor.Context) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch m := c.Message().(type) {
	case *entry:
		a.entries = append(a.entries, m)
	case string:
		if m == "fail" {
			panic("told to")
		}
		a.handled++
	}
}

func TestActorThatPanicsIsReportedAndGoesOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := new(fragileActor)
		var crashes []error
		sched := new(Goroutines)
		s := newSystem(testLog(t), sched, func() actor.Actor { return a }, func(err error) { crashes = append(crashes, err) })
		e := new(entry)
		pid := s.spawn(e)
		for _, m := range []string{"a", "fail", "b"} {
			s.send(pid, m)
		}
		synctest.Wait()
		if len(crashes) != 1 || !strings.Contains(crashes[0].Error(), "told to") {
			t.Fatalf("crashes %v", crashes)
		}
		if a.handled != 2 || len(a.entries) != 1 || a.entries[0] != e {
			t.Fatalf("handled %d messages, entries %v", a.handled, a.entries)
		}
		s.stop(pid)
		synctest.Wait()
		if live := sched.Live(); len(live) != 0 {
			t.Fatalf("goroutines %v are left", live)
		}
	})
}

func TestDeadLettersAreCountedWithoutTheirContent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var text bytes.Buffer
		log := slog.New(slog.NewTextHandler(&text, nil))
		s := newSystem(log, new(Goroutines), func() actor.Actor { return new(fragileActor) }, func(err error) { t.Error(err) })
		pid := s.spawn(new(entry))
		s.stop(pid)
		synctest.Wait()
		if s.deadLetters.Load() != 0 || text.Len() != 0 {
			t.Fatalf("an ordinary life is logged: %s", text.String())
		}
		s.send(pid, "a secret")
		synctest.Wait()
		if s.deadLetters.Load() != 1 {
			t.Fatalf("%d dead letters, want 1", s.deadLetters.Load())
		}
		if out := text.String(); !strings.Contains(out, "type=string") || strings.Contains(out, "secret") {
			t.Fatalf("logged %q", out)
		}
	})
}
