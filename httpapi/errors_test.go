package httpapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
)

func TestEveryErrorOfTheRuntimeHasItsStatus(t *testing.T) {
	t.Parallel()
	rows := []struct {
		err        error
		status     int
		source     string
		retryAfter string
	}{
		{actors.ErrUnknownService, 404, "ingress", ""},
		{actors.ErrUnknownHandler, 404, "ingress", ""},
		{actors.ErrPrivate, 400, "ingress", ""},
		{actors.ErrInvalid, 400, "ingress", ""},
		{actors.ErrTooLarge, 413, "ingress", ""},
		{actors.ErrLowSpace, 507, "ingress", "5"},
		{actors.ErrStopped, 503, "ingress", "1"},
		{actors.ErrUnknownInvocation, 404, "ingress", ""},
		{actors.ErrNotReady, 470, "ingress", ""},
		{&actors.OverloadedError{Requests: true, RetryAfter: 1500 * time.Millisecond}, 429, "ingress", "2"},
		{&actors.OverloadedError{}, 503, "ingress", "1"},
		{&actors.StatusError{Op: machine.OpPurge, ID: testID, Status: machine.StatusReady}, 409, "invocation", ""},
		{&actors.StatusError{Op: machine.OpResume, ID: testID, TooEarly: true}, 425, "invocation", ""},
		{&actors.QuarantinedError{Object: ident.ObjectKey{Service: "Obj", Key: "k"}, Cause: errors.New("checksum")}, 500, "invocation", ""},
		{errors.New("disk gone: /secret/path"), 500, "invocation", ""},
	}
	for _, row := range rows {
		t.Run(row.err.Error(), func(t *testing.T) {
			t.Parallel()
			f := &fakeRuntime{call: func(context.Context, actors.Request) (actors.Response, error) {
				return actors.Response{}, fmt.Errorf("call Obj/k/Get: %w", row.err)
			}}
			w := ask(testServer(t, f, Options{}).IngressHandler(), "POST", "/Obj/k/Get", "")
			if w.Code != row.status || w.Header().Get("x-restate-error-source") != row.source {
				t.Errorf("got %d from %s: %s", w.Code, w.Header().Get("x-restate-error-source"), w.Body)
			}
			if got := w.Header().Get("retry-after"); got != row.retryAfter {
				t.Errorf("Retry-After is %q", got)
			}
			if strings.Contains(w.Body.String(), "secret") {
				t.Errorf("the answer shows what is for the log: %s", w.Body)
			}
		})
	}
}

func TestAnUnknownOutcomeClosesTheConnectionWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	for _, err := range []error{&actors.OutcomeUnknownError{ID: testID}, context.Canceled} {
		f := &fakeRuntime{call: func(context.Context, actors.Request) (actors.Response, error) { return actors.Response{}, err }}
		h := testServer(t, f, Options{}).IngressHandler()
		func() {
			defer func() {
				if v := recover(); v != http.ErrAbortHandler {
					t.Errorf("%v: the connection is not closed: %v", err, v)
				}
			}()
			w := ask(h, "POST", "/Obj/k/Get", "")
			t.Errorf("%v: answered %d", err, w.Code)
		}()
	}
}

func TestAPanicOfARouteIsLoggedAndAnswered(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	f := &fakeRuntime{call: func(context.Context, actors.Request) (actors.Response, error) { panic("kaput") }}
	s := testServer(t, f, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	w := ask(s.IngressHandler(), "POST", "/Obj/k/Get", "", "X-Request-Id", "r-1")
	if w.Code != 500 || w.Header().Get("x-request-id") != "r-1" || strings.Contains(w.Body.String(), "kaput") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	if got := log.String(); !strings.Contains(got, "kaput") || !strings.Contains(got, "request_id=r-1") || !strings.Contains(got, "level=ERROR") {
		t.Errorf("the log says %s", got)
	}
}

func TestRequestIDsAreKeptWhenPrintableAndMadeOtherwise(t *testing.T) {
	t.Parallel()
	s := testServer(t, &fakeRuntime{}, Options{})
	long := strings.Repeat("x", maxRequestID)
	for given, keep := range map[string]bool{"abc": true, long: true, long + "x": false, "": false, "a\x7f": false} {
		w := ask(s.IngressHandler(), "GET", "/restate/health", "", "X-Request-Id", given)
		got := w.Header().Get("x-request-id")
		if keep != (got == given) || got == "" {
			t.Errorf("given %q, got %q", given, got)
		}
	}
}

func TestSuccessIsLoggedAtDebugLevelOnly(t *testing.T) {
	t.Parallel()
	for level, want := range map[slog.Level]int{slog.LevelInfo: 1, slog.LevelDebug: 2} {
		var log bytes.Buffer
		s := testServer(t, &fakeRuntime{}, Options{Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: level}))})
		ask(s.IngressHandler(), "POST", "/Obj/k/Get", "")
		ask(s.IngressHandler(), "POST", "/Obj/k/Nope", "")
		if got := strings.Count(log.String(), "msg=request"); got != want {
			t.Errorf("%v: %d lines: %s", level, got, &log)
		}
	}
}
