package actors

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

func TestTheClientOfTheSameProcessCallsAndResolves(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		c := b.rt.Client()
		if n, err := ingress.Object[int, int](c, "Counter", "a", "add").Request(t.Context(), 2); n != 2 || err != nil {
			t.Fatalf("add gives %d, %v", n, err)
		}
		desk := ingress.Object[string, string](c, "Desk", "x", "ask")
		sent, err := desk.Send(t.Context(), "x")
		if err != nil {
			t.Fatal(err)
		}
		var notReady *ingress.InvocationNotReadyError
		if _, err := sent.Output(t.Context()); !errors.As(err, &notReady) {
			t.Errorf("output of a waiting invocation gives %v", err)
		}
		synctest.Wait()
		id := w.awakeable(t, "x").String()
		if err := ingress.ResolveAwakeable(t.Context(), c, id, "yes"); err != nil {
			t.Fatal(err)
		}
		if err := ingress.RejectAwakeable(t.Context(), c, id, errors.New("too late")); err != nil {
			t.Errorf("a second answer gives %v", err)
		}
		if v, err := sent.Attach(t.Context()); v != "yes" || err != nil {
			t.Errorf("attach gives %q, %v", v, err)
		}
		var failed ingress.Error
		if err := ingress.Cancel(t.Context(), c, sent.Id()); !errors.As(err, &failed) || failed.Code() != 409 || failed.IsInvocationError() {
			t.Errorf("cancel of a completed invocation gives %v", err)
		}
	})
}

func TestARejectInTheSameProcessKeepsItsCode(t *testing.T) {
	t.Parallel()
	w := &world{}
	inBubble(t, Options{Services: w.services()}, func(t *testing.T, b *bench) {
		c := b.rt.Client()
		desk := ingress.Object[string, string](c, "Desk", "x", "ask")
		sent, err := desk.Send(t.Context(), "x")
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		reason := restate.ToTerminalError(errors.New("no"), restate.WithErrorCode(418), restate.WithMetadata("k", "v"))
		if err := ingress.RejectAwakeable(t.Context(), c, w.awakeable(t, "x").String(), reason); err != nil {
			t.Fatal(err)
		}
		_, err = sent.Attach(t.Context())
		terminal := restate.AsTerminalError(err)
		if terminal == nil || terminal.Code() != 418 || terminal.Message() != "no" || terminal.Metadata().Get("k") != "v" {
			t.Errorf("the invocation ended with %v", err)
		}
	})
}

func TestRefusalsHaveTheCodesOfHTTP(t *testing.T) {
	t.Parallel()
	id := ident.RandomID(ident.Target{Kind: ident.KindService}, 1, [16]byte{1})
	for _, tc := range []struct {
		err  error
		want restate.Code
	}{
		{ErrUnknownService, 404}, {ErrUnknownHandler, 404}, {ErrUnknownInvocation, 404}, {ErrNotReady, 470},
		{ErrNotRestartable, 422}, {ErrJournalGone, 410}, {ErrTooManySignals, 429},
		{ErrPrivate, 400}, {ErrInvalid, 400}, {ErrTooLarge, 413}, {ErrLowSpace, 507}, {ErrStopped, 503},
		{&StatusError{Op: machine.OpCancel, ID: id}, 409}, {&StatusError{Op: machine.OpResume, ID: id, TooEarly: true}, 425},
		{&OverloadedError{Requests: true}, 429}, {&OverloadedError{}, 503}, {&QuarantinedError{Cause: ErrInvalid}, 500},
		{&OutcomeUnknownError{ID: id}, 0}, {context.Canceled, 0},
	} {
		if got := refusalCode(tc.err); got != tc.want {
			t.Errorf("%v has the code %d, want %d", tc.err, got, tc.want)
		}
	}
}
