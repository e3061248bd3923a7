package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/journal"
)

func TestInvokeChecksInTheOrderOfTheContract(t *testing.T) {
	t.Parallel()
	json := []string{"Content-Type", asJSON}
	long := strings.Repeat("k", maxKeyBytes+1)
	rows := []struct {
		method, target, body string
		headers              []string
		status               int
		message              string
	}{
		{"POST", "/", "", nil, 400, "path of the ingress"},
		{"POST", "/Greeter", "", nil, 400, "path of the ingress"},
		{"POST", "/Greeter/", "", nil, 400, "path of the ingress"},
		{"GET", "/openapi", "", nil, 400, "path of the ingress"},
		{"GET", "/openapi/x", "", nil, 404, "no such route"},
		{"POST", "/a/b/c/d/e/f/g/h", "", nil, 400, "path of the ingress"},
		{"POST", "/Nope/x", "", nil, 404, "no service named 'Nope'"},
		{"POST", "/Gre%65ter/NoIn", "", nil, 404, "no service named"},
		{"POST", "/Obj/Add", "1", json, 400, "addressed by key"},
		{"POST", "/Greeter/k/Greet", `"a"`, json, 400, "service Greeter has no keys: call it without one"},
		{"POST", "/Obj/k/Add/more", "1", json, 400, "goes on behind"},
		{"POST", "/Obj/k/Add/send/more", "1", json, 400, "goes on behind"},
		{"POST", "/Obj/%ff/Add", "1", json, 400, "not valid UTF-8"},
		{"POST", "/Obj/" + long + "/Add", "1", json, 400, "longer than 1024"},
		{"POST", "/Obj/k/Nope", "1", json, 404, "has no handler 'Nope'"},
		{"DELETE", "/Obj/k/Nope", "1", json, 404, "has no handler 'Nope'"},
		{"DELETE", "/Obj/k/Hidden", "1", json, 400, "by other handlers only"},
		{"DELETE", "/Wf/k/run", "1", []string{"Idempotency-Key", "i"}, 400, "runs once per key"},
		{"POST", "/restate/scope/s/call/Greeter/Greet", "", nil, 400, "scopes"},
		{"DELETE", "/Obj/k/Add", "toolarge!", nil, 405, "GET, POST"},
		{"HEAD", "/Obj/k/Add", "", nil, 405, ""},
		{"POST", "/Obj/k/Add", "toolarge!", nil, 413, "larger than 8 bytes"},
		{"POST", "/Obj/k/Add?delay=x", "1", nil, 400, "takes application/json and got no content type"},
		{"POST", "/Obj/k/Add", "", json, 400, "needs a JSON input"},
		{"POST", "/Obj/k/Add/send?delay=5", "1", append(json, "X-Restate-Limit-Key", "l"), 400, "a delay looks like"},
		{"POST", "/Obj/k/Add/send?limit-key=l", "1", append(json, "X-Odd", "\x01"), 400, "limit keys"},
		{"POST", "/Obj/k/Add?delay=1s", "1", append(json, "X-Odd", "ü"), 400, "x-odd"},
		{"POST", "/Obj/k/Add?DELAY=1s", "1", json, 400, "cannot be delayed"},
		{"POST", "/Obj/k/Add?delay=", "1", json, 400, "a delay looks like"},
		{"POST", "/Obj/k/Add", "1", append(json, "Idempotency-Key", long), 400, "idempotency key is longer"},
		{"POST", "/Obj/k/Add", "1", append(json, "X-Big", strings.Repeat("x", maxHeaderBytes)), 431, "larger than 64 KiB"},
		{"POST", "/restate/call/Greeter", "", nil, 400, "names no handler"},
		{"POST", "/restate/call", "", nil, 400, "names no service"},
		{"POST", "/restate/nope", "", nil, 404, "no such route"},
		{"POST", "/restate/call/Greeter/Greet/send", `""`, json, 400, "goes on behind"},
	}
	for _, row := range rows {
		t.Run(row.method+" "+row.target[:min(len(row.target), 40)], func(t *testing.T) {
			t.Parallel()
			f := &fakeRuntime{}
			s := testServer(t, f, Options{MaxBody: 8})
			w := ask(s.IngressHandler(), row.method, row.target, row.body, row.headers...)
			if w.Code != row.status || !strings.Contains(w.Body.String(), row.message) {
				t.Errorf("got %d %s, want %d with %q", w.Code, w.Body, row.status, row.message)
			}
			if got := w.Header().Get("x-restate-error-source"); got != "ingress" {
				t.Errorf("the error source is %q", got)
			}
			if !strings.HasSuffix(w.Body.String(), `","source":"ingress"}`) {
				t.Errorf("the body is no error of the ingress: %s", w.Body)
			}
			if len(f.requests) != 0 {
				t.Errorf("a refused request reached the runtime: %+v", f.requests)
			}
		})
	}
}

func TestInvokeFindsTheTarget(t *testing.T) {
	t.Parallel()
	rows := []struct {
		target, key, handler string
		send                 bool
	}{
		{"/Obj/k/Add", "k", "Add", false},
		{"/Obj/k/Add/", "k", "Add", false},
		{"/Obj//Add", "", "Add", false},
		{"/Obj/a%2Fb+c%20d/Add", "a/b+c d", "Add", false},
		{"/Obj/k/Add/send", "k", "Add", true},
		{"/Obj/k/send", "k", "send", false},
		{"/Obj/k/send/send", "k", "send", true},
		{"/restate/call/Obj/k/Add", "k", "Add", false},
		{"/restate/send/Obj/k/Add", "k", "Add", true},
		{"/Greeter/Greet", "", "Greet", false},
		{"/Greeter/Greet/send", "", "Greet", true},
		{"/restate/send/Greeter/Greet", "", "Greet", true},
		{"/Wf/w1/run", "w1", "run", false},
	}
	for _, row := range rows {
		t.Run(row.target, func(t *testing.T) {
			t.Parallel()
			f := &fakeRuntime{}
			s := testServer(t, f, Options{})
			w := ask(s.IngressHandler(), "POST", row.target, `"x"`, "Content-Type", asJSON+"; charset=utf-8")
			want := http.StatusOK
			if row.send {
				want = http.StatusAccepted
			}
			if w.Code != want || len(f.requests) != 1 {
				t.Fatalf("got %d %s, %d requests", w.Code, w.Body, len(f.requests))
			}
			if r := f.requests[0]; r.Key != row.key || r.Handler != row.handler || string(r.Body) != `"x"` {
				t.Errorf("the runtime was asked for %+v", r)
			}
			if got := w.Header().Get("x-restate-id"); got != testID.String() {
				t.Errorf("x-restate-id is %q", got)
			}
		})
	}
}

func TestInputRulesDecideOnContentTypeAndBody(t *testing.T) {
	t.Parallel()
	rows := []struct {
		handler, contentType, body string
		status                     int
	}{
		{"NoIn", "", "", 200},
		{"NoIn", asJSON, "", 200},
		{"NoIn", "text/plain", "", 400},
		{"NoIn", asJSON, "1", 400},
		{"NoIn", "", "1", 400},
		{"Greet", asJSON, "1", 200},
		{"Greet", "Application/JSON; charset=utf-8", "1", 200},
		{"Greet", "", "1", 400},
		{"Greet", asJSON, "", 400},
		{"Raw", "", "", 200},
		{"Raw", "application/octet-stream", "", 200},
		{"Raw", "application/octet-stream", "x", 200},
		{"Raw", "", "x", 400},
		{"Raw", asJSON, "x", 400},
	}
	s := testServer(t, &fakeRuntime{}, Options{})
	for _, row := range rows {
		headers := []string{"Content-Type", row.contentType}
		if row.contentType == "" {
			headers = nil
		}
		if w := ask(s.IngressHandler(), "POST", "/Greeter/"+row.handler, row.body, headers...); w.Code != row.status {
			t.Errorf("%s with type %q and body %q: %d %s", row.handler, row.contentType, row.body, w.Code, w.Body)
		}
	}
	proto := inputRule{contentType: contentTypeProtobuf, required: true}
	if f := proto.check(contentTypeProtobuf, nil); f != nil {
		t.Errorf("an empty protobuf message is refused: %v", f)
	}
	if f := proto.check("", nil); f == nil {
		t.Error("protobuf without a content type is accepted")
	}
	if f := (inputRule{contentType: "*/*"}).check("a/b", []byte("x")); f != nil {
		t.Errorf("a codec without metadata refuses: %v", f)
	}
}

func TestHandlersSeeTheHeadersOfTheRequest(t *testing.T) {
	t.Parallel()
	f := &fakeRuntime{}
	s := testServer(t, f, Options{})
	ask(s.IngressHandler(), "GET", "/Greeter/NoIn?foo=bar", "",
		"X-Custom", "one", "X-Custom", "two", "Connection", "close", "Idempotency-Key", "i-1",
		"Idempotency-Expires", "never", "X-Restate-Ingress-Path", "/forged", "Traceparent", "00-1")
	want := []journal.Header{
		{Key: "traceparent", Value: "00-1"},
		{Key: "x-custom", Value: "one"},
		{Key: "x-restate-ingress-path", Value: "/Greeter/NoIn?foo=bar"},
	}
	if got := f.requests[0]; !slices.Equal(got.Headers, want) || got.IdempotencyKey != "i-1" {
		t.Errorf("got %+v", got)
	}
}

func TestAnEmptyIdempotencyKeyCountsAsAbsent(t *testing.T) {
	t.Parallel()
	f := &fakeRuntime{}
	s := testServer(t, f, Options{})
	w := ask(s.IngressHandler(), "POST", "/Wf/w/run", "1", "Content-Type", asJSON, "Idempotency-Key", "")
	if w.Code != http.StatusOK || f.requests[0].IdempotencyKey != "" {
		t.Errorf("got %d %s, %+v", w.Code, w.Body, f.requests)
	}
}

func TestTheResultOfACallIsItsAnswer(t *testing.T) {
	t.Parallel()
	expires := time.Date(2026, 11, 24, 8, 30, 2, 128e6, time.UTC)
	rows := []struct {
		name, target string
		response     actors.Response
		status       int
		body         string
		header       string
		value        string
	}{
		{"value", "/Greeter/Greet", actors.Response{Result: journal.ValueOf([]byte(`"hi"`))}, 200, `"hi"`, "Content-Type", asJSON},
		{"nothing", "/Greeter/Greet", actors.Response{Result: journal.VoidResult()}, 200, "", "Content-Type", ""},
		{"no bytes of binary", "/Greeter/Raw", actors.Response{Result: journal.ValueOf(nil)}, 200, "", "Content-Type", "application/octet-stream"},
		{"known before", "/Greeter/Greet", actors.Response{Result: journal.VoidResult(), ExpiresAt: expires}, 200, "", "Idempotency-Expires", "2026-11-24T08:30:02.128+00:00"},
		{"failure", "/Greeter/Greet", failed(422, "bo\"om"), 422, `{"code":422,"message":"bo\"om","source":"invocation"}`, "X-Restate-Error-Source", "invocation"},
		{"failure 200", "/Greeter/Greet", failed(200, "odd"), 200, `{"code":200,"message":"odd","source":"invocation"}`, "Content-Type", asJSON},
		{"failure 100", "/Greeter/Greet", failed(100, "low"), 500, `{"code":100,"message":"low","source":"invocation"}`, "Content-Type", asJSON},
		{"failure 204", "/Greeter/Greet", failed(204, "bare"), 500, `{"code":204,"message":"bare","source":"invocation"}`, "Content-Type", asJSON},
		{"failure 1000", "/Greeter/Greet", failed(1000, "high"), 500, `{"code":1000,"message":"high","source":"invocation"}`, "Content-Type", asJSON},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			row.response.ID = testID
			f := &fakeRuntime{call: func(context.Context, actors.Request) (actors.Response, error) { return row.response, nil }}
			body, contentType := "1", asJSON
			if strings.HasSuffix(row.target, "Raw") {
				contentType = "application/octet-stream"
			}
			w := ask(testServer(t, f, Options{}).IngressHandler(), "POST", row.target, body, "Content-Type", contentType)
			if w.Code != row.status || w.Body.String() != row.body {
				t.Errorf("got %d %s", w.Code, w.Body)
			}
			if got := w.Header().Get(row.header); got != row.value {
				t.Errorf("header %s is %q", row.header, got)
			}
			if w.Header().Get("x-restate-id") != testID.String() {
				t.Error("the invocation id is missing")
			}
		})
	}
}

func failed(code uint32, message string) actors.Response {
	return actors.Response{Result: journal.FailureOf(code, message)}
}

func TestMetadataOfATerminalErrorIsInTheBody(t *testing.T) {
	t.Parallel()
	r := failed(422, "boom")
	r.Result.Failure.Metadata = []journal.Header{{Key: "k1", Value: "v1"}}
	f := &fakeRuntime{call: func(context.Context, actors.Request) (actors.Response, error) { return r, nil }}
	w := ask(testServer(t, f, Options{}).IngressHandler(), "POST", "/Greeter/NoIn", "")
	if got, want := w.Body.String(), `{"code":422,"message":"boom","metadata":{"k1":"v1"},"source":"invocation"}`; got != want {
		t.Errorf("got %s", got)
	}
}

func TestSendSaysWhatWasAccepted(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 23, 8, 30, 14, 234e6, time.UTC)
	id := testID.String()
	rows := []struct {
		target   string
		accepted actors.Accepted
		body     string
		delay    string
	}{
		{"/Obj/k/Get/send", actors.Accepted{}, `{"invocationId":"%s","status":"Accepted"}`, "<nil>"},
		{"/Obj/k/Get/send", actors.Accepted{Previously: true}, `{"invocationId":"%s","status":"PreviouslyAccepted"}`, "<nil>"},
		{"/Obj/k/Get/send?delay=PT2S", actors.Accepted{StartAt: start}, `{"invocationId":"%s","executionTime":"2026-11-23T08:30:14.234000000Z","status":"Accepted"}`, "2s"},
		{"/Obj/k/Get/send?Delay=1h+30m", actors.Accepted{StartAt: start, Previously: true}, `{"invocationId":"%s","executionTime":"2026-11-23T08:30:14.234000000Z","status":"PreviouslyAccepted"}`, "1h30m0s"},
	}
	for _, row := range rows {
		row.accepted.ID = testID
		f := &fakeRuntime{accept: func(actors.Request) (actors.Accepted, error) { return row.accepted, nil }}
		w := ask(testServer(t, f, Options{}).IngressHandler(), "GET", row.target, "")
		if want := fmt.Sprintf(row.body, id); w.Code != http.StatusAccepted || w.Body.String() != want {
			t.Errorf("%s: got %d %s", row.target, w.Code, w.Body)
		}
		delay := "<nil>"
		if d := f.requests[0].Delay; d != nil {
			delay = d.String()
		}
		if delay != row.delay {
			t.Errorf("%s: the delay is %s", row.target, delay)
		}
	}
}

func TestADelayOfZeroStillTellsTheExecutionTime(t *testing.T) {
	t.Parallel()
	w := ask(testServer(t, &fakeRuntime{}, Options{}).IngressHandler(), "POST", "/Obj/k/Get/send?delay=0s", "")
	if w.Code != http.StatusAccepted || !strings.Contains(w.Body.String(), `"executionTime":"2`) {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}
