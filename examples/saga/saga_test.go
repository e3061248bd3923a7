package main

import (
	"context"
	"errors"
	"os"
	"slices"
	"testing"

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

// network is companies that answer as a test says. hook is called in each
// operation, with its name, and may fail or block it.
type network struct {
	calls chan string
	hook  func(ctx context.Context, call string) error
}

func (n *network) reserve(ctx context.Context, r Reservation) error {
	return n.call(ctx, "reserve "+r.Kind)
}
func (n *network) cancel(ctx context.Context, r Reservation) error {
	return n.call(ctx, "cancel "+r.Kind)
}

func (n *network) call(ctx context.Context, call string) error {
	n.calls <- call
	if n.hook == nil {
		return nil
	}
	return n.hook(ctx, call)
}

// next returns the names of the next calls.
func (n *network) next(t *testing.T, count int) []string {
	t.Helper()
	var calls []string
	for range count {
		calls = append(calls, exampletest.Receive(t, n.calls))
	}
	return calls
}

func open(t *testing.T, dir string, n *network) *actors.Runtime {
	t.Helper()
	n.calls = make(chan string, 100)
	a := &agency{companies: n}
	return exampletest.Open(t, dir, a.definition())
}

func book(t *testing.T, rt *actors.Runtime) ingress.SendResponse[Booking] {
	t.Helper()
	trip := Trip{Flight: "f", Hotel: "h", Car: "c"}
	sent, err := ingress.Service[Trip, Booking](rt.Client(), "Trip", "book").Send(t.Context(), trip)
	if err != nil {
		t.Fatal(err)
	}
	return sent
}

// hang blocks the named call until its context ends, and then says that nobody
// knows what has become of it.
func hang(name string) func(context.Context, string) error {
	return func(ctx context.Context, call string) error {
		if call != name {
			return nil
		}
		<-ctx.Done()
		return errors.New("connection lost")
	}
}

func TestAStepThatIsCutOffByACancelIsUndoneToo(t *testing.T) {
	t.Parallel()
	n := &network{hook: hang("reserve hotel")}
	rt := open(t, t.TempDir(), n)
	trip := book(t, rt)
	n.next(t, 2)
	if err := ingress.Cancel(t.Context(), rt.Client(), trip.Id()); err != nil {
		t.Fatal(err)
	}
	if _, err := trip.Attach(t.Context()); restate.AsTerminalError(err) == nil || restate.AsTerminalError(err).Code() != 409 {
		t.Errorf("the trip ended with %v", err)
	}
	if got, want := n.next(t, 2), []string{"cancel hotel", "cancel flight"}; !slices.Equal(got, want) {
		t.Errorf("the companies were told %q, want %q", got, want)
	}
}

func TestASecondCancelDoesNotStopTheCompensation(t *testing.T) {
	t.Parallel()
	cancelled := false // only closures of one handler touch it, one at a time
	var rt *actors.Runtime
	var trip ingress.SendResponse[Booking]
	booked := make(chan struct{})
	n := &network{hook: func(ctx context.Context, call string) error {
		switch {
		case call == "reserve car":
			return restate.TerminalErrorf("no car")
		case call == "cancel hotel" && !cancelled:
			cancelled = true
			<-booked
			if err := ingress.Cancel(context.WithoutCancel(ctx), rt.Client(), trip.Id()); err != nil {
				return err
			}
			<-ctx.Done()
			return errors.New("connection lost")
		}
		return nil
	}}
	rt = open(t, t.TempDir(), n)
	trip = book(t, rt)
	close(booked)
	_, err := trip.Attach(t.Context())
	if e := restate.AsTerminalError(err); e == nil || e.Message() != "no car" {
		t.Errorf("the trip ended with %v", err)
	}
	want := []string{"reserve flight", "reserve hotel", "reserve car", "cancel car", "cancel hotel", "cancel hotel", "cancel flight"}
	if got := n.next(t, len(want)); !slices.Equal(got, want) {
		t.Errorf("the companies were told %q, want %q", got, want)
	}
}

func TestARestartGoesOnWithTheStepOrTheCompensationThatWasUnderWay(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	n := &network{hook: hang("reserve hotel")}
	rt := open(t, dir, n)
	trip := book(t, rt)
	n.next(t, 2)
	if err := rt.Close(); err != nil {
		t.Fatal(err)
	}

	n = &network{hook: func(ctx context.Context, call string) error {
		if call == "reserve car" {
			return restate.TerminalErrorf("no car")
		}
		return hang("cancel hotel")(ctx, call)
	}}
	rt = open(t, dir, n)
	if got, want := n.next(t, 4), []string{"reserve hotel", "reserve car", "cancel car", "cancel hotel"}; !slices.Equal(got, want) {
		t.Errorf("after the first restart the companies were told %q, want %q", got, want)
	}
	if err := rt.Close(); err != nil {
		t.Fatal(err)
	}

	n = &network{}
	rt = open(t, dir, n)
	_, err := ingress.InvocationById[Booking](rt.Client(), trip.Id()).Attach(t.Context())
	if e := restate.AsTerminalError(err); e == nil || e.Message() != "no car" {
		t.Errorf("the trip ended with %v", err)
	}
	if got, want := n.next(t, 2), []string{"cancel hotel", "cancel flight"}; !slices.Equal(got, want) {
		t.Errorf("after the second restart the companies were told %q, want %q", got, want)
	}
}
