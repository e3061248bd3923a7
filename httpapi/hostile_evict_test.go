package httpapi

import (
	"crypto/tls"
	"log/slog"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// TestEvictingAnEncryptedConnectionDoesNotWaitForItsPeer evicts a connection whose
// peer takes no bytes: TLS would say goodbye to it for five seconds, in which the
// port accepts nobody.
func TestEvictingAnEncryptedConnectionDoesNotWaitForItsPeer(t *testing.T) {
	t.Parallel()
	a := certify(t, t.TempDir(), 1)
	pair, err := tls.LoadX509KeyPair(a.Cert, a.Key)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		victim := tls.Server(near, &tls.Config{Certificates: []tls.Certificate{pair}})
		shaken := make(chan error, 1)
		client := tls.Client(far, &tls.Config{InsecureSkipVerify: true})
		// The client reads to the end of the handshake, tickets included, and no further.
		go func() { _, err := client.Read(make([]byte, 1)); shaken <- err }()
		if _, err := victim.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if err := <-shaken; err != nil {
			t.Fatal(err)
		}
		c := newConnections("ingress", 1, slog.New(slog.DiscardHandler))
		c.enter(t.Context(), victim)
		other, end := net.Pipe()
		began := time.Now()
		c.enter(t.Context(), other)
		if took := time.Since(began); took != 0 {
			t.Errorf("it took %v", took)
		}
		if _, err := near.Write(nil); err == nil {
			t.Error("the victim is open")
		}
		for _, conn := range []net.Conn{far, other, end} {
			_ = conn.Close()
		}
	})
}
