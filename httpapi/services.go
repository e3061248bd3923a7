package httpapi

import (
	"crypto/sha256"
	"maps"
	"math/big"
	"slices"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"

	"github.com/dormouse-run/dormouse/internal/openapi"
	"github.com/dormouse-run/dormouse/objects"
)

// configured is what the service routes need of *actors.Runtime.
type configured interface {
	ServiceSettings(service string) (objects.Settings, bool)
	Settings(service, handler string) (objects.Settings, bool)
}

// serviceRoutes serves what is bound, with the settings that apply. What is
// bound never changes, so the views are made once, when they are first asked for.
func (s *Server) serviceRoutes(e *echo.Echo) {
	views := sync.OnceValue(s.viewServices)
	find := func(c echo.Context) (*serviceView, error) {
		name := c.Param("service")
		for i := range views() {
			if v := &views()[i]; v.Name == name {
				return v, nil
			}
		}
		return nil, s.services.noneBound(name)
	}
	e.GET("/services", func(c echo.Context) error {
		return s.writeView(c, struct {
			Services []serviceView `json:"services"`
		}{views()})
	}, bare)
	e.GET("/services/:service", func(c echo.Context) error {
		v, err := find(c)
		if err != nil {
			return err
		}
		return s.writeView(c, v)
	}, bare)
	e.GET("/services/:service/handlers", func(c echo.Context) error {
		v, err := find(c)
		if err != nil {
			return err
		}
		return s.writeView(c, struct {
			Handlers []handlerView `json:"handlers"`
		}{v.Handlers})
	}, bare)
	e.GET("/services/:service/handlers/:handler", func(c echo.Context) error {
		v, err := find(c)
		if err != nil {
			return err
		}
		h, f := v.handler(c.Param("handler"))
		if f != nil {
			return f
		}
		return s.writeView(c, h)
	}, bare)
	e.GET("/services/:service/openapi", func(c echo.Context) error {
		v, err := find(c)
		if err != nil {
			return err
		}
		return s.writeView(c, s.document(v.Name))
	}, bare)
}

// document describes a bound service to clients, as the ingress serves it.
func (s *Server) document(service string) any {
	defs := s.rt.Services()
	i := slices.IndexFunc(defs, func(def objects.ServiceDefinition) bool { return def.Name() == service })
	return openapi.Document(defs[i], openapi.Surroundings{
		Server:        strings.TrimSuffix(s.endpoint(), "/"),
		IngressTokens: s.ingressTokens != nil, AwakeableTokens: s.awakeableTokens != nil,
		MaxKeyBytes: maxKeyBytes,
	})
}

// noneBound refuses the name of a service on the admin port.
func (c catalog) noneBound(name string) *failure {
	if len(name) > maxNameBytes {
		return badRequest("the name of the service is longer than 255 bytes")
	}
	for bound := range c {
		if strings.EqualFold(bound, name) {
			return notFound("no service named '" + name + "': names are case-sensitive, and there is '" + bound + "'")
		}
	}
	names := slices.Sorted(maps.Keys(c))
	if len(names) == 0 {
		return notFound("no service named '" + name + "': this program binds none")
	}
	return notFound("no service named '" + name + "': there is " + list(names))
}

// deploymentDigits is how many digits 128 bits have in base 62.
const deploymentDigits = 22

// deploymentID names what is bound: the services and handlers of this build and
// their kinds. It is the same for every start of a build, and another one where a
// handler was added or taken away. It has the form of Restate's ids.
func deploymentID(defs []objects.ServiceDefinition) string {
	var lines []string
	for _, def := range defs {
		lines = append(lines, def.Name()+" "+def.Type().String())
		for name, h := range def.Handlers() {
			lines = append(lines, def.Name()+"/"+name+" "+h.Kind().String())
		}
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	digits := new(big.Int).SetBytes(sum[:16]).Text(62)
	return "dp_1" + strings.Repeat("0", deploymentDigits-len(digits)) + digits
}

// handler finds a handler of the service, or says which ones there are.
func (v *serviceView) handler(name string) (*handlerView, *failure) {
	if len(name) > maxNameBytes {
		return nil, badRequest("the name of the handler is longer than 255 bytes")
	}
	var names []string
	for i := range v.Handlers {
		h := &v.Handlers[i]
		if h.Name == name {
			return h, nil
		}
		names = append(names, h.Name)
	}
	return nil, notFound("service '" + v.Name + "' has no handler '" + name + "': it has " + list(names))
}
