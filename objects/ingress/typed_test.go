package ingress_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/encoding"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

// Account has a method of every shape that a typed call takes.
type Account struct{}

func (*Account) Deposit(_ restate.ObjectContext, n int) (int, error)    { return n, nil }
func (*Account) Balance(restate.ObjectSharedContext) (int, error)       { return 0, nil }
func (*Account) Move(_ restate.ObjectContext, to string) error          { return nil }
func (*Account) Close(restate.ObjectContext) error                      { return nil }
func (*Account) Sign(_ restate.ObjectContext, b []byte) ([]byte, error) { return b, nil }

// Mail is a service.
type Mail struct{}

func (Mail) Post(_ restate.Context, text string) (string, error) { return text, nil }

var on = restate.On[*Account]("a/1")

// definedTransport is one whose definitions are at hand.
type definedTransport struct {
	*fakeTransport
	definition restate.ServiceDefinition
}

func (d definedTransport) Definition(service string) restate.ServiceDefinition {
	if d.definition.Name() != service {
		return nil
	}
	return d.definition
}

func TestTypedCallsReachTheTransportAsUntypedOnes(t *testing.T) {
	t.Parallel()
	typed := &fakeTransport{response: ingress.Response{Body: []byte("7")}, sent: ingress.Sent{InvocationID: "inv_1"}}
	untyped := &fakeTransport{response: typed.response, sent: typed.sent}
	c, u, ctx := ingress.NewInProcess(typed), ingress.NewInProcess(untyped), t.Context()

	n, err := ingress.Call(ctx, c, on, (*Account).Deposit, 5, restate.WithIdempotencyKey("k"))
	m, err0 := ingress.Call0(ctx, c, on, (*Account).Balance)
	if n != 7 || m != 7 || err != nil || err0 != nil {
		t.Errorf("%d, %v, %d, %v", n, err, m, err0)
	}
	_, _ = ingress.Object[int, int](u, "Account", "a/1", "Deposit").Request(ctx, 5, restate.WithIdempotencyKey("k"))
	_, _ = ingress.Object[restate.Void, int](u, "Account", "a/1", "Balance").Request(ctx, restate.Void{})

	typed.response.Body, untyped.response.Body = nil, nil
	if err := errors.Join(ingress.CallVoid(ctx, c, on, (*Account).Move, "b"), ingress.CallVoid0(ctx, c, on, (*Account).Close)); err != nil {
		t.Error(err)
	}
	_, _ = ingress.Object[string, restate.Void](u, "Account", "a/1", "Move").Request(ctx, "b")
	_, _ = ingress.Object[restate.Void, restate.Void](u, "Account", "a/1", "Close").Request(ctx, restate.Void{})

	sent, err := ingress.Send(ctx, c, on, (*Account).Deposit, 6, restate.WithDelay(time.Second))
	_, err1 := ingress.Send0(ctx, c, on, (*Account).Balance)
	_, err2 := ingress.SendVoid(ctx, c, on, (*Account).Move, "b")
	_, err3 := ingress.SendVoid0(ctx, c, on, (*Account).Close)
	if err := errors.Join(err, err1, err2, err3); err != nil || sent.Id() != "inv_1" {
		t.Errorf("%v, %v", sent, err)
	}
	_, _ = ingress.ObjectSend[int](u, "Account", "a/1", "Deposit").Send(ctx, 6, restate.WithDelay(time.Second))
	_, _ = ingress.ObjectSend[restate.Void](u, "Account", "a/1", "Balance").Send(ctx, restate.Void{})
	_, _ = ingress.ObjectSend[string](u, "Account", "a/1", "Move").Send(ctx, "b")
	_, _ = ingress.ObjectSend[restate.Void](u, "Account", "a/1", "Close").Send(ctx, restate.Void{})

	_, _ = ingress.Send(ctx, c, restate.OnService[Mail](), Mail.Post, "hi")
	_, _ = ingress.ServiceSend[string](u, "Mail", "Post").Send(ctx, "hi")

	if !reflect.DeepEqual(typed.requests, untyped.requests) || len(typed.requests) != 9 {
		t.Errorf("asked for\n%+v, want\n%+v", typed.requests, untyped.requests)
	}
}

// TestTheResultOfATypedSendCanBeHad with the output type of the method.
func TestTheResultOfATypedSendCanBeHad(t *testing.T) {
	t.Parallel()
	f := &fakeTransport{response: ingress.Response{Body: []byte("8")}, sent: ingress.Sent{InvocationID: "inv_1"}}
	sent, err := ingress.Send(t.Context(), ingress.NewInProcess(f), on, (*Account).Deposit, 6)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := sent.Attach(t.Context()); n != 8 || err != nil || f.asked[0] != "attach inv_1" {
		t.Errorf("%d, %v, %q", n, err, f.asked)
	}
}

// TestTypedCallsTakeTheCodecOfTheHandlerWhereItIsKnown: an option wins, and what
// is not known is the client's.
func TestTypedCallsTakeTheCodecOfTheHandlerWhereItIsKnown(t *testing.T) {
	t.Parallel()
	binary := restate.Reflect(&Account{}, restate.WithBinary)
	renamed := restate.NewObject("Account").Handler("sign", restate.NewObjectHandler((&Account{}).Sign, restate.WithBinary))
	for name, row := range map[string]struct {
		definition restate.ServiceDefinition
		opts       []ingress.RequestOption
		in, out    string
		handler    string
	}{
		"handler":       {binary, nil, "in", "out", "Sign"},
		"renamed":       {renamed, nil, "in", "out", "sign"},
		"option":        {binary, []ingress.RequestOption{restate.WithJSON}, `"aW4="`, `"b3V0"`, "Sign"},
		"one direction": {binary, []ingress.RequestOption{restate.WithInputCodec(encoding.JSONCodec)}, `"aW4="`, "out", "Sign"},
		"not bound":     {restate.Reflect(Mail{}), nil, `"aW4="`, `"b3V0"`, "Sign"},
		"unknown":       {nil, []ingress.RequestOption{restate.WithBinary}, "in", "out", "Sign"},
	} {
		f := &fakeTransport{response: ingress.Response{Body: []byte(row.out)}, sent: ingress.Sent{InvocationID: "inv_1"}}
		var transport ingress.Transport = f
		if row.definition != nil {
			transport = definedTransport{f, row.definition}
		}
		c := ingress.NewInProcess(transport)
		out, err := ingress.Call(t.Context(), c, on, (*Account).Sign, []byte("in"), row.opts...)
		if err != nil || string(out) != "out" || string(f.requests[0].Body) != row.in || f.requests[0].Handler != row.handler {
			t.Errorf("%s: %q, %v, sent %q to %s", name, out, err, f.requests[0].Body, f.requests[0].Handler)
		}
		sent, err := ingress.Send(t.Context(), c, on, (*Account).Sign, []byte("in"))
		if err != nil || len(row.opts) > 0 {
			continue
		}
		if out, err := sent.Output(t.Context()); err != nil || string(out) != "out" {
			t.Errorf("%s: the output of a send is %q, %v", name, out, err)
		}
	}
}

// TestTypedCallsOverHTTPUseTheCodecOfTheClient.
func TestTypedCallsOverHTTPUseTheCodecOfTheClient(t *testing.T) {
	t.Parallel()
	url, asked := serve(t, 200, nil, "out")
	out, err := ingress.Call(t.Context(), ingress.NewClient(url, restate.WithBinary), on, (*Account).Sign, []byte("in"))
	if got := <-asked; err != nil || string(out) != "out" || got.body != "in" || got.uri != "/Account/a%2F1/Sign" {
		t.Errorf("%q, %v, %+v", out, err, got)
	}
}

// TestWhatATypedCallCannotNameIsRefused with code 400, and nothing is sent.
func TestWhatATypedCallCannotNameIsRefused(t *testing.T) {
	t.Parallel()
	f := &fakeTransport{}
	c, ctx := ingress.NewInProcess(f), t.Context()
	literal := func(*Account, restate.ObjectContext, int) (int, error) { return 0, nil }
	_, errCall := ingress.Call(ctx, c, on, literal, 1)
	_, errSend := ingress.Send(ctx, c, on, literal, 1)
	_, errNoKey := ingress.Call(ctx, c, restate.OnService[*Account](), (*Account).Deposit, 1)
	_, errKey := ingress.Send(ctx, c, restate.On[Mail]("k"), Mail.Post, "hi")
	for want, err := range map[string]error{
		"pass a method of the receiver":                    errCall,
		"is no method expression of *ingress_test.Account": errSend,
		"use On[*ingress_test.Account](key)":               errNoKey,
		"use OnService[ingress_test.Mail]()":               errKey,
	} {
		e, ok := errors.AsType[ingress.Error](err)
		if !ok || e.Code() != 400 || e.IsInvocationError() || restate.IsTerminalError(err) || !strings.Contains(e.Message(), want) {
			t.Errorf("%v, want a 400 with %q", err, want)
		}
	}
	if len(f.requests) != 0 {
		t.Errorf("sent %+v", f.requests)
	}
}
