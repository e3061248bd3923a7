package client

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptrace"
	"strings"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/examples/internal/exampletest"
	restate "github.com/restatedev/sdk-go"
	"github.com/restatedev/sdk-go/encoding"
	"github.com/restatedev/sdk-go/ingress"
)

// fails checks the error of a request: its code, and who is responsible.
func fails(t *testing.T, err error, code restate.Code, ofInvocation bool) ingress.Error {
	t.Helper()
	var failure ingress.Error
	if !errors.As(err, &failure) || failure.Code() != code || failure.IsInvocationError() != ofInvocation || failure.Message() == "" {
		t.Fatalf("got %v, want code %d, of an invocation: %v", err, code, ofInvocation)
	}
	if restate.IsTerminalError(err) != ofInvocation || failure.Stacktrace() != "" {
		t.Fatalf("%v is terminal: %v, stack %q", err, restate.IsTerminalError(err), failure.Stacktrace())
	}
	return failure
}

type failure struct {
	ErrorMessage string `json:"errorMessage"`
}

func TestATerminalErrorIsOneForTheClient(t *testing.T) {
	inModes(t, func(t *testing.T, w *world) {
		fail := ingress.Object[failure, restate.Void](w.client, "Failing", "f", "terminallyFailingCall")
		_, err := fail.Request(w.ctx, failure{"it broke"})
		equal(t, "message", fails(t, err, 500, true).Message(), "it broke")
		equal(t, "terminal error", restate.AsTerminalError(err).Code(), 500)
		sent, err := fail.Send(w.ctx, failure{"sent"})
		_, err = must(t, sent, err).Attach(w.ctx)
		equal(t, "message", fails(t, err, 500, true).Message(), "sent")
		_, err = sent.Output(w.ctx)
		equal(t, "message", fails(t, err, 500, true).Message(), "sent")
	})
}

func TestWhatTheIngressRefusesIsNoTerminalError(t *testing.T) {
	inModes(t, func(t *testing.T, w *world) {
		text := func(service, handler string, opts ...ingress.RequestOption) error {
			_, err := ingress.Service[string, string](w.client, service, handler).Request(w.ctx, "x", opts...)
			return err
		}
		var notFound *ingress.InvocationNotFoundError
		for _, err := range []error{text("Nobody", "greet"), text("TestUtilsService", "greet")} {
			fails(t, err, 404, false)
			if !errors.As(err, &notFound) {
				t.Errorf("%v is %T", err, err)
			}
		}
		fails(t, text("Counter", "add"), 400, false)
		fails(t, text("TestUtilsService", "echo", restate.WithLimitKey("l")), 400, false)
		fails(t, text("TestUtilsService", "echo", restate.WithIdempotencyKey(strings.Repeat("k", 1025))), 400, false)
		_, err := ingress.Service[[]byte, string](w.client, "TestUtilsService", "echo").Request(w.ctx, []byte(`"x"`), restate.WithInputCodec(encoding.BinaryCodec))
		fails(t, err, 400, false)
		_, err = ingress.Service[string, string](w.client, "TestUtilsService", "echo", restate.WithScope("s")).Request(w.ctx, "x")
		fails(t, err, 400, false)
		_, err = ingress.Object[string, sum](w.client, "Counter", "c", "add").Request(w.ctx, "seven")
		fails(t, err, 400, true)
		_, err = ingress.Service[[]byte, []byte](w.client, "TestUtilsService", "rawEcho").Request(w.ctx, make([]byte, 32<<20+1), restate.WithBinary)
		fails(t, err, 413, false)
	})
}

func TestAResultThatNobodyKeepsIsNotFound(t *testing.T) {
	inModes(t, func(t *testing.T, w *world) {
		unknown := ingress.InvocationById[string](w.client, "inv_105k1wlNFHb201SZwviYzes2mjOamuMJWw")
		_, err := unknown.Attach(w.ctx)
		fails(t, err, 404, true)
		_, err = unknown.Output(w.ctx)
		fails(t, err, 404, false)
		_, err = ingress.WorkflowHandle[string](w.client, workflowName, "nobody").Output(w.ctx)
		fails(t, err, 404, false)
		_, err = ingress.ObjectInvocationByIdempotencyKey[sum](w.client, "Counter", "c", "add", "nobody").Output(w.ctx)
		fails(t, err, 404, false)
		_, err = ingress.InvocationById[string](w.client, "inv_nonsense").Attach(w.ctx)
		fails(t, err, 400, false)
	})
}

// awaiting makes the interpreter wait for an awakeable.
var awaiting = json.RawMessage(`{"commands":[{"type":"awaitOne","command":{"type":"createAwakeable","awakeableKey":"a"}}]}`)

func TestAClientThatLeavesAndAKillChangeNothing(t *testing.T) {
	inModes(t, func(t *testing.T, w *world) {
		wait := ingress.Object[json.RawMessage, string](w.client, "VirtualObjectCommandInterpreter", "o", "interpretCommands")
		ctx, cancel := context.WithTimeout(w.ctx, 300*time.Millisecond)
		defer cancel()
		if _, err := wait.Request(ctx, awaiting, restate.WithIdempotencyKey("k")); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("a call that waits has ended with %v", err)
		}
		written, lost := make(chan struct{}), make(chan error, 1)
		traced := httptrace.WithClientTrace(w.ctx, &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { close(written) }})
		go func() {
			_, err := wait.Request(traced, awaiting, restate.WithIdempotencyKey("k"))
			lost <- err
		}()
		exampletest.Receive(t, written)
		id := w.awakeable()
		w.kill()
		var failure ingress.Error
		if err := exampletest.Receive(t, lost); err == nil || errors.As(err, &failure) {
			t.Errorf("a call whose server died has ended with %v", err)
		}
		exampletest.Want(t, w.program.Post("/restate/awakeables/"+id+"/resolve", `"answer"`), http.StatusAccepted, "")
		got, err := wait.Request(w.ctx, awaiting, restate.WithIdempotencyKey("k"))
		equal(t, "the repeated call", must(t, got, err), "answer")
		got, err = ingress.ObjectInvocationByIdempotencyKey[string](w.client, "VirtualObjectCommandInterpreter", "o", "interpretCommands", "k").Attach(w.ctx)
		equal(t, "attach", must(t, got, err), "answer")
	})
}

// awakeable returns the id of the awakeable that the interpreter has created.
func (w *world) awakeable() (id string) {
	w.t.Helper()
	sent, err := ingress.Object[json.RawMessage, string](w.client, "VirtualObjectCommandInterpreter", "o", "interpretCommands").
		Send(w.ctx, awaiting, restate.WithIdempotencyKey("k"))
	url := w.program.Admin + "/introspection/invocations/" + must(w.t, sent, err).Id()
	exampletest.Eventually(w.t, "the awakeable", func() bool {
		var seen struct {
			Journal struct {
				Entries []struct {
					StateKey string `json:"state_key"`
					Value    struct {
						JSON json.RawMessage `json:"json"`
					} `json:"value"`
				} `json:"entries"`
			} `json:"journal"`
		}
		if err := json.Unmarshal([]byte(exampletest.Do(http.MethodGet, url, "").Body), &seen); err != nil {
			return false
		}
		for _, e := range seen.Journal.Entries {
			if e.StateKey == "awk-a" {
				return json.Unmarshal(e.Value.JSON, &id) == nil
			}
		}
		return false
	})
	return id
}
