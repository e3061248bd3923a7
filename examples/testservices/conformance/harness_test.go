package conformance_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"log/slog"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/examples/testservices/services"
	"github.com/dormouse-run/dormouse/httpapi"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

// patience is how long a test waits for something that should come at once.
const patience = time.Minute

// TestMain serves the services when this is the child of a test. Otherwise more
// tests run at a time than there are processors: most of them wait for timers.
func TestMain(m *testing.M) {
	if os.Getenv(envChild) != "" {
		os.Exit(serveAsChild())
	}
	flag.Parse()
	if n := flag.Lookup("test.parallel"); n.Value.String() == strconv.Itoa(runtime.GOMAXPROCS(0)) {
		if err := n.Value.Set("16"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// mode is a way to run the services.
type mode string

// Modes.
const (
	byDefault mode = "default"
	suspend   mode = "suspend"
	evict     mode = "evict"
	lazy      mode = "lazy"
)

// options of a runtime that runs in this mode. Attempts that fail are repeated
// soon, which changes when, and not what.
func (m mode) options() actors.Options {
	defaults := restate.DefaultSettings()
	defaults.Retry.InitialInterval = 20 * time.Millisecond
	o := actors.Options{Services: services.Definitions(), Defaults: &defaults}
	switch m {
	case suspend:
		o.Stress.SuspendAtEveryWait, o.Linger = true, -1
	case evict:
		o.Stress.EvictTimers = true
	case lazy:
		o.Stress.LazyState = true
	}
	return o
}

// inModes runs a case in each of the modes, all of them when none is given, on a
// runtime of its own.
func inModes(t *testing.T, run func(t *testing.T, w *world), modes ...mode) {
	t.Helper()
	t.Parallel()
	if len(modes) == 0 {
		modes = []mode{byDefault, suspend, evict, lazy}
	}
	for _, m := range modes {
		t.Run(string(m), func(t *testing.T) {
			t.Parallel()
			run(t, open(t, m))
		})
	}
}

// world is a running runtime, as a client sees it.
type world struct {
	t   *testing.T
	ctx context.Context
	// c knows both ports.
	c              *ingress.Client
	ingress, admin string
	http           *http.Client
}

// open starts a runtime, which ends with the test.
func open(t *testing.T, m mode) *world {
	t.Helper()
	o := m.options()
	o.Logger = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	rt, err := actors.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ready, ended := make(chan httpapi.Addresses, 1), make(chan error, 1)
	server, err := httpapi.New(rt, httpapi.Options{
		Ingress: "127.0.0.1:0", Admin: "127.0.0.1:0", Logger: o.Logger,
		Ready: func(a httpapi.Addresses) { ready <- a },
	})
	if err != nil {
		t.Fatal(errors.Join(err, rt.Close()))
	}
	ctx, stop := context.WithCancel(context.Background())
	go func() { ended <- server.Serve(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-ended, rt.Close()); err != nil {
			t.Error(err)
		}
	})
	select {
	case at := <-ready:
		return newWorld(t, at.Ingress, at.Admin)
	case err := <-ended:
		ended <- nil
		t.Fatal(err)
		return nil
	}
}

// newWorld returns the client of a runtime at two addresses.
func newWorld(t *testing.T, ingressAt, adminAt string) *world {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	t.Cleanup(func() { cancel(); transport.CloseIdleConnections() })
	w := &world{t: t, ctx: ctx, ingress: "http://" + ingressAt, admin: "http://" + adminAt, http: &http.Client{Transport: transport}}
	w.c = ingress.NewClient(w.ingress, ingress.WithAdminURL(w.admin), ingress.WithHttpClient(w.http))
	return w
}

// none is the input, or the output, of a handler without one.
type none = restate.Void

// call calls a handler of an object, which has to succeed.
func call[O, I any](w *world, service, key, handler string, input I, opts ...ingress.RequestOption) O {
	w.t.Helper()
	output, err := ingress.Object[I, O](w.c, service, key, handler).Request(w.ctx, input, opts...)
	if err != nil {
		w.t.Fatalf("call %s/%s/%s: %v", service, key, handler, err)
	}
	return output
}

// callService is call for a service.
func callService[O, I any](w *world, service, handler string, input I, opts ...ingress.RequestOption) O {
	w.t.Helper()
	output, err := ingress.Service[I, O](w.c, service, handler).Request(w.ctx, input, opts...)
	if err != nil {
		w.t.Fatalf("call %s/%s: %v", service, handler, err)
	}
	return output
}

// fails calls a handler of an object, which has to fail for good.
func fails[I any](w *world, service, key, handler string, input I) restate.TerminalError {
	w.t.Helper()
	_, err := ingress.Object[I, none](w.c, service, key, handler).Request(w.ctx, input)
	failure := restate.AsTerminalError(err)
	if failure == nil {
		w.t.Fatalf("call %s/%s/%s: got %v, want a failed invocation", service, key, handler, err)
	}
	return failure
}

// send sends to a handler of an object.
func send[O, I any](w *world, service, key, handler string, input I, opts ...ingress.SendOption) ingress.SendResponse[O] {
	w.t.Helper()
	sent, err := ingress.Object[I, O](w.c, service, key, handler).Send(w.ctx, input, opts...)
	if err != nil {
		w.t.Fatalf("send to %s/%s/%s: %v", service, key, handler, err)
	}
	return sent
}

// attach waits for a result, which has to be a success.
func attach[O any](w *world, h ingress.InvocationHandle[O]) O {
	w.t.Helper()
	output, err := h.Attach(w.ctx)
	if err != nil {
		w.t.Fatalf("attach: %v", err)
	}
	return output
}

// counted is the counter with this key.
func (w *world) counted(key string) int64 {
	w.t.Helper()
	return call[int64](w, "Counter", key, "get", none{})
}

// eventually waits until something holds.
func (w *world) eventually(what string, holds func() bool) {
	w.t.Helper()
	deadline := time.Now().Add(patience)
	for !holds() {
		if time.Now().After(deadline) {
			w.t.Fatalf("in vain: %s", what)
		}
		<-time.After(5 * time.Millisecond)
	}
}

// answer is what a plain HTTP request got.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// post sends a plain request to the ingress. headers are pairs.
func (w *world) post(path string, body []byte, headers ...string) answer {
	w.t.Helper()
	return w.do(http.MethodPost, w.ingress+path, body, headers...)
}

func (w *world) get(url string) answer {
	w.t.Helper()
	return w.do(http.MethodGet, url, nil)
}

func (w *world) do(method, url string, body []byte, headers ...string) answer {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.ctx, method, url, bytes.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := w.http.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, text}
}

// view is what introspection says of an invocation.
type view struct {
	LastFailure struct {
		Message string `json:"message"`
	} `json:"last_failure"`
	Journal struct {
		Entries []struct {
			Type     string `json:"type"`
			CalleeID string `json:"callee_id"`
		} `json:"entries"`
	} `json:"journal"`
}

func (w *world) view(id string) (v view) {
	w.t.Helper()
	a := w.get(w.admin + "/introspection/invocations/" + id)
	if err := json.Unmarshal(a.body, &v); err != nil {
		w.t.Fatalf("introspection answers %d %s: %v", a.status, a.body, err)
	}
	return v
}

// equal fails the test unless the values are equal.
func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}
