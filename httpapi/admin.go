package httpapi

import (
	"net"
	"net/http"

	"github.com/labstack/echo/v4"
)

// Versions of Restate's admin API whose routes are served.
const (
	minAdminAPI = 2
	maxAdminAPI = 4
)

// adminRoutes answers a path that the admin port does not have. The ingress
// finds its routes without a router.
const adminRoutes = "no such route: the admin port has /health, /version, " +
	"PATCH /invocations/{id}/cancel, /kill, /pause, /resume and /purge, /introspection/invocations and /introspection/invocations/{id}, " +
	"/introspection/objects/{service} and /{service}/{key}, /introspection/awakeables and /introspection/promises, " +
	"PATCH /invocations/{id}/cancel, /kill, /pause, /resume, /purge, /purge-journal and /restart-as-new, " +
	"POST /internal/invocations_batch_operations/{operation}, POST /services/{service}/state, and /introspection/invocations/{id}"

// newAdmin returns the admin port.
func (s *Server) newAdmin() *echo.Echo {
	p := port{name: "admin", write: s.writeAdminFailure}
	e := s.newEcho(p)
	e.Use(func(next echo.HandlerFunc) echo.HandlerFunc { return s.frame(p, boundHeaders(next)) })
	e.GET("/health", s.adminHealth)
	e.GET("/version", func(c echo.Context) error { return s.writeJSON(c.Response(), http.StatusOK, s.version) })
	s.operationRoutes(e)
	e.GET("/introspection/invocations/:id", s.inspect)
	s.invocationListRoutes(e)
	s.keyRoutes(e)
	// An invocation is read under /introspection; the path itself exists and
	// takes no method.
	none := func(echo.Context) error { return fail(http.StatusMethodNotAllowed, "this route takes no method") }
	e.Any("/invocations/:id", none)
	return e
}

func (s *Server) adminHealth(c echo.Context) error {
	return s.writeBody(c.Response(), http.StatusOK, nil)
}

// version returns the answer of the version route.
func version(ingress string) ([]byte, error) {
	return encodeJSON(struct {
		Version  string   `json:"version"`
		Min      int      `json:"min_admin_api_version"`
		Max      int      `json:"max_admin_api_version"`
		Ingress  string   `json:"ingress_endpoint"`
		Features struct{} `json:"features"`
	}{Version: Version, Min: minAdminAPI, Max: maxAdminAPI, Ingress: endpoint(ingress)})
}

// endpoint turns a listening address into a URL that works on this machine.
func endpoint(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "http://" + address + "/"
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port) + "/"
}
