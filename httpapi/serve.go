package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// closeGrace is what connections get at stop to take the answers that are
// ready.
const closeGrace = 2 * time.Second

// listeners are the two open ports of a Server.
type listeners struct{ ingress, admin net.Listener }

// listen opens both ports, or none.
func listen(ctx context.Context, o Options) (l listeners, err error) {
	var config net.ListenConfig
	if l.ingress, err = config.Listen(ctx, "tcp", o.Ingress); err != nil {
		return l, fmt.Errorf("listen for the ingress: %w", err)
	}
	if l.admin, err = config.Listen(ctx, "tcp", o.Admin); err != nil {
		return l, errors.Join(fmt.Errorf("listen for the admin port: %w", err), l.ingress.Close())
	}
	return l, nil
}

func (l listeners) close() error { return errors.Join(l.ingress.Close(), l.admin.Close()) }

// Serve serves both ports until ctx is done or the runtime has stopped. Then it
// drains the runtime, during which new requests get a 503, closes the
// connections of calls that still wait without an answer, and returns. It
// returns nil after ctx was done and everything ended in time, and the error
// of the runtime when that stopped by itself. It may be called once.
func (s *Server) Serve(ctx context.Context) error {
	l, err := listen(ctx, s.opts)
	if err != nil {
		return err
	}
	return s.serve(ctx, l)
}

// serve is Serve on ports that are open; it closes them.
func (s *Server) serve(ctx context.Context, l listeners) error {
	// The context under all requests outlives ctx by the time of the drain.
	requests, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	ingress, admin := s.newHTTP(requests, s.front.ingress), s.newHTTP(requests, s.front.admin)
	s.defend(ingress, admin)
	s.listens(l.ingress)
	ended := make(chan error, 2)
	go func() { ended <- serveOn(ingress, l.ingress) }()
	go func() { ended <- serveOn(admin, l.admin) }()
	s.announce(l)

	running := 2
	var cause error
	select {
	case <-ctx.Done():
		s.drain(ctx)
	case <-s.rt.Done():
		cause = s.rt.Err()
	case cause = <-ended:
		running--
	}
	cut()
	err := errors.Join(cause, stop(ctx, ingress), stop(ctx, admin))
	for range running {
		if e := <-ended; !errors.Is(e, http.ErrServerClosed) {
			err = errors.Join(err, e)
		}
	}
	return err
}

// announce says where the ports are.
func (s *Server) announce(l listeners) {
	at := Addresses{Ingress: l.ingress.Addr().String(), Admin: l.admin.Addr().String()}
	s.log.Info("serving", slog.String("ingress", at.Ingress), slog.String("admin", at.Admin))
	if tcp, ok := l.admin.Addr().(*net.TCPAddr); ok && !tcp.IP.IsLoopback() && s.adminTokens == nil {
		s.log.Warn("the admin port can be reached from other machines, and whoever reaches it may kill and purge invocations: set AdminTokens, or an address of loopback",
			slog.String("admin", at.Admin))
	}
	if s.opts.Ready != nil {
		s.opts.Ready(at)
	}
}

// drain lets the runtime come to rest. Who has not come to rest in time is no
// error here: what was accepted is durable and goes on after the next start,
// and the runtime's Close says who had to be abandoned.
func (s *Server) drain(ctx context.Context) {
	s.log.Info("stopping", slog.Duration("grace", s.opts.StopGrace))
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.opts.StopGrace)
	defer cancel()
	if err := s.rt.Drain(ctx); err != nil {
		s.log.Warn("the runtime has not come to rest", slog.Any("error", err))
	}
}

// stop ends an HTTP server: politely for a while, then at once.
func stop(ctx context.Context, h *http.Server) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeGrace)
	defer cancel()
	if err := h.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("shut down: %w", err)
	}
	if err := h.Close(); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	return nil
}

// newHTTP returns a server whose requests descend from ctx. Its timeouts are
// for what a client does before its request is complete; the rest is set per
// request, because a call may wait for days.
func (s *Server) newHTTP(ctx context.Context, h http.Handler) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: s.opts.HeaderTimeout,
		IdleTimeout:       s.opts.IdleTimeout,
		MaxHeaderBytes:    maxWireBytes,
		Protocols:         protocols,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
}
