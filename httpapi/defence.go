package httpapi

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"

	"github.com/dormouse-run/dormouse/internal/guard"
)

// defence is what a Server keeps for its Safety.
type defence struct {
	ingressTokens, awakeableTokens, adminTokens *guard.Tokens
	// ingressTLS and adminTLS are nil for a port that is not encrypted.
	ingressTLS, adminTLS *tls.Config
	origins              origins
	pages                adminGuard
	slots                slots
	bodies               bodies
	counts               struct{ ingress, admin counts }
	// open are the connections of ingress and admin port, nil before Serve.
	open atomic.Pointer[[2]*guard.Connections]
}

// counts are how requests to one port have ended that did not get through. Stats
// adds them up, and so do the metrics.
type counts struct {
	panics, unauthorized, forbidden, refused atomic.Uint64
}

// newDefence reads the files and checks everything. Its error names all that is
// wrong.
func newDefence(o Options) (d *defence, err error) {
	d = new(defence)
	safety := o.Safety
	errs := []error{safety.check()}
	note := func(err error) { errs = append(errs, err) }
	d.ingressTokens, err = newTokens("ingress", safety.IngressTokens, o.Logger)
	note(err)
	d.awakeableTokens, err = newTokens("awakeables", safety.AwakeableTokens, o.Logger)
	note(err)
	if !safety.AwakeableTokens.set() {
		d.awakeableTokens = d.ingressTokens
	}
	d.adminTokens, err = newTokens("admin port", safety.AdminTokens, o.Logger)
	note(err)
	d.ingressTLS, err = safety.IngressTLS.config("ingress", o.Logger)
	note(err)
	d.adminTLS, err = safety.AdminTLS.config("admin port", o.Logger)
	note(err)
	d.origins, err = newOrigins(safety.AllowOrigins)
	note(err)
	d.pages = adminGuard{open: d.adminTokens == nil, hosts: safety.AdminHosts}
	d.slots.limit, d.bodies.limit = int64(safety.MaxRequests), safety.MaxBodies
	return d, errors.Join(errs...)
}

// admitIngress is the first check of a request to the ingress.
func (s *Server) admitIngress(x *exchange) (answered bool, err error) {
	x.seg, x.formed = split(x.path)
	if s.origins.share(x.w, x.r) {
		x.w.Header()[headerContentType] = nil
		return true, s.writeBody(x.w, http.StatusOK, nil)
	}
	part := x.part()
	if part == partHealth {
		return false, nil
	}
	checked := s.ingressTokens
	if part == partAwakeables {
		checked = s.awakeableTokens
	}
	if err := checked.Admit(x.r); err != nil {
		return false, err
	}
	if f := s.origins.admit(x.r); f != nil {
		return false, f
	}
	return false, nil
}

// admitAdmin is the first check of a request to the admin port.
func (s *Server) admitAdmin(x *exchange) (answered bool, err error) {
	if x.r.Method == http.MethodOptions || x.path == "/health" {
		return false, nil
	}
	if err := s.adminTokens.Admit(x.r); err != nil {
		return false, err
	}
	if f := s.pages.admit(x.r); f != nil {
		return false, f
	}
	return false, nil
}

// panicError is the error of a route that panicked.
type panicError struct {
	value any
	stack []byte
}

// Error has the stack: it is for the log only.
func (e *panicError) Error() string { return fmt.Sprintf("a route panicked: %v\n%s", e.value, e.stack) }

// panicked reports whether a route panicked.
func panicked(err error) bool {
	var p *panicError
	return errors.As(err, &p)
}

// add counts what a route failed with.
func (c *counts) add(err error) {
	var p *panicError
	var token *guard.TokenError
	var f *failure
	switch {
	case errors.As(err, &p):
		c.panics.Add(1)
	case errors.As(err, &token):
		c.unauthorized.Add(1)
	case !errors.As(err, &f):
	case f.status == http.StatusForbidden && f.source == sourceIngress:
		c.forbidden.Add(1)
	case f.retryAfter > 0:
		c.refused.Add(1)
	}
}

// withStack puts the stack of a panic into its answer, when that is wanted.
func (s *Server) withStack(f *failure, err error) *failure {
	var p *panicError
	if f != nil && s.opts.Safety.ExposeStackTraces && errors.As(err, &p) {
		f.stack = fmt.Sprintf("%v\n%s", p.value, p.stack)
	}
	return f
}

// levelOf returns the level of a request's line. A client that left is no news,
// and neither is a handler that failed on purpose with a 5xx code.
func (s *Server) levelOf(status int, err error) slog.Level {
	levels := &s.opts.Safety.RequestLog
	if err == nil {
		return levels.Success.Level()
	}
	return levels.ofError(status, err)
}

func (levels *RequestLog) ofError(status int, err error) slog.Level {
	var f *failure
	switch {
	case errors.Is(err, context.Canceled):
		return levels.Success.Level()
	case errors.As(err, &f):
		return levels.Refused.Level()
	case status == http.StatusInternalServerError:
		return levels.Broken.Level()
	case status > http.StatusInternalServerError:
		return levels.Overload.Level()
	default:
		return levels.Refused.Level()
	}
}
