package ingress_test

import (
	"context"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/encoding"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

func TestRequestsReachTheTransportAsWritten(t *testing.T) {
	t.Parallel()
	f := &fakeTransport{response: ingress.Response{InvocationID: "inv", Body: []byte(`"out"`)}, sent: ingress.Sent{InvocationID: "inv_2", Status: "Accepted"}}
	c, ctx := ingress.NewInProcess(f), t.Context()
	out, err := ingress.Object[int, string](c, "O", "", "h").Request(ctx, 5, restate.WithIdempotencyKey("k"), restate.WithHeaders(map[string]string{"X": "1"}))
	if out != "out" || err != nil {
		t.Fatalf("answer %q, %v", out, err)
	}
	sent, err := ingress.WorkflowSend[restate.Void](c, "W", "w/1", "Run").Send(ctx, restate.Void{}, restate.WithDelay(time.Second))
	if err != nil || sent.Id() != "inv_2" || sent.Status() != "Accepted" {
		t.Fatalf("sent %v, %v", sent, err)
	}
	if _, err := ingress.ServiceSend[[]byte](c, "S", "h").Send(ctx, []byte("raw"), restate.WithBinary); err != nil {
		t.Fatal(err)
	}
	if _, err := ingress.NewRequester[[]byte, restate.Void](c, "S", "h", nil, &encoding.BinaryCodec).Request(ctx, nil); err != nil {
		t.Fatal(err)
	}
	want := []ingress.Request{
		{Service: "O", Keyed: true, Handler: "h", Headers: map[string]string{"X": "1"}, ContentType: "application/json", Body: []byte("5"), IdempotencyKey: "k"},
		{Service: "W", Key: "w/1", Keyed: true, Handler: "Run", Delay: new(time.Second)},
		{Service: "S", Handler: "h", ContentType: "application/octet-stream", Body: []byte("raw")},
		{Service: "S", Handler: "h", ContentType: "application/octet-stream"},
	}
	if !reflect.DeepEqual(f.requests, want) {
		t.Errorf("asked for\n%+v, want\n%+v", f.requests, want)
	}
}

func TestDirectionsMayHaveTheirOwnCodec(t *testing.T) {
	t.Parallel()
	f := &fakeTransport{response: ingress.Response{Body: []byte("raw")}}
	c := ingress.NewInProcess(f)
	out, err := ingress.Service[string, []byte](c, "S", "h").Request(t.Context(), "in", restate.WithOutputCodec(encoding.BinaryCodec))
	if err != nil || string(out) != "raw" || string(f.requests[0].Body) != `"in"` {
		t.Errorf("sent %q, read %q, %v", f.requests[0].Body, out, err)
	}
}

func TestHandlesComputeTheirIds(t *testing.T) {
	t.Parallel()
	f := &fakeTransport{response: ingress.Response{Body: []byte("7")}, sent: ingress.Sent{InvocationID: "inv_9"}}
	c, ctx := ingress.NewInProcess(f), t.Context()
	sent, err := ingress.Service[int, int](c, "S", "h").Send(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range []ingress.InvocationHandle[int]{
		sent,
		ingress.InvocationById[int](c, "inv_8", restate.WithJSON),
		ingress.WorkflowHandle[int](c, "Wf", "w1"),
		ingress.ObjectInvocationByIdempotencyKey[int](c, "Obj", "k2", "Add", "k-1"),
		ingress.ServiceInvocationByIdempotencyKey[int](c, "Greeter", "Greet", "k-1"),
	} {
		if got, err := h.Attach(ctx); got != 7 || err != nil {
			t.Errorf("attach: %d, %v", got, err)
		}
	}
	if _, err := sent.Output(ctx); err != nil {
		t.Error(err)
	}
	if got, err := ingress.Attach[int](ctx, c, "inv_7"); got != 7 || err != nil {
		t.Errorf("attach: %d, %v", got, err)
	}
	want := []string{
		"attach inv_9", "attach inv_8", "attach inv_12kpUQONmeFb2WqsVOkAjH4phS34cOyIC8",
		"attach inv_10SHxgluLUdD6TrhOxOFz2TXBr99GsRtSi", "attach inv_1ca6DV4BApIF5xlS7I3j4fgljgXPcpyfqk", "output inv_9", "attach inv_7",
	}
	if !reflect.DeepEqual(f.asked, want) {
		t.Errorf("asked for %q, want %q", f.asked, want)
	}
}

func TestFlowControlIsRefusedBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	f := &fakeTransport{}
	c := ingress.NewInProcess(f)
	_, scoped := ingress.Service[int, int](c, "S", "h", restate.WithScope("s")).Request(t.Context(), 1)
	_, limited := ingress.ServiceSend[int](c, "S", "h").Send(t.Context(), 1, restate.WithLimitKey("l"))
	for _, err := range []error{scoped, limited} {
		if e, ok := errors.AsType[ingress.Error](err); !ok || e.Code() != 400 || e.IsInvocationError() {
			t.Errorf("got %v", err)
		}
	}
	if _, err := ingress.Service[int, int](c, "S", "h", restate.WithScope("")).Request(t.Context(), 1); len(f.requests) != 1 {
		t.Errorf("%d requests left, %v", len(f.requests), err)
	}
}

func TestErrorsOfTheTransportKeepTheirType(t *testing.T) {
	t.Parallel()
	f := &fakeTransport{}
	c, ctx := ingress.NewInProcess(f), t.Context()
	terminal := restate.ToTerminalError(io.EOF, restate.WithErrorCode(404), restate.WithMetadata("k", "v"))

	f.err = ingress.NewInvocationError(terminal)
	_, err := ingress.Service[int, int](c, "S", "h").Request(ctx, 1)
	e, ok := err.(ingress.Error)
	if found := restate.AsTerminalError(err); !ok || !e.IsInvocationError() || e.Code() != 404 || found != terminal {
		t.Errorf("a failed invocation is %#v", err)
	}
	if _, ok := errors.AsType[*ingress.InvocationNotFoundError](err); ok {
		t.Error("a failed invocation is not found")
	}

	f.err = ingress.NewError(404, "unknown", io.ErrClosedPipe)
	err = ingress.Kill(ctx, c, "inv_1")
	if _, ok := errors.AsType[*ingress.InvocationNotFoundError](err); !ok || !errors.Is(err, io.ErrClosedPipe) || restate.IsTerminalError(err) {
		t.Errorf("an unknown invocation is %#v", err)
	}

	f.err = ingress.NewError(470, "not yet", nil)
	_, err = ingress.InvocationById[int](c, "inv_1").Output(ctx)
	if e, ok := err.(*ingress.InvocationNotReadyError); !ok || e.Code() != 470 || e.Message() != "not yet" || e.Stacktrace() != "" {
		t.Errorf("an open invocation is %#v", err)
	}

	f.err = context.Canceled
	_, err = ingress.Object[int, int](c, "O", "k", "h").Request(ctx, 1)
	if !errors.Is(err, context.Canceled) || err.Error() != "call O/k/h: context canceled" {
		t.Errorf("a lost way is %v", err)
	}
}

func TestPayloadsThatDoNotFitNameTheInvocation(t *testing.T) {
	t.Parallel()
	f := &fakeTransport{response: ingress.Response{InvocationID: "inv_5", Body: []byte(`"x"`)}}
	c, ctx := ingress.NewInProcess(f), t.Context()
	_, err := ingress.Service[int, int](c, "S", "h").Request(ctx, 1)
	if err == nil || !strings.Contains(err.Error(), "decode the result of invocation inv_5 as int") {
		t.Errorf("undecodable result: %v", err)
	}
	_, err = ingress.Service[chan int, int](c, "S", "h").Request(ctx, nil)
	if err == nil || !strings.Contains(err.Error(), "encode the input of S/h") || len(f.requests) != 1 {
		t.Errorf("unencodable input: %v, %d requests", err, len(f.requests))
	}
}

func TestAwakeablesAndOperationsReachTheTransport(t *testing.T) {
	t.Parallel()
	f := &fakeTransport{}
	c, ctx := ingress.NewInProcess(f), t.Context()
	reason := restate.TerminalErrorf("no")
	for _, err := range []error{
		ingress.ResolveAwakeable(ctx, c, "sign_1a", "yes"),
		ingress.ResolveAwakeable(ctx, c, "sign_1b", []byte("raw"), restate.WithBinary),
		ingress.Cancel(ctx, c, "inv_1"),
		ingress.Kill(ctx, c, "inv_2"),
		ingress.Pause(ctx, c, "inv_3"),
		ingress.Resume(ctx, c, "inv_4"),
		ingress.Purge(ctx, c, "inv_5"),
		ingress.PurgeJournal(ctx, c, "inv_6"),
		ingress.EditState(ctx, c, ingress.StatePatch{Service: "O", Key: "k", Version: "v", State: map[string][]byte{"n": []byte("1")}}),
		ingress.RejectAwakeable(ctx, c, "sign_1c", reason),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	want := []string{`complete sign_1a "yes"`, "complete sign_1b raw", "cancel inv_1", "kill inv_2", "pause inv_3", "resume inv_4", "purge inv_5", "purge-journal inv_6", "edit O/k v 1", "complete sign_1c "}
	if !reflect.DeepEqual(f.asked, want) || f.rejection != reason {
		t.Errorf("asked for %q with %v", f.asked, f.rejection)
	}
	if err := ingress.RejectAwakeable(ctx, c, "sign_1d", nil); err == nil || len(f.asked) != len(want) {
		t.Errorf("a rejection without reason: %v", err)
	}
	if err := ingress.ResolveAwakeable(ctx, c, "sign_1d", make(chan int)); err == nil || len(f.asked) != len(want) {
		t.Errorf("an answer that does not encode: %v", err)
	}
}
