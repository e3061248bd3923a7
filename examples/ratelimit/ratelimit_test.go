package main

import (
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

// clock is a time that a test moves.
type clock struct{ ns atomic.Int64 }

func newClock() *clock {
	c := new(clock)
	c.ns.Store(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano())
	return c
}
func (c *clock) now() time.Time          { return time.Unix(0, c.ns.Load()) }
func (c *clock) advance(d time.Duration) { c.ns.Add(int64(d)) }

func take(t *testing.T, rt *actors.Runtime, n int) Grant {
	t.Helper()
	g, err := ingress.Object[int, Grant](rt.Client(), "Limiter", "alice", "take").Request(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func configure(t *testing.T, rt *actors.Runtime, l Limit) {
	t.Helper()
	if _, err := ingress.Object[Limit, restate.Void](rt.Client(), "Limiter", "alice", "configure").Request(t.Context(), l); err != nil {
		t.Fatal(err)
	}
}

func TestTokensComeBackAtTheirRateAndNoFaster(t *testing.T) {
	t.Parallel()
	c, dir := newClock(), t.TempDir()
	rt := exampletest.Open(t, dir, newLimiter(c.now))
	configure(t, rt, Limit{Size: 5, Refill: "100ms"})
	want := func(n int, g Grant) {
		t.Helper()
		if got := take(t, rt, n); got != g {
			t.Errorf("take %d: %+v, want %+v", n, got, g)
		}
	}
	want(5, Grant{Allowed: true})
	want(1, Grant{RetryAfter: "100ms"})
	c.advance(250 * time.Millisecond)
	want(2, Grant{Allowed: true})
	want(1, Grant{RetryAfter: "50ms"}) // the half token is not lost
	c.advance(-time.Hour)
	want(1, Grant{RetryAfter: "100ms"})
	c.advance(100 * time.Millisecond)
	want(1, Grant{Allowed: true})

	if err := rt.Close(); err != nil {
		t.Fatal(err)
	}
	rt = exampletest.Open(t, dir, newLimiter(c.now))
	want(1, Grant{RetryAfter: "100ms"})
	c.advance(24 * time.Hour)
	want(5, Grant{Allowed: true})
}

func TestManyAtOnceGetAsManyTokensAsThereAre(t *testing.T) {
	t.Parallel()
	const size, callers = 20, 60
	rt := exampletest.Open(t, t.TempDir(), newLimiter(newClock().now))
	configure(t, rt, Limit{Size: size, Refill: "1s"})
	grants := make(chan Grant, callers)
	for range callers {
		go func() { grants <- take(t, rt, 1) }()
	}
	allowed := 0
	for range callers {
		if g := <-grants; g.Allowed {
			allowed++
		}
	}
	if allowed != size {
		t.Errorf("%d of %d tokens were given out", allowed, size)
	}
}
