package conformance_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/examples/testservices/services"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

// add adds to a counter.
func (w *world) add(key string, n int64) services.CounterUpdate {
	w.t.Helper()
	return call[services.CounterUpdate](w, "Counter", key, "add", n)
}

// proxiedAdd adds 1 to the counter c through the proxy.
func proxiedAdd() services.ProxyRequest { return proxied("Counter", "c", "add", "1") }

func TestServiceToServiceCommunication_regularCall(t *testing.T) {
	inModes(t, func(t *testing.T, w *world) {
		r := proxied("TestUtilsService", "", "uppercaseEcho", strconv.Quote("ping"))
		r.VirtualObjectKey = nil
		got := callService[services.ByteArray](w, "Proxy", "call", r)
		text := make([]byte, len(got))
		for i, n := range got {
			text[i] = byte(n)
		}
		equal(t, "the answer", string(text), `"PING"`)
	})
}

func TestServiceToServiceCommunication_oneWayCall(t *testing.T) {
	inModes(t, func(t *testing.T, w *world) {
		id := callService[string](w, "Proxy", "oneWayCall", proxiedAdd())
		w.eventually("the counter is 1", func() bool { return w.counted("c") == 1 })
		got := attach(w, ingress.InvocationById[services.CounterUpdate](w.c, id))
		equal(t, "the result of the send", got, services.CounterUpdate{OldValue: 0, NewValue: 1})
	})
}

func TestServiceToServiceCommunication_oneWayCallWithIdempotencyKey(t *testing.T) {
	inModes(t, func(t *testing.T, w *world) {
		r := proxiedAdd()
		r.IdempotencyKey = new("once")
		id := callService[string](w, "Proxy", "oneWayCall", r)
		for range 3 {
			equal(t, "the id", callService[string](w, "Proxy", "oneWayCall", r), id)
		}
		handle := ingress.ObjectInvocationByIdempotencyKey[services.CounterUpdate](w.c, "Counter", "c", "add", "once")
		equal(t, "the result", attach(w, handle).NewValue, 1)
		got, err := handle.Output(w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "the output", got.NewValue, 1)
		equal(t, "the counter", w.counted("c"), 1)
	})
}

func TestServiceToServiceCommunication_callWithIdempotencyKey(t *testing.T) {
	inModes(t, func(t *testing.T, w *world) {
		r := proxiedAdd()
		r.IdempotencyKey = new("once")
		first := fmt.Sprint(callService[services.ByteArray](w, "Proxy", "call", r))
		for range 3 {
			equal(t, "the answer", fmt.Sprint(callService[services.ByteArray](w, "Proxy", "call", r)), first)
		}
		equal(t, "the counter", w.counted("c"), 1)
	})
}

func TestServiceToServiceCommunication_oneWayCallWithDelay(t *testing.T) {
	inModes(t, func(t *testing.T, w *world) {
		began := time.Now()
		r := proxiedAdd()
		r.DelayMillis = 5000
		for range 10 {
			callService[string](w, "Proxy", "oneWayCall", r)
		}
		w.eventually("the counter is 10", func() bool {
			n := w.counted("c")
			if n > 0 && time.Since(began) < 5*time.Second {
				t.Fatalf("the counter is %d after %v", n, time.Since(began))
			}
			return n == 10
		})
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// TestServiceToServiceScopeConcurrency_scopeAndLimitKey sends four calls under a
// scope, of which the suite wants two at a time. There is no flow control here,
// and a scope must not look as if there were: it is refused.
func TestServiceToServiceScopeConcurrency_scopeAndLimitKey(t *testing.T) {
	inModes(t, func(t *testing.T, w *world) {
		for what, change := range map[string]func(*services.ProxyRequest){
			"scope":     func(r *services.ProxyRequest) { r.Scope = "scope" },
			"limit key": func(r *services.ProxyRequest) { r.LimitKey = "limit" },
		} {
			for _, handler := range []string{"call", "manyCalls"} {
				r := proxiedAdd()
				change(&r)
				_, err := ingress.Service[any, any](w.c, "Proxy", handler).Request(w.ctx, proxyInput(handler, r))
				failure := restate.AsTerminalError(err)
				if failure == nil || failure.Code() != 400 {
					t.Errorf("%s with a %s: got %v, want a failed invocation with code 400", handler, what, err)
				}
			}
		}
		a := w.post("/restate/scope/s/call/Counter/c/add", []byte("1"), "Content-Type", "application/json")
		equal(t, "the status of a scoped path", a.status, 400)
		equal(t, "the counter", w.counted("c"), 0)
	}, byDefault, suspend)
}

// proxyInput is what a handler of the proxy takes.
func proxyInput(handler string, r services.ProxyRequest) any {
	if handler == "call" {
		return r
	}
	return []services.ManyCallRequest{{ProxyRequest: r, AwaitAtTheEnd: true}, {ProxyRequest: r, OneWayCall: true}}
}
