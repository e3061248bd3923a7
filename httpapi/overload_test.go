package httpapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
)

// waiting is a runtime whose calls and attaches wait until they are let go.
func waiting() (f *fakeRuntime, arrived chan struct{}, leave func()) {
	arrived, gone := make(chan struct{}), make(chan struct{})
	wait := func(ctx context.Context) (actors.Response, error) {
		arrived <- struct{}{}
		select {
		case <-gone:
			return actors.Response{ID: testID, Result: journal.ValueOf([]byte("1"))}, nil
		case <-ctx.Done():
			return actors.Response{}, ctx.Err()
		}
	}
	f = &fakeRuntime{
		call:   func(ctx context.Context, _ actors.Request) (actors.Response, error) { return wait(ctx) },
		result: func(ctx context.Context, _ ident.InvocationID) (actors.Response, error) { return wait(ctx) },
	}
	return f, arrived, sync.OnceFunc(func() { close(gone) })
}

func TestRequestsPastTheBoundGet429AndThoseThatOnlyWaitDoNotCount(t *testing.T) {
	t.Parallel()
	f, arrived, leave := waiting()
	sending, sent := make(chan struct{}), make(chan struct{})
	f.accept = func(actors.Request) (actors.Accepted, error) {
		close(sending)
		<-sent
		return actors.Accepted{ID: testID}, nil
	}
	s := testServer(t, f, Options{Safety: Safety{MaxRequests: 1}})
	h := s.IngressHandler()
	var all sync.WaitGroup
	later := func(method, path string) {
		all.Go(func() {
			if w := ask(h, method, path, ""); w.Code/100 != 2 {
				t.Errorf("%s: %d %s", path, w.Code, w.Body)
			}
		})
	}
	for range 5 {
		later("GET", callPath)
		<-arrived
		later("GET", "/restate/invocation/"+testID.String()+"/attach")
		<-arrived
	}
	if n := s.Stats().Requests; n != 0 {
		t.Errorf("%d waiting requests count", n)
	}
	later("GET", callPath+"/send")
	<-sending
	for _, path := range []string{callPath, "/restate/output/" + testID.String(), "/Nope/x"} {
		w := ask(h, "GET", path, "")
		if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") != "1" || !strings.Contains(w.Body.String(), `"source":"ingress"`) {
			t.Errorf("%s past the bound: %d %v %s", path, w.Code, w.Header(), w.Body)
		}
	}
	if w := ask(h, "GET", "/restate/health", ""); w.Code != 200 {
		t.Errorf("the health route: %d", w.Code)
	}
	close(sent)
	leave()
	all.Wait()
	if n := s.Stats(); n.Requests != 0 || n.Refused < 3 {
		t.Errorf("at the end: %+v", n)
	}
}

// slowReader gives its parts one by one, each when it is asked for.
type slowReader struct{ parts chan []byte }

func (r slowReader) Read(p []byte) (int, error) {
	part, more := <-r.parts
	if !more {
		return 0, io.EOF
	}
	return copy(p, part), nil
}

func TestBodiesThatArriveHaveABoundTogetherAndSmallOnesDoNotCount(t *testing.T) {
	t.Parallel()
	v := serveFake(t, guarded(), Options{Safety: Safety{MaxBodies: 1 << 20}})
	parts := make(chan []byte)
	slow := make(chan error, 1)
	go func() {
		resp, err := http.Post("http://"+v.Ingress+"/Greeter/Raw", "application/octet-stream", slowReader{parts})
		if err == nil && resp.StatusCode != 200 {
			err = fmt.Errorf("answered %s", resp.Status)
		}
		slow <- err
	}()
	for range 60 {
		parts <- make([]byte, 16<<10)
	}
	// Before all of it has come the slow body would be the one that is too much.
	eventuallyTrue(t, "the slow body has come", func() bool { return v.server.Stats().BodyBytes == 60*16<<10-exemptBytes })
	post := func(size int) int {
		resp, err := http.Post("http://"+v.Ingress+"/Greeter/Raw", "application/octet-stream", bytes.NewReader(make([]byte, size)))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != 200 && resp.Header.Get("Retry-After") != "1" {
			t.Errorf("refused without Retry-After: %v", resp.Header)
		}
		return resp.StatusCode
	}
	eventuallyTrue(t, "a large body has no room", func() bool { return post(512<<10) == http.StatusServiceUnavailable })
	if got := post(exemptBytes); got != 200 {
		t.Errorf("a small body gets %d", got)
	}
	close(parts)
	if err := <-slow; err != nil {
		t.Errorf("the slow body: %v", err)
	}
	if got := post(512 << 10); got != 200 {
		t.Errorf("when there is room again a large body gets %d", got)
	}
}

func TestPastTheLimitTheConnectionThatHasDoneNothingForLongestIsClosed(t *testing.T) {
	t.Parallel()
	f, arrived, leave := waiting()
	var log bytes.Buffer
	v := serveFake(t, f, Options{Safety: Safety{MaxConnections: 4}, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	dial := func(first string) net.Conn {
		c, err := net.Dial("tcp", v.Ingress)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		if _, err := io.WriteString(c, first); err != nil {
			t.Fatal(err)
		}
		return c
	}
	call := dial("GET " + callPath + " HTTP/1.1\r\nHost: x\r\n\r\n")
	<-arrived
	idle := dial("")
	slowHeaders := dial("GET /Greeter/NoIn HTTP/1.1\r\nHost")
	slowBody := dial("POST /Greeter/Raw HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n")
	// The handler asks for the body; from then on the connection waits.
	if _, err := io.ReadFull(slowBody, make([]byte, len("HTTP/1.1 100 Continue\r\n\r\n"))); err != nil {
		t.Fatal(err)
	}
	for i, victim := range []net.Conn{idle, slowHeaders, slowBody} {
		dial("")
		_ = victim.SetReadDeadline(time.Now().Add(time.Minute))
		if n, err := victim.Read(make([]byte, 1)); n != 0 || err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("victim %d reads %d bytes, %v", i, n, err)
		}
	}
	leave()
	answer := make([]byte, 15)
	if _, err := io.ReadFull(call, answer); err != nil || string(answer) != "HTTP/1.1 200 OK" {
		t.Errorf("the waiting call gets %q, %v", answer, err)
	}
}
