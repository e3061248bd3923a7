package httpapi

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// Versions of Restate's admin API whose routes are served.
const (
	minAdminAPI = 2
	maxAdminAPI = 4
)

// newAdmin returns the admin port.
func (s *Server) newAdmin() *echo.Echo {
	p := &port{name: "admin", write: s.writeAdminFailure, admit: s.admitAdmin, route: adminRouteOf, counts: &s.counts.admin}
	p.series = s.metrics.of(p)
	e := s.newEcho(p)
	// Echo puts the middleware around the route of each request anew.
	e.Use(func(next echo.HandlerFunc) echo.HandlerFunc {
		explained := s.explain(e, next)
		return s.frame(p, func(x *exchange) error {
			if f := boundHeaders(x.r); f != nil {
				return f
			}
			return explained(x.c)
		})
	})
	// Who asks for health may have parameters of its own; they are ignored.
	e.GET("/health", s.adminHealth)
	e.GET("/version", s.version, bare)
	s.operationRoutes(e)
	e.GET("/introspection/invocations/:id", s.inspect)
	s.invocationListRoutes(e)
	s.keyRoutes(e)
	s.eventRoutes(e)
	// An invocation is read under /introspection; the path itself exists and
	// takes no method.
	none := func(echo.Context) error {
		return fail(http.StatusMethodNotAllowed, "this route takes no method: "+
			"GET /introspection/invocations/{id} reads, PATCH /invocations/{id}/{operation} changes")
	}
	e.Any("/invocations/:id", none)
	s.serviceRoutes(e)
	s.metricsRoute(e)
	s.backupRoute(e)
	s.indexRoute(e)
	return e
}

func (s *Server) adminHealth(c echo.Context) error {
	return s.writeBody(c.Response(), http.StatusOK, nil)
}

// version serves GET /version.
func (s *Server) version(c echo.Context) error {
	return s.writeView(c, struct {
		Version  string   `json:"version"`
		Min      int      `json:"min_admin_api_version"`
		Max      int      `json:"max_admin_api_version"`
		Ingress  string   `json:"ingress_endpoint"`
		Features struct{} `json:"features"`
	}{Version: Version, Min: minAdminAPI, Max: maxAdminAPI, Ingress: s.endpoint()})
}
