package ingress_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/encoding"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

func TestPathsAreEscaped(t *testing.T) {
	t.Parallel()
	url, asked := serve(t, 200, map[string]string{"x-restate-id": "inv_1"}, `"ok"`)
	c, ctx := ingress.NewClient(url+"/"), t.Context()
	for key, want := range map[string]string{
		"alice": "/O/alice/h", "": "/O//h", "a/b": "/O/a%2Fb/h", "..": "/O/%2E%2E/h", ".": "/O/%2E/h", "a+b c": "/O/a+b%20c/h",
		"ü?#%": "/O/%C3%BC%3F%23%25/h",
	} {
		out, err := ingress.Object[int, string](c, "O", key, "h").Request(ctx, 1)
		if got := <-asked; got.uri != want || got.method != "POST" || out != "ok" || err != nil {
			t.Errorf("key %q: %s %s gave %q, %v; want %s", key, got.method, got.uri, out, err, want)
		}
	}
	if _, err := ingress.Service[int, string](c, "S", "h").Request(ctx, 1); err != nil {
		t.Error(err)
	}
	if got := <-asked; got.uri != "/S/h" {
		t.Errorf("service: %s", got.uri)
	}
}

func TestRequestsCarryHeadersAndKeys(t *testing.T) {
	t.Parallel()
	url, asked := serve(t, 200, nil, "")
	c := ingress.NewClient(url, ingress.WithAuthKey("secret"), ingress.WithHttpClient(&http.Client{}))
	_, err := ingress.Service[string, restate.Void](c, "S", "h").Request(t.Context(), "in", restate.WithHeaders(map[string]string{"x-mine": "1"}), restate.WithIdempotencyKey("k"))
	got := <-asked
	for name, want := range map[string]string{"Authorization": "Bearer secret", "X-Mine": "1", "Idempotency-Key": "k", "Content-Type": "application/json"} {
		if got.header.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, got.header.Get(name), want)
		}
	}
	if got.body != `"in"` || err != nil {
		t.Errorf("body %q, %v", got.body, err)
	}
	_, _ = ingress.Service[restate.Void, restate.Void](c, "S", "h").Request(t.Context(), restate.Void{}, restate.WithIdempotencyKey(""))
	got = <-asked
	if _, typed := got.header["Content-Type"]; typed || len(got.header["Idempotency-Key"]) > 0 || got.body != "" {
		t.Errorf("a request without input carries %v and %q", got.header, got.body)
	}
	_, _ = ingress.Service[[]byte, restate.Void](c, "S", "h").Request(t.Context(), []byte("<x/>"), restate.WithBinary, restate.WithHeaders(map[string]string{"content-type": "text/xml"}))
	if got = <-asked; got.header.Get("Content-Type") != "text/xml" {
		t.Errorf("the content type of the user became %q", got.header.Get("Content-Type"))
	}
}

func TestSendReadsIdAndStatus(t *testing.T) {
	t.Parallel()
	url, asked := serve(t, 202, nil, `{"invocationId":"inv_17","status":"PreviouslyAccepted"}`)
	c := ingress.NewClient(url, restate.WithCodec(encoding.BinaryCodec))
	for _, tc := range []struct {
		opts []ingress.SendOption
		uri  string
	}{
		{nil, "/O/k/h/send"},
		{[]ingress.SendOption{restate.WithDelay(1500 * time.Millisecond)}, "/O/k/h/send?delay=1500ms"},
		{[]ingress.SendOption{restate.WithDelay(0)}, "/O/k/h/send?delay=0ms"},
		{[]ingress.SendOption{restate.WithDelay(time.Microsecond)}, "/O/k/h/send?delay=1000ns"},
	} {
		sent, err := ingress.ObjectSend[[]byte](c, "O", "k", "h").Send(t.Context(), []byte("raw"), tc.opts...)
		if got := <-asked; got.uri != tc.uri || got.body != "raw" || err != nil || sent.Id() != "inv_17" || sent.Status() != "PreviouslyAccepted" {
			t.Errorf("%s with %q gave %v, %v", got.uri, got.body, sent, err)
		}
	}
}

func TestResultsAreAskedForById(t *testing.T) {
	t.Parallel()
	url, asked := serve(t, 200, nil, "7")
	c, ctx := ingress.NewClient(url), t.Context()
	h := ingress.InvocationById[int](c, "inv_1x/..")
	for _, tc := range []struct {
		ask func(context.Context) (int, error)
		uri string
	}{
		{h.Attach, "/restate/invocation/inv_1x%2F../attach"},
		{h.Output, "/restate/invocation/inv_1x%2F../output"},
		{ingress.WorkflowHandle[int](c, "Wf", "w1").Output, "/restate/invocation/inv_12kpUQONmeFb2WqsVOkAjH4phS34cOyIC8/output"},
	} {
		v, err := tc.ask(ctx)
		if got := <-asked; got.uri != tc.uri || got.method != "GET" || v != 7 || err != nil {
			t.Errorf("%s %s gave %d, %v; want %s", got.method, got.uri, v, err, tc.uri)
		}
	}
}

func TestAwakeablesAreAnsweredOverHTTP(t *testing.T) {
	t.Parallel()
	url, asked := serve(t, 202, nil, "")
	c, ctx := ingress.NewClient(url), t.Context()
	if err := ingress.ResolveAwakeable(ctx, c, "sign_1a", "yes"); err != nil {
		t.Error(err)
	}
	if got := <-asked; got.uri != "/restate/awakeables/sign_1a/resolve" || got.method != "POST" || got.body != `"yes"` {
		t.Errorf("resolve: %+v", got)
	}
	for reason, want := range map[error]string{
		errors.New("plain"): "plain",
		fmt.Errorf("wrapped: %w", restate.ToTerminalError(errors.New("no"), restate.WithErrorCode(409))): "no",
	} {
		if err := ingress.RejectAwakeable(ctx, c, "sign_1a", reason); err != nil {
			t.Error(err)
		}
		if got := <-asked; got.uri != "/restate/awakeables/sign_1a/reject" || got.body != want {
			t.Errorf("reject: %+v, want body %q", got, want)
		}
	}
}

func TestOperationsGoToTheAdminPort(t *testing.T) {
	t.Parallel()
	url, asked := serve(t, 202, nil, "")
	c := ingress.NewClient("http://127.0.0.1:1", ingress.WithAuthKey("a"), ingress.WithAdminURL(url+"/"), ingress.WithAdminAuthKey("b"))
	if err := ingress.Cancel(t.Context(), c, "inv_1"); err != nil {
		t.Error(err)
	}
	if got := <-asked; got.method != "PATCH" || got.uri != "/invocations/inv_1/cancel" || got.header.Get("Authorization") != "Bearer b" {
		t.Errorf("cancel: %+v", got)
	}
	if err := ingress.Cancel(t.Context(), ingress.NewClient(url), "inv_1"); err == nil || len(asked) > 0 {
		t.Errorf("without an admin address: %v", err)
	}
}

func TestErrorAnswersAreMapped(t *testing.T) {
	t.Parallel()
	const fromIngress, fromInvocation = "ingress", "invocation"
	for _, tc := range []struct {
		name, source string
		status       int
		body         string
		code         restate.Code
		message      string
		invocation   bool
	}{
		{"terminal error", fromInvocation, 422, `{"code":422,"message":"boom","metadata":{"k1":"v1"},"stacktrace":"at x","source":"invocation"}`, 422, "boom", true},
		{"code that is no status", fromInvocation, 500, `{"code":1234,"message":"m"}`, 1234, "m", true},
		{"code zero", fromInvocation, 500, `{"code":0,"message":"m"}`, 0, "m", true},
		{"code over the range", fromInvocation, 500, `{"code":70000,"message":"m"}`, 500, "m", true},
		{"terminal error with status 200", fromInvocation, 200, `{"code":200,"message":"odd"}`, 200, "odd", true},
		{"handler ended with 404", fromInvocation, 404, `{"code":404,"message":"no such row"}`, 404, "no such row", true},
		{"source in the body only", "", 400, `{"code":400,"message":"m","source":"invocation"}`, 400, "m", true},
		{"refused", fromIngress, 503, `{"code":503,"message":"overloaded","source":"ingress"}`, 503, "overloaded", false},
		{"header wins over body", fromIngress, 400, `{"code":400,"message":"m","source":"invocation"}`, 400, "m", false},
		{"plain text", "", 502, "bad gateway\n", 502, "bad gateway", false},
		{"empty body", "", 401, "", 401, "the runtime answered with status 401 Unauthorized", false},
		{"admin form", "", 409, `{"message":"completed","restate_code":null}`, 409, "completed", false},
	} {
		header := map[string]string{"x-restate-id": "inv_1"}
		if tc.source != "" {
			header["x-restate-error-source"] = tc.source
		}
		url, _ := serve(t, tc.status, header, tc.body)
		_, err := ingress.Service[int, int](ingress.NewClient(url), "S", "h").Request(t.Context(), 1)
		e, ok := errors.AsType[ingress.Error](err)
		if !ok || e.Code() != tc.code || e.Message() != tc.message || e.IsInvocationError() != tc.invocation {
			t.Errorf("%s: %#v", tc.name, err)
			continue
		}
		terminal := restate.AsTerminalError(err)
		if (terminal != nil) != tc.invocation || terminal != nil && (terminal.Code() != tc.code || terminal.Message() != tc.message) {
			t.Errorf("%s: terminal error %#v", tc.name, terminal)
		}
		if tc.name == "terminal error" && (terminal.Metadata().Get("k1") != "v1" || e.Stacktrace() != "at x") {
			t.Errorf("metadata %v, stack %q", terminal.Metadata().ToMap(), e.Stacktrace())
		}
		if _, missing := err.(*ingress.InvocationNotFoundError); missing {
			t.Errorf("%s is an unknown invocation", tc.name)
		}
	}
}

func TestUnknownAndOpenInvocationsHaveTheirTypes(t *testing.T) {
	t.Parallel()
	for _, source := range []string{"ingress", "invocation"} {
		url, _ := serve(t, 404, map[string]string{"x-restate-error-source": source}, `{"code":404,"message":"m"}`)
		_, err := ingress.InvocationById[int](ingress.NewClient(url), "inv_1").Attach(t.Context())
		if e, ok := errors.AsType[*ingress.InvocationNotFoundError](err); !ok || e.IsInvocationError() != (source == "invocation") {
			t.Errorf("source %s: %#v", source, err)
		}
	}
	url, _ := serve(t, 470, map[string]string{"x-restate-error-source": "ingress"}, `{"code":470,"message":"m"}`)
	_, err := ingress.InvocationById[int](ingress.NewClient(url), "inv_1").Output(t.Context())
	if e, ok := errors.AsType[*ingress.InvocationNotReadyError](err); !ok || e.Code() != 470 {
		t.Errorf("open: %#v", err)
	}
	url, _ = serve(t, 404, map[string]string{"x-restate-error-source": "ingress"}, `{"code":404,"message":"m"}`)
	err = ingress.ResolveAwakeable(t.Context(), ingress.NewClient(url), "sign_1a", 1)
	if _, ok := errors.AsType[*ingress.InvocationNotFoundError](err); !ok {
		t.Errorf("unknown awakeable: %#v", err)
	}
}

func TestAnEndedContextIsReported(t *testing.T) {
	t.Parallel()
	url, _ := serve(t, 200, nil, "1")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := ingress.Service[int, int](ingress.NewClient(url), "S", "h").Request(ctx, 1)
	if _, answered := errors.AsType[ingress.Error](err); !errors.Is(err, context.Canceled) || answered {
		t.Errorf("got %v", err)
	}
}

func ExampleService() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%q", "answered "+r.URL.Path)
	}))
	defer server.Close()

	client := ingress.NewClient(server.URL)
	greeting, err := ingress.Service[string, string](client, "Greeter", "Greet").Request(context.Background(), "Ann")
	fmt.Println(greeting, err)
	// Output: answered /Greeter/Greet <nil>
}

func TestARestartIsAskedForAtTheAdminPort(t *testing.T) {
	t.Parallel()
	url, asked := serve(t, 200, nil, `{"new_invocation_id":"inv_1new"}`)
	c := ingress.NewClient("http://127.0.0.1:1", ingress.WithAdminURL(url))
	for from, uri := range map[uint32]string{0: "/invocations/inv_1/restart-as-new", 7: "/invocations/inv_1/restart-as-new?from=7"} {
		id, err := ingress.RestartAsNew(t.Context(), c, "inv_1", from)
		if got := <-asked; err != nil || id != "inv_1new" || got.method != "PATCH" || got.uri != uri {
			t.Errorf("%s %s gave %q, %v", got.method, got.uri, id, err)
		}
	}
}

func TestAPatchOfTheStateGoesToTheAdminPort(t *testing.T) {
	t.Parallel()
	url, asked := serve(t, 202, nil, "")
	c := ingress.NewClient("http://127.0.0.1:1", ingress.WithAdminURL(url), ingress.WithAdminAuthKey("b"))
	for want, p := range map[string]ingress.StatePatch{
		`{"object_key":"k","version":"v1","new_state":{"n":[52,50]}}`: {Service: "O", Key: "k", Version: "v1", State: map[string][]byte{"n": []byte("42")}},
		`{"object_key":"","new_state":{}}`:                            {Service: "O"},
	} {
		if err := ingress.EditState(t.Context(), c, p); err != nil {
			t.Error(err)
		}
		if got := <-asked; got.method != "POST" || got.uri != "/services/O/state" || got.body != want || got.header.Get("Authorization") != "Bearer b" {
			t.Errorf("got %+v, want %s", got, want)
		}
	}
}
