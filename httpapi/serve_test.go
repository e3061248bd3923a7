package httpapi

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/actors"
)

// served is a Server on loopback ports.
type served struct {
	server *Server
	Addresses
	stop  context.CancelFunc
	ended chan error
}

func serveFake(t *testing.T, f *fakeRuntime, o Options) *served {
	t.Helper()
	if f.done == nil {
		f.done = make(chan struct{})
	}
	ready := make(chan Addresses, 1)
	o.Ingress, o.Admin, o.Ready = "127.0.0.1:0", "127.0.0.1:0", func(a Addresses) { ready <- a }
	s := testServer(t, f, o)
	ctx, stop := context.WithCancel(t.Context())
	v := &served{server: s, stop: stop, ended: make(chan error, 1)}
	go func() { v.ended <- s.Serve(ctx) }()
	select {
	case v.Addresses = <-ready:
	case err := <-v.ended:
		t.Fatalf("the server ended at once: %v", err)
	}
	t.Cleanup(stop)
	return v
}

func TestAWaitingCallLosesItsConnectionAtStopAndNewOnesGet503(t *testing.T) {
	t.Parallel()
	waiting, draining, drained := make(chan struct{}), make(chan struct{}), make(chan struct{})
	f := &fakeRuntime{
		call: func(ctx context.Context, r actors.Request) (actors.Response, error) {
			if r.Key == "late" {
				return actors.Response{}, actors.ErrStopped
			}
			close(waiting)
			<-ctx.Done()
			return actors.Response{}, ctx.Err()
		},
		drain: func(context.Context) error { close(draining); <-drained; return nil },
	}
	v := serveFake(t, f, Options{})
	outcome := make(chan error, 1)
	go func() {
		resp, err := http.Get("http://" + v.Ingress + "/Obj/k/Get")
		if err == nil {
			err = fmt.Errorf("answered %s", resp.Status)
		}
		outcome <- err
	}()
	<-waiting
	v.stop()
	<-draining
	resp, err := http.Get("http://" + v.Ingress + "/Obj/late/Get")
	if err != nil || resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
		t.Errorf("while draining: %v, %v", resp, err)
	}
	close(drained)
	began := time.Now()
	if err := <-outcome; !errors.Is(err, io.EOF) {
		t.Errorf("the waiting call ended with %v", err)
	}
	if took := time.Since(began); took >= closeGrace {
		t.Errorf("the waiting call was let go after %v", took)
	}
	if err := <-v.ended; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

func TestServeEndsWithTheErrorOfARuntimeThatStopped(t *testing.T) {
	t.Parallel()
	broken := errors.New("commit failed")
	f := &fakeRuntime{done: make(chan struct{}), err: broken}
	v := serveFake(t, f, Options{})
	close(f.done)
	if err := <-v.ended; !errors.Is(err, broken) {
		t.Errorf("Serve: %v", err)
	}
}

func TestATakenPortIsAnErrorAndLeavesTheOtherOneFree(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	s := testServer(t, &fakeRuntime{done: make(chan struct{})}, Options{Ingress: "127.0.0.1:0", Admin: taken.Addr().String()})
	if err := s.Serve(t.Context()); err == nil || !strings.Contains(err.Error(), "admin port") {
		t.Errorf("Serve: %v", err)
	}
}

func TestChunkedAndDeclaredBodiesOverTheLimitGetTheSameAnswer(t *testing.T) {
	t.Parallel()
	v := serveFake(t, &fakeRuntime{}, Options{MaxBody: 8})
	for _, body := range []io.Reader{strings.NewReader("far too large"), io.MultiReader(strings.NewReader("far too "), strings.NewReader("large"))} {
		resp, err := http.Post("http://"+v.Ingress+"/Greeter/Greet", asJSON, body)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != 413 || resp.Header.Get("Content-Type") != asJSON || !strings.Contains(string(text), `"source":"ingress"`) {
			t.Errorf("got %s %s", resp.Status, text)
		}
	}
}

func TestASlowBodyIsCutOff(t *testing.T) {
	t.Parallel()
	v := serveFake(t, &fakeRuntime{}, Options{TransferTimeout: 20 * time.Millisecond})
	for path, want := range map[string]int{
		"/Greeter/Greet": http.StatusRequestTimeout,
		// The route has answered without reading; net/http wants the rest.
		"/Greeter/Nope": http.StatusNotFound,
	} {
		c, err := net.Dial("tcp", v.Ingress)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(c, "POST "+path+" HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\n1")
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil || resp.StatusCode != want {
			t.Errorf("%s: got %v, %v", path, resp, err)
		}
		_ = c.Close()
	}
}

func TestALongWaitIsNotCutOffByTheTimeoutOfItsBody(t *testing.T) {
	t.Parallel()
	const timeout = 20 * time.Millisecond
	f := &fakeRuntime{call: func(ctx context.Context, r actors.Request) (actors.Response, error) {
		wait, cancel := context.WithTimeout(context.Background(), 4*timeout)
		defer cancel()
		select {
		case <-ctx.Done():
			return actors.Response{}, ctx.Err()
		case <-wait.Done():
			return actors.Response{ID: testID}, nil
		}
	}}
	v := serveFake(t, f, Options{TransferTimeout: timeout})
	for n := range 2 {
		if n > 0 {
			// The connection is used again when the deadline of the first
			// answer has passed.
			<-time.After(4 * timeout)
		}
		r, _ := http.NewRequest("POST", "http://"+v.Ingress+"/Greeter/Greet", strings.NewReader("1"))
		r.Header.Set("Content-Type", asJSON)
		r.Header.Set("Expect", "100-continue")
		resp, err := http.DefaultClient.Do(r)
		if err != nil || resp.StatusCode != 200 {
			t.Fatalf("got %v, %v", resp, err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
}

func TestHTTP2WithoutTLSIsServed(t *testing.T) {
	t.Parallel()
	v := serveFake(t, &fakeRuntime{}, Options{})
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: protocols}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Get("http://" + v.Ingress + "/restate/health")
	if err != nil || resp.ProtoMajor != 2 || resp.StatusCode != 200 {
		t.Errorf("got %+v, %v", resp, err)
	}
}

func TestHeadersOverTheLimitGet431(t *testing.T) {
	t.Parallel()
	v := serveFake(t, &fakeRuntime{}, Options{})
	r, _ := http.NewRequest("GET", "http://"+v.Ingress+"/restate/health", nil)
	r.Header.Set("X-Big", strings.Repeat("x", maxHeaderBytes+8192))
	resp, err := http.DefaultClient.Do(r)
	if err != nil || resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("got %v, %v", resp, err)
	}
}

func TestWhatIsShownNamesThePortThatTheSystemChose(t *testing.T) {
	t.Parallel()
	v := serveFake(t, &fakeRuntime{}, Options{})
	for path, want := range map[string]string{
		"/": "http://" + v.Ingress + "/", "/version": "http://" + v.Ingress + "/", "/services/Obj/openapi": `"url":"http://` + v.Ingress + `"`,
	} {
		resp, err := http.Get("http://" + v.Admin + path)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s: %s, %v, want %s", path, text, err, want)
		}
	}
}

func TestAnAddressWithHostAndPortIsShownAsItWasGiven(t *testing.T) {
	t.Parallel()
	real := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 4000}
	for given, want := range map[string]string{
		"dormouse.example:80": "http://dormouse.example:80/", "10.0.0.7:0": "http://127.0.0.1:4000/", ":8080": "http://127.0.0.1:4000/", "[::]:9": "http://127.0.0.1:4000/",
	} {
		s := testServer(t, &fakeRuntime{}, Options{Ingress: given})
		s.listening.Store(real)
		if got := s.endpoint(); got != want {
			t.Errorf("%s: %s, want %s", given, got, want)
		}
	}
}
