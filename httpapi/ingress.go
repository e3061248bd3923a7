package httpapi

import (
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"
)

// parts returns the path from the i-th segment on.
func (x *exchange) parts(i int) []string { return x.seg.all()[min(i, x.seg.n):] }

// method refuses a request whose method is none of the allowed ones.
func (x *exchange) method(allowed ...string) *failure {
	if slices.Contains(allowed, x.r.Method) {
		return nil
	}
	list := allowed[0]
	for _, m := range allowed[1:] {
		list += ", " + m
	}
	return methodNotAllowed(list)
}

// ingressPort is the handler of the ingress. It serves everything by one route: the
// grammar of the paths needs the raw path, in which an empty segment is a key,
// and whether a segment is a key depends on the service. So Echo lends the
// context of a request and its router is not asked, which would find no route
// for what does not begin with a slash: CONNECT, an asterisk, an address without
// a path.
type ingressPort struct {
	echo  *echo.Echo
	serve echo.HandlerFunc
}

func (s *Server) newIngress() *ingressPort {
	p := &port{name: "ingress", write: s.writeIngressFailure, admit: s.admitIngress, route: ingressRouteOf, counts: &s.counts.ingress}
	p.series = s.metrics.of(p)
	return &ingressPort{echo: s.newEcho(p), serve: s.frame(p, s.serveIngress)}
}

// ServeHTTP implements http.Handler.
func (i *ingressPort) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := i.echo.AcquireContext()
	c.Reset(r, w)
	if err := i.serve(c); err != nil {
		i.echo.HTTPErrorHandler(err, c)
	}
	i.echo.ReleaseContext(c)
}

// serveIngress is the one route of the ingress.
func (s *Server) serveIngress(x *exchange) error {
	if f := boundHeaders(x.r); f != nil {
		return f
	}
	if x.part() != partHealth { // who asks how we are gets an answer
		var full *failure
		if x.slot, full = s.slots.take(); full != nil {
			return full
		}
		defer x.slot.free()
	}
	if !x.formed {
		return badRequest("no path of the ingress looks like this: it is /{service}/{handler}, /{service}/{key}/{handler}, or starts with /restate/")
	}
	return s.routeIngress(x)
}

// newEcho returns an Echo that answers what its router refuses like p.
func (s *Server) newEcho(p *port) *echo.Echo {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = func(err error, c echo.Context) { _ = s.answerError(p, c, err) }
	return e
}

// routeIngress picks the route by the first segments.
func (s *Server) routeIngress(x *exchange) error {
	switch x.seg.part[0] {
	case "restate":
		return s.routeRestate(x)
	case "openapi":
		return notFound("no such route")
	default:
		return s.invoke(x, x.parts(0), formBare)
	}
}

// routeRestate picks the route under /restate.
func (s *Server) routeRestate(x *exchange) error {
	switch x.seg.part[1] {
	case "health":
		return s.serveHealth(x)
	case "call":
		return s.invoke(x, x.parts(2), formCall)
	case "send":
		return s.invoke(x, x.parts(2), formSend)
	case "awakeables", "a":
		return s.completeAwakeable(x, x.parts(2))
	case "signals":
		return s.completeSignal(x, x.parts(2))
	case "invocation":
		return s.routeInvocation(x, x.parts(2))
	case "workflow":
		return s.routeWorkflow(x, x.parts(2))
	case "attach", "output", "lookup":
		return s.routeTarget(x, x.seg.part[1], x.parts(2))
	case "scope":
		return badRequest("scopes are not supported")
	default:
		return noIngressRoute()
	}
}

// serveHealth lists the bound services.
func (s *Server) serveHealth(x *exchange) error {
	if x.seg.n > 2 {
		return notFound("no such route")
	}
	if f := x.method(http.MethodGet); f != nil {
		return f
	}
	return s.writeJSON(x.w, http.StatusOK, s.health)
}
