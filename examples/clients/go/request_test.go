package client

import (
	"bytes"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/examples/internal/exampletest"
	restate "github.com/restatedev/sdk-go"
	"github.com/restatedev/sdk-go/ingress"
)

// sum is what an addition of the service Counter answers.
type sum struct {
	OldValue int64 `json:"oldValue"`
	NewValue int64 `json:"newValue"`
}

func add(w *world, key string) ingress.Requester[int64, sum] {
	return ingress.Object[int64, sum](w.client, "Counter", key, "add")
}

func counted(w *world, key string) int64 {
	w.t.Helper()
	n, err := ingress.Object[restate.Void, int64](w.client, "Counter", key, "get").Request(w.ctx, restate.Void{})
	return must(w.t, n, err)
}

func TestHandlersAreCalledWithAndWithoutInputAndOutput(t *testing.T) {
	inModes(t, func(t *testing.T, w *world) {
		text := "žluťoučký \"kůň\"\n"
		got, err := ingress.Service[string, string](w.client, "TestUtilsService", "echo").Request(w.ctx, text)
		equal(t, "echo", must(t, got, err), text)
		done, err := add(w, "c").Request(w.ctx, 2)
		equal(t, "add", must(t, done, err), sum{0, 2})
		if _, err := ingress.Object[restate.Void, restate.Void](w.client, "Counter", "c", "reset").Request(w.ctx, restate.Void{}); err != nil {
			t.Fatal(err)
		}
		equal(t, "count after the reset", counted(w, "c"), 0)
		_, err = ingress.Object[int, int64](w.client, "Counter", "c", "get").Request(w.ctx, 1)
		fails(t, err, 400, false)
	})
}

func TestKeysThatAreEscapedReachTheirOwnObject(t *testing.T) {
	inModes(t, func(t *testing.T, w *world) {
		keys := []string{"a/b", "a%2Fb", "a b", "a+b", "ä€", "?x=1&y", "#", "%", "a//b/", ".", ".."}
		for i, key := range keys {
			if _, err := add(w, url.PathEscape(key)).Request(w.ctx, int64(i+1)); err != nil {
				t.Fatalf("%q: %v", key, err)
			}
		}
		for i, key := range keys {
			equal(t, key, counted(w, url.PathEscape(key)), int64(i+1))
		}
		equal(t, "a key that net/http escapes", counted(w, "a b"), 3)
	})
}

func TestHeadersAndTheAuthKeyReachTheHandler(t *testing.T) {
	inModes(t, func(t *testing.T, w *world) {
		c := ingress.NewClient(w.program.Ingress, ingress.WithAuthKey("secret"), ingress.WithHttpClient(&http.Client{Timeout: patience}))
		seen, err := ingress.Service[restate.Void, map[string]string](c, "TestUtilsService", "echoHeaders").
			Request(w.ctx, restate.Void{}, restate.WithHeaders(map[string]string{"X-Tenant": "t1"}), restate.WithIdempotencyKey("k"))
		must(t, seen, err)
		equal(t, "x-tenant", seen["x-tenant"], "t1")
		equal(t, "authorization", seen["authorization"], "Bearer secret")
		equal(t, "idempotency-key", seen["idempotency-key"], "")
	})
}

func TestBytesGoInAndComeOutAsTheyAre(t *testing.T) {
	inModes(t, func(t *testing.T, w *world) {
		echo := ingress.Service[[]byte, []byte](w.client, "TestUtilsService", "rawEcho")
		for _, want := range [][]byte{bytes.Repeat([]byte{0, 1, 254, 255}, 20_000), {}} {
			got, err := echo.Request(w.ctx, want, restate.WithBinary)
			if !bytes.Equal(must(t, got, err), want) {
				t.Errorf("%d bytes came back as %d", len(want), len(got))
			}
		}
		sent, err := echo.Send(w.ctx, []byte{0, 255}, restate.WithBinary)
		got, err := ingress.InvocationById[[]byte](w.client, must(t, sent, err).Id(), restate.WithBinary).Attach(w.ctx)
		if !slices.Equal(must(t, got, err), []byte{0, 255}) {
			t.Errorf("attached to %v", got)
		}
		c := ingress.NewClient(w.program.Ingress, restate.WithBinary)
		got, err = ingress.Service[[]byte, []byte](c, "TestUtilsService", "rawEcho").Request(w.ctx, []byte("x"))
		equal(t, "the codec of a client", string(must(t, got, err)), "x")
	})
}

func TestASendIsAcceptedAndItsResultFetched(t *testing.T) {
	inModes(t, func(t *testing.T, w *world) {
		sent, err := add(w, "c").Send(w.ctx, 4)
		equal(t, "status", must(t, sent, err).Status(), "Accepted")
		got, err := sent.Attach(w.ctx)
		equal(t, "attach", must(t, got, err), sum{0, 4})
		got, err = sent.Output(w.ctx)
		equal(t, "output", must(t, got, err), sum{0, 4})
		got, err = ingress.InvocationById[sum](w.client, sent.Id()).Attach(w.ctx)
		equal(t, "attach by id", must(t, got, err), sum{0, 4})

		simple, err := ingress.ObjectSend[int64](w.client, "Counter", "c", "add").Send(w.ctx, 1)
		equal(t, "status", must(t, simple, err).Status(), "Accepted")
		exampletest.Eventually(t, "the addition", func() bool { return counted(w, "c") == 5 })
		if _, err := ingress.ServiceSend[string](w.client, "TestUtilsService", "echo").Send(w.ctx, "x"); err != nil {
			t.Error(err)
		}
	})
}

func TestADelayIsKeptAndDoesNotHoldTheKey(t *testing.T) {
	inModes(t, func(t *testing.T, w *world) {
		const delay = 2 * time.Second
		began := time.Now()
		sent, err := add(w, "c").Send(w.ctx, 1, restate.WithDelay(delay), restate.WithIdempotencyKey("later"))
		must(t, sent, err)
		first, err := add(w, "c").Request(w.ctx, 10)
		equal(t, "what overtakes", must(t, first, err), sum{0, 10})
		same, err := add(w, "c").Request(w.ctx, 99, restate.WithIdempotencyKey("later"))
		equal(t, "a call with the key of the send", must(t, same, err), sum{10, 11})
		if took := time.Since(began); took < delay {
			t.Errorf("it ran after %v", took)
		}
		month, err := add(w, "c").Send(w.ctx, 1, restate.WithDelay(30*24*time.Hour))
		equal(t, "status", must(t, month, err).Status(), "Accepted")
	})
}

func TestAnIdempotencyKeyRunsOnceAndIsAttachedTo(t *testing.T) {
	inModes(t, func(t *testing.T, w *world) {
		answers := make([]sum, 20)
		var all sync.WaitGroup
		for i := range answers {
			all.Go(func() {
				got, err := add(w, "c").Request(w.ctx, int64(i+1), restate.WithIdempotencyKey("once"))
				if answers[i] = got; err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		for _, a := range answers {
			equal(t, "answer", a, answers[0])
		}
		equal(t, "count", counted(w, "c"), answers[0].NewValue)

		handle := ingress.ObjectInvocationByIdempotencyKey[sum](w.client, "Counter", "c", "add", "once")
		got, err := handle.Attach(w.ctx)
		equal(t, "attach by key", must(t, got, err), answers[0])
		got, err = handle.Output(w.ctx)
		equal(t, "output by key", must(t, got, err), answers[0])
		again, err := add(w, "c").Send(w.ctx, 5, restate.WithIdempotencyKey("once"))
		equal(t, "status", must(t, again, err).Status(), "PreviouslyAccepted")

		echo := ingress.Service[string, string](w.client, "TestUtilsService", "echo")
		sent, err := echo.Send(w.ctx, "first", restate.WithIdempotencyKey("k"))
		must(t, sent, err)
		text, err := ingress.ServiceInvocationByIdempotencyKey[string](w.client, "TestUtilsService", "echo", "k").Attach(w.ctx)
		equal(t, "attach to a service", must(t, text, err), "first")
	})
}
