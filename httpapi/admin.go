package httpapi

import (
	"net"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// Versions of Restate's admin API whose routes are served.
const (
	minAdminAPI = 2
	maxAdminAPI = 4
)

// adminRoutes answers a path that the admin port does not have. The ingress
// finds its routes without a router.
const adminRoutes = "no such route: the admin port has /health, /version, " +
	"PATCH /invocations/{id}/cancel, /kill, /pause, /resume and /purge, and /introspection/invocations/{id}"

// newAdmin returns the admin port.
func (s *Server) newAdmin() *echo.Echo {
	p := port{name: "admin", write: s.writeAdminFailure}
	e := s.newEcho(p)
	e.Use(func(next echo.HandlerFunc) echo.HandlerFunc { return s.frame(p, next) })
	e.GET("/health", s.adminHealth)
	e.GET("/version", func(c echo.Context) error { return s.writeJSON(c.Response(), http.StatusOK, s.version) })
	for _, op := range []machine.Operation{machine.OpCancel, machine.OpKill, machine.OpPause, machine.OpResume, machine.OpPurge} {
		e.PATCH("/invocations/:id/"+op.String(), func(c echo.Context) error { return s.operate(c, op) })
	}
	e.GET("/introspection/invocations/:id", s.inspect)
	s.eventRoutes(e)
	// An invocation is read under /introspection; the path itself exists and
	// takes no method.
	none := func(echo.Context) error { return fail(http.StatusMethodNotAllowed, "this route takes no method") }
	e.Any("/invocations/:id", none)
	return e
}

func (s *Server) adminHealth(c echo.Context) error {
	return s.writeBody(c.Response(), http.StatusOK, nil)
}

// operate serves PATCH /invocations/{id}/{operation}: 200 when it has taken
// effect, 202 when it is stored and will.
func (s *Server) operate(c echo.Context, op machine.Operation) error {
	id, err := ident.ParseInvocationID(c.Param("id"))
	if err != nil {
		return err
	}
	if op == machine.OpResume {
		if err := s.checkDeployment(c, id); err != nil {
			return err
		}
	}
	stored, err := s.rt.Operate(c.Request().Context(), op, id)
	if err != nil {
		return err
	}
	if stored {
		return s.writeBody(c.Response(), http.StatusAccepted, nil)
	}
	return s.writeBody(c.Response(), http.StatusOK, nil)
}

// checkDeployment checks the parameter that says on which code to resume. Here
// there is only the running build, so it changes nothing, but an invocation
// whose attempt is under way cannot move.
func (s *Server) checkDeployment(c echo.Context, id ident.InvocationID) error {
	if !c.QueryParams().Has("deployment") {
		return nil
	}
	if d := c.QueryParam("deployment"); d != "latest" && d != "keep" {
		return badRequest("deployment is latest or keep")
	}
	found, err := s.rt.Inspect(c.Request().Context(), id, actors.InspectOptions{})
	if err != nil {
		return err
	}
	if found.Running {
		return fail(http.StatusConflict, "invocation "+id.String()+" is running: resume it without deployment, or pause it first")
	}
	return nil
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
