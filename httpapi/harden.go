package httpapi

import (
	"crypto/tls"
	"net"
	"net/http"
	"time"

	"github.com/dormouse-run/dormouse/internal/guard"
)

// Times of HTTP/2. A peer that has sent nothing for pingAfter is asked whether
// it is there, and its connection is closed when it does not answer in time.
const (
	pingAfter   = 30 * time.Second
	pingTimeout = 15 * time.Second
)

// defend puts the bounds of connections and streams, and the certificates, into
// the servers of both ports.
func (s *Server) defend(ingress, admin *http.Server) {
	r := guard.RoomFor(s.opts.Safety.MaxConnections, s.log)
	open := &[2]*guard.Connections{guard.NewConnections("ingress", r.Ingress, s.log), guard.NewConnections("admin", r.Admin, s.log)}
	s.defence.open.Store(open)
	s.harden(ingress, open[0], s.ingressTLS)
	s.harden(admin, open[1], s.adminTLS)
}

// harden sets up one server. net/http itself ends a connection of HTTP/2 whose
// peer opens and resets streams faster than they are worked on, or floods it
// with control frames.
func (s *Server) harden(h *http.Server, open *guard.Connections, certificates *tls.Config) {
	h.ConnContext, h.ConnState = open.Enter, open.Changed
	h.HTTP2 = &http.HTTP2Config{
		MaxConcurrentStreams: s.opts.Safety.MaxStreams,
		SendPingTimeout:      pingAfter,
		PingTimeout:          pingTimeout,
		// A peer that takes no bytes at all.
		WriteByteTimeout: s.opts.TransferTimeout,
	}
	if certificates == nil {
		return
	}
	h.TLSConfig = certificates
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	h.Protocols = protocols
}

// serveOn serves with TLS when h has certificates.
func serveOn(h *http.Server, l net.Listener) error {
	if h.TLSConfig != nil {
		return h.ServeTLS(l, "", "")
	}
	return h.Serve(l)
}
