package httpapi

import (
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dormouse-run/dormouse/actors"
)

// pipes is a listener whose connections are pipes, for tests in a bubble.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	select {
	case <-p.done:
	default:
		close(p.done)
	}
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func (p *pipes) dial() net.Conn {
	client, server := net.Pipe()
	p.conns <- server
	return client
}

// TestClientsThatFallSilentAreLetGo lets each kind of client say something and
// then nothing any more. The connection must be closed in time, and not before.
func TestClientsThatFallSilentAreLetGo(t *testing.T) {
	t.Parallel()
	const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"
	waits := "\x82\x86\x04\x0d" + callPath + "\x41\x01x"
	for name, c := range map[string]struct {
		says string
		// reads is false for a client that does not take the answer.
		reads        bool
		after, until time.Duration
	}{
		"nothing":                          {"", true, 9 * time.Second, 11 * time.Second},
		"half of its headers":              {"GET / HTTP/1.1\r\nHost: x\r\nX-A", true, 9 * time.Second, 11 * time.Second},
		"half of its body":                 {"POST /Greeter/Raw HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\nContent-Length: 9\r\n\r\nhalf", true, 119 * time.Second, 122 * time.Second},
		"half of a body that nobody reads": {"POST /Nope/x HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf", true, 1 * time.Second, 122 * time.Second},
		"a request, and stays":             {"GET /restate/health HTTP/1.1\r\nHost: x\r\n\r\n", true, 119 * time.Second, 121 * time.Second},
		"a request, and does not read":     {"GET /restate/health HTTP/1.1\r\nHost: x\r\n\r\n", false, 119 * time.Second, 242 * time.Second},
		"that it speaks HTTP/2":            {preface, true, 44 * time.Second, 121 * time.Second},
		"a call by HTTP/2 that waits":      {preface + "\x00\x00" + string(rune(len(waits))) + "\x01\x05\x00\x00\x00\x01" + waits, true, 44 * time.Second, 46 * time.Second},
		"half of a frame":                  {preface + "\x00\x00", true, 44 * time.Second, 121 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { falls(t, c.says, c.reads, c.after, c.until) })
		})
	}
}

func falls(t *testing.T, says string, reads bool, after, until time.Duration) {
	f := &fakeRuntime{done: make(chan struct{}), call: func(ctx context.Context, _ actors.Request) (actors.Response, error) {
		<-ctx.Done()
		return actors.Response{}, ctx.Err()
	}}
	s := testServer(t, f, Options{})
	ingress, admin := newPipes(), newPipes()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.ServeOn(ctx, ingress, admin) }()
	conn, began := ingress.dial(), time.Now()
	closed := make(chan time.Duration, 1)
	if reads {
		go func() { _, _ = io.Copy(io.Discard, conn); closed <- time.Since(began) }()
	}
	if _, err := io.WriteString(conn, says); err != nil {
		t.Fatal(err)
	}
	if reads {
		if took := <-closed; took < after || took > until {
			t.Errorf("the connection was closed after %v, and not between %v and %v", took, after, until)
		}
	} else {
		<-time.After(until)
		if open := s.Stats().IngressConnections; open != 0 {
			t.Errorf("after %v the connection is open", until)
		}
	}
	_ = conn.Close()
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
