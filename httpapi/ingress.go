package httpapi

import (
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
)

// exchange is one request to the ingress on its way through a route.
type exchange struct {
	w *echo.Response
	r *http.Request
	// pathAndQuery is what the client wrote.
	pathAndQuery string
	seg          segments
	// slot is the place among the requests that are worked on.
	slot slot
}

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

// newIngress returns the frame of the ingress. One route catches everything:
// the grammar of its paths needs the raw path, in which an empty segment is a
// key, and whether a segment is a key depends on the service.
func (s *Server) newIngress() *echo.Echo {
	p := port{name: "ingress", write: s.writeIngressFailure, admit: s.admitIngress, counts: &s.counts.ingress}
	e := s.newEcho(p)
	serve := s.frame(p, boundHeaders(func(c echo.Context) error {
		path, withQuery := rawPath(c.Request())
		x := &exchange{w: c.Response(), r: c.Request(), pathAndQuery: withQuery}
		var full *failure
		if partOf(path) != partHealth { // who asks how we are gets an answer
			x.slot, full = s.slots.take()
		}
		if full != nil {
			return full
		}
		defer x.slot.free()
		var ok bool
		if x.seg, ok = split(path); !ok {
			return badRequest("no path of the ingress looks like this: it is /{service}/{handler}, /{service}/{key}/{handler}, or starts with /restate/")
		}
		return s.routeIngress(x)
	}))
	// The router finds no route for what does not begin with a slash, and
	// there is such a thing: CONNECT, an asterisk, an address without a path.
	e.Pre(func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if !strings.HasPrefix(echo.GetPath(c.Request()), "/") {
				return serve(c)
			}
			return next(c)
		}
	})
	e.RouteNotFound("/*", serve)
	return e
}

// newEcho returns an Echo that answers what its router refuses like p.
func (s *Server) newEcho(p port) *echo.Echo {
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
