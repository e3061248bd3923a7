package ingress_test

import (
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

func TestSignalsReachTheTransportAsWritten(t *testing.T) {
	t.Parallel()
	f := &fakeTransport{}
	c, ctx := ingress.NewInProcess(f), t.Context()
	for _, err := range []error{
		ingress.ResolveSignal(ctx, c, "inv_1", "paid", 5),
		ingress.ResolveSignal(ctx, c, "inv_1", "scan", []byte("raw"), restate.WithBinary),
		ingress.RejectSignal(ctx, c, "inv_1", "paid", io.EOF),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	if want := []string{"signal inv_1 paid 5", "signal inv_1 scan raw", "signal inv_1 paid "}; !reflect.DeepEqual(f.asked, want) || f.rejection != io.EOF {
		t.Errorf("asked for %q, rejected with %v", f.asked, f.rejection)
	}
}

func TestSignalsThatCannotBeSentSayWhatToDo(t *testing.T) {
	t.Parallel()
	f := &fakeTransport{}
	c, ctx := ingress.NewInProcess(f), t.Context()
	for want, err := range map[string]error{
		"its name is empty: give it one":                    ingress.ResolveSignal(ctx, c, "inv_1", "", 1),
		"the reason is nil: give an error":                  ingress.RejectSignal(ctx, c, "inv_1", "n", nil),
		`encode signal "n" for invocation inv_1: json: uns`: ingress.ResolveSignal(ctx, c, "inv_1", "n", make(chan int)),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if len(f.asked) > 0 {
		t.Errorf("asked for %q", f.asked)
	}
	f.err = ingress.NewError(404, "unknown", nil)
	if _, ok := errors.AsType[*ingress.InvocationNotFoundError](ingress.ResolveSignal(ctx, c, "inv_1", "n", 1)); !ok {
		t.Error("an unknown invocation has no type of its own")
	}
	f.err = io.ErrUnexpectedEOF
	if err := ingress.ResolveSignal(ctx, c, "inv_1", "n", 1); !errors.Is(err, io.ErrUnexpectedEOF) || err.Error() != `send signal "n" to invocation inv_1: unexpected EOF` {
		t.Errorf("a lost way is %v", err)
	}
}

func TestSignalsAreSentOverHTTP(t *testing.T) {
	t.Parallel()
	url, asked := serve(t, 202, nil, "")
	c, ctx := ingress.NewClient(url), t.Context()
	if err := ingress.ResolveSignal(ctx, c, "inv_1", "a/b c", "yes"); err != nil {
		t.Error(err)
	}
	if got := <-asked; got.uri != "/restate/signals/inv_1/a%2Fb%20c/resolve" || got.method != "POST" || got.body != `"yes"` {
		t.Errorf("resolve: %+v", got)
	}
	reason := restate.ToTerminalError(errors.New("no"), restate.WithErrorCode(418))
	if err := ingress.RejectSignal(ctx, c, "inv_1", "..", reason); err != nil {
		t.Error(err)
	}
	if got := <-asked; got.uri != "/restate/signals/inv_1/%2E%2E/reject" || got.body != "no" {
		t.Errorf("reject: %+v", got)
	}
}
