package dormousetest

import (
	"errors"
	"net"
	"testing"
)

func testPort() *port { return &port{address: memoryAddress("test:80")} }

// accepted connects and returns both ends.
func accepted(t *testing.T, p *port, l *listener) (client, server net.Conn) {
	t.Helper()
	got := make(chan net.Conn, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			t.Error(err)
		}
		got <- c
	}()
	client, err := p.dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return client, <-got
}

func TestSeverBreaksEveryConnectionAndRefusesNewOnes(t *testing.T) {
	t.Parallel()
	p := testPort()
	l := p.listen()
	client, _ := accepted(t, p, l)
	l.sever()
	l.sever()
	if n, err := client.Read(make([]byte, 1)); err == nil {
		t.Errorf("the broken connection gives %d bytes", n)
	}
	if _, err := p.dial(t.Context()); !errors.Is(err, errDown) {
		t.Errorf("a new connection: %v", err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("accept: %v", err)
	}
	ours, theirs := net.Pipe()
	l.track(theirs) // accepted while it was severed
	if _, err := ours.Read(make([]byte, 1)); err == nil {
		t.Error("a connection has survived")
	}
}

func TestCloseKeepsConnectionsAndTheNextListenerTakesNewOnes(t *testing.T) {
	t.Parallel()
	p := testPort()
	first := p.listen()
	client, server := accepted(t, p, first)
	if err := errors.Join(first.Close(), first.Close()); err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = server.Write([]byte("x")) }()
	if _, err := client.Read(make([]byte, 1)); err != nil {
		t.Errorf("a connection of before: %v", err)
	}
	second := p.listen()
	accepted(t, p, second)
	second.sever()
	if err := server.Close(); err != nil {
		t.Error(err)
	}
}
